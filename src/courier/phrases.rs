//! The words of letters that are not in a template: known subjects, spans, moments.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

/// A language that letters are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    German,
}

/// Subjects that have a translation: those of the published flow files, and our own.
const SUBJECTS: &[(&str, &str)] = &[
    ("Account confirmation", "Bestätigen Sie Ihr Konto"),
    ("Account Confirmation", "Bestätigen Sie Ihr Konto"),
    ("authentik Sign-in code", "Ihr Anmeldecode"),
    ("Confirm your account", "Bestätigen Sie Ihr Konto"),
    ("Email OTP", "Ihr Anmeldecode"),
    ("Event Notification", "Benachrichtigung"),
    ("Invitation", "Einladung"),
    ("Password Reset", "Passwort zurücksetzen"),
    ("Password reset", "Passwort zurücksetzen"),
    ("Reset your password", "Passwort zurücksetzen"),
    ("Sign-in code", "Ihr Anmeldecode"),
    (
        "Verify your email address",
        "Bestätigen Sie Ihre E-Mail-Adresse",
    ),
];

/// The subject of an invitation, up to the host.
const INVITED: &str = "You have been invited to ";

impl Language {
    /// The nearest to what somebody reads, such as `de`, `de-AT` or `de_DE`; English otherwise.
    pub(super) fn of(asked: Option<&str>) -> Self {
        let asked = asked.unwrap_or_default().trim_start();
        let primary = asked.split(['-', '_', ',', ';', ' ']).next();
        if primary.is_some_and(|it| it.eq_ignore_ascii_case("de")) {
            Self::German
        } else {
            Self::English
        }
    }

    /// Its code, which a template may compare with.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// A subject in this language, where it is a known one.
    pub(super) fn subject(self, subject: &str) -> Cow<'_, str> {
        if self == Self::English {
            return subject.into();
        }
        if let Some(host) = subject.strip_prefix(INVITED) {
            return format!("Einladung zu {host}").into();
        }
        let known = SUBJECTS.iter().find(|(english, _)| *english == subject);
        known.map_or(subject, |(_, german)| german).into()
    }

    /// A span, in the largest unit of which it has at least two; never more than it is.
    pub(super) fn span(self, span: Duration) -> String {
        let minutes = span.as_secs() / 60;
        let (number, [english, german]) = match minutes {
            0..120 => (minutes, [["minute", "minutes"], ["Minute", "Minuten"]]),
            120..2880 => (minutes / 60, [["hour", "hours"], ["Stunde", "Stunden"]]),
            _ => (minutes / 1440, [["day", "days"], ["Tag", "Tage"]]),
        };
        let forms = match self {
            Self::English => english,
            Self::German => german,
        };
        format!("{number} {}", forms[usize::from(number != 1)])
    }

    /// A moment in UTC: the reader's own zone is not known.
    pub(super) fn moment(self, moment: Timestamp) -> String {
        let form = match self {
            Self::English => "%-d %B %Y, %H:%M UTC",
            Self::German => "%d.%m.%Y, %H:%M Uhr UTC",
        };
        moment.strftime(form).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_read_from_what_browsers_and_people_set() {
        for german in ["de", "de-AT", "DE_de", "de,en;q=0.5"] {
            assert_eq!(Language::of(Some(german)), Language::German, "{german}");
        }
        for other in [None, Some(""), Some("fr"), Some("den"), Some("en-US,de")] {
            assert_eq!(Language::of(other), Language::English, "{other:?}");
        }
    }

    #[test]
    fn known_subjects_are_translated_and_others_stay() {
        let german = |subject| Language::German.subject(subject).into_owned();
        assert_eq!(german("authentik"), "authentik");
        assert_eq!(german("Password Reset"), "Passwort zurücksetzen");
        assert_eq!(
            german("You have been invited to a.org"),
            "Einladung zu a.org"
        );
        assert_eq!(
            Language::English.subject("Password Reset"),
            "Password Reset"
        );
    }

    #[test]
    fn a_span_promises_no_more_than_there_is() {
        let said = |seconds| Language::English.span(Duration::from_secs(seconds));
        assert_eq!(said(119), "1 minute");
        assert_eq!(said(31 * 60 - 1), "30 minutes");
        assert_eq!(said(7_200), "2 hours");
        assert_eq!(said(86_400), "24 hours");
        assert_eq!(said(3 * 86_400 - 1), "2 days");
        assert_eq!(Language::German.span(Duration::from_mins(1)), "1 Minute");
    }

    #[test]
    fn a_moment_names_its_zone() {
        let moment = "2026-11-06T15:04:05Z".parse().expect("a moment");
        assert_eq!(
            Language::English.moment(moment),
            "6 November 2026, 15:04 UTC"
        );
        assert_eq!(Language::German.moment(moment), "06.11.2026, 15:04 Uhr UTC");
    }
}
