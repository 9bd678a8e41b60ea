//! How easily a password is guessed, as zxcvbn estimates it.

use super::super::{Error, Request, Subject};
use crate::catalog::brand;
use crate::world::Weighed;

/// As many characters are looked at.
const LONGEST: usize = 72;

/// What is obvious to whoever guesses: the user's names and address, and the brand's title.
pub(super) async fn obvious(request: &Request<'_>) -> Result<Vec<String>, Error> {
    let mut words = match request.subject {
        Subject::User(user) => {
            let user = &user.value;
            vec![user.username.clone(), user.name.clone(), user.email.clone()]
        }
        Subject::Stranger { identifier } => vec![identifier.clone()],
        Subject::Anonymous => Vec::new(),
    };
    if let Some(visit) = request.visit {
        let brands = brand::brands(request.world.objects()).await?;
        let brand = brand::select(&brands, &visit.client.host);
        words.push(brand.value.branding_title);
    }
    words.retain(|word| !word.is_empty());
    Ok(words)
}

/// Whether the score is better than `threshold`.
pub(super) fn look(password: &str, obvious: &[String], threshold: u32) -> Weighed {
    let password: String = password.chars().take(LONGEST).collect();
    let obvious: Vec<&str> = obvious.iter().map(String::as_str).collect();
    let entropy = zxcvbn::zxcvbn(&password, &obvious);
    if u32::from(u8::from(entropy.score())) > threshold {
        return Weighed {
            passes: true,
            advice: Vec::new(),
        };
    }
    let mut advice = vec!["Password is too weak.".to_owned()];
    let suggestions = entropy
        .feedback()
        .map(zxcvbn::feedback::Feedback::suggestions);
    advice.extend(
        suggestions
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string),
    );
    Weighed {
        passes: false,
        advice,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEAK: &str = "Password is too weak.";

    #[test]
    fn a_weak_password_is_told_what_would_help() {
        let weighed = look("password", &[], 3);
        let help = "Add another word or two. Uncommon words are better.";
        assert_eq!(weighed.advice, [WEAK, help]);
        assert!(!weighed.passes);
    }

    #[test]
    fn a_good_one_below_the_threshold_is_told_nothing_more() {
        assert_eq!(look("Awdccdw1234", &[], 3).advice, [WEAK]);
    }

    #[test]
    fn a_random_one_passes() {
        let weighed = look("tK7#pQ2vXz9!mW4r", &[], 3);
        assert_eq!(
            weighed,
            Weighed {
                passes: true,
                advice: Vec::new()
            }
        );
        // Nothing is better than the best score.
        assert!(!look("tK7#pQ2vXz9!mW4r", &[], 4).passes);
    }

    #[test]
    fn what_is_obvious_is_easily_guessed() {
        let name = "Xyrzqwv Plkmnbg";
        assert!(look(name, &[], 2).passes);
        assert!(!look(name, &[name.to_owned()], 2).passes);
    }

    #[test]
    fn only_so_many_characters_count() {
        let long = "a".repeat(LONGEST);
        let longer = format!("{long}tK7#pQ2vXz9!mW4r");
        assert_eq!(look(&longer, &[], 4), look(&long, &[], 4));
    }
}
