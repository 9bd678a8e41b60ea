//! What well-known models of security keys and passkeys are called, by the number that they give
//! themselves (AAGUID). The makers publish these; the list is short, so most models are unknown.

use uuid::{Uuid, uuid};

/// Stands for every model that is not on the list, wherever models are allowed by their number.
pub const UNKNOWN: Uuid = Uuid::nil();

const MODELS: &[(Uuid, &str)] = &[
    (
        uuid!("fbfc3007-154e-4ecc-8c0b-6e020557d7bd"),
        "iCloud Keychain",
    ),
    (
        uuid!("dd4ec289-e01d-41c9-bb89-70fa845d4bf2"),
        "iCloud Keychain (Managed)",
    ),
    (
        uuid!("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"),
        "Google Password Manager",
    ),
    (
        uuid!("adce0002-35bc-c60a-648b-0b25f1f05503"),
        "Chrome on Mac",
    ),
    (
        uuid!("b5397666-4885-aa6b-cebf-e52262a439a2"),
        "Chromium Browser",
    ),
    (uuid!("771b48fd-d3d4-4f74-9232-fc157ab0507a"), "Edge on Mac"),
    (
        uuid!("08987058-cadc-4b81-b6e1-30de50dcbe96"),
        "Windows Hello",
    ),
    (
        uuid!("9ddd1817-af5a-4672-a2b9-3e3dd95000a9"),
        "Windows Hello",
    ),
    (
        uuid!("6028b017-b1d4-4c02-b4b3-afcdafc96bb2"),
        "Windows Hello",
    ),
    (
        uuid!("53414d53-554e-4700-0000-000000000000"),
        "Samsung Pass",
    ),
    (uuid!("bada5566-a7aa-401f-bd96-45619a55120d"), "1Password"),
    (uuid!("d548826e-79b4-db40-a3d8-11116f7e8349"), "Bitwarden"),
    (uuid!("531126d6-e717-415c-9320-3d9aa6981239"), "Dashlane"),
    (uuid!("f3809540-7f14-49c1-a8b3-8f813b225541"), "Enpass"),
    (uuid!("0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6"), "Keeper"),
    (uuid!("fdb141b2-5d84-443e-8a35-4698c205a502"), "KeePassXC"),
    (uuid!("b84e4048-15dc-4dd0-8640-f4f60813c8af"), "NordPass"),
    (uuid!("50726f74-6f6e-5061-7373-50726f746f6e"), "Proton Pass"),
    (
        uuid!("cb69481e-8ff7-4039-93ec-0a2729a154a8"),
        "YubiKey 5 Series",
    ),
    (
        uuid!("ee882879-721c-4913-9775-3dfcce97072a"),
        "YubiKey 5 Series",
    ),
    (
        uuid!("19083c3d-8383-4b18-bc03-8f1c9ab2fd1b"),
        "YubiKey 5 Series",
    ),
    (
        uuid!("fa2b99dc-9e39-4257-8f92-4a30d23c4118"),
        "YubiKey 5 Series with NFC",
    ),
    (
        uuid!("2fc0579f-8113-47ea-b116-bb5a8db9202a"),
        "YubiKey 5 Series with NFC",
    ),
    (
        uuid!("c5ef55ff-ad9a-4b9f-b580-adebafe026d0"),
        "YubiKey 5 Series with Lightning",
    ),
    (
        uuid!("d8522d9f-575b-4866-88a9-ba99fa02f35b"),
        "YubiKey Bio Series",
    ),
    (
        uuid!("f8a011f3-8c0a-4d15-8006-17111f9edc7d"),
        "Security Key by Yubico",
    ),
    (
        uuid!("b92c3f9a-c014-4056-887f-140a2501163b"),
        "Security Key by Yubico",
    ),
    (
        uuid!("149a2021-8ef6-4133-96b8-81f8d5b7f1f5"),
        "Security Key by Yubico with NFC",
    ),
    (
        uuid!("6d44ba9b-f6ec-2e49-b930-0c8fe920cb73"),
        "Security Key by Yubico with NFC",
    ),
];

/// The models on the list.
pub fn known() -> impl Iterator<Item = Uuid> {
    MODELS.iter().map(|(model, _)| *model)
}

/// What a model is called, if it is on the list.
#[must_use]
pub fn name(model: Uuid) -> Option<&'static str> {
    let found = MODELS.iter().find(|(known, _)| *known == model);
    found.map(|(_, name)| *name)
}

/// Whether a device of this model may be registered where only some are allowed; all are where none
/// is named.
#[must_use]
pub fn is_allowed(allowed: &[Uuid], model: Uuid) -> bool {
    let is_listed = allowed.contains(&model) && model != UNKNOWN;
    let is_unknown = name(model).is_none() && allowed.contains(&UNKNOWN);
    allowed.is_empty() || is_listed || is_unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_model_is_listed_once_and_the_unknown_ones_not_at_all() {
        let numbers: BTreeSet<_> = MODELS.iter().map(|(model, _)| model).collect();
        assert_eq!(numbers.len(), MODELS.len());
        assert_eq!(name(UNKNOWN), None);
        let apple = uuid!("fbfc3007-154e-4ecc-8c0b-6e020557d7bd");
        assert_eq!(name(apple), Some("iCloud Keychain"));
    }

    #[test]
    fn unknown_models_are_allowed_by_the_number_that_stands_for_them() {
        let apple = uuid!("fbfc3007-154e-4ecc-8c0b-6e020557d7bd");
        let strange = uuid!("11111111-1111-4111-8111-111111111111");
        for (allowed, model, is) in [
            (&[][..], apple, true),
            (&[apple], apple, true),
            (&[apple], strange, false),
            (&[apple], UNKNOWN, false),
            (&[strange], strange, true),
            (&[UNKNOWN], strange, true),
            (&[UNKNOWN], UNKNOWN, true),
            (&[UNKNOWN], apple, false),
        ] {
            assert_eq!(is_allowed(allowed, model), is, "{allowed:?}, {model}");
        }
    }
}
