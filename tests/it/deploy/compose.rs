//! The cluster for one machine. No engine runs it here: its file is read, every setting in it has to be one, and
//! what it mounts has to be there. What it does is tried elsewhere, with the same parts (`nodes::cluster`).

use std::net::IpAddr;

use serde_json::Value;

use super::{are_settings, file, is_taken, path, yaml};

/// A text with what stands for settings of whoever starts it: the default, or a word of ours.
fn filled(text: &str) -> String {
    let mut parts = text.split("${");
    let mut whole = parts.next().expect("a beginning").to_owned();
    for part in parts {
        let (inside, rest) = part.split_once('}').expect("an end");
        whole.push_str(inside.split_once(":-").expect("a default").1);
        whole.push_str(rest);
    }
    whole
}

fn texts(list: &Value) -> Vec<&str> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

fn services() -> Value {
    let all = yaml::read(&file("compose.yml"));
    for (name, service) in all["services"].as_object().expect("services") {
        // Whatever is waited for is there, and whatever is mounted.
        for (other, _) in service["depends_on"].as_object().into_iter().flatten() {
            let waited = &all["services"][other];
            let image = waited["image"].as_str().unwrap_or_default();
            let says_how_it_is = waited["healthcheck"].is_object() || image.contains("gatelog");
            assert!(says_how_it_is, "{name} waits for {other}");
        }
        for volume in texts(&service["volumes"]) {
            let source = volume.split(':').next().expect("a source");
            let is_there = match source.strip_prefix("./") {
                Some(file) => path(file).is_file(),
                None => all["volumes"].get(source).is_some(),
            };
            assert!(is_there, "{name}: {volume}");
        }
        for secret in texts(&service["secrets"]) {
            assert!(all["secrets"].get(secret).is_some(), "{name}: {secret}");
        }
    }
    all["services"].clone()
}

fn address(service: &Value) -> IpAddr {
    let address = &service["networks"]["inside"]["ipv4_address"];
    address
        .as_str()
        .and_then(|it| it.parse().ok())
        .expect("an address")
}

#[test]
fn every_node_has_settings_that_the_program_takes() {
    let services = services();
    let nodes: Vec<_> = services
        .as_object()
        .expect("services")
        .iter()
        .filter(|it| it.0.starts_with("node-"))
        .collect();
    assert_eq!(nodes.len(), 3);
    let folder = tempfile::tempdir().expect("a directory");
    let secret = folder.path().join("database");
    std::fs::write(&secret, "a password").expect("written");
    for (name, node) in nodes {
        let set = node["environment"].as_object().expect("settings");
        let set = set.iter().map(|(name, value)| {
            let value = filled(value.as_str().expect("a text"));
            let here = secret.display().to_string();
            (name.clone(), value.replace("/run/secrets/database", &here))
        });
        let settings = are_settings(set.collect());
        assert!(settings.web.trusts(address(&services["proxy"])), "{name}");
        assert!(!settings.web.trusts(address(node)), "{name} trusts itself");
        assert!(settings.journal.url.is_some() && settings.journal.password.is_some());
        let key = settings.secret_key_file.parent().expect("a folder");
        let key = format!("keys:{}", key.display());
        let volumes = texts(&node["volumes"]);
        assert!(volumes.iter().any(|it| it.starts_with(&key)), "{volumes:?}");
    }
    is_taken(&["serve"]);
}

#[test]
fn the_proxy_of_the_cluster_knows_every_node() {
    let services = services();
    let proxy = file("compose-nginx.conf");
    for (name, node) in services.as_object().expect("services") {
        let line = format!("server {}:9000 ", address(node));
        assert_eq!(proxy.contains(&line), name.starts_with("node-"), "{name}");
    }
    // Whoever comes from outside does not choose an address.
    assert!(proxy.contains("X-Forwarded-For   $remote_addr;"));
}
