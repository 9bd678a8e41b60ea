//! The files that are served as they are: the stylesheet, the scripts and our own pictures.

use std::borrow::Cow;

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

/// Where the style rules of the brand are served, which differ from host to host.
pub const BRAND_STYLE: &str = "/static/brand.css";

#[derive(RustEmbed)]
#[folder = "src/web/static"]
struct Files;

/// A file and what a browser has to know of it.
#[derive(Debug)]
pub struct Asset {
    /// What is in it.
    pub content: Cow<'static, [u8]>,
    /// Its media type.
    pub media_type: &'static str,
    /// A name for this very content: the first half of its SHA-256, in hex.
    pub version: String,
}

/// The file under this path, such as `dist/assets/icons/icon.png`.
#[must_use]
pub fn find(path: &str) -> Option<Asset> {
    let media_type = match path.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" => "image/jpeg",
        _ => return None,
    };
    let file = Files::get(path)?;
    let hash = file.metadata.sha256_hash();
    let version = base16ct::lower::encode_string(&hash[..16]);
    Some(Asset {
        content: file.data,
        media_type,
        version,
    })
}

/// The stylesheet of all pages.
pub const STYLESHEET: &str = "dist/assets/gatelog.css";

/// What only the user's page looks like.
pub const ACCOUNT_STYLE: &str = "dist/assets/account.css";

/// The script that makes the pages of flows more comfortable.
pub const FLOW: &str = "dist/assets/flow.js";

/// The script that puts the answer of a captcha's provider into the form.
pub const CAPTCHA: &str = "dist/assets/captcha.js";

/// The script that has the browser ask a security key or a passkey.
pub const WEBAUTHN: &str = "dist/assets/webauthn.js";

/// The script that shows the description of the API.
pub const API: &str = "dist/assets/api.js";

/// What its page looks like.
pub const API_STYLE: &str = "dist/assets/api.css";

/// The folder of the operator's console.
pub const ADMIN: &str = "dist/assets/admin";

/// The address of a folder whose files name each other; it changes with the content of any of them,
/// so all of them may be kept for ever.
#[must_use]
pub fn folder_address(folder: &str) -> String {
    format!("/static/{VERSIONED}{}/{folder}", folder_version(folder))
}

/// How the part of an address begins that names the version of a folder.
const VERSIONED: &str = "v/";

/// The path that an address below `/static/` stands for, and whether it names the version that
/// there is. There is no path for another version: half of its files would be those of this one.
#[must_use]
pub fn path_of(address: &str) -> Option<(&str, bool)> {
    let Some(versioned) = address.strip_prefix(VERSIONED) else {
        return Some((address, false));
    };
    let (version, path) = versioned.split_once('/')?;
    let is_current = is_in(ADMIN, path) && version == folder_version(ADMIN);
    is_current.then_some((path, true))
}

fn is_in(folder: &str, path: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.starts_with('/'))
}

/// A name for the content of all files of a folder.
fn folder_version(folder: &str) -> String {
    let mut names: Vec<_> = Files::iter().filter(|name| is_in(folder, name)).collect();
    names.sort_unstable();
    let mut all = Sha256::new();
    for name in names {
        let hash = Files::get(&name).map(|file| file.metadata.sha256_hash());
        all.update(name.as_bytes());
        all.update(hash.unwrap_or_default());
    }
    base16ct::lower::encode_string(&all.finalize()[..16])
}

/// The address of a file; it changes with its content, so it may be kept for ever.
#[must_use]
pub fn address(path: &str) -> String {
    let version = find(path).map(|asset| asset.version).unwrap_or_default();
    format!("/static/{path}?v={version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_that_the_wire_names_is_there() {
        for (path, media_type, most) in [
            (
                "dist/assets/images/flow_background.jpg",
                "image/jpeg",
                60_000,
            ),
            ("dist/assets/images/user_default.png", "image/png", 10_000),
            (
                "dist/assets/icons/icon_left_brand.svg",
                "image/svg+xml",
                10_000,
            ),
            ("dist/assets/icons/icon.png", "image/png", 10_000),
            ("authentik/sources/default.svg", "image/svg+xml", 10_000),
        ] {
            let asset = find(path).expect(path);
            assert_eq!(asset.media_type, media_type);
            assert!(!asset.content.is_empty() && asset.content.len() < most);
        }
    }

    #[test]
    fn nothing_outside_is_found() {
        for path in ["", "../mod.rs", "dist/../../mod.rs", "nothing.png", "dist"] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_folder_is_found_under_the_address_of_its_version_alone() {
        let address = folder_address(ADMIN);
        let main = format!(
            "{}/main.js",
            address.strip_prefix("/static/").expect("static")
        );
        let (path, is_current) = path_of(&main).expect("it is the version that there is");
        assert!(is_current && find(path).is_some(), "{path}");
        assert_eq!(path_of("v/0123/dist/assets/admin/main.js"), None);
        let other = main.replace("admin/main.js", "gatelog.css");
        assert_eq!(path_of(&other), None);
        assert_eq!(path_of(STYLESHEET), Some((STYLESHEET, false)));
    }

    #[test]
    fn what_a_page_loads_is_found_under_its_address() {
        for file in [
            STYLESHEET,
            ACCOUNT_STYLE,
            FLOW,
            CAPTCHA,
            WEBAUTHN,
            API,
            API_STYLE,
        ] {
            let address = address(file);
            let (path, version) = address.split_once("?v=").expect("it names a version");
            let path = path.strip_prefix("/static/").expect("it is a static file");
            assert_eq!(find(path).expect("it exists").version, version);
        }
    }
}
