//! A message that is about to be handed to a provider. It cannot be printed: it has a code in it.

use std::fmt;

use secrecy::SecretString;
use url::Url;

/// Whose protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Twilio's: a form.
    Twilio,
    /// JSON, to an address of the operator's.
    Generic,
}

/// How a generic provider knows who asks. Twilio goes by the account and the token.
#[derive(Clone)]
pub enum Credentials {
    /// A name and a password.
    Basic {
        /// The password; the name is [`Message::auth`].
        password: SecretString,
    },
    /// A token.
    Bearer,
}

/// A text message with a code.
#[derive(Clone)]
pub struct Message {
    /// Whose protocol is spoken.
    pub provider: Provider,
    /// The account at Twilio, or the address that is posted to.
    pub account: String,
    /// Twilio's token, the name, or the token.
    pub auth: SecretString,
    /// How a generic provider knows who asks.
    pub credentials: Credentials,
    /// From which number.
    pub from: String,
    /// To which number.
    pub to: String,
    /// The code.
    pub code: SecretString,
    /// What a person reads.
    pub text: SecretString,
    /// What a generic provider is sent in place of the usual: JSON.
    pub body: Option<SecretString>,
}

impl Message {
    /// The host that is asked; the rest of its address may be a secret.
    #[must_use]
    pub fn host(&self) -> String {
        match self.provider {
            Provider::Twilio => "api.twilio.com".to_owned(),
            Provider::Generic => {
                let url = Url::parse(&self.account).ok();
                let host = url.as_ref().and_then(Url::host_str);
                host.unwrap_or_default().to_owned()
            }
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}
