//! The trace of whoever asks, as the header `traceparent` of the W3C names it.
//!
//! Whether a peer may say so is for whoever reads the header to know.

/// A trace that a request continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The trace.
    pub(super) trace: u128,
    /// The span that sent the request.
    pub(super) span: u64,
    /// Whether the caller records it: if not, nobody does.
    pub(super) is_sampled: bool,
}

impl Caller {
    /// Reads `version-trace-span-flags`; nothing where it is malformed, as the W3C wants it.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let version = hexadecimal(parts.next()?, 2)?;
        let trace = hexadecimal(parts.next()?, 32)?;
        let span = hexadecimal(parts.next()?, 16)?;
        let flags = hexadecimal(parts.next()?, 2)?;
        // A later version may add parts; this one has none.
        let is_understood = version != 0xff && (version > 0 || parts.next().is_none());
        let span = u64::try_from(span).ok()?;
        (is_understood && trace != 0 && span != 0).then_some(Self {
            trace,
            span,
            is_sampled: flags & 1 == 1,
        })
    }
}

/// A number of exactly so many lower-case digits.
fn hexadecimal(text: &str, digits: usize) -> Option<u128> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_number = text.len() == digits && text.bytes().all(is_digit);
    is_number.then(|| u128::from_str_radix(text, 16).ok())?
}
