//! What comes with the server: which flows there are, and switching on those that are ready-made.

use serde_json::json;

use super::*;
use crate::catalog::{
    Brand, bindings_of, brand::default_brand, flow_by_slug, stage::Stage, stage_by_name,
};
use crate::flow::model::{Authentication, Designation};
use crate::journal::object::{self, Versioned};

/// The order and the kind of each stage.
type Stages = &'static [(i32, &'static str)];

impl Bench {
    async fn with_the_defaults() -> Self {
        let bench = Self::installed().await;
        let applied = apply_defaults(&bench.journal, &bench.clock, &bench.options()).await;
        applied.expect("the defaults fit");
        bench
    }

    async fn enables(&self, ready: Ready) -> Enabled {
        let enabled = enable(&self.journal, &self.clock, ready, &self.options()).await;
        enabled.expect("it fits")
    }

    async fn brand(&self) -> Brand {
        let brand = default_brand(&self.journal).await.expect("a read");
        brand.expect("it is there").value
    }

    async fn flow(&self, slug: &str) -> crate::catalog::Flow {
        let flow = flow_by_slug(&self.journal, slug).await.expect("a read");
        flow.unwrap_or_else(|| panic!("no {slug}")).value
    }

    /// The stages of a flow: the order and the kind of each.
    async fn stages(&self, slug: &str) -> Vec<(i32, String)> {
        let flow = self.flow(slug).await;
        let bindings = bindings_of(&self.journal, flow.pk).await.expect("a read");
        let mut stages = Vec::new();
        for binding in bindings {
            let stage: Option<Versioned<Stage>> = object::get(&self.journal, binding.value.stage)
                .await
                .expect("a read");
            let kind = stage.expect("it is there").value.kind;
            stages.push((binding.value.order, kind));
        }
        stages
    }
}

#[tokio::test]
async fn the_default_flows_are_those_that_files_count_on() {
    use Authentication as Wants;
    use Designation as Is;
    let bench = Bench::with_the_defaults().await;
    let flows: &[(&str, Is, Wants, Stages)] = &[
        (
            "default-user-settings-flow",
            Is::StageConfiguration,
            Wants::RequireAuthenticated,
            &[(20, "prompt"), (100, "user_write")],
        ),
        (
            "default-password-change",
            Is::StageConfiguration,
            Wants::RequireAuthenticated,
            &[(0, "prompt"), (1, "user_write")],
        ),
        (
            "default-authenticator-totp-setup",
            Is::StageConfiguration,
            Wants::RequireAuthenticated,
            &[(0, "authenticator_totp")],
        ),
        (
            "default-authenticator-webauthn-setup",
            Is::StageConfiguration,
            Wants::RequireAuthenticated,
            &[(0, "authenticator_webauthn")],
        ),
        (
            "default-authenticator-static-setup",
            Is::StageConfiguration,
            Wants::RequireAuthenticated,
            &[(0, "authenticator_static")],
        ),
        (
            "default-source-authentication",
            Is::Authentication,
            Wants::RequireUnauthenticated,
            &[(0, "user_login")],
        ),
        (
            "default-source-enrollment",
            Is::Enrollment,
            Wants::None,
            &[(0, "prompt"), (1, "user_write"), (2, "user_login")],
        ),
        (
            "default-source-pre-authentication",
            Is::StageConfiguration,
            Wants::None,
            &[],
        ),
        (
            "default-provider-authorization-explicit-consent",
            Is::Authorization,
            Wants::RequireAuthenticated,
            &[(0, "consent")],
        ),
        (
            "default-provider-authorization-implicit-consent",
            Is::Authorization,
            Wants::RequireAuthenticated,
            &[],
        ),
        (
            "default-provider-invalidation-flow",
            Is::Invalidation,
            Wants::None,
            &[],
        ),
        (
            "initial-setup",
            Is::StageConfiguration,
            Wants::None,
            &[
                (10, "prompt"),
                (15, "deny"),
                (20, "user_write"),
                (100, "user_login"),
            ],
        ),
    ];
    for (slug, designation, authentication, stages) in flows {
        let flow = bench.flow(slug).await;
        assert_eq!(flow.designation, *designation, "{slug}");
        assert_eq!(flow.authentication, *authentication, "{slug}");
        assert!(!flow.title.to_lowercase().contains("authentik"), "{slug}");
        let found = bench.stages(slug).await;
        let wanted = stages
            .iter()
            .map(|(order, kind)| (*order, (*kind).to_owned()));
        assert_eq!(found, wanted.collect::<Vec<_>>(), "{slug}");
    }
    let settings = bench.flow("default-user-settings-flow").await.pk;
    assert_eq!(bench.brand().await.flow_user_settings, Some(settings));
    let password = bench.flow("default-password-change").await.pk;
    let stage = stage_by_name(&bench.journal, "default-authentication-password").await;
    let stage = stage.expect("a read").expect("it is there").value;
    assert_eq!(stage.settings["configure_flow"], json!(password));
}

#[tokio::test]
async fn what_is_switched_on_is_made_and_led_to_in_one_commit() {
    let bench = Bench::with_the_defaults().await;
    for ready in Ready::ALL {
        let enabled = bench.enables(*ready).await;
        assert!(!enabled.is_kept, "{ready}");
        assert!(enabled.report.count(Outcome::Created) > 3, "{ready}");
        let records = bench.records();
        let again = bench.enables(*ready).await;
        assert!(again.is_kept, "{ready}");
        assert_eq!(
            bench.records(),
            records,
            "{ready}: nothing is written again"
        );
        assert_eq!(ready.as_str().parse(), Ok(*ready));
    }
    let brand = bench.brand().await;
    let (recovery, end) = (
        bench.flow("default-recovery-flow").await.pk,
        bench.flow("default-unenrollment-flow").await.pk,
    );
    assert_eq!(brand.flow_recovery, Some(recovery));
    assert_eq!(brand.flow_unenrollment, Some(end));
    let login = stage_by_name(&bench.journal, "default-authentication-identification").await;
    let login = login.expect("a read").expect("it is there").value;
    assert_eq!(login.settings["recovery_flow"], json!(recovery));
    let enrollment = bench.flow("default-enrollment-flow").await.pk;
    assert_eq!(login.settings["enrollment_flow"], json!(enrollment));
}

#[tokio::test]
async fn a_flow_that_is_there_is_left_as_it_is_and_led_to() {
    let bench = Bench::with_the_defaults().await;
    let ours = "
entries:
- model: authentik_flows.flow
  identifiers: {slug: default-recovery-flow}
  attrs: {name: Ours, title: Ours, designation: recovery}
";
    bench.apply(ours).await.expect("it fits");
    let enabled = bench.enables(Ready::Recovery).await;
    assert!(enabled.is_kept);
    assert_eq!(enabled.slug, "default-recovery-flow");
    let flow = bench.flow("default-recovery-flow").await;
    assert_eq!(flow.title, "Ours");
    assert_eq!(bench.stages("default-recovery-flow").await, []);
    assert_eq!(bench.brand().await.flow_recovery, Some(flow.pk));
}

#[tokio::test]
async fn what_is_ready_tells_nobody_who_exists_and_activates_nobody() {
    let bench = Bench::with_the_defaults().await;
    bench.enables(Ready::Recovery).await;
    for name in [
        "default-authentication-identification",
        "default-recovery-identification",
    ] {
        let stage = stage_by_name(&bench.journal, name).await.expect("a read");
        let settings = stage.expect("it is there").value.settings;
        assert_eq!(settings["show_matched_user"], false, "{name}");
        assert_eq!(settings["pretend_user_exists"], true, "{name}");
    }
    let mail = stage_by_name(&bench.journal, "default-recovery-email").await;
    let mail = mail.expect("a read").expect("it is there").value;
    assert_eq!(mail.settings["activate_user_on_success"], false);
}
