//! What people are known by, and who lets them change it: the brand's own flow for that, and the
//! attributes by which its policies go.

use serde_json::{Map, Value};

use super::Owner;
use crate::catalog::{Flow, Stage, bindings_of, prompts};
use crate::directory::attributes::merged;
use crate::directory::{User, groups_of};
use crate::http::Error;
use crate::journal::object::{self, Versioned};
use crate::stage::Kind;

/// The name of the field for the language.
pub(super) const LANGUAGE: &str = "language";

/// A field of the page.
pub(super) struct Detail {
    /// Its name on the page.
    pub(super) name: &'static str,
    /// What a prompt for it puts its answer under.
    pub(super) key: &'static str,
    /// The attribute that lets people change it, and what counts where nobody says. Source:
    /// authentik `core/models.py`.
    allowed_by: Option<(&'static str, bool)>,
}

/// All of them, in the order of the page.
pub(super) const DETAILS: [Detail; 4] = [
    Detail {
        name: "username",
        key: "username",
        allowed_by: Some(("goauthentik.io/user/can-change-username", false)),
    },
    Detail {
        name: "name",
        key: "name",
        allowed_by: Some(("goauthentik.io/user/can-change-name", true)),
    },
    Detail {
        name: "email",
        key: "email",
        allowed_by: Some(("goauthentik.io/user/can-change-email", false)),
    },
    Detail {
        name: LANGUAGE,
        key: "attributes.settings.locale",
        allowed_by: None,
    },
];

impl Detail {
    /// What is known of the user.
    pub(super) fn value(&self, user: &User) -> String {
        match self.name {
            "username" => user.username.clone(),
            "name" => user.name.clone(),
            "email" => user.email.clone(),
            _ => {
                let settings = user.attributes.get("settings");
                let locale = settings.and_then(|it| it["locale"].as_str());
                locale.unwrap_or_default().to_owned()
            }
        }
    }

    /// Whether these attributes let the user change it.
    pub(super) fn may_change(&self, rules: &Map<String, Value>) -> bool {
        let Some((attribute, otherwise)) = self.allowed_by else {
            return true;
        };
        // What Python takes for true, as the flow's policy does.
        match rules.get(attribute) {
            None => otherwise,
            Some(Value::Bool(may)) => *may,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(other) => !other.is_null(),
        }
    }
}

/// How the details are changed.
pub(super) enum Way {
    /// On the page: these keys are what the flow asks for.
    Here(Flow, Vec<String>),
    /// In the flow, which asks for more.
    There(Flow),
    /// Not by the user.
    None,
}

/// How the brand lets people change their details.
pub(super) async fn way(owner: &Owner<'_>) -> Result<Way, Error> {
    let journal = owner.journal();
    let brand = owner.state.brand(&owner.visitor.client.host).await?;
    let Some(flow) = brand.flow_user_settings else {
        return Ok(Way::None);
    };
    let flow: Option<Versioned<Flow>> = object::get(journal, flow).await?;
    let Some(Versioned { value: flow, .. }) = flow else {
        return Ok(Way::None);
    };
    let bindings = bindings_of(journal, flow.pk).await?;
    let first: Option<Versioned<Stage>> = match bindings.first() {
        Some(binding) => object::get(journal, binding.value.stage).await?,
        None => None,
    };
    let first = first.filter(|stage| Kind::from_name(&stage.value.kind) == Some(Kind::Prompt));
    let asked = first.and_then(|stage| stage.value.settings.get("fields").cloned());
    let asked: Vec<_> = serde_json::from_value(asked.unwrap_or_default()).unwrap_or_default();
    let asked = prompts(journal, &asked).await?;
    let keys: Vec<String> = asked.into_iter().map(|it| it.value.field_key).collect();
    let is_known = |key: &String| DETAILS.iter().any(|it| it.key == key);
    Ok(if !keys.is_empty() && keys.iter().all(is_known) {
        Way::Here(flow, keys)
    } else {
        Way::There(flow)
    })
}

/// The attributes of brand, groups and user together.
pub(super) async fn rules(owner: &Owner<'_>) -> Result<Map<String, Value>, Error> {
    let user = &owner.user.value;
    let groups = groups_of(owner.journal(), user).await?;
    let brand = owner.state.brand(&owner.visitor.client.host).await?;
    Ok(merged(&brand.attributes, &groups, user))
}
