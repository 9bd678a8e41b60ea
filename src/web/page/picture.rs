//! QR codes, drawn into the page itself: what they say is nobody else's business.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// How much of nothing a reader needs around the code, in modules.
const MARGIN: usize = 4;

/// The code of a text as an image in SVG; nothing where the text is too long for one. `label` is
/// what is read out instead.
pub(super) fn qr(text: &str, label: &str) -> String {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else {
        return String::new();
    };
    let width = code.width();
    let mut path = String::new();
    for (row, modules) in code.to_colors().chunks(width).enumerate() {
        let mut column = 0;
        for run in modules.chunk_by(|one, other| one == other) {
            if run[0] == Color::Dark {
                let (x, y, length) = (column + MARGIN, row + MARGIN, run.len());
                write!(path, "M{x} {y}h{length}v1h-{length}z").expect("a string takes any text");
            }
            column += run.len();
        }
    }
    let side = width + 2 * MARGIN;
    let label = super::super::markup::plain(label);
    format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{label}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/>\
         <path fill=\"#000\" d=\"{path}\"/></svg>"
    )
}

/// The key in the address of a generator of codes, to be typed where nothing can be scanned.
pub(super) fn key(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    let key = url.query_pairs().find(|(name, _)| name == "secret")?;
    Some(key.1.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_three_corners_and_shows_nothing_of_its_text() {
        let picture = qr("otpauth://totp/a?secret=JBSWY3DPEHPK3PXP", "a \"code\"");
        // The first row of a corner is seven dark modules.
        assert!(picture.contains("M4 4h7v1h-7z"), "{picture}");
        assert!(
            picture.contains("aria-label=\"a &quot;code&quot;\""),
            "{picture}"
        );
        for bad in ["secret", "style=", "<script", "xmlns"] {
            assert!(!picture.contains(bad), "{bad}: {picture}");
        }
        assert_eq!(qr(&"x".repeat(5_000), ""), "");
    }

    #[test]
    fn the_key_is_read_from_the_address() {
        let address = "otpauth://totp/Gatelog%3Aann?secret=JBSWY3DPEHPK3PXP&digits=6";
        assert_eq!(key(address).as_deref(), Some("JBSWY3DPEHPK3PXP"));
        assert_eq!(key("otpauth://totp/ann?digits=6"), None);
        assert_eq!(key("no address"), None);
    }
}
