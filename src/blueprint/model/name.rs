//! The names of models: those that this version has, and those that only authentik has.
//!
//! A name that is on neither list is a misspelling, and is never passed over: what it should have
//! protected would be open.

use serde_json::{Map, Value};

use crate::catalog::SourceKind;
use crate::{policy, stage};

/// The models of this version that are neither stages, policies nor sources.
const OWN: &[&str] = &[
    "authentik_flows.flow",
    "authentik_flows.flowstagebinding",
    "authentik_policies.policybinding",
    "authentik_brands.brand",
    "authentik_core.application",
    "authentik_core.user",
    "authentik_core.group",
    "authentik_rbac.role",
    "authentik_core.token",
    "authentik_stages_prompt.prompt",
    "authentik_stages_invitation.invitation",
    "authentik_events.notificationwebhookmapping",
    "authentik_blueprints.blueprintinstance",
];

/// The models of authentik 2026.5 that blueprints may name and this version does not have.
/// Whoever brings one takes it from here.
const UNSUPPORTED: &[&str] = &[
    "authentik_core.applicationentitlement",
    "authentik_crypto.certificatekeypair",
    "authentik_endpoints.deviceaccessgroup",
    "authentik_endpoints.deviceuserbinding",
    "authentik_endpoints.endpointstage",
    "authentik_endpoints_connectors_agent.agentconnector",
    "authentik_endpoints_connectors_agent.agentdeviceuserbinding",
    "authentik_endpoints_connectors_agent.enrollmenttoken",
    "authentik_endpoints_connectors_fleet.fleetconnector",
    "authentik_endpoints_connectors_google_chrome.googlechromeconnector",
    "authentik_enterprise.license",
    "authentik_events.event",
    "authentik_events.notification",
    "authentik_events.notificationrule",
    "authentik_events.notificationtransport",
    "authentik_lifecycle.lifecycleiteration",
    "authentik_lifecycle.lifecyclerule",
    "authentik_lifecycle.review",
    "authentik_outposts.dockerserviceconnection",
    "authentik_outposts.kubernetesserviceconnection",
    "authentik_outposts.outpost",
    "authentik_providers_google_workspace.googleworkspaceprovider",
    "authentik_providers_google_workspace.googleworkspaceprovidermapping",
    "authentik_providers_ldap.ldapprovider",
    "authentik_providers_microsoft_entra.microsoftentraprovider",
    "authentik_providers_microsoft_entra.microsoftentraprovidermapping",
    "authentik_providers_oauth2.oauth2provider",
    "authentik_providers_oauth2.scopemapping",
    "authentik_providers_proxy.proxyprovider",
    "authentik_providers_rac.endpoint",
    "authentik_providers_rac.racpropertymapping",
    "authentik_providers_rac.racprovider",
    "authentik_providers_radius.radiusprovider",
    "authentik_providers_radius.radiusproviderpropertymapping",
    "authentik_providers_saml.samlpropertymapping",
    "authentik_providers_saml.samlprovider",
    "authentik_providers_scim.scimmapping",
    "authentik_providers_scim.scimprovider",
    "authentik_providers_ssf.ssfprovider",
    "authentik_providers_ws_federation.wsfederationprovider",
    "authentik_rbac.initialpermissions",
    "authentik_reports.dataexport",
    "authentik_sources_kerberos.groupkerberossourceconnection",
    "authentik_sources_kerberos.kerberossource",
    "authentik_sources_kerberos.kerberossourcepropertymapping",
    "authentik_sources_kerberos.userkerberossourceconnection",
    "authentik_sources_ldap.groupldapsourceconnection",
    "authentik_sources_ldap.ldapsource",
    "authentik_sources_ldap.ldapsourcepropertymapping",
    "authentik_sources_ldap.userldapsourceconnection",
    "authentik_sources_oauth.groupoauthsourceconnection",
    "authentik_sources_oauth.oauthsourcepropertymapping",
    "authentik_sources_oauth.useroauthsourceconnection",
    "authentik_sources_plex.groupplexsourceconnection",
    "authentik_sources_plex.plexsource",
    "authentik_sources_plex.plexsourcepropertymapping",
    "authentik_sources_plex.userplexsourceconnection",
    "authentik_sources_saml.groupsamlsourceconnection",
    "authentik_sources_saml.samlsourcepropertymapping",
    "authentik_sources_saml.usersamlsourceconnection",
    "authentik_sources_scim.scimsource",
    "authentik_sources_scim.scimsourcepropertymapping",
    "authentik_sources_telegram.grouptelegramsourceconnection",
    "authentik_sources_telegram.telegramsource",
    "authentik_sources_telegram.telegramsourcepropertymapping",
    "authentik_sources_telegram.usertelegramsourceconnection",
    "authentik_stages_authenticator_duo.duodevice",
    "authentik_stages_authenticator_email.emaildevice",
    "authentik_stages_authenticator_endpoint_gdtc.authenticatorendpointgdtcstage",
    "authentik_stages_authenticator_sms.smsdevice",
    "authentik_stages_authenticator_static.staticdevice",
    "authentik_stages_authenticator_totp.totpdevice",
    "authentik_stages_authenticator_webauthn.webauthndevice",
    "authentik_stages_mtls.mutualtlsstage",
    "authentik_stages_source.sourcestage",
    "authentik_tasks_schedules.schedule",
];

/// Models that authentik had once, as old files name them.
const FORMER: &[&str] = &[
    "authentik_policies_hibp.haveibeenpwendpolicy",
    "authentik_sources_ldap.ldappropertymapping",
];

/// The name of the model that asks for another blueprint.
pub(super) const APPLY: &str = "authentik_blueprints.metaapplyblueprint";

/// The models of this version that have objects.
fn own() -> impl Iterator<Item = &'static str> {
    let stages = stage::Kind::ALL.iter().map(|kind| kind.model());
    let policies = policy::Kind::ALL.iter().map(|kind| kind.model());
    let sources = SourceKind::ALL.iter().map(|kind| kind.model());
    OWN.iter()
        .copied()
        .chain(stages)
        .chain(policies)
        .chain(sources)
}

/// The app of each model that has objects.
pub(in crate::blueprint) fn apps() -> Map<String, Value> {
    own()
        .filter_map(|model| model.split_once('.'))
        .map(|(app, model)| (model.to_owned(), app.into()))
        .collect()
}

/// Whether authentik has, or had, a model of this name in lower case, and this version has not.
pub(super) fn is_unsupported(lower: &str) -> bool {
    UNSUPPORTED.contains(&lower) || FORMER.contains(&lower)
}

/// Whether authentik has an app of this name with a model that this version has not.
pub(super) fn is_unsupported_app(app: &str) -> bool {
    let apps = UNSUPPORTED.iter().filter_map(|name| name.split_once('.'));
    apps.into_iter().any(|(known, _)| known == app)
}

/// The model whose name is most like this one, if one is like it.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let others = UNSUPPORTED.iter().chain(FORMER).copied();
    own()
        .chain(others)
        .chain([APPLY])
        .map(|known| (strsim::damerau_levenshtein(&lower, known), known))
        .min()
        // Names share most of their letters, so few may differ.
        .filter(|(distance, _)| *distance <= (lower.len() / 8).max(2))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::model::{Model, NotAModel};

    #[test]
    fn every_name_is_on_one_list_only() {
        for name in own().chain([APPLY]) {
            assert!(Model::of_name(name).is_ok(), "{name}");
            assert!(!is_unsupported(name), "{name} is here now");
        }
        for name in UNSUPPORTED.iter().chain(FORMER) {
            let read = Model::of_name(&name.to_ascii_uppercase());
            assert_eq!(read, Err(NotAModel::Unsupported), "{name}");
        }
    }

    #[test]
    fn there_are_permissions_on_every_model_of_this_version() {
        for name in own() {
            let model = crate::directory::permission::model(name);
            assert!(model.is_some(), "{name}");
            let read = Model::of_name(name).map(Model::name);
            assert_eq!(read, Ok(name));
        }
    }

    #[test]
    fn a_misspelt_name_is_unknown_and_the_nearest_is_told() {
        let near = [
            (
                "authentik_policies_expression.expresionpolicy",
                "authentik_policies_expression.expressionpolicy",
            ),
            (
                "authentik_stages_emial.EmailStage",
                "authentik_stages_email.emailstage",
            ),
        ];
        for (name, meant) in near {
            assert_eq!(Model::of_name(name), Err(NotAModel::Unknown));
            assert_eq!(nearest(name), Some(meant));
            let told = NotAModel::Unknown.message(name);
            assert!(told.ends_with(&format!("did you mean {meant}?")), "{told}");
        }
        for name in ["authentik_sparkle.unicorn", "nonsense", ""] {
            assert_eq!(Model::of_name(name), Err(NotAModel::Unknown));
            assert_eq!(nearest(name), None);
        }
    }
}
