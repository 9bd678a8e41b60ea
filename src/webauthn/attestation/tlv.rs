//! Reads DER where tags are larger than the library for it can take, as Android's are.

/// One element.
pub(super) struct Element<'a> {
    pub(super) tag: u32,
    pub(super) content: &'a [u8],
}

/// The first element of `bytes`, and what comes after it.
pub(super) fn next(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (first, mut rest) = bytes.split_first()?;
    let mut tag = u32::from(first & 0x1f);
    if tag == 0x1f {
        tag = 0;
        loop {
            let (byte, after) = rest.split_first()?;
            rest = after;
            tag = tag.checked_mul(0x80)? | u32::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    let (first, mut rest) = rest.split_first()?;
    let mut length = usize::from(*first);
    if length >= 0x80 {
        let (digits, after) = rest.split_at_checked(length & 0x7f)?;
        if digits.is_empty() || digits.len() > 3 {
            return None;
        }
        length = digits
            .iter()
            .fold(0, |sum, digit| (sum << 8) | usize::from(*digit));
        rest = after;
    }
    let (content, rest) = rest.split_at_checked(length)?;
    Some((Element { tag, content }, rest))
}

/// All elements of `bytes`.
pub(super) fn all(mut bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (element, rest) = next(bytes)?;
        found.push(element);
        bytes = rest;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_large_tag_and_a_long_length_are_read() {
        let mut bytes = vec![0xbf, 0x85, 0x3e, 0x03, 0x02, 0x01, 0x00, 0x04, 0x81, 0x80];
        bytes.extend([7; 0x80]);
        let found = all(&bytes).expect("two elements");
        let tags: Vec<_> = found.iter().map(|it| (it.tag, it.content.len())).collect();
        assert_eq!(tags, [(702, 3), (4, 0x80)]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = all(&bytes);
        }
    }
}
