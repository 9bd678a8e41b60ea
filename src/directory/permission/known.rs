//! The permissions that there are.

use sha2::{Digest, Sha256};

/// A model, and what else than the usual may be done with its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// The app that it belongs to.
    pub app: &'static str,
    /// Its name within the app.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    usual: bool,
    more: &'static [(&'static str, &'static str)],
}

/// A permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The model on whose objects it is given.
    pub model: Model,
    /// Its name within the app, such as `view_flow`.
    pub codename: String,
    /// What people call it.
    pub title: String,
}

impl Model {
    /// Its whole name, such as `authentik_flows.flow`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.app, self.name)
    }

    /// What people call the app.
    #[must_use]
    pub fn app_title(&self) -> String {
        let words = self.app.trim_start_matches("authentik_").split('_');
        let words = words.map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

impl Known {
    /// Its whole name, such as `authentik_flows.view_flow`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.model.app, self.codename)
    }

    /// The number by which the API knows it: 31 bits of what its name hashes to, so that a later
    /// version with more permissions gives it the same.
    ///
    /// # Panics
    /// Never: 31 bits fit.
    #[must_use]
    pub fn id(&self) -> i32 {
        let digest = Sha256::digest(self.full_name());
        let (first, _) = digest.split_at(4);
        let word = first
            .iter()
            .fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        i32::try_from(word >> 1).expect("31 bits fit")
    }
}

/// What can be done with all objects.
const USUAL: [&str; 4] = ["add", "change", "delete", "view"];

const GROUP: &[(&str, &str)] = &[
    ("add_user_to_group", "Add user to group"),
    ("remove_user_from_group", "Remove user from group"),
    ("enable_group_superuser", "Enable superuser status"),
    ("disable_group_superuser", "Disable superuser status"),
];

const TOKEN: &[(&str, &str)] = &[
    ("view_token_key", "View token's key"),
    ("set_token_key", "Set a token's key"),
];

const USER: &[(&str, &str)] = &[
    ("reset_user_password", "Reset Password"),
    ("impersonate", "Can impersonate other users"),
    ("preview_user", "Can preview user data sent to providers"),
    (
        "view_user_applications",
        "View applications the user has access to",
    ),
];

const FLOW: &[(&str, &str)] = &[
    ("export_flow", "Can export a Flow"),
    ("inspect_flow", "Can inspect a Flow's execution"),
    ("view_flow_cache", "View Flow's cache metrics"),
    ("clear_flow_cache", "Clear Flow's cache metrics"),
];

const POLICY: &[(&str, &str)] = &[
    ("view_policy_cache", "View Policy's cache metrics"),
    ("clear_policy_cache", "Clear Policy's cache metrics"),
];

const ROLE: &[(&str, &str)] = &[
    ("assign_role_permissions", "Can assign permissions to roles"),
    (
        "unassign_role_permissions",
        "Can unassign permissions from roles",
    ),
];

/// What may be done with the system as a whole; these are permissions of the app
/// `authentik_rbac`.
pub const SYSTEM: &[(&str, &str)] = &[
    ("access_admin_interface", "Can access admin interface"),
    ("edit_system_settings", "Can edit system settings"),
    ("view_system_info", "Can view system info"),
    ("view_system_settings", "Can view system settings"),
];

const fn with(
    app: &'static str,
    name: &'static str,
    title: &'static str,
    more: &'static [(&'static str, &'static str)],
) -> Model {
    Model {
        app,
        name,
        title,
        usual: true,
        more,
    }
}

const fn usual(app: &'static str, name: &'static str, title: &'static str) -> Model {
    with(app, name, title, &[])
}

/// The models whose objects somebody may be permitted to do something with, by name.
const MODELS: &[Model] = &[
    usual(
        "authentik_blueprints",
        "blueprintinstance",
        "Blueprint Instance",
    ),
    usual("authentik_brands", "brand", "Brand"),
    usual("authentik_core", "application", "Application"),
    usual(
        "authentik_core",
        "authenticatedsession",
        "Authenticated Session",
    ),
    with("authentik_core", "group", "Group", GROUP),
    usual("authentik_core", "source", "source"),
    with("authentik_core", "token", "Token", TOKEN),
    with("authentik_core", "user", "User", USER),
    usual("authentik_core", "userconsent", "User Consent"),
    usual("authentik_events", "event", "Event"),
    usual(
        "authentik_events",
        "notificationwebhookmapping",
        "Webhook Mapping",
    ),
    with("authentik_flows", "flow", "Flow", FLOW),
    usual("authentik_flows", "flowstagebinding", "Flow Stage Binding"),
    usual("authentik_flows", "stage", "stage"),
    with("authentik_policies", "policy", "Policy", POLICY),
    usual("authentik_policies", "policybinding", "Policy Binding"),
    usual("authentik_policies_dummy", "dummypolicy", "Dummy Policy"),
    usual(
        "authentik_policies_event_matcher",
        "eventmatcherpolicy",
        "Event Matcher Policy",
    ),
    usual(
        "authentik_policies_expiry",
        "passwordexpirypolicy",
        "Password Expiry Policy",
    ),
    usual(
        "authentik_policies_expression",
        "expressionpolicy",
        "Expression Policy",
    ),
    usual("authentik_policies_geoip", "geoippolicy", "GeoIP Policy"),
    usual(
        "authentik_policies_password",
        "passwordpolicy",
        "Password Policy",
    ),
    usual(
        "authentik_policies_reputation",
        "reputation",
        "Reputation Score",
    ),
    usual(
        "authentik_policies_reputation",
        "reputationpolicy",
        "Reputation Policy",
    ),
    usual(
        "authentik_policies_unique_password",
        "uniquepasswordpolicy",
        "Password Uniqueness Policy",
    ),
    with("authentik_rbac", "role", "Role", ROLE),
    Model {
        app: "authentik_rbac",
        name: "systempermission",
        title: "System permission",
        usual: false,
        more: SYSTEM,
    },
    usual("authentik_sources_oauth", "oauthsource", "OAuth Source"),
    usual("authentik_sources_saml", "samlsource", "SAML Source"),
    usual(
        "authentik_stages_authenticator_duo",
        "authenticatorduostage",
        "Duo Authenticator Setup Stage",
    ),
    usual(
        "authentik_stages_authenticator_duo",
        "duodevice",
        "Duo Device",
    ),
    usual(
        "authentik_stages_authenticator_email",
        "authenticatoremailstage",
        "Email Authenticator Setup Stage",
    ),
    usual(
        "authentik_stages_authenticator_email",
        "emaildevice",
        "Email Device",
    ),
    usual(
        "authentik_stages_authenticator_sms",
        "authenticatorsmsstage",
        "SMS Authenticator Setup Stage",
    ),
    usual(
        "authentik_stages_authenticator_sms",
        "smsdevice",
        "SMS Device",
    ),
    usual(
        "authentik_stages_authenticator_static",
        "authenticatorstaticstage",
        "Static Authenticator Setup Stage",
    ),
    usual(
        "authentik_stages_authenticator_static",
        "staticdevice",
        "Static Device",
    ),
    usual(
        "authentik_stages_authenticator_totp",
        "authenticatortotpstage",
        "TOTP Authenticator Setup Stage",
    ),
    usual(
        "authentik_stages_authenticator_totp",
        "totpdevice",
        "TOTP Device",
    ),
    usual(
        "authentik_stages_authenticator_validate",
        "authenticatorvalidatestage",
        "Authenticator Validation Stage",
    ),
    usual(
        "authentik_stages_authenticator_webauthn",
        "authenticatorwebauthnstage",
        "WebAuthn Authenticator Setup Stage",
    ),
    usual(
        "authentik_stages_authenticator_webauthn",
        "webauthndevice",
        "WebAuthn Device",
    ),
    usual("authentik_stages_captcha", "captchastage", "Captcha Stage"),
    usual("authentik_stages_consent", "consentstage", "Consent Stage"),
    usual("authentik_stages_deny", "denystage", "Deny Stage"),
    usual("authentik_stages_dummy", "dummystage", "Dummy Stage"),
    usual("authentik_stages_email", "emailstage", "Email Stage"),
    usual(
        "authentik_stages_identification",
        "identificationstage",
        "Identification Stage",
    ),
    usual("authentik_stages_invitation", "invitation", "Invitation"),
    usual(
        "authentik_stages_invitation",
        "invitationstage",
        "Invitation Stage",
    ),
    usual(
        "authentik_stages_password",
        "passwordstage",
        "Password Stage",
    ),
    usual("authentik_stages_prompt", "prompt", "Prompt"),
    usual("authentik_stages_prompt", "promptstage", "Prompt Stage"),
    usual(
        "authentik_stages_redirect",
        "redirectstage",
        "Redirect Stage",
    ),
    usual(
        "authentik_stages_user_delete",
        "userdeletestage",
        "User Delete Stage",
    ),
    usual(
        "authentik_stages_user_login",
        "userloginstage",
        "User Login Stage",
    ),
    usual(
        "authentik_stages_user_logout",
        "userlogoutstage",
        "User Logout Stage",
    ),
    usual(
        "authentik_stages_user_write",
        "userwritestage",
        "User Write Stage",
    ),
];

/// All models on whose objects there are permissions.
#[must_use]
pub fn models() -> &'static [Model] {
    MODELS
}

/// The model with this whole name.
#[must_use]
pub fn model(full_name: &str) -> Option<&'static Model> {
    let (app, name) = full_name.split_once('.')?;
    MODELS.iter().find(|it| it.app == app && it.name == name)
}

/// The permissions on objects of a model.
#[must_use]
pub fn of_model(model: &Model) -> Vec<Known> {
    let usual = USUAL.iter().filter(|_| model.usual).map(|verb| Known {
        model: *model,
        codename: format!("{verb}_{}", model.name),
        title: format!("Can {verb} {}", model.title),
    });
    let more = model.more.iter().map(|(codename, title)| Known {
        model: *model,
        codename: (*codename).to_owned(),
        title: (*title).to_owned(),
    });
    usual.chain(more).collect()
}

/// All permissions, by app and model.
pub fn all() -> impl Iterator<Item = Known> {
    MODELS.iter().flat_map(of_model)
}

/// The permission with this whole name.
#[must_use]
pub fn find(full_name: &str) -> Option<Known> {
    let (app, codename) = full_name.split_once('.')?;
    let models = MODELS.iter().filter(|model| model.app == app);
    models.flat_map(of_model).find(|it| it.codename == codename)
}
