//! A brand: what the server looks like under one host name, and which flows it uses there.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result, Version};

/// A brand as an operator configured it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Brand {
    /// Its identifier.
    pub brand_uuid: Uuid,
    /// The host name under which it is used, also for every name below; unique.
    pub domain: String,
    /// Whether it is used where no other fits; at most one is.
    pub default: bool,
    /// The name of the whole.
    pub branding_title: String,
    /// The picture above the form.
    pub branding_logo: String,
    /// The picture in the browser's tab.
    pub branding_favicon: String,
    /// Style rules added to every page.
    pub branding_custom_css: String,
    /// The picture behind flows that have none of their own.
    pub branding_default_flow_background: String,
    /// The flow that logs in.
    pub flow_authentication: Option<Uuid>,
    /// The flow that logs out.
    pub flow_invalidation: Option<Uuid>,
    /// The flow for whoever forgot the password.
    pub flow_recovery: Option<Uuid>,
    /// The flow that deletes one's account.
    pub flow_unenrollment: Option<Uuid>,
    /// The flow that changes one's settings.
    pub flow_user_settings: Option<Uuid>,
    /// The flow that lets a device in by a code.
    pub flow_device_code: Option<Uuid>,
    /// The application to which users from outside are sent.
    pub default_application: Option<Uuid>,
    /// The certificate of its host.
    pub web_certificate: Option<Uuid>,
    /// The authorities whose client certificates are accepted.
    pub client_certificates: Vec<Uuid>,
    /// Anything else, such as `settings.theme.base` and `settings.locale`.
    pub attributes: Map<String, Value>,
}

impl Brand {
    /// A brand with every default and no flows.
    #[must_use]
    pub fn new(clock: &Clock, domain: &str) -> Self {
        Self {
            brand_uuid: clock.opaque_id(),
            domain: domain.to_owned(),
            ..Self::fallback()
        }
    }

    /// The brand of a host for which none is configured, not even a default one.
    #[must_use]
    pub fn fallback() -> Self {
        Self {
            brand_uuid: Uuid::nil(),
            domain: "fallback".to_owned(),
            default: false,
            branding_title: "Gatelog".to_owned(),
            branding_logo: "/static/dist/assets/icons/icon_left_brand.svg".to_owned(),
            branding_favicon: "/static/dist/assets/icons/icon.png".to_owned(),
            branding_custom_css: String::new(),
            branding_default_flow_background: "/static/dist/assets/images/flow_background.jpg"
                .to_owned(),
            flow_authentication: None,
            flow_invalidation: None,
            flow_recovery: None,
            flow_unenrollment: None,
            flow_user_settings: None,
            flow_device_code: None,
            default_application: None,
            web_certificate: None,
            client_certificates: Vec::new(),
            attributes: Map::new(),
        }
    }

    /// Whether this is the brand's very own host, with or without a port. Hosts below it are not:
    /// they may be somebody else's.
    #[must_use]
    pub fn is_of(&self, host: &str) -> bool {
        let is = |host: &str| !host.is_empty() && host.eq_ignore_ascii_case(&self.domain);
        is(host) || host.rsplit_once(':').is_some_and(|(name, _)| is(name))
    }

    /// What is wrong with it; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        if self.domain.trim().is_empty() {
            vec![Invalid::new("domain", Problem::Blank)]
        } else {
            Vec::new()
        }
    }
}

impl Stored for Brand {
    const KIND: Kind = Kind::new("brand");

    fn id(&self) -> Uuid {
        self.brand_uuid
    }

    fn unique(&self) -> Vec<Key> {
        let mut keys = vec![Key::new("domain", self.domain.to_lowercase())];
        if self.default {
            // All default brands have the same key here, so there cannot be two.
            keys.push(Key::new("default", "true"));
        }
        keys
    }
}

/// All brands, by domain.
pub async fn brands(objects: &(impl Objects + ?Sized)) -> Result<Vec<Versioned<Brand>>> {
    let mut brands: Vec<Versioned<Brand>> = object::all(objects).await?;
    brands.sort_by(|a, b| a.value.domain.cmp(&b.value.domain));
    Ok(brands)
}

/// The default brand.
pub async fn default_brand(objects: &(impl Objects + ?Sized)) -> Result<Option<Versioned<Brand>>> {
    object::find(objects, Key::new("default", "true")).await
}

/// The brand for a request's host (with its port, where it names one): the longest domain that
/// the host is or lies below, else the default brand, else [`Brand::fallback`] as version 0.
#[must_use]
pub fn select(brands: &[Versioned<Brand>], host: &str) -> Versioned<Brand> {
    let host = host.to_lowercase();
    let fits = |brand: &&Versioned<Brand>| {
        let domain = brand.value.domain.to_lowercase();
        host.strip_suffix(&domain)
            .is_some_and(|rest| !domain.is_empty() && (rest.is_empty() || rest.ends_with('.')))
    };
    let longest = brands
        .iter()
        .filter(fits)
        .max_by_key(|brand| brand.value.domain.len());
    longest
        .or_else(|| brands.iter().find(|brand| brand.value.default))
        .cloned()
        .unwrap_or_else(|| Versioned {
            version: Version::NONE,
            value: Brand::fallback(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand(domain: &str) -> Versioned<Brand> {
        Versioned {
            version: Version(1),
            value: Brand::new(&Clock::system(), domain),
        }
    }

    #[test]
    fn the_longest_domain_that_fits_wins() {
        let all = [
            brand("example.com"),
            brand("id.example.com"),
            brand("ample.com"),
        ];
        for (host, domain) in [
            ("example.com", "example.com"),
            ("EXAMPLE.com", "example.com"),
            ("x.id.example.com", "id.example.com"),
            ("badexample.com", "fallback"),
            ("example.com:9000", "fallback"),
        ] {
            assert_eq!(select(&all, host).value.domain, domain, "for {host}");
        }
    }

    #[test]
    fn the_default_brand_serves_every_other_host() {
        let mut all = [brand("a.example"), brand("gatelog-default")];
        all[1].value.default = true;
        assert_eq!(select(&all, "127.0.0.1:9000"), all[1]);
        assert_eq!(select(&[], "x").value, Brand::fallback());
    }
}
