//! What objects of each kind are made of: with as little as will do, and with everything.

use super::*;

/// One kind.
pub(super) struct Bodies {
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) model: &'static str,
    pub(super) minimal: Value,
    pub(super) full: Value,
}

/// A kind whose objects get names of their own.
fn of(
    path: &'static str,
    name: &'static str,
    model: &'static str,
    mut minimal: Value,
    mut full: Value,
) -> Bodies {
    minimal["name"] = format!("{name} minimal").into();
    full["name"] = format!("{name} full").into();
    if path.starts_with("/api/v3/policies/") {
        full["execution_logging"] = true.into();
    }
    Bodies {
        path,
        name,
        model,
        minimal,
        full,
    }
}

/// Every kind of stage, with what those refer to.
#[expect(clippy::too_many_lines, reason = "one table")]
pub(super) async fn stages(server: &Server, admin: &mut Browser) -> Vec<Bodies> {
    let flow = server.flow("other", Designation::Recovery, &[]).await.pk;
    let group = crate::directory::Group::new(&server.state.clock, "those");
    server.put(&group).await;
    let group = group.pk;
    let mapping = json!({"name": "m", "expression": "return {}"});
    let mapping = made(admin, "/api/v3/propertymappings/notification/", &mapping).await;
    let prompt = json!({"name": "p", "field_key": "key", "label": "Label", "type": "text"});
    let prompt = made(admin, "/api/v3/stages/prompt/prompts/", &prompt).await;
    let policy = json!({"name": "p"});
    let policy = made(admin, "/api/v3/policies/dummy/", &policy).await;
    let totp = json!({"name": "t", "digits": "6"});
    let totp = made(admin, "/api/v3/stages/authenticator/totp/", &totp).await;
    let validate = json!({"name": "v", "device_classes": ["webauthn"]});
    let validate = made(admin, "/api/v3/stages/authenticator/validate/", &validate).await;
    let captcha = json!({"name": "c", "public_key": "p", "private_key": "x"});
    let captcha = made(admin, "/api/v3/stages/captcha/", &captcha).await;
    let password = json!({"name": "w", "backends": ["authentik.core.auth.InbuiltBackend"]});
    let password = made(admin, "/api/v3/stages/password/", &password).await;
    vec![
        of(
            "/api/v3/stages/authenticator/duo/",
            "AuthenticatorDuoStage",
            Kind::AuthenticatorDuo.model(),
            json!({"client_id": "id", "client_secret": SECRET, "api_hostname": "api-1.duosecurity.com"}),
            json!({"configure_flow": flow, "friendly_name": "Duo", "client_id": "id", "client_secret": SECRET, "api_hostname": "api-1.duosecurity.com", "admin_integration_key": "key", "admin_secret_key": SECRET}),
        ),
        of(
            "/api/v3/stages/authenticator/email/",
            "AuthenticatorEmailStage",
            Kind::AuthenticatorEmail.model(),
            json!({}),
            json!({"configure_flow": flow, "friendly_name": "Mail", "use_global_settings": true, "host": "mail.example", "port": 587, "username": "u", "password": SECRET, "use_tls": true, "use_ssl": false, "timeout": 5, "from_address": "a@example.org", "subject": "Code", "token_expiry": "minutes=5", "template": "email/email_otp.html"}),
        ),
        of(
            "/api/v3/stages/authenticator/sms/",
            "AuthenticatorSMSStage",
            Kind::AuthenticatorSms.model(),
            json!({"provider": "twilio", "from_number": "+1", "account_sid": "AC", "auth": SECRET}),
            json!({"configure_flow": flow, "friendly_name": "SMS", "provider": "generic", "from_number": "+1", "account_sid": "https://sms.example/", "auth": SECRET, "auth_password": SECRET, "auth_type": "bearer", "verify_only": true, "mapping": mapping}),
        ),
        of(
            "/api/v3/stages/authenticator/static/",
            "AuthenticatorStaticStage",
            Kind::AuthenticatorStatic.model(),
            json!({}),
            json!({"configure_flow": flow, "friendly_name": "Codes", "token_count": 8, "token_length": 9}),
        ),
        of(
            "/api/v3/stages/authenticator/totp/",
            "AuthenticatorTOTPStage",
            Kind::AuthenticatorTotp.model(),
            json!({"digits": "6"}),
            json!({"configure_flow": flow, "friendly_name": "App", "digits": "8"}),
        ),
        of(
            "/api/v3/stages/authenticator/validate/",
            "AuthenticatorValidateStage",
            Kind::AuthenticatorValidate.model(),
            json!({}),
            json!({"not_configured_action": "configure", "device_classes": ["totp", "webauthn"], "configuration_stages": [totp], "last_auth_threshold": "hours=1", "webauthn_user_verification": "required", "webauthn_hints": ["hybrid"], "webauthn_allowed_device_types": ["ee882879-721c-4913-9775-3dfcce97072a"]}),
        ),
        of(
            "/api/v3/stages/authenticator/webauthn/",
            "AuthenticatorWebAuthnStage",
            Kind::AuthenticatorWebauthn.model(),
            json!({}),
            json!({"configure_flow": flow, "friendly_name": "Key", "user_verification": "required", "authenticator_attachment": "cross-platform", "resident_key_requirement": "discouraged", "hints": ["security-key"], "device_type_restrictions": ["00000000-0000-0000-0000-000000000000"], "prevent_duplicate_devices": false, "max_attempts": 3}),
        ),
        of(
            "/api/v3/stages/captcha/",
            "CaptchaStage",
            Kind::Captcha.model(),
            json!({"public_key": "public", "private_key": SECRET}),
            json!({"public_key": "public", "private_key": SECRET, "js_url": "https://a.example/c.js", "api_url": "https://a.example/verify", "interactive": true, "score_min_threshold": 0.25, "score_max_threshold": 0.75, "error_on_invalid_score": false}),
        ),
        of(
            "/api/v3/stages/consent/",
            "ConsentStage",
            Kind::Consent.model(),
            json!({}),
            json!({"mode": "permanent", "consent_expire_in": "weeks=2"}),
        ),
        of(
            "/api/v3/stages/deny/",
            "DenyStage",
            Kind::Deny.model(),
            json!({}),
            json!({"deny_message": "No entry"}),
        ),
        of(
            "/api/v3/stages/dummy/",
            "DummyStage",
            Kind::Dummy.model(),
            json!({}),
            json!({"throw_error": true}),
        ),
        of(
            "/api/v3/stages/email/",
            "EmailStage",
            Kind::Email.model(),
            json!({}),
            json!({"use_global_settings": true, "host": "mail.example", "port": 465, "username": "u", "password": SECRET, "use_tls": false, "use_ssl": true, "timeout": 5, "from_address": "a@example.org", "token_expiry": "minutes=5", "subject": "Hello", "template": "email/password_reset.html", "activate_user_on_success": true, "recovery_max_attempts": 3, "recovery_cache_timeout": "minutes=2"}),
        ),
        of(
            "/api/v3/stages/identification/",
            "IdentificationStage",
            Kind::Identification.model(),
            json!({"user_fields": ["email"]}),
            json!({"user_fields": ["username", "upn"], "password_stage": password, "captcha_stage": captcha, "webauthn_stage": validate, "case_insensitive_matching": false, "show_matched_user": false, "enrollment_flow": flow, "recovery_flow": flow, "passwordless_flow": flow, "sources": [], "show_source_labels": true, "pretend_user_exists": false, "enable_remember_me": true}),
        ),
        of(
            "/api/v3/stages/invitation/stages/",
            "InvitationStage",
            Kind::Invitation.model(),
            json!({}),
            json!({"continue_flow_without_invitation": true}),
        ),
        of(
            "/api/v3/stages/password/",
            "PasswordStage",
            Kind::Password.model(),
            json!({"backends": ["authentik.core.auth.InbuiltBackend"]}),
            json!({"backends": ["authentik.core.auth.InbuiltBackend", "authentik.core.auth.TokenBackend"], "configure_flow": flow, "failed_attempts_before_cancel": 3, "allow_show_password": true}),
        ),
        of(
            "/api/v3/stages/prompt/stages/",
            "PromptStage",
            Kind::Prompt.model(),
            json!({"fields": [prompt]}),
            json!({"fields": [prompt], "validation_policies": [policy]}),
        ),
        of(
            "/api/v3/stages/redirect/",
            "RedirectStage",
            Kind::Redirect.model(),
            json!({"mode": "static", "target_static": "/a"}),
            json!({"mode": "flow", "target_static": "", "target_flow": flow, "keep_context": false}),
        ),
        of(
            "/api/v3/stages/user_delete/",
            "UserDeleteStage",
            Kind::UserDelete.model(),
            json!({}),
            json!({}),
        ),
        of(
            "/api/v3/stages/user_login/",
            "UserLoginStage",
            Kind::UserLogin.model(),
            json!({}),
            json!({"session_duration": "hours=1", "terminate_other_sessions": true, "remember_me_offset": "days=1", "network_binding": "bind_asn", "geoip_binding": "bind_continent", "remember_device": "days=30"}),
        ),
        of(
            "/api/v3/stages/user_logout/",
            "UserLogoutStage",
            Kind::UserLogout.model(),
            json!({}),
            json!({}),
        ),
        of(
            "/api/v3/stages/user_write/",
            "UserWriteStage",
            Kind::UserWrite.model(),
            json!({}),
            json!({"user_creation_mode": "always_create", "create_users_as_inactive": false, "create_users_group": group, "user_type": "external", "user_path_template": "a/b"}),
        ),
    ]
}

/// Every kind of policy.
pub(super) fn policies() -> Vec<Bodies> {
    use policy::Kind;
    vec![
        of(
            "/api/v3/policies/dummy/",
            "DummyPolicy",
            Kind::Dummy.model(),
            json!({}),
            json!({"result": true, "wait_min": 1, "wait_max": 2}),
        ),
        of(
            "/api/v3/policies/event_matcher/",
            "EventMatcherPolicy",
            Kind::EventMatcher.model(),
            json!({"action": "login"}),
            json!({"action": "logout", "client_ip": "192.0.2.1", "app": "authentik.core", "model": "authentik_core.user", "query": "action = \"login\""}),
        ),
        of(
            "/api/v3/policies/expression/",
            "ExpressionPolicy",
            Kind::ExpressionPolicy.model(),
            json!({"expression": "return True"}),
            json!({"expression": "return False"}),
        ),
        of(
            "/api/v3/policies/password/",
            "PasswordPolicy",
            Kind::PasswordPolicy.model(),
            json!({}),
            json!({"password_field": "pw", "amount_digits": 1, "amount_uppercase": 2, "amount_lowercase": 3, "amount_symbols": 4, "length_min": 12, "symbol_charset": "!?", "error_message": "Longer", "check_static_rules": true, "check_have_i_been_pwned": true, "check_zxcvbn": true, "hibp_allowed_count": 1, "zxcvbn_score_threshold": 3}),
        ),
        of(
            "/api/v3/policies/password_expiry/",
            "PasswordExpiryPolicy",
            Kind::PasswordExpiryPolicy.model(),
            json!({"days": 30}),
            json!({"days": 90, "deny_only": true}),
        ),
        of(
            "/api/v3/policies/unique_password/",
            "UniquePasswordPolicy",
            Kind::UniquePasswordPolicy.model(),
            json!({}),
            json!({"password_field": "pw", "num_historical_passwords": 5}),
        ),
        of(
            "/api/v3/policies/geoip/",
            "GeoIPPolicy",
            Kind::GeoIp.model(),
            json!({}),
            json!({"asns": [1234], "countries": ["DE", "NO"], "check_history_distance": true, "history_max_distance_km": 10, "distance_tolerance_km": 20, "history_login_count": 2, "check_impossible_travel": true, "impossible_tolerance_km": 30}),
        ),
        of(
            "/api/v3/policies/reputation/",
            "ReputationPolicy",
            Kind::Reputation.model(),
            json!({}),
            json!({"check_ip": false, "check_username": true, "threshold": -3}),
        ),
    ]
}
