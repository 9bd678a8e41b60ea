//! Executions as operators find them, and how the server is.

use reqwest::Method;
use serde_json::{Value, json};

use super::program::{Program, with_program};
use crate::support::{Flow, LOGIN, Person, TestServer, random};

const EXECUTIONS: &str = "/gatelog/executions/";

/// A flow that lets nobody through.
fn refusing() -> Flow {
    Flow::new("refusing").stage("deny", "no-way", json!({ "deny_message": "Not today" }))
}

async fn logs_in(server: &TestServer, person: &Person) {
    server.visitor().logs_in(person).await;
}

/// Somebody who gave a name and went away.
async fn leaves_a_name(server: &TestServer, name: &str) {
    let mut visitor = server.visitor();
    visitor.opens(LOGIN).await;
    visitor
        .answers(json!({ "uid_field": name }))
        .await
        .sees("ak-stage-password");
}

async fn page(program: &Program, query: &str) -> (Vec<Value>, Value) {
    let found = program.gets(&format!("{EXECUTIONS}?{query}")).await;
    let results = found["results"].as_array().cloned().expect("a list");
    (results, found["next"].clone())
}

async fn found(program: &Program, query: &str) -> Vec<Value> {
    let (results, next) = page(program, query).await;
    assert_eq!(next, Value::Null, "{query}");
    results
}

#[test]
fn executions_are_found_by_what_is_known_of_them() {
    with_program(async |server, admin| {
        server.has_flow(&refusing());
        let (alice, bob) = (server.person(), server.person());
        logs_in(server, &alice).await;
        leaves_a_name(server, &bob.username).await;
        let stranger = format!("stranger-{}", random(8));
        leaves_a_name(server, &stranger).await;
        server
            .visitor()
            .opens("refusing")
            .await
            .is_denied("Not today");

        let all = found(&admin, "").await;
        assert_eq!(all.len(), 4, "{all:#?}");
        let states: Vec<_> = all.iter().map(|it| it["state"].clone()).collect();
        assert_eq!(states, ["denied", "running", "running", "completed"]);
        let [denied, typed, bobs, alices] = &all[..] else {
            panic!("{all:#?}");
        };
        assert_eq!(alices["user"]["username"], alice.username.as_str());
        assert_eq!(typed["user"], Value::Null);
        assert_eq!(typed["typed"], stranger.as_str());
        assert_eq!(denied["detail"], "Not today");
        let id = |it: &Value| it["execution"].as_str().expect("an id").to_owned();
        let code = denied["code"].as_str().expect("a code").to_lowercase();
        let second = |it: &Value| it["started"].as_str().expect("a moment").to_owned();
        for (query, expected) in [
            ("flow=refusing".to_owned(), vec![denied]),
            (format!("flow={LOGIN}"), vec![typed, bobs, alices]),
            ("flow=unknown".to_owned(), vec![]),
            ("state=denied".to_owned(), vec![denied]),
            ("state=completed,denied".to_owned(), vec![denied, alices]),
            ("state=running&state=waiting".to_owned(), vec![typed, bobs]),
            ("state=running,denied".to_owned(), vec![denied, typed, bobs]),
            (format!("user={}", bob.username), vec![bobs]),
            (format!("user={}", alices["user"]["pk"]), vec![alices]),
            (format!("user={stranger}"), vec![typed]),
            (format!("search={}", id(bobs)), vec![bobs]),
            (format!("search={code}"), vec![denied]),
            (format!("search={}", code.replace('-', "")), vec![denied]),
            ("search=not+today".to_owned(), vec![denied]),
            (format!("search={}", alice.name), vec![alices]),
            (
                format!("address={}", alices["address"].as_str().unwrap_or_default()),
                {
                    let here = |it: &&Value| it["address"] == alices["address"];
                    all.iter().filter(here).collect()
                },
            ),
            ("address=203.0.113.0/24".to_owned(), vec![]),
            (format!("since={}", second(typed)), vec![denied, typed]),
            (format!("until={}", second(typed)), vec![bobs, alices]),
            (format!("before={}", id(typed)), vec![bobs, alices]),
        ] {
            let seen = found(&admin, &query).await;
            let seen: Vec<_> = seen.iter().collect();
            assert_eq!(seen, expected, "{query}");
        }
        for wrong in [
            "state=over",
            "since=noon",
            "address=here",
            "before=x",
            "limit=x",
        ] {
            let path = format!("{EXECUTIONS}?{wrong}");
            admin.is_refused(Method::GET, &path, &json!({}), 400).await;
        }
        let printed = server.gatelog(&["execution", "list"]);
        printed.succeeds().prints(&code.to_uppercase());
        server
            .gatelog(&["execution", "show", &code])
            .succeeds()
            .prints("Not today");
        server.gatelog(&["execution", "verify", &code]).succeeds();
        server
            .gatelog(&["execution", "show", "nothing"])
            .fails_with(1);
    });
}

#[test]
fn pages_fit_together_whatever_begins_meanwhile() {
    with_program(async |server, admin| {
        for _ in 0..5 {
            leaves_a_name(server, "nobody").await;
        }
        let whole = found(&admin, "").await;
        let (mut together, mut cursor) = (Vec::new(), Value::Null);
        for _ in 0..3 {
            let before = cursor.as_str().map(|it| format!("&before={it}"));
            let query = format!("limit=2{}", before.unwrap_or_default());
            let (results, next) = page(&admin, &query).await;
            assert!(results.len() <= 2);
            together.extend(results);
            cursor = next;
            leaves_a_name(server, "nobody").await;
        }
        assert_eq!(cursor, Value::Null);
        assert_eq!(together, whole);
    });
}

#[test]
fn one_execution_is_told_from_its_beginning_without_secrets() {
    with_program(async |server, admin| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        visitor.answers(json!({ "password": "wrong" })).await;
        visitor.answers(json!({ "password": alice.password })).await;
        let all = found(&admin, "").await;
        let (id, code) = (&all[0]["execution"], &all[0]["code"]);
        let (id, code) = (id.as_str().expect("an id"), code.as_str().expect("a code"));
        let told = admin.gets(&format!("{EXECUTIONS}{id}/")).await;
        assert_eq!(told, admin.gets(&format!("{EXECUTIONS}{code}/")).await);
        assert_eq!(told["state"], "completed");
        let steps = told["steps"].as_array().expect("steps");
        let events: Vec<&Value> = steps
            .iter()
            .flat_map(|it| it["events"].as_array().expect("events"))
            .collect();
        let shown = server.gatelog(&["execution", "show", id]).stdout;
        for event in &events {
            for line in event["lines"].as_array().expect("lines") {
                assert!(shown.contains(line.as_str().expect("a line")), "{line}");
            }
        }
        let refused = events.iter().find(|it| it["kind"] == "password_rejected");
        let refused = refused.expect("a wrong password");
        assert_eq!(refused["stage"], "default-authentication-password");
        let user = refused["details"]["user"].as_str().expect("a user");
        assert_eq!(told["people"][user]["username"], alice.username.as_str());
        assert!(!told.to_string().contains(&alice.password));
        let again = admin.gets(&format!("{EXECUTIONS}{code}/verify/")).await;
        assert_eq!(again["outcome"], "same");
        assert_eq!(again["records"], steps.len());
        let why = admin.gets(&format!("{EXECUTIONS}{code}/why/")).await;
        let printed = server.gatelog(&["execution", "why", code]);
        assert_eq!(printed.stdout.trim(), why["text"].as_str().expect("a text"));
        assert_eq!(why["way"], "completed");
        assert_eq!(
            why["ways"],
            json!(["completed", "password_wrong", "skipped_no_factor"])
        );
        let diff = admin
            .gets(&format!("{EXECUTIONS}{code}/diff/?version=1"))
            .await;
        assert_eq!(diff["left"]["place"]["version"], 1);
        assert_eq!(diff["right"]["state"], "completed");
        let path = format!("{EXECUTIONS}{code}/watch/");
        let watched = admin.gets(&format!("{path}?key=pending_user")).await;
        assert_eq!(watched["writes"][0]["after"]["value"]["value"], user);
        admin.is_refused(Method::GET, &path, &json!({}), 400).await;
        for unknown in [
            "22222-22222",
            "nothing",
            "01980000-0000-7000-8000-000000000000",
        ] {
            let path = format!("{EXECUTIONS}{unknown}/");
            admin.is_refused(Method::GET, &path, &json!({}), 404).await;
        }
    });
}

#[test]
fn others_see_the_executions_of_flows_that_they_may_inspect() {
    with_program(async |server, admin| {
        server.has_flow(&refusing());
        let person = server.person();
        server.visitor().opens("refusing").await;
        leaves_a_name(server, "nobody").await;
        let all = found(&admin, "").await;
        let paths: Vec<String> = all
            .iter()
            .map(|it| format!("{EXECUTIONS}{}/", it["execution"].as_str().expect("an id")))
            .collect();
        let program = admin.as_person(server, &person).await;
        let get = Method::GET;
        let nothing = json!({});
        program
            .is_refused(get.clone(), EXECUTIONS, &nothing, 403)
            .await;
        program
            .is_refused(get.clone(), &paths[1], &nothing, 404)
            .await;
        program
            .is_refused(get.clone(), "/gatelog/health/", &nothing, 403)
            .await;

        let role = admin
            .makes("/rbac/roles/", &json!({ "name": "readers" }))
            .await;
        let role = role["pk"].as_str().expect("a key").to_owned();
        let number = admin.number_of(&person.username).await;
        admin
            .does(
                &format!("/rbac/roles/{role}/add_user/"),
                &json!({ "pk": number }),
            )
            .await;
        let flow = admin.gets("/flows/instances/refusing/").await;
        let assign = format!("/rbac/permissions/assigned_by_roles/{role}/assign/");
        let one = json!({ "permissions": ["authentik_flows.inspect_flow"],
            "model": "authentik_flows.flow", "object_pk": flow["pk"] });
        admin
            .sends(Method::POST, &assign, &one)
            .await
            .has_status(200);
        let seen = found(&program, "").await;
        assert_eq!(seen, [all[1].clone()]);
        program.gets(&paths[1]).await;
        program.gets(&format!("{}verify/", paths[1])).await;
        program
            .is_refused(get.clone(), &paths[0], &nothing, 404)
            .await;
        let by_id = format!("search={}", all[0]["code"].as_str().expect("a code"));
        assert!(found(&program, &by_id).await.is_empty());

        let every = json!({ "permissions": ["authentik_flows.inspect_flow",
            "authentik_rbac.view_system_info"] });
        admin
            .sends(Method::POST, &assign, &every)
            .await
            .has_status(200);
        assert_eq!(found(&program, "").await.len(), 2);
        program.gets("/gatelog/health/").await;
    });
}

#[test]
fn whoever_may_not_see_invitations_reads_none_in_an_execution() {
    const INVITED: &str = "invitation-enrollment-flow";
    with_program(async |server, admin| {
        let on = server.gatelog(&["blueprint", "enable", "invitation"]);
        on.succeeds();
        let create = [
            "invitation",
            "create",
            "welcome",
            "--flow",
            INVITED,
            "--single-use",
        ];
        let made = server.gatelog(&create);
        let link = made.succeeds().stdout.trim().to_owned();
        let (_, query) = link.split_once('?').expect("a query");
        let token = query.strip_prefix("itoken=").expect("a token");
        let query = format!("{query}&next=%2F%3Fcode%3Dopen-sesame");
        server.visitor().opens_with(INVITED, &query).await;

        let desk = server.person();
        let role = admin
            .makes("/rbac/roles/", &json!({ "name": "help desk" }))
            .await;
        let role = role["pk"].as_str().expect("a key").to_owned();
        let number = admin.number_of(&desk.username).await;
        let path = format!("/rbac/roles/{role}/add_user/");
        admin.does(&path, &json!({ "pk": number })).await;
        let assign = format!("/rbac/permissions/assigned_by_roles/{role}/assign/");
        let may = async |permission: &str| {
            let body = json!({ "permissions": [permission] });
            let assigned = admin.sends(Method::POST, &assign, &body).await;
            assigned.has_status(200);
        };
        may("authentik_flows.inspect_flow").await;
        let program = admin.as_person(server, &desk).await;
        let all = found(&program, &format!("flow={INVITED}")).await;
        let id = all[0]["execution"].as_str().expect("an id");
        let watched = format!("{EXECUTIONS}{id}/watch/?key=invitation");
        for rest in ["", "state/", "diff/?with_version=1", "why/", "verify/"] {
            let path = format!("{EXECUTIONS}{id}/{rest}");
            let shown = program.gets(&path).await.to_string();
            assert!(!shown.contains(token), "{path}: {shown}");
            assert!(!shown.contains("open-sesame"), "{path}: {shown}");
        }
        let shown = program.gets(&watched).await.to_string();
        assert!(!shown.contains(token), "{shown}");
        may("authentik_stages_invitation.view_invitation").await;
        let shown = program.gets(&watched).await.to_string();
        assert!(shown.contains(token), "{shown}");
    });
}

#[test]
fn whoever_listens_hears_that_something_happened() {
    with_program(async |server, _| {
        let mut visitor = server.visitor();
        visitor.logs_in(&server.administrator.clone()).await;
        let mut stream = visitor.listens("/api/v3/gatelog/executions/").await;
        for _ in 0..2 {
            leaves_a_name(server, "nobody").await;
            let heard = tokio::time::timeout(std::time::Duration::from_secs(30), stream.next());
            assert_eq!(heard.await.expect("in time"), Some(json!({})));
        }
    });
}

#[test]
fn the_server_says_how_it_is() {
    with_program(async |server, admin| {
        leaves_a_name(server, "nobody").await;
        let health = admin.gets("/gatelog/health/").await;
        assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(
            health["executions"]["unfinished"],
            json!({ "count": 1, "more": false })
        );
        assert!(health["executions"]["awake"].as_u64() >= Some(1));
        assert!(health["journal"]["position"].as_u64() > Some(1));
        assert!(health["journal"]["bytes"].as_u64() > health["journal"]["log_bytes"].as_u64());
        assert_eq!(health["outbox"]["waiting"], 0);
        assert_eq!(health["workers"]["count"], 2);
        assert!(health["journal"]["key_since"].is_string());
        assert_eq!(health["blueprints"]["problems"], json!([]));
    });
}

#[test]
fn an_execution_is_read_as_it_stood_at_any_event() {
    with_program(async |server, admin| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await
            .sees("ak-stage-password");
        visitor.answers(json!({ "password": "not it" })).await;
        let (all, _) = page(&admin, "").await;
        let id = all[0]["execution"].as_str().expect("an id").to_owned();
        let one = |rest: &str| format!("{EXECUTIONS}{id}/{rest}");
        let whole = admin.gets(&one("")).await;
        let last = admin.gets(&one("state/")).await;
        assert_eq!(last["state"], "running");
        assert_eq!(last["shown"]["component"], "ak-stage-password");
        let refused = &last["shown"]["errors"]["password"][0]["code"];
        assert_eq!(*refused, "invalid");
        let user = last["context"].as_array().expect("a list");
        let user = user.iter().find(|it| it["key"] == "pending_user");
        let user = user.expect("somebody is meant")["value"]["value"].clone();
        let named = &last["people"][user.as_str().expect("an id")];
        assert_eq!(named["username"], alice.username.as_str());
        // Every event that the execution has can be asked for, and is the one that it has there.
        for step in whole["steps"].as_array().expect("steps") {
            let version = &step["version"];
            let events = step["events"].as_array().expect("events");
            for (place, event) in events.iter().enumerate() {
                let asked = one(&format!("state/?version={version}&event={}", place + 1));
                let at = admin.gets(&asked).await;
                assert_eq!(at["event"], *event, "{asked}");
            }
        }
        let first = admin.gets(&one("state/?version=1&event=1")).await;
        assert_eq!(first["shown"], Value::Null);
        assert_eq!(first["changes"][0]["was"], Value::Null);
        for (rest, status) in [
            ("state/?version=x", 400),
            ("state/?event=-1", 400),
            ("state/?version=99", 404),
            ("state/?version=1&event=99", 404),
            ("page/?version=1&event=1", 404),
        ] {
            let asked = one(rest);
            admin
                .is_refused(Method::GET, &asked, &json!({}), status)
                .await;
        }
    });
}

#[test]
fn the_page_of_a_visitor_is_looked_at_and_nothing_on_it_can_be_used() {
    with_program(async |server, admin| {
        let alice = server.person();
        leaves_a_name(server, &alice.username).await;
        let (all, _) = page(&admin, "").await;
        let id = all[0]["execution"].as_str().expect("an id");
        let path = format!("{EXECUTIONS}{id}/page/");
        let answer = admin.sends(Method::GET, &path, &Value::Null).await;
        answer.has_status(200);
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("sandbox; default-src 'none';"),
            "{policy}"
        );
        assert!(policy.ends_with("frame-ancestors 'self'"), "{policy}");
        assert_eq!(answer.header("x-frame-options"), "SAMEORIGIN");
        answer
            .shows(" inert>")
            .shows(&alice.username)
            .hides("<script");
    });
}
