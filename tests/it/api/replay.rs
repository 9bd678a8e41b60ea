//! Executions run again, as programs ask for it.

use reqwest::Method;
use serde_json::json;

use super::program::{Program, with_program};

const VERIFY: &str = "/gatelog/replay/verify/";

#[test]
fn executions_are_run_again_page_by_page_and_given_out_as_bundles() {
    with_program(async |server, admin| {
        let (gone, stays) = (server.person(), server.person());
        server.visitor().logs_in(&gone).await;
        server.visitor().logs_in(&stays).await;
        let pk = admin.number_of(&gone.username).await;
        admin.removes(&format!("/core/users/{pk}/")).await;

        let first = admin.does_and_gets(VERIFY, &json!({ "limit": 1 })).await;
        assert_eq!(first["results"][0]["outcome"], "same", "{first}");
        assert!(
            first["results"][0]["records"].as_u64() >= Some(3),
            "{first}"
        );
        let rest = json!({ "limit": 10, "before": first["next"] });
        let rest = admin.does_and_gets(VERIFY, &rest).await;
        let results = rest["results"].as_array().expect("a list");
        assert_eq!(results.len(), 1, "{rest}");
        assert_eq!(results[0]["outcome"], "unreadable", "{rest}");
        assert!(rest["next"].is_null(), "{rest}");
        let none = json!({ "since": "2100-01-01T00:00:00Z" });
        let none = admin.does_and_gets(VERIFY, &none).await;
        assert_eq!(none["results"], json!([]));
        let wrong = json!({ "before": "x" });
        admin.is_refused(Method::POST, VERIFY, &wrong, 400).await;

        // The same is counted apart at the command line, and is no failure.
        let ran = server.gatelog(&["replay", "verify", "--all", "--json"]);
        let count = ran.succeeds().values().remove(0);
        assert_eq!(count["unreadable"], 1, "{count}");
        assert_eq!(count["same"], 1, "{count}");
        assert!(
            count["first_unreadable"][0]["problem"].is_string(),
            "{count}"
        );

        let code = first["results"][0]["code"].as_str().expect("a code");
        let path = format!("/gatelog/executions/{code}/bundle/");
        let bundle = admin.gets(&path).await;
        assert_eq!(bundle["format"], 1);
        assert_eq!(bundle["personal"], false);
        let text = bundle.to_string();
        for hidden in [&stays.username, &stays.mail, &stays.name] {
            assert!(!text.contains(hidden.as_str()), "{hidden} is in it");
        }

        // It tells how everything is configured.
        let other: Program = admin.as_person(server, &stays).await;
        let nothing = json!({});
        other.is_refused(Method::GET, &path, &nothing, 403).await;
        other.is_refused(Method::POST, VERIFY, &nothing, 403).await;
    });
}
