//! What visitors do, by name. Says nothing of how.

use std::fmt;
use std::str::FromStr;

/// What each conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Somebody opens a flow, names themselves, types the password and is let in.
    Login,
    /// The same with passwords that are wrong, until the flow gives up or they do.
    WrongPasswords,
    /// Somebody who opened a flow before looks at it again.
    Challenge,
    /// Somebody opens a flow for the first time, and leaves.
    FirstGet,
    /// Somebody new makes an account.
    Enrolment,
    /// Somebody asks for a mailed link, and the execution waits for it.
    Waits,
    /// Logins by many flows, of which every visitor has opened several before one is finished.
    Flows,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Login,
        Self::WrongPasswords,
        Self::Challenge,
        Self::FirstGet,
        Self::Enrolment,
        Self::Waits,
        Self::Flows,
    ];

    /// The name, as it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::WrongPasswords => "wrong-passwords",
            Self::Challenge => "challenge",
            Self::FirstGet => "first-get",
            Self::Enrolment => "enrolment",
            Self::Waits => "waits",
            Self::Flows => "flows",
        }
    }

    /// The flow that a server has for it, where nobody names one.
    #[must_use]
    pub const fn usual_flow(self) -> &'static str {
        match self {
            Self::Enrolment => "default-enrollment-flow",
            Self::Waits => "default-recovery-flow",
            _ => "default-authentication-flow",
        }
    }

    /// What the first request of a conversation is called among the steps.
    pub(super) const fn first_step(self) -> &'static str {
        match self {
            Self::Challenge => "look",
            _ => "open",
        }
    }

    /// Whether people are needed who have an account.
    #[must_use]
    pub const fn needs_people(self) -> bool {
        matches!(
            self,
            Self::Login | Self::WrongPasswords | Self::Waits | Self::Flows
        )
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|it| it.name() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no such profile; there is: {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_found_by_its_name() {
        for profile in Profile::ALL {
            assert_eq!(profile.name().parse(), Ok(profile));
        }
        assert!("logout".parse::<Profile>().is_err());
    }
}
