//! Policies about places, with databases of addresses as a server has them.

use serde_json::{Value, json};

use crate::support::{LOGIN, Mmdb, Options, Person, TestServer, Visitor, with_server_of};

/// Where addresses begin that are in Toronto, in Ottawa, in Warsaw and nowhere.
const TORONTO: &[u16] = &[0x2001, 0x0db8, 0x0001];
const OTTAWA: &[u16] = &[0x2001, 0x0db8, 0x0002];
const WARSAW: &[u16] = &[0x2001, 0x0db8, 0x0003];
const NOWHERE: &[u16] = &[0x2001, 0x0db8, 0x0004];

/// A server that knows where addresses are.
fn with_places(scenario: impl AsyncFnOnce(&mut TestServer)) {
    let directory = tempfile::tempdir().expect("a directory");
    let network = |groups: &[u16]| {
        let mut all = [0; 8];
        all[..groups.len()].copy_from_slice(groups);
        (all.into(), 48)
    };
    let (cities, networks) = (
        directory.path().join("cities.mmdb"),
        directory.path().join("networks.mmdb"),
    );
    Mmdb::of_cities()
        .city(network(TORONTO), ("NA", "CA", "Toronto"), (43.7, -79.4))
        .city(network(OTTAWA), ("NA", "CA", "Ottawa"), (45.4, -75.7))
        .city(network(WARSAW), ("EU", "PL", "Warsaw"), (52.2, 21.1))
        .write(&cities);
    Mmdb::of_networks()
        .network(network(TORONTO), 64_496, "Example of Toronto")
        .network(network(WARSAW), 64_497, "Example of Warsaw")
        .write(&networks);
    let options = Options::default()
        .with("GATELOG_GEOIP__CITY", &cities.display().to_string())
        .with("GATELOG_GEOIP__ASN", &networks.display().to_string());
    with_server_of(options, scenario);
}

/// Binds a policy to the default login flow.
fn guards_the_login(server: &TestServer, model: &str, attrs: &Value) {
    server.apply(&format!(
        "version: 1
metadata: {{name: the guard}}
entries:
- model: {model}
  id: guard
  identifiers: {{name: guard}}
  attrs: {attrs}
- model: authentik_policies.policybinding
  identifiers:
    target: !Find [authentik_flows.flow, [slug, {LOGIN}]]
    policy: !KeyOf guard
    order: 0
"
    ));
}

/// A flow that refuses whoever a policy does not let pass, once the password is right.
fn guards_after_the_password(server: &TestServer, attrs: &Value) {
    server.apply(&format!(
        "version: 1
metadata: {{name: a guarded login}}
entries:
- model: authentik_policies_geoip.geoippolicy
  id: guard
  identifiers: {{name: journeys}}
  attrs: {attrs}
- model: authentik_stages_deny.denystage
  id: deny
  identifiers: {{name: too far}}
  attrs: {{deny_message: You are too far from home.}}
- model: authentik_flows.flowstagebinding
  id: place
  identifiers:
    target: !Find [authentik_flows.flow, [slug, {LOGIN}]]
    stage: !KeyOf deny
    order: 25
- model: authentik_policies.policybinding
  identifiers:
    target: !KeyOf place
    policy: !KeyOf guard
    order: 0
  attrs: {{negate: true, failure_result: true}}
"
    ));
}

/// Types name and password, and returns what follows.
async fn types_the_password(visitor: &mut Visitor, person: &Person) -> crate::support::Answer {
    visitor.opens(LOGIN).await.sees("ak-stage-identification");
    let who = json!({ "uid_field": person.username });
    visitor.answers(who).await.sees("ak-stage-password");
    let what = json!({ "password": person.password });
    visitor.answers(what).await
}

async fn is_too_far(visitor: &mut Visitor, person: &Person) {
    let answer = types_the_password(visitor, person).await;
    answer.is_denied("You are too far from home.");
}

/// What `execution show` says of the latest execution.
fn latest(server: &TestServer) -> String {
    server
        .gatelog(&["execution", "show", &server.latest()])
        .succeeds()
        .stdout
        .clone()
}

#[track_caller]
fn tells(server: &TestServer, text: &str) {
    let trail = latest(server);
    assert!(trail.contains(text), "no {text:?} in\n{trail}");
}

#[test]
fn a_login_from_a_country_that_is_not_allowed_is_denied_and_the_trail_tells_why() {
    with_places(async |server| {
        let attrs = json!({"countries": ["CA", "DE"]});
        guards_the_login(server, "authentik_policies_geoip.geoippolicy", &attrs);
        let person = server.person();

        let mut visitor = server.visitor();
        visitor.goes_to(WARSAW);
        let message = "Client IP is not in an allowed country.";
        visitor.opens(LOGIN).await.is_denied(message);
        tells(server, "policy guard (geoip, version 1");
        tells(server, message);

        visitor.goes_to(NOWHERE);
        let message = "GeoIP: client IP address not found in City database.";
        visitor.opens(LOGIN).await.is_denied(message);
        tells(server, "failed after");
        tells(server, message);

        visitor.goes_to(TORONTO);
        visitor.logs_in(&person).await;
    });
}

#[test]
fn a_network_that_is_allowed_makes_up_for_a_country_that_is_not() {
    with_places(async |server| {
        let attrs = json!({"countries": ["DE"], "asns": [64_496]});
        guards_the_login(server, "authentik_policies_geoip.geoippolicy", &attrs);
        let person = server.person();
        let mut visitor = server.visitor();
        visitor.goes_to(WARSAW);
        visitor.opens(LOGIN).await.is_denied(
            "Client IP is not part of an allowed autonomous system.\n\
             Client IP is not in an allowed country.",
        );
        visitor.goes_to(TORONTO);
        visitor.logs_in(&person).await;
    });
}

#[test]
fn nobody_logs_in_far_away_within_an_hour_not_even_after_a_restart() {
    with_places(async |server| {
        guards_after_the_password(server, &json!({"check_impossible_travel": true}));
        let person = server.person();
        let mut traveller = server.visitor();
        traveller.goes_to(TORONTO);
        traveller.logs_in(&person).await;

        let mut thief = server.visitor();
        thief.goes_to(WARSAW);
        is_too_far(&mut thief, &person).await;
        tells(server, "says: Distance is further than possible.");
        thief.goes_to(NOWHERE);
        is_too_far(&mut thief, &person).await;
        tells(server, "where the request comes from is not known");
        // Somebody else has been in Toronto, not they.
        let other = server.person();
        let mut visitor = server.visitor();
        visitor.goes_to(WARSAW);
        visitor.logs_in(&other).await;

        server.kill().await;
        is_too_far(&mut server.visitor_at(WARSAW), &person).await;
        server.restart().await;
        is_too_far(&mut server.visitor_at(WARSAW), &person).await;
        server.visitor_at(OTTAWA).logs_in(&person).await;

        // Twelve hours later it is a flight, and then Toronto is the place that is too far.
        server.sets("GATELOG_CLOCK_SHIFT", "43200");
        server.restart().await;
        server.visitor_at(WARSAW).logs_in(&person).await;
        is_too_far(&mut server.visitor_at(TORONTO), &person).await;
    });
}

#[test]
fn somebody_stays_near_their_former_logins() {
    with_places(async |server| {
        let attrs = json!({"check_history_distance": true, "history_login_count": 2});
        guards_after_the_password(server, &attrs);
        let person = server.person();
        server.visitor_at(TORONTO).logs_in(&person).await;
        is_too_far(&mut server.visitor_at(OTTAWA), &person).await;
        tells(
            server,
            "says: Distance from previous authentication is larger than threshold.",
        );
        server.visitor_at(TORONTO).logs_in(&person).await;
    });
}

#[test]
fn without_a_database_no_login_is_remembered_and_no_place_is_known() {
    crate::support::with_server(async |server| {
        let person = server.person();
        server.visitor_at(TORONTO).logs_in(&person).await;
        guards_after_the_password(server, &json!({"check_history_distance": true}));
        is_too_far(&mut server.visitor_at(TORONTO), &person).await;
        tells(server, "where the request comes from is not known");
    });
}

#[test]
fn expressions_see_the_place_and_the_network() {
    with_places(async |server| {
        let expression = r#"
if not context["geoip"] or not context["asn"]:
    ak_message("nowhere: " + str(context["geoip"]) + " " + str(context["asn"]))
    return False
place = context["geoip"]
ak_message(" ".join([place["continent"], place["country"], place["city"],
    str(place["lat"]), str(place["long"])]))
network = context["asn"]
ak_message(" ".join([str(network["asn"]), network["as_org"], network["network"]]))
return False
"#;
        let attrs = json!({ "expression": expression });
        let model = "authentik_policies_expression.expressionpolicy";
        guards_the_login(server, model, &attrs);
        server
            .visitor_at(WARSAW)
            .opens(LOGIN)
            .await
            .is_denied("EU PL Warsaw 52.2 21.1\n64497 Example of Warsaw 2001:db8:3::/48");
        server
            .visitor_at(NOWHERE)
            .opens(LOGIN)
            .await
            .is_denied("nowhere: None None");
    });
}
