//! How a page looks: light or dark, wide or narrow.

use serde_json::json;
use thirtyfour::prelude::*;

use super::Window;

/// What people have told their system that they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Light {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// As narrow as a page has to be usable, and as 1280 points are at four times their size.
pub(crate) const NARROW: u32 = 320;

/// As wide as a usual screen.
pub(crate) const WIDE: u32 = 1280;

impl Window {
    /// Says what people like.
    pub(crate) async fn is_in(&self, light: Light) -> WebDriverResult<()> {
        let scheme = match light {
            Light::Light => "light",
            Light::Dark => "dark",
        };
        let likes = json!({
            "features": [{ "name": "prefers-color-scheme", "value": scheme }],
        });
        self.commands("Emulation.setEmulatedMedia", likes).await?;
        Ok(())
    }

    /// Makes the page this wide.
    pub(crate) async fn is_wide(&self, width: u32) -> WebDriverResult<()> {
        let size = json!({
            "width": width,
            "height": 900,
            "deviceScaleFactor": 1,
            "mobile": false,
        });
        self.commands("Emulation.setDeviceMetricsOverride", size)
            .await?;
        Ok(())
    }

    /// Nothing of the page has to be scrolled to sideways.
    pub(crate) async fn fits(&self) -> WebDriverResult<()> {
        let look = "const wide = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= wide) return [];
            const all = [...document.body.querySelectorAll('*')];
            return all.filter(it => it.getBoundingClientRect().right > wide + 1)
                .map(it => it.outerHTML.slice(0, 120)).concat(['the page']);";
        let wide: Vec<String> = self.execute(look, Vec::new()).await?.convert()?;
        let at = self.path().await?;
        assert!(wide.is_empty(), "{at} is too wide: {wide:#?}");
        Ok(())
    }
}
