//! Speaks with Duo: enrols users, sends pushes and asks what became of them (Auth API v2), and
//! lists users (Admin API).
//!
//! It judges nothing, keeps nothing, and says nothing of keys or codes in an error. A push is sent
//! once and never repeated here: only a refusal for being too fast (429) is tried again.

use std::net::IpAddr;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::clock::Clock;

mod account;
mod desk;
mod http;
mod sign;
#[cfg(test)]
mod tests;

pub use account::{Account, is_host};
pub use http::Error;

use desk::{Desk, Desks};
use http::Http;

/// How many polls of one account may be under way at once; others wait for their turn.
const AT_ONCE: usize = 1000;

/// How long one request may take, and all tries of it together.
const PATIENCE: Duration = Duration::from_secs(45);

/// How long a poll may take: Duo holds it until there is something to say.
const POLL_PATIENCE: Duration = Duration::from_secs(90);

/// How long the fate of one push is asked about at most, whoever forgot to end it.
const POLLING: Duration = Duration::from_mins(15);

/// The least time between two polls of one push.
const PACE: Duration = Duration::from_secs(1);

/// The longest pause after a poll that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How many users are read in one go.
const PAGE: u32 = 100;

/// The most users that are read.
const MOST_USERS: usize = 100_000;

/// A push that is to be sent.
#[derive(Clone, Debug)]
pub struct Push {
    /// Who sends it.
    pub account: Account,
    /// What Duo calls the user.
    pub user_id: String,
    /// What the user is called on the device.
    pub username: String,
    /// Where the user is.
    pub address: IpAddr,
    /// The host where the user logs in, where that is known for certain.
    pub domain: Option<String>,
    /// The application that they log in to.
    pub application: Option<String>,
    /// What the push is about, such as `Example Login request`.
    pub kind: String,
}

/// A user who may enrol a device now.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// What Duo calls the user.
    pub user_id: String,
    /// The address of a picture with the code.
    pub activation_barcode: SecretString,
    /// The code that enrols a device.
    pub activation_code: SecretString,
}

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// `allow`, `deny` or `waiting`.
    pub result: String,
    /// More precisely, such as `timeout` or `fraud`.
    pub status: String,
    /// In words.
    pub message: String,
}

impl Push {
    /// What else is shown, as a query string.
    fn info(&self) -> String {
        let mut info = form_urlencoded::Serializer::new(String::new());
        let shown = [("Domain", &self.domain), ("Application", &self.application)];
        for (name, value) in shown {
            if let Some(value) = value {
                info.append_pair(name, value);
            }
        }
        info.finish()
    }
}

impl Fate {
    /// Whether it says something that stays.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self.result.as_str(), "allow" | "deny")
    }
}

/// A user whom Duo knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownUser {
    /// What Duo calls the user.
    pub user_id: String,
    /// The name by which they log in.
    pub username: String,
}

/// Speaks with Duo. One for the whole program.
#[derive(Debug)]
pub struct Duo {
    http: Http,
    clock: Clock,
    desks: Desks,
}

impl Default for Duo {
    fn default() -> Self {
        Self::new(Clock::system())
    }
}

impl Duo {
    /// One that signs with the time of this clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            http: Http::new(clock.clone()),
            clock,
            desks: Desks::new(AT_ONCE),
        }
    }

    /// Makes a user at Duo who may enrol a device.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn enrol(&self, account: &Account, username: &str) -> Result<Enrolment, Error> {
        let body = json!({ "username": username });
        let said = self
            .http
            .post(account, "/auth/v2/enroll", &body, PATIENCE)
            .await?;
        let text = |name: &str| said[name].as_str().map(str::to_owned).ok_or(Error::STRANGE);
        Ok(Enrolment {
            user_id: text("user_id")?,
            activation_barcode: text("activation_barcode")?.into(),
            activation_code: text("activation_code")?.into(),
        })
    }

    /// Whether a user has enrolled a device: `success`, `waiting` or `invalid`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn enrolment_status(
        &self,
        account: &Account,
        user_id: &str,
        activation_code: &SecretString,
    ) -> Result<String, Error> {
        use secrecy::ExposeSecret as _;

        let body =
            json!({ "user_id": user_id, "activation_code": activation_code.expose_secret() });
        let said = self
            .http
            .post(account, "/auth/v2/enroll_status", &body, PATIENCE)
            .await?;
        let status = said.as_str().ok_or(Error::STRANGE)?;
        // What is not one of Duo's own words says nothing that may be repeated.
        let known = ["success", "waiting", "invalid"].contains(&status);
        known.then(|| status.to_owned()).ok_or(Error::STRANGE)
    }

    /// Sends a push and does not wait for anybody; what Duo calls it.
    ///
    /// # Errors
    /// [`Error::Broken`] when it may have been sent all the same.
    pub async fn push(&self, push: &Push) -> Result<String, Error> {
        let body = json!({
            "async": "1",
            "device": "auto",
            "display_username": push.username,
            "factor": "auto",
            "ipaddr": push.address.to_string(),
            "pushinfo": push.info(),
            "type": push.kind,
            "user_id": push.user_id,
        });
        let said = self
            .http
            .post(&push.account, "/auth/v2/auth", &body, PATIENCE)
            .await?;
        // It was sent, but nobody can ask what becomes of it.
        let nameless = Error::Broken("the answer does not say what the push is called");
        let transaction = said["txid"].as_str().ok_or(nameless)?;
        Ok(transaction.to_owned())
    }

    /// What became of a push, as soon as somebody has decided: it is asked about again and again,
    /// also when Duo cannot be reached for a while.
    ///
    /// # Errors
    /// [`Error::Refused`], or whatever went wrong last when there is no end to it.
    pub async fn fate(&self, account: &Account, transaction: &str) -> Result<Fate, Error> {
        let end = self.clock.monotonic() + POLLING;
        let desk = self.desks.of(account);
        let mut pause = PACE;
        loop {
            let begun = self.clock.monotonic();
            let failed = match self.ask_fate(&desk, account, transaction).await {
                Ok(fate) if fate.is_final() => {
                    desk.has_answered();
                    return Ok(fate);
                }
                Ok(_) => None,
                Err(error @ Error::Refused { .. }) => {
                    desk.has_answered();
                    return Err(error);
                }
                Err(error) => Some(error),
            };
            let now = self.clock.monotonic();
            match &failed {
                Some(error) => desk.has_failed(error),
                None => desk.has_answered(),
            }
            if now >= end {
                return Err(failed.unwrap_or(Error::Unreachable("it came to no end")));
            }
            let wait = if failed.is_some() {
                let wait = pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
                wait
            } else {
                pause = PACE;
                PACE.saturating_sub(now - begun)
            };
            tokio::time::sleep(wait).await;
        }
    }

    async fn ask_fate(
        &self,
        desk: &Desk,
        account: &Account,
        transaction: &str,
    ) -> Result<Fate, Error> {
        let _turn = desk.turn().await?;
        let parameters = [("txid", transaction)];
        let path = "/auth/v2/auth_status";
        let said = self.http.get(account, path, &parameters, POLL_PATIENCE);
        let said = said.await?.response;
        let text = |name: &str| http::short(said[name].as_str().unwrap_or_default());
        Ok(Fate {
            result: text("result"),
            status: text("status"),
            message: text("status_msg"),
        })
    }

    /// All users whom Duo knows; `account` is one of the Admin API. What is done with a page is up
    /// to `each`, so that nothing is lost when a later page cannot be read.
    ///
    /// # Errors
    /// [`Error`]; an error of `each` ends it and is the inner one.
    pub async fn users<E>(
        &self,
        account: &Account,
        mut each: impl AsyncFnMut(Vec<KnownUser>) -> Result<(), E>,
    ) -> Result<Result<(), E>, Error> {
        let mut offset = 0_u64;
        let mut read = 0;
        loop {
            let (limit, from) = (PAGE.to_string(), offset.to_string());
            let parameters = [("limit", limit.as_str()), ("offset", from.as_str())];
            let page = self
                .http
                .get(account, "/admin/v1/users", &parameters, PATIENCE)
                .await?;
            let listed = page.response.as_array().ok_or(Error::STRANGE)?;
            read += listed.len();
            if read > MOST_USERS {
                return Err(Error::STRANGE);
            }
            let users = listed.iter().filter_map(known).collect();
            if let Err(error) = each(users).await {
                return Ok(Err(error));
            }
            match page.metadata["next_offset"].as_u64() {
                // One that leads back would never end.
                Some(next) if next > offset => offset = next,
                Some(_) => return Err(Error::STRANGE),
                None => return Ok(Ok(())),
            }
        }
    }
}

fn known(user: &Value) -> Option<KnownUser> {
    Some(KnownUser {
        user_id: user["user_id"].as_str()?.to_owned(),
        username: user["username"].as_str()?.to_owned(),
    })
}
