//! `gatelog user`: accounts, without a browser.

use anyhow::Context;
use clap::Subcommand;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::settings::Settings;

use super::client::{once, segment};
use super::output::{Output, print_line, print_value, talk};
use super::{device, erase, password};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a user; the password is asked for unless told otherwise
    Create {
        /// What they log in with
        username: String,
        /// What they are called
        #[arg(long, default_value = "")]
        name: String,
        /// Their mail address
        #[arg(long, default_value = "")]
        email: String,
        /// Make them an administrator
        #[arg(long)]
        superuser: bool,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
        /// Set no password: nobody can log in with one until it is set
        #[arg(long, conflicts_with = "password_stdin")]
        no_password: bool,
    },
    /// Set a user's password, which is asked for unless it is piped in
    SetPassword {
        /// What they log in with
        username: String,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Make a link by which somebody gets back into their account, to be handed over by you
    ///
    /// It works once, in any browser, and leads into the recovery flow. A link that was made for the
    /// same user before, and that nobody has used, works no more.
    RecoveryLink {
        /// What they log in with
        username: String,
        /// How long it works, such as 24h or 30m
        #[arg(long, default_value = "24h")]
        expires: String,
        /// The flow to use instead of the brand's recovery flow
        #[arg(long)]
        flow: Option<String>,
    },
    /// Remove a person from everything that can be read, and say what came of it
    ///
    /// Their key is destroyed, and with it all that was ever written of them; where else they are
    /// named is looked for and removed. The journal can still be verified. A command that was
    /// interrupted is simply given again.
    Erase(erase::Command),
    /// List all users
    List,
    /// List what a user shows besides the password: authenticators, keys, recovery codes
    Devices {
        /// What they log in with
        username: String,
    },
    /// Remove a device that a user has lost, or all of them
    ///
    /// Whoever is half-way through a login can no longer use it. A user without any device logs in
    /// as the flow says for such a user.
    RemoveDevice {
        /// What they log in with
        username: String,
        /// Its class and number, as `gatelog user devices` lists them, such as totp/1234
        #[arg(required_unless_present = "all")]
        device: Option<String>,
        /// Remove all devices of the user
        #[arg(long, conflicts_with = "device")]
        all: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    match command {
        Command::Create {
            username,
            name,
            email,
            superuser,
            password_stdin,
            no_password,
        } => {
            // Asked for before anything is locked: typing takes its time.
            let password = match no_password {
                true => None,
                false => Some(password::ask(*password_stdin)?),
            };
            let body = json!({
                "username": username,
                "name": name,
                "email": email,
                "superuser": superuser,
                "password": password.as_ref().map(SecretString::expose_secret),
            });
            let user = once(settings, "users", Some(&body)).await?;
            done(output, &user, &format!("Made the user {username}."))
        }
        Command::SetPassword {
            username,
            password_stdin,
        } => {
            let password = password::ask(*password_stdin)?;
            let body = json!({ "password": password.expose_secret() });
            let path = format!("users/{}/password", segment(username));
            let user = once(settings, &path, Some(&body)).await?;
            done(output, &user, &format!("Set the password of {username}."))
        }
        Command::RecoveryLink {
            username,
            expires,
            flow,
        } => {
            let lasts: SignedDuration = expires
                .parse()
                .with_context(|| format!("{expires:?} is no span of time, such as 24h or 30m"))?;
            let body = json!({ "seconds": lasts.as_secs(), "flow": flow });
            let path = format!("users/{}/recovery-link", segment(username));
            let made = once(settings, &path, Some(&body)).await?;
            recovery_link(output, &made, username)
        }
        Command::Erase(command) => erase::run(command, settings, output).await,
        Command::List => {
            let answer = once(settings, "users", None).await?;
            list(&answer, output)
        }
        Command::Devices { username } => device::list(username, settings, output).await,
        Command::RemoveDevice {
            username,
            device,
            all: _,
            yes,
        } => device::remove(username, device.as_deref(), *yes, settings, output).await,
    }
}

fn done(output: &Output, user: &Value, text: &str) -> anyhow::Result<()> {
    if output.is_json() {
        return print_value(user);
    }
    talk(text);
    Ok(())
}

fn recovery_link(output: &Output, made: &Value, username: &str) -> anyhow::Result<()> {
    if output.is_json() {
        return print_value(made);
    }
    let text = |key: &str| made[key].as_str().unwrap_or_default();
    talk(&format!(
        "Give this link to {username}, and to nobody else. It works once, until {}.",
        text("expires")
    ));
    if made["url"].is_null() {
        talk("Put your server's address in front of it (set web.public_url to have it done here).");
        print_line(text("path"))
    } else {
        print_line(text("url"))
    }
}

fn list(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let users = answer["users"].as_array().map_or(&[][..], Vec::as_slice);
    if output.is_json() {
        return users.iter().try_for_each(print_value);
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    };
    let keys = [
        "pk",
        "username",
        "name",
        "email",
        "is_active",
        "is_superuser",
        "last_login",
    ];
    let rows: Vec<Vec<String>> = users
        .iter()
        .map(|user| keys.iter().map(|key| text(&user[key])).collect())
        .collect();
    let headings = [
        "PK",
        "USERNAME",
        "NAME",
        "EMAIL",
        "ACTIVE",
        "SUPERUSER",
        "LAST LOGIN",
    ];
    output.table(&headings, &rows)
}
