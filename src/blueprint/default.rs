//! The blueprints that come with the server: those that the first start applies, and those that an
//! operator switches on.
//!
//! A flow that is there already is never touched by an upgrade or by switching something on: its
//! operator may have changed it.

use std::fmt;
use std::str::FromStr;

use super::document::Document;
use super::import::apply;
use super::options::{Error, Options};
use super::problem::Problem;
use super::report::Report;
use super::syntax::Syntax;
use crate::catalog::flow_by_slug;
use crate::clock::Clock;
use crate::journal::Journal;

const DEFAULTS: &[(&str, &str)] = &[
    (
        "Default - Password change flow",
        include_str!("default/password_change.yaml"),
    ),
    (
        "Default - Authentication flow",
        include_str!("default/authentication.yaml"),
    ),
    (
        "Default - WebAuthn MFA setup flow",
        include_str!("default/authenticator_webauthn.yaml"),
    ),
    (
        "Default - Authentication flow (second factor)",
        include_str!("default/authentication_mfa.yaml"),
    ),
    (
        "Default - Invalidation flow",
        include_str!("default/invalidation.yaml"),
    ),
    (
        "Default - User settings flow",
        include_str!("default/user_settings.yaml"),
    ),
    (
        "Default - Source authentication flow",
        include_str!("default/source_authentication.yaml"),
    ),
    (
        "Default - Source enrollment flow",
        include_str!("default/source_enrollment.yaml"),
    ),
    (
        "Default - Source pre-authentication flow",
        include_str!("default/source_pre_authentication.yaml"),
    ),
    (
        "Default - Provider authorization flow (explicit consent)",
        include_str!("default/provider_explicit_consent.yaml"),
    ),
    (
        "Default - Provider authorization flow (implicit consent)",
        include_str!("default/provider_implicit_consent.yaml"),
    ),
    (
        "Default - Provider invalidation flow",
        include_str!("default/provider_invalidation.yaml"),
    ),
    (
        "Default - Out-of-box-experience flow",
        include_str!("default/initial_setup.yaml"),
    ),
    (
        "Default - TOTP MFA setup flow",
        include_str!("default/authenticator_totp.yaml"),
    ),
    (
        "Default - Static MFA setup flow",
        include_str!("default/authenticator_static.yaml"),
    ),
    ("Default - Brand", include_str!("default/brand.yaml")),
];

/// The `metadata.name` and the source of each blueprint that the first start applies.
#[must_use]
pub fn defaults() -> &'static [(&'static str, &'static str)] {
    DEFAULTS
}

/// Applies all of them in one commit. What they made before and nobody changed is not written
/// again; what was changed since is set back, so this is for the first start. Their expressions
/// are not checked: a test has done that.
///
/// # Errors
/// As [`apply`].
pub async fn apply_defaults(
    journal: &dyn Journal,
    clock: &Clock,
    options: &Options<'_>,
) -> Result<Report, Error> {
    let mut documents = Vec::with_capacity(DEFAULTS.len());
    for (name, source) in DEFAULTS {
        documents.push(Document::read(source, name).map_err(Error::Invalid)?);
    }
    apply(journal, clock, &documents, &shipped(options)).await
}

/// What became of a blueprint that an installation is offered later.
#[derive(Debug)]
pub enum Offered {
    /// It was applied.
    Applied(Report),
    /// The flow that it would make is there, and was left as it is.
    Kept,
    /// It does not fit into what is there; nothing of it was written.
    Unfit(Vec<Problem>),
}

/// Offers the default blueprint of this name to an installation that is older than it.
///
/// # Errors
/// As [`apply`], but for what is wrong with it here.
pub async fn offer_default(
    journal: &dyn Journal,
    clock: &Clock,
    name: &str,
    options: &Options<'_>,
) -> Result<Offered, Error> {
    let Some((name, source)) = DEFAULTS.iter().find(|(known, _)| *known == name) else {
        return Ok(Offered::Kept);
    };
    let document = Document::read(source, name).map_err(Error::Invalid)?;
    if has_its_flow(journal, &document).await? {
        return Ok(Offered::Kept);
    }
    match apply(journal, clock, &[document], &shipped(options)).await {
        Ok(report) => Ok(Offered::Applied(report)),
        Err(Error::Invalid(problems)) => Ok(Offered::Unfit(problems)),
        Err(error) => Err(error),
    }
}

/// A flow that comes ready-made, and that an operator switches on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Setting a forgotten password by a mail.
    Recovery,
    /// Signing up, with an address that is confirmed by a mail.
    Enrollment,
    /// Signing up with an invitation.
    Invitation,
    /// Deleting one's own account.
    Unenrollment,
    /// Logging in with nothing but a passkey.
    Passwordless,
    /// Getting codes by mail as a second factor.
    AuthenticatorEmail,
}

impl Ready {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Recovery,
        Self::Enrollment,
        Self::Invitation,
        Self::Unenrollment,
        Self::Passwordless,
        Self::AuthenticatorEmail,
    ];

    /// By which an operator names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovery => "recovery",
            Self::Enrollment => "enrollment",
            Self::Invitation => "invitation",
            Self::Unenrollment => "unenrollment",
            Self::Passwordless => "passwordless",
            Self::AuthenticatorEmail => "authenticator-email",
        }
    }

    /// What it is for.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Recovery => "Setting a forgotten password by a mail",
            Self::Enrollment => "Signing up, with an address that is confirmed by a mail",
            Self::Invitation => "Signing up with an invitation",
            Self::Unenrollment => "Deleting one's own account",
            Self::Passwordless => "Logging in with nothing but a passkey",
            Self::AuthenticatorEmail => "Getting codes by mail as a second factor",
        }
    }

    /// The blueprints that make the flow and lead people to it, in their order.
    ///
    /// # Errors
    /// When one cannot be read, which a test holds that it can.
    pub fn documents(self) -> Result<Vec<Document>, Error> {
        let sources = [Some(self.source()), self.links()].into_iter().flatten();
        let read = sources.map(|source| Document::read(source, self.as_str()));
        read.collect::<Result<_, _>>().map_err(Error::Invalid)
    }

    /// The slug of the flow that it makes, and whether that is there.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn flow(self, journal: &dyn Journal) -> Result<(String, bool), Error> {
        let flow = Document::read(self.source(), self.as_str()).map_err(Error::Invalid)?;
        let is_there = has_its_flow(journal, &flow).await?;
        Ok((flow.flow().unwrap_or_default(), is_there))
    }

    /// Whether it sends mails.
    #[must_use]
    pub const fn sends_mail(self) -> bool {
        matches!(
            self,
            Self::Recovery | Self::Enrollment | Self::AuthenticatorEmail
        )
    }

    /// The blueprint that makes the flow.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Recovery => include_str!("ready/recovery.yaml"),
            Self::Enrollment => include_str!("ready/enrollment.yaml"),
            Self::Invitation => include_str!("ready/invitation.yaml"),
            Self::Unenrollment => include_str!("ready/unenrollment.yaml"),
            Self::Passwordless => include_str!("ready/passwordless.yaml"),
            Self::AuthenticatorEmail => include_str!("ready/authenticator_email.yaml"),
        }
    }

    /// The blueprint that leads people to the flow. One with an invitation has the address, and
    /// authenticators are set up from people's own settings.
    const fn links(self) -> Option<&'static str> {
        match self {
            Self::Recovery => Some(include_str!("ready/recovery_links.yaml")),
            Self::Enrollment => Some(include_str!("ready/enrollment_links.yaml")),
            Self::Invitation | Self::AuthenticatorEmail => None,
            Self::Unenrollment => Some(include_str!("ready/unenrollment_links.yaml")),
            Self::Passwordless => Some(include_str!("ready/passwordless_links.yaml")),
        }
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Ready {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|it| it.as_str() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|it| it.as_str()).collect();
            format!("there is no {name:?}; there are {}", names.join(", "))
        })
    }
}

/// What switching a flow on came to.
#[derive(Debug)]
pub struct Enabled {
    /// The flow's slug.
    pub slug: String,
    /// Whether the flow was there already, and was left as it is.
    pub is_kept: bool,
    /// What was done.
    pub report: Report,
}

/// Makes a ready-made flow, unless it is there, and leads people to it: one commit.
///
/// # Errors
/// As [`apply`].
pub async fn enable(
    journal: &dyn Journal,
    clock: &Clock,
    ready: Ready,
    options: &Options<'_>,
) -> Result<Enabled, Error> {
    let (slug, is_kept) = ready.flow(journal).await?;
    let mut documents = ready.documents()?;
    if is_kept {
        documents.remove(0);
    }
    let report = apply(journal, clock, &documents, &shipped(options)).await?;
    Ok(Enabled {
        slug,
        is_kept,
        report,
    })
}

/// Whether the flow that a blueprint would make is there.
async fn has_its_flow(journal: &dyn Journal, document: &Document) -> Result<bool, Error> {
    Ok(match document.flow() {
        Some(slug) => flow_by_slug(journal, &slug).await?.is_some(),
        None => false,
    })
}

/// The options for what comes with the server, whose expressions need no check.
fn shipped<'a>(options: &Options<'a>) -> Options<'a> {
    Options {
        syntax: Syntax::Known,
        ..options.clone()
    }
}
