//! Sessions that are bound to a network or a place, with databases as a server has them.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Flow, Mmdb, Options, Person, TestServer, Visitor, with_server_of};

const ME: &str = "/api/v3/core/users/me/";
const SENT_AWAY: &str = "/flows/-/default/authentication/?next=%2Fapi%2Fv3%2Fcore%2Fusers%2Fme%2F";

/// Where addresses begin: in Vienna; in another network of the same provider, in Graz; with
/// another provider, in Warsaw; in Toronto; and where nobody knows.
const VIENNA: &[u16] = &[0x2001, 0x0db8, 0x0001];
const GRAZ: &[u16] = &[0x2001, 0x0db8, 0x0002];
const WARSAW: &[u16] = &[0x2001, 0x0db8, 0x0003];
const TORONTO: &[u16] = &[0x2001, 0x0db8, 0x0004];
const NOWHERE: &[u16] = &[0x2001, 0x0db8, 0x0005];

fn with_places(scenario: impl AsyncFnOnce(&mut TestServer)) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str| -> PathBuf { directory.path().join(name) };
    let network = |groups: &[u16]| {
        let mut all = [0; 8];
        all[..groups.len()].copy_from_slice(groups);
        (all.into(), 48)
    };
    Mmdb::of_cities()
        .city(network(VIENNA), ("EU", "AT", "Vienna"), (48.2, 16.4))
        .city(network(GRAZ), ("EU", "AT", "Graz"), (47.1, 15.4))
        .city(network(WARSAW), ("EU", "PL", "Warsaw"), (52.2, 21.1))
        .city(network(TORONTO), ("NA", "CA", "Toronto"), (43.7, -79.4))
        .write(&file("cities.mmdb"));
    Mmdb::of_networks()
        .network(network(VIENNA), 64_496, "One")
        .network(network(GRAZ), 64_496, "One")
        .network(network(WARSAW), 64_497, "Two")
        .write(&file("networks.mmdb"));
    let path = |name: &str| file(name).display().to_string();
    let options = Options::default()
        .with("GATELOG_GEOIP__CITY", &path("cities.mmdb"))
        .with("GATELOG_GEOIP__ASN", &path("networks.mmdb"));
    with_server_of(options, scenario);
}

fn has_flow(server: &TestServer, slug: &str, network: &str, place: &str) {
    let attrs = json!({ "network_binding": network, "geoip_binding": place });
    let flow = Flow::new(slug).identification_and_password();
    server.has_flow(&flow.stage("user_login", &format!("{slug}-login"), attrs));
}

async fn logs_in(visitor: &mut Visitor, slug: &str, person: &Person) {
    visitor.opens(slug).await;
    let who = json!({ "uid_field": person.username });
    visitor.answers(who).await.sees("ak-stage-password");
    let what = json!({ "password": person.password });
    visitor.answers(what).await.is_redirected_to("/");
    visitor.gets(ME).await.has_status(200);
}

#[test]
fn a_session_ends_where_it_is_not_bound_to() {
    with_places(async |server| {
        let alice = server.person();
        let none = "no_binding";
        for (number, (network, place, to, reason)) in [
            ("bind_asn", none, NOWHERE, "network.missing"),
            ("bind_asn", none, WARSAW, "network.asn"),
            ("bind_asn_network", none, WARSAW, "network.asn"),
            ("bind_asn_network_ip", none, WARSAW, "network.asn"),
            ("bind_asn_network", none, GRAZ, "network.asn_network"),
            ("bind_asn_network_ip", none, GRAZ, "network.asn_network"),
            ("bind_asn_network_ip", none, VIENNA, "network.ip"),
            (none, "bind_continent", NOWHERE, "geoip.missing"),
            (none, "bind_continent", TORONTO, "geoip.continent"),
            (none, "bind_continent_country", TORONTO, "geoip.continent"),
            (none, "bind_continent_country", WARSAW, "geoip.country"),
            (none, "bind_continent_country_city", WARSAW, "geoip.country"),
            (none, "bind_continent_country_city", GRAZ, "geoip.city"),
            // The network is looked at first.
            ("bind_asn", "bind_continent", NOWHERE, "network.missing"),
            (
                "bind_asn",
                "bind_continent_country_city",
                GRAZ,
                "geoip.city",
            ),
        ]
        .into_iter()
        .enumerate()
        {
            let slug = format!("bound-{number}");
            has_flow(server, &slug, network, place);
            let mut visitor = server.visitor_at(VIENNA);
            logs_in(&mut visitor, &slug, &alice).await;
            visitor.goes_to(to);
            let away = visitor.gets(ME).await;
            away.has_status(302).leads_to(SENT_AWAY);
            let told = broken(server, number + 1).await;
            let told = told.last().expect("it is logged");
            assert!(told.contains(reason), "{slug}: {told}");
            // It has ended, also for whoever comes back.
            visitor.gets(ME).await.has_status(403);
            visitor.goes_to(VIENNA);
            visitor.gets(ME).await.has_status(403);
        }
        // The log says why, and not where anybody was.
        let output = server.output();
        assert!(!output.contains("2001:db8"), "an address is in the log");
        for place in ["Vienna", "Graz", "Warsaw", "Toronto"] {
            assert!(!output.contains(place), "{place} is in the log");
        }
    });
}

/// What the log says of sessions that were used from elsewhere, once it says it so often.
async fn broken(server: &TestServer, count: usize) -> Vec<String> {
    for _ in 0..200 {
        let output = server.output();
        let lines = output.lines();
        let lines = lines.filter(|line| line.contains("session binding broken"));
        let told: Vec<String> = lines.map(str::to_owned).collect();
        if told.len() >= count {
            assert_eq!(told.len(), count, "{told:?}");
            return told;
        }
        // The log is read by another thread.
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the log does not say it {count} times");
}

#[test]
fn a_session_goes_along_where_its_binding_allows() {
    with_places(async |server| {
        let alice = server.person();
        for (number, (network, place, to)) in [
            ("no_binding", "no_binding", NOWHERE),
            ("bind_asn", "no_binding", GRAZ),
            ("bind_asn_network", "no_binding", VIENNA),
            ("no_binding", "bind_continent", WARSAW),
            ("no_binding", "bind_continent_country", GRAZ),
            ("no_binding", "bind_continent_country_city", VIENNA),
        ]
        .into_iter()
        .enumerate()
        {
            let slug = format!("free-{number}");
            has_flow(server, &slug, network, place);
            let mut visitor = server.visitor_at(VIENNA);
            logs_in(&mut visitor, &slug, &alice).await;
            visitor.goes_to(to);
            visitor.gets(ME).await.has_status(200);
            // It is bound to where it is now.
            visitor.goes_to(to);
            visitor.gets(ME).await.has_status(200);
        }
        // From Vienna by Graz to Warsaw: each step is compared with the one before.
        has_flow(server, "steps", "no_binding", "bind_continent_country");
        let mut visitor = server.visitor_at(VIENNA);
        logs_in(&mut visitor, "steps", &alice).await;
        visitor.goes_to(GRAZ);
        visitor.gets(ME).await.has_status(200);
        visitor.goes_to(WARSAW);
        visitor.gets(ME).await.leads_to(SENT_AWAY);
    });
}

#[test]
fn every_request_is_checked_and_what_was_begun_is_given_up() {
    with_places(async |server| {
        let alice = server.person();
        has_flow(server, "bound", "bind_asn_network_ip", "no_binding");
        server.has_flow(&Flow::new("other").dummy("other-first"));
        for (path, next) in [
            ("/", "%2F"),
            ("/if/flow/other/?a=1", "%2Fif%2Fflow%2Fother%2F%3Fa%3D1"),
            (
                "/api/v3/flows/executor/other/?query=",
                "%2Fapi%2Fv3%2Fflows%2Fexecutor%2Fother%2F%3Fquery%3D",
            ),
            (
                "/flows/-/default/invalidation/",
                "%2Fflows%2F-%2Fdefault%2Finvalidation%2F",
            ),
        ] {
            let mut visitor = server.visitor_at(VIENNA);
            logs_in(&mut visitor, "bound", &alice).await;
            visitor.opens("other").await.sees("ak-stage-dummy");
            visitor.goes_to(GRAZ);
            let to = format!("/flows/-/default/authentication/?next={next}");
            visitor.gets(path).await.has_status(302).leads_to(&to);
            let history = server.histories().remove(0);
            let last = history.last().expect("it began").clone();
            assert_eq!(last, json!({ "event": "cancelled", "by": "binding" }));
        }
        // It stays so over a restart, also for a cookie that somebody kept.
        let mut visitor = server.visitor_at(VIENNA);
        logs_in(&mut visitor, "bound", &alice).await;
        visitor.goes_to(GRAZ);
        let answer = visitor.answers_exactly(&Value::Null, &[]).await;
        answer.has_status(302);
        server.kill().await;
        visitor.goes_to(VIENNA);
        visitor.gets(ME).await.has_status(403);
    });
}
