//! The differences that are meant, and why.

/// What a difference begins with, and why it is meant.
const EXPLAINED: &[(&str, &str)] = &[
    ("operation gatelog_", "ours"),
    ("schema BlueprintChange", "ours"),
    ("schema BlueprintDiff", "ours"),
    ("schema BlueprintOutcome", "ours"),
    ("schema Erasure", "ours"),
    ("schema Execution", "ours"),
    ("schema Health", "ours"),
    ("schema ReadyFlow", "ours"),
    ("schema ForwardAuth", "ours"),
    ("schema Application: forward_auth", "ours"),
    ("schema ApplicationRequest: forward_auth", "ours"),
    ("schema PatchedApplicationRequest: forward_auth", "ours"),
    (
        "operation core_applications_list: parameter for_user",
        VIEWED,
    ),
    (
        "operation core_applications_list: parameter only_with_launch_url",
        VIEWED,
    ),
    (
        "operation core_applications_list: parameter superuser_full_list",
        VIEWED,
    ),
    (
        "operation flows_bindings_list: parameter policies",
        "bindings of policies are listed by their target",
    ),
    ("operation flows_inspector_get: parameter execution", "ours"),
    (
        "operation flows_instances_export_retrieve: answer 200",
        "the file is no JSON",
    ),
    (
        "operation flows_instances_import_create",
        "clients of former versions call it",
    ),
    (
        "operation managed_blueprints_import_create: answer 204",
        "authentik never answers so",
    ),
    (
        "operation schema_retrieve: parameter lang",
        "the description has one language",
    ),
    ("schema CurrentBrand: branding_map_tiles", NEWER),
    ("schema PolicyBinding: expires", NEWER),
    ("schema PolicyBinding: expiring", NEWER),
    ("schema SessionUser: users", NEWER),
    ("schema UserSelf: is_current", NEWER),
    (
        "schema FlowInspectorPlan: member",
        "a stage that is gone is an empty object",
    ),
    (
        "schema Event: member action",
        "what expressions tell has actions of its own, which are no word of the list",
    ),
    ("schema EventVolume: member action", "the same"),
    ("schema UserRequest: last_login is missing", COUNTED),
    ("schema PatchedUserRequest: last_login is missing", COUNTED),
    ("schema TokenRequest: managed is missing", MANAGED),
    ("schema PatchedTokenRequest: managed is missing", MANAGED),
    (
        "schema ModelEnum: enum is",
        "there are permissions on what this version has",
    ),
    ("operation policies_dummy_list: parameter created", DATED),
    (
        "operation policies_dummy_list: parameter last_updated",
        DATED,
    ),
    (
        "operation policies_event_matcher_list: parameter created",
        DATED,
    ),
    (
        "operation policies_event_matcher_list: parameter last_updated",
        DATED,
    ),
    (
        "operation policies_expression_list: parameter created",
        DATED,
    ),
    (
        "operation policies_expression_list: parameter last_updated",
        DATED,
    ),
    ("operation policies_password_list: parameter created", DATED),
    (
        "operation policies_password_list: parameter last_updated",
        DATED,
    ),
    (
        "operation policies_password_expiry_list: parameter created",
        DATED,
    ),
    (
        "operation policies_password_expiry_list: parameter last_updated",
        DATED,
    ),
    (
        "operation policies_reputation_list: parameter created",
        DATED,
    ),
    (
        "operation policies_reputation_list: parameter last_updated",
        DATED,
    ),
    (
        "operation policies_unique_password_list: parameter created",
        DATED,
    ),
    (
        "operation policies_unique_password_list: parameter last_updated",
        DATED,
    ),
    (
        "operation policies_event_matcher_list: parameter action",
        ANY_WORD,
    ),
    ("schema EventMatcherPolicy: member", ANY_WORD),
    ("schema EventMatcherPolicyRequest: member", ANY_WORD),
    ("schema PatchedEventMatcherPolicyRequest: member", ANY_WORD),
    ("schema GeoIPPolicy: member countries", NO_COUNTRIES),
    ("schema GeoIPPolicyRequest: member countries", NO_COUNTRIES),
    (
        "schema AuthenticatorEmailStage: password is missing",
        SECRET,
    ),
    (
        "schema AuthenticatorSMSStage: auth_password is missing",
        SECRET,
    ),
    (
        "operation stages_authenticator_email_list: parameter password",
        SECRET,
    ),
    (
        "operation stages_authenticator_sms_list: parameter auth",
        SECRET,
    ),
    (
        "operation stages_authenticator_webauthn_list: parameter authenticator_attachment",
        "null cannot stand in an address",
    ),
    (
        "operation propertymappings_all_list: parameter managed",
        "no mapping is managed, so one word is as good as several",
    ),
    (
        "schema Invitation: member flow_obj is",
        "an invitation without a flow shows none; authentik sends null as well",
    ),
    (
        "schema InvitationSendEmailRequest: member",
        "an address is a text",
    ),
    (
        "schema TypeCreate: icon_url is missing",
        "there are no pictures",
    ),
    ("schema Source: ", NO_WAYS),
    ("schema Application: member provider_obj is", NO_PROVIDERS),
    (
        "schema Application: member backchannel_providers_obj is",
        NO_PROVIDERS,
    ),
];

const VIEWED: &str =
    "a list shows what its caller may view, as every list; what somebody may use is at `/`";

const NEWER: &str = "clients of later versions require it";

const COUNTED: &str = "logins are counted where they happen, and nobody writes when one was";

const MANAGED: &str = "only the server says what it looks after";

const NO_PROVIDERS: &str = "this version has no providers, so none is ever shown";

const DATED: &str = "when a policy was written is told by its history";

const ANY_WORD: &str = "what this version does not have is not told apart from what nobody has";

const NO_COUNTRIES: &str = "a policy about distances needs no countries";

const SECRET: &str = "what is secret is never shown, nor filtered by";

const NO_WAYS: &str = "nobody logs in by a source, so what its ways would be is not kept";

/// Whether a difference is meant.
pub(super) fn is(difference: &str) -> bool {
    EXPLAINED
        .iter()
        .any(|(beginning, _)| difference.starts_with(beginning))
}
