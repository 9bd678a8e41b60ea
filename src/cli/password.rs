//! Passwords are typed without an echo or piped in; never an argument, which others could see.

use std::io::{IsTerminal, Read};

use secrecy::{ExposeSecret, SecretString};

/// No password was given.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// Nobody can be asked.
    #[error("there is no terminal to ask for the password; pipe it in with --password-stdin")]
    NoTerminal,
    /// It has no characters.
    #[error("the password is empty")]
    Empty,
    /// The second typing was another one.
    #[error("the two passwords differ")]
    Differ,
}

/// The longest that is read, so that a wrong pipe does not fill the memory.
const LONGEST: u64 = 64 << 10;

/// Asks twice on the terminal, or reads standard input up to the end of its first line.
pub(super) fn ask(from_stdin: bool) -> anyhow::Result<SecretString> {
    let stdin = std::io::stdin();
    let password = if from_stdin {
        let mut text = String::new();
        stdin.lock().take(LONGEST).read_to_string(&mut text)?;
        let line = text.split('\n').next().unwrap_or_default();
        SecretString::from(line.strip_suffix('\r').unwrap_or(line))
    } else {
        if !stdin.is_terminal() {
            return Err(Error::NoTerminal.into());
        }
        let first = SecretString::from(rpassword::prompt_password("Password: ")?);
        let second = SecretString::from(rpassword::prompt_password("The same again: ")?);
        if first.expose_secret() != second.expose_secret() {
            return Err(Error::Differ.into());
        }
        first
    };
    if password.expose_secret().is_empty() {
        return Err(Error::Empty.into());
    }
    Ok(password)
}
