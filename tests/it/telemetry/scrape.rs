//! Reads `/metrics` of a server.

use std::collections::BTreeMap;

use crate::support::{Options, TestServer, free_port, with_server_of};

/// A server whose metrics can be read, and where.
pub(crate) struct Port(String);

/// What was read at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Scrape {
    /// All of it.
    pub(crate) text: String,
    values: BTreeMap<String, f64>,
}

/// Runs a scenario against a server whose metrics can be read.
pub(super) fn with_metrics(scenario: impl AsyncFnOnce(&mut TestServer, &Port)) {
    with_metrics_of(Options::default(), scenario);
}

/// The same for a server with options of its own.
pub(crate) fn with_metrics_of(
    options: Options,
    scenario: impl AsyncFnOnce(&mut TestServer, &Port),
) {
    let port = Port(format!("127.0.0.1:{}", free_port()));
    let options = options.with("GATELOG_METRICS__LISTEN", port.address());
    with_server_of(options, async |server| scenario(server, &port).await);
}

impl Port {
    /// That of a server which was told to listen there.
    #[cfg(feature = "otel")]
    pub(super) fn at(address: &str) -> Self {
        Self(address.to_owned())
    }

    /// The address.
    pub(super) fn address(&self) -> &str {
        &self.0
    }

    /// Reads them.
    pub(crate) async fn read(&self, server: &TestServer) -> Scrape {
        let url = format!("http://{}/metrics", self.0);
        let answer = server.line().get(url).send().await;
        let answer = answer.expect("the metrics are served");
        assert_eq!(answer.status(), 200);
        Scrape::of(answer.text().await.expect("a text"))
    }
}

impl Scrape {
    fn of(text: String) -> Self {
        assert!(text.ends_with("# EOF\n"), "{text}");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let values = lines.map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        });
        let values = values.collect();
        Self { text, values }
    }

    /// The value of a name with its labels; zero where nothing was counted.
    pub(crate) fn of_name(&self, name: &str) -> f64 {
        self.values.get(name).copied().unwrap_or_default()
    }

    /// Whether there is such a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }
}
