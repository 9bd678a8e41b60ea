//! The first administrator, made on the first start only.

use secrecy::SecretString;

use super::reader::Reader;

/// `bootstrap.*`: read on the first start and never again.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// The password of `akadmin`. Without it and without a hash, a one-time link is printed.
    pub password: Option<SecretString>,
    /// The same as a hash (argon2id in PHC form, or one of Django's encodings).
    pub password_hash: Option<SecretString>,
    /// The mail address of `akadmin`.
    pub email: Option<String>,
    /// The key of an API token for `akadmin`.
    pub token: Option<SecretString>,
}

impl Bootstrap {
    pub(super) fn read(from: &mut Reader) -> Self {
        let password = from.secret("bootstrap.password");
        let password_hash = from.secret("bootstrap.password_hash");
        if password.is_some() && password_hash.is_some() {
            let origin = from.origin("bootstrap.password_hash");
            let other = from.origin("bootstrap.password");
            from.complain(
                origin,
                format!("bootstrap.password is set as well ({other}); keep one of them"),
            );
        }
        let email = |text: &str| {
            let at = text.split_once('@');
            match at {
                Some((name, host)) if !name.is_empty() && !host.is_empty() => Ok(text.to_owned()),
                _ => Err(format!("{text:?} is no mail address")),
            }
        };
        Self {
            password,
            password_hash,
            email: from.optional("bootstrap.email", email),
            token: from.secret("bootstrap.token"),
        }
    }
}
