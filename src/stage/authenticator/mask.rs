//! What is shown of an address to somebody who may not be its owner.

/// The address with stars in the place of most letters; the last part of its domain stays. What is
/// no address is nothing but stars.
pub(super) fn masked(address: &str) -> String {
    let parts = address.split_once('@').and_then(|(local, domain)| {
        let (labels, last) = domain.rsplit_once('.')?;
        let is_one = !local.is_empty() && !labels.is_empty() && !domain.contains('@');
        is_one.then_some((local, labels, last))
    });
    let Some((local, labels, last)) = parts else {
        return stars(address.chars().count());
    };
    let labels: Vec<_> = labels.split('.').map(hidden).collect();
    format!("{}@{}.{last}", hidden(local), labels.join("."))
}

fn hidden(part: &str) -> String {
    let length = part.chars().count();
    match part.chars().next() {
        Some(first) if length > 2 => format!("{first}{}", stars(length - 1)),
        _ => stars(length),
    }
}

fn stars(count: usize) -> String {
    "*".repeat(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_of_an_address_is_hidden() {
        for (address, shown) in [
            ("myname@company.org", "m*****@c******.org"),
            ("xx@0.co", "**@*.co"),
            ("alice@mail.example.com", "a****@m***.e******.com"),
        ] {
            assert_eq!(masked(address), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_hidden_altogether() {
        for text in [
            "",
            "alice",
            "alice@localhost",
            "@example.com",
            "a@b@example.com",
            "a@.com",
        ] {
            assert_eq!(masked(text), "*".repeat(text.len()), "{text}");
        }
    }
}
