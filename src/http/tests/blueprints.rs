//! Blueprints and what is done with flows through the API.

use super::*;
use crate::blueprint::Filed;
use crate::catalog::flow_by_slug;

const KEPT: &str = "/api/v3/managed/blueprints/";
const FLOWS: &str = "/api/v3/flows/instances/";
const IMPORTS: [&str; 2] = [
    "/api/v3/managed/blueprints/import/",
    "/api/v3/flows/instances/import/",
];

const SOURCE: &str = "metadata: {name: Mine}\nentries:\n- {model: authentik_flows.flow, id: f, \
    identifiers: {slug: mine}, attrs: {name: n, title: t, designation: recovery}}\n";

pub(super) async fn administrator(server: &Server) -> Browser {
    let admin = crate::directory::user_by_username(&*server.state.journal, "akadmin").await;
    let admin = admin.expect("a journal").expect("the administrator").value;
    server.program(&admin).await
}

impl Browser {
    async fn sends_file(&mut self, to: &str, part: &str, content: &str) -> Answer {
        let body = format!(
            "--sep\r\nContent-Disposition: form-data; name=\"{part}\"; filename=\"a\"\r\n\r\n\
             {content}\r\n--sep--\r\n"
        );
        let request = TestRequest::post()
            .uri(to)
            .insert_header(("content-type", "multipart/form-data; boundary=sep"))
            .set_payload(body);
        self.send(request).await
    }
}

/// A program of somebody who may do this.
async fn bob(server: &Server, permissions: impl IntoIterator<Item = String>) -> Browser {
    let mut bob = server.user("bob", "correct horse").await;
    let mut role = crate::directory::Role::new(&server.state.clock, "keepers");
    role.permissions = permissions.into_iter().collect();
    bob.roles = vec![role.pk];
    server.put(&role).await;
    let found: Option<object::Versioned<User>> = object::get(&*server.state.journal, bob.uuid)
        .await
        .expect("it is read");
    let version = found.expect("it is there").version;
    server.write(vec![object::put(&bob, version)]).await;
    server.program(&bob).await
}

async fn is_there(server: &Server, slug: &str) -> bool {
    let found = flow_by_slug(&*server.state.journal, slug).await;
    found.expect("readable").is_some()
}

#[actix_web::test]
async fn an_exported_flow_that_was_deleted_comes_back_by_either_import() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let export = format!("{FLOWS}login/export/");
    let exported = admin.get(&export).await;
    exported.is(200);
    let attachment = exported.header("content-disposition");
    assert_eq!(attachment, "attachment; filename=\"login.yaml\"");
    let named = |yaml: &str| -> String {
        let lines = yaml
            .lines()
            .filter(|line| !line.contains("  name: \"Gatelog Export - "));
        lines.collect::<Vec<_>>().join("\n")
    };
    for import in IMPORTS {
        let one = format!("{FLOWS}login/");
        admin.change("DELETE", &one, &json!({})).await.is(204);
        let told = admin.sends_file(import, "file", &exported.body).await;
        assert_eq!(told.is(200).json()["success"], true, "{}", told.body);
        let again = admin.sends_file(import, "file", &exported.body).await;
        assert_eq!(again.is(200).json()["success"], true, "{}", again.body);
        let back = admin.get(&export).await;
        assert_eq!(named(&back.is(200).body), named(&exported.body));
    }
}

#[actix_web::test]
async fn what_is_wrong_with_an_import_is_told_in_its_logs() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    for import in IMPORTS {
        for (content, status) in [
            ("version: 3\nentries: []", 200),
            (
                "entries:\n- {model: authentik_flows.flow, identifiers: {}}",
                200,
            ),
            (
                "entries:\n- {model: authentik_flows.flow, identifiers: {slug: x}}",
                200,
            ),
            (
                "entries:\n- {model: authentik_nothing.nothing, identifiers: {slug: x}}",
                200,
            ),
            ("entries: [", 400),
            ("entries: [{identifiers: {slug: x}}]", 400),
        ] {
            let told = admin.sends_file(import, "file", content).await;
            let told = told.is(status).json();
            assert_eq!(told["success"], false, "{content}: {told}");
            assert_eq!(told["logs"][0]["log_level"], "error", "{content}: {told}");
        }
        let nothing = admin.sends_file(import, "other", "").await;
        let expected = json!({"success": false, "logs": []});
        assert_eq!(nothing.is(400).json(), expected);
        let path = admin.sends_file(import, "path", "gone.yaml").await;
        let expected = json!({"path": ["Blueprint file does not exist"]});
        assert_eq!(path.is(400).json(), expected);
        admin.post(import, &json!({})).await.is(415);
    }
    let secret = "entries: [{model: authentik_flows.flow, identifiers: {slug: !Env PATH}}]";
    let told = admin.sends_file(IMPORTS[0], "file", secret).await;
    assert_eq!(told.is(200).json()["success"], false);
    told.shows("!Env is not allowed here");
}

#[actix_web::test]
async fn whoever_may_not_write_flows_cannot_have_them_imported_or_exported() {
    let server = Server::new().await;
    let alice = server.user("alice", "correct horse").await;
    let mut alice = server.program(&alice).await;
    for import in IMPORTS {
        let refused = alice.sends_file(import, "file", SOURCE).await;
        let text = "You do not have permission to perform this action.";
        assert_eq!(refused.is(403).json(), json!({ "detail": text }));
    }
    assert!(!is_there(&server, "mine").await);
    alice.get(&format!("{FLOWS}login/export/")).await.is(404);
    alice.get(&format!("{FLOWS}login/diagram/")).await.is(404);
    alice.get(&format!("{FLOWS}cache_info/")).await.is(403);
    alice.get(KEPT).await.is(403);
    alice
        .post(KEPT, &json!({"name": "n", "content": SOURCE}))
        .await
        .is(403);
    alice.get(&format!("{KEPT}available/")).await.is(403);
}

#[actix_web::test]
async fn a_blueprint_that_its_writer_may_not_have_applied_is_not_kept_either() {
    let server = Server::new().await;
    let permissions = ["add", "change", "view"]
        .map(|verb| format!("authentik_blueprints.{verb}_blueprintinstance"));
    let mut bob = bob(&server, permissions).await;
    let body = json!({"name": "n", "content": SOURCE});
    bob.post(KEPT, &body).await.is(403);
    let kept = bob.get(KEPT).await.is(200).json();
    assert_eq!(kept["pagination"]["count"], 0, "{kept}");
    let empty = json!({"name": "n", "content": "entries: []"});
    let made = bob.post(KEPT, &empty).await.is(201).json();
    let one = format!("{KEPT}{}/", made["pk"].as_str().expect("a key"));
    let part = json!({"content": SOURCE});
    bob.change("PATCH", &one, &part).await.is(403);
    let kept = bob.get(&one).await.is(200).json();
    assert_eq!(kept["content"], "entries: []", "{kept}");
}

#[actix_web::test]
async fn a_blueprint_that_is_kept_is_applied_when_it_is_made_and_when_asked() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let none = admin.post(KEPT, &json!({"name": "n"})).await.is(400).json();
    let text = "Either path or content must be set.";
    assert_eq!(none, json!({"non_field_errors": [text]}));
    let wrong = json!({"name": "n", "content": "version: 3"});
    let wrong = admin.post(KEPT, &wrong).await.is(400).json();
    assert_eq!(wrong["content"][0], "Failed to validate blueprint");
    let body = json!({"name": "kept", "content": SOURCE});
    let made = admin.post(KEPT, &body).await.is(201).json();
    assert_eq!(made["status"], "successful");
    assert_eq!(made["managed_models"], json!(["authentik_flows.flow"]));
    assert_eq!(made["metadata"]["name"], "Mine");
    assert!(is_there(&server, "mine").await);
    admin
        .change("DELETE", &format!("{FLOWS}mine/"), &json!({}))
        .await
        .is(204);
    let one = format!("{KEPT}{}/", made["pk"].as_str().expect("a key"));
    let applied = admin.post(&format!("{one}apply/"), &json!({})).await;
    assert_eq!(applied.is(200).json()["status"], "successful");
    assert!(is_there(&server, "mine").await);
    let unfit = SOURCE.replace("designation: recovery", "designation: nonsense");
    let changed = admin
        .change("PATCH", &one, &json!({"content": unfit}))
        .await;
    assert_eq!(changed.is(200).json()["status"], "error");
    let listed = admin.get(&format!("{KEPT}?name=kept")).await.is(200).json();
    assert_eq!(listed["pagination"]["count"], 1);
    let used = admin.get(&format!("{one}used_by/")).await;
    assert_eq!(used.is(200).json(), json!([]));
    admin.change("DELETE", &one, &json!({})).await.is(204);
    assert!(is_there(&server, "mine").await, "what it made stays");
}

#[actix_web::test]
async fn the_files_of_the_folder_can_be_listed_and_imported() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let file = Filed::new(SOURCE, server.state.clock.now());
    server.state.library.put("a.yaml", file.clone());
    let listed = admin.get(&format!("{KEPT}available/")).await.is(200).json();
    assert_eq!(listed[0]["path"], "a.yaml");
    assert_eq!(listed[0]["hash"], file.hash.as_str());
    assert_eq!(listed[0]["meta"]["name"], "Mine");
    let told = admin.sends_file(IMPORTS[0], "path", "a.yaml").await;
    assert_eq!(told.is(200).json()["success"], true);
    assert!(is_there(&server, "mine").await);
    let body = json!({"name": "filed", "path": "a.yaml"});
    let made = admin.post(KEPT, &body).await.is(201).json();
    assert_eq!(made["status"], "successful");
    let gone = json!({"name": "gone", "path": "b.yaml"});
    admin
        .post(KEPT, &gone)
        .await
        .is(400)
        .shows("does not exist");
}

#[actix_web::test]
async fn a_flow_is_drawn_and_there_is_no_cache() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let drawn = admin.get(&format!("{FLOWS}logout/diagram/")).await;
    let expected = "graph TD\nflow_start[[\"Flow\nlogout\"]]\n--> stage_0([\"Stage (User Logout \
                    Stage)\nlogout-0\"])\nstage_0 --> done[[\"End of the flow\"]]";
    assert_eq!(drawn.is(200).json(), json!({"diagram": expected}));
    let count = admin.get(&format!("{FLOWS}cache_info/")).await;
    assert_eq!(count.is(200).json(), json!({"count": 0}));
    let cleared = format!("{FLOWS}cache_clear/");
    admin.post(&cleared, &json!({})).await.is(204);
}

#[actix_web::test]
async fn the_bearer_of_a_token_begins_a_flow_and_goes_on_in_the_session_that_it_got() {
    let server = Server::new().await;
    let settings = json!({"backends": ["authentik.core.auth.InbuiltBackend"]});
    let stages = [(Kind::Password, settings)];
    let purpose = Designation::StageConfiguration;
    server.flow("mine", purpose, &stages).await;
    let mut admin = administrator(&server).await;
    assert!(admin.session().is_none());
    let begun = admin.get(&format!("{FLOWS}mine/execute/")).await;
    let link = begun.is(200).json()["link"]
        .as_str()
        .expect("a link")
        .to_owned();
    assert!(
        link.starts_with("http") && link.ends_with("/if/flow/mine/"),
        "{link}"
    );
    assert!(admin.session().is_some());
    let mut browser = Browser {
        headers: Vec::new(),
        ..admin.clone()
    };
    let executor = "/api/v3/flows/executor/mine/?query=";
    let challenge = browser.get(executor).await.is(200).json();
    assert_eq!(challenge["component"], "ak-stage-password");
    let user = challenge["pending_user"].as_str().unwrap_or_default();
    assert_eq!(user, "akadmin", "{challenge}");
    server.dummies("nothing", 0).await;
    let empty = admin.get(&format!("{FLOWS}nothing/execute/")).await;
    empty
        .is(400)
        .shows("Flow not applicable to current user/request");
}

/// What somebody needs to have stages that send mails written by a blueprint.
fn of_stages(verbs: &[&str]) -> Vec<String> {
    let stages = verbs
        .iter()
        .map(|verb| format!("authentik_stages_email.{verb}_emailstage"));
    let kept = "authentik_blueprints.add_blueprintinstance".to_owned();
    stages.chain([kept]).collect()
}

#[actix_web::test]
async fn a_blueprint_does_not_send_a_secret_to_whoever_wrote_it() {
    let server = Server::new().await;
    let settings = json!({
        "use_global_settings": false, "host": "mail.example", "password": "of the mail server",
        "use_tls": true,
    });
    let purpose = Designation::Recovery;
    server
        .flow("lost", purpose, &[(Kind::Email, settings)])
        .await;
    let mut bob = bob(&server, of_stages(&["add", "change", "delete"])).await;
    let entry = |attrs: &str| {
        format!(
            "entries: [{{model: authentik_stages_email.emailstage, identifiers: {{name: lost-0}}, \
             attrs: {attrs}}}]"
        )
    };
    let text = "it has to be given anew together with this";
    for attrs in ["{host: evil.example}", "{use_tls: false}"] {
        let source = entry(attrs);
        for import in IMPORTS {
            let told = bob.sends_file(import, "file", &source).await;
            assert_eq!(told.is(200).json()["success"], false, "{}", told.body);
            told.shows(text);
        }
        let diff = json!({ "content": source });
        let told = bob.post("/api/v3/gatelog/blueprints/diff/", &diff).await;
        assert_eq!(told.is(200).json()["changes"], json!([]));
        told.shows(text);
        let kept = json!({ "name": attrs, "content": source });
        let made = bob.post(KEPT, &kept).await.is(201).json();
        assert_eq!(made["status"], "error", "{made}");
    }
    let mut admin = administrator(&server).await;
    let stages = admin.get("/api/v3/stages/email/").await.is(200).json();
    assert_eq!(stages["results"][0]["host"], "mail.example");
    let anew = entry("{host: other.example, password: another}");
    let told = bob.sends_file(IMPORTS[0], "file", &anew).await;
    assert_eq!(told.is(200).json()["success"], true, "{}", told.body);
}

#[actix_web::test]
async fn a_diff_does_not_show_what_its_reader_may_not_see() {
    let server = Server::new().await;
    let settings = json!({ "use_global_settings": true, "subject": "as it was" });
    let purpose = Designation::Recovery;
    server
        .flow("lost", purpose, &[(Kind::Email, settings)])
        .await;
    let source = "entries: [{model: authentik_stages_email.emailstage, \
                  identifiers: {name: lost-0}, attrs: {subject: anew}}]";
    let mut permissions = of_stages(&["add", "change", "delete"]);
    permissions.push("authentik_flows.inspect_flow".to_owned());
    let mut bob = bob(&server, permissions).await;
    let mut admin = administrator(&server).await;
    for (reader, from) in [(&mut bob, Value::Null), (&mut admin, json!("as it was"))] {
        let draft = json!({ "content": source });
        for path in ["blueprints/diff", "replay/what-if"] {
            let path = format!("/api/v3/gatelog/{path}/");
            let told = reader.post(&path, &draft).await;
            let field = &told.is(200).json()["changes"][0]["fields"][0];
            assert_eq!(field["to"], "anew", "{}", told.body);
            assert_eq!(field["from"], from, "{path}: {}", told.body);
        }
    }
}

#[actix_web::test]
async fn whoever_has_executions_run_again_waits_for_whoever_does() {
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let scans = &server.state.scans;
    let draft = json!({ "content": "entries: []" });
    for (path, body, turns) in [
        ("replay/verify", json!({}), &scans.runs),
        ("replay/what-if", draft, &scans.suppositions),
    ] {
        let path = format!("/api/v3/gatelog/{path}/");
        admin.post(&path, &body).await.is(200);
        let patience = std::time::Duration::from_millis(300);
        let other = uuid::Uuid::from_u128(1);
        let held = turns.run(other, || true, std::future::pending::<()>());
        let mut held = Box::pin(held);
        assert!(tokio::time::timeout(patience, &mut held).await.is_err());
        let asked = admin.post(&path, &body);
        let asked = tokio::time::timeout(patience, asked).await;
        assert!(asked.is_err(), "two at once: {path}");
        drop(held);
        admin.post(&path, &body).await.is(200);
    }
}

#[actix_web::test]
async fn a_ready_made_flow_is_switched_on() {
    const READY: &str = "/api/v3/gatelog/blueprints/ready/";
    const ENABLE: &str = "/api/v3/gatelog/blueprints/enable/";
    let server = Server::new().await;
    let mut admin = administrator(&server).await;
    let invitation = async |admin: &mut Browser| {
        let all = admin.get(READY).await.is(200).json();
        let all = all.as_array().cloned().unwrap_or_default();
        let found = all.into_iter().find(|it| it["name"] == "invitation");
        found.expect("it is listed")
    };
    let before = invitation(&mut admin).await;
    assert_eq!(before["enabled"], false, "{before}");
    let slug = before["flow"].as_str().expect("a slug").to_owned();
    assert!(!is_there(&server, &slug).await);
    let wanted = json!({ "name": "invitation" });
    let on = admin.post(ENABLE, &wanted).await.is(200).json();
    assert_eq!(on["enabled"], true, "{on}");
    assert_eq!(invitation(&mut admin).await, on);
    assert!(is_there(&server, &slug).await);
    admin.post(ENABLE, &wanted).await.is(200);
    let other = json!({ "name": "other" });
    admin
        .post(ENABLE, &other)
        .await
        .is(400)
        .shows("not a valid choice");
    let mut bob = bob(&server, of_stages(&["add", "change", "delete"])).await;
    bob.post(ENABLE, &wanted).await.is(403);
    bob.get(READY).await.is(403);
}
