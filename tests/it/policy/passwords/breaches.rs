//! Lists of stolen passwords: a server that is asked for ranges, a file, a directory, none.

use std::sync::{Arc, Mutex};

use gatelog::breaches::Breaches;
use gatelog::catalog::Policy;
use gatelog::execution::Outside;
use gatelog::flow::event::Event;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::super::bench::Bench;
use super::typed;

/// The SHA-1 of `password`: five digits that are told, and the others.
const RANGE: &str = "5BAA6";
const REST: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";

/// A server that answers for ranges and notes how it was asked.
struct Ranges {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Ranges {
    /// One that answers everything with this.
    async fn answering(status: &str, body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nLocation: /elsewhere\r\n\
             Connection: close\r\n\r\n"
        );
        let server = tokio::spawn(async move {
            loop {
                let (mut line, _) = listener.accept().await.expect("a connection");
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(line.read_u8().await.expect("a request"));
                }
                let request = String::from_utf8(request).expect("a text");
                noted.lock().expect("a list").push(request);
                let answer = format!("{head}{body}");
                // Whoever has read enough may hang up.
                let _ = line.write_all(answer.as_bytes()).await;
            }
        });
        Self {
            url: format!("http://{address}/range/"),
            asked,
            server,
        }
    }

    /// One that lists `password` with this count.
    async fn listing(count: u64) -> Self {
        let padding = "0".repeat(35);
        Self::answering("200 OK", format!("{padding}:0\r\n{REST}:{count}\r\n")).await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("a list").clone()
    }

    async fn bench(&self) -> (Bench, Policy) {
        bench(Breaches::new(None, Some(&self.url)).expect("a list")).await
    }
}

impl Drop for Ranges {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A server with this list, and a policy that asks for nothing else.
async fn bench(breaches: Breaches) -> (Bench, Policy) {
    let bench = Bench::within(Outside {
        breaches: Arc::new(breaches),
        ..Outside::default()
    })
    .await;
    let settings = json!({
        "check_static_rules": false,
        "check_have_i_been_pwned": true,
        "hibp_allowed_count": 2,
    });
    let policy = bench.policy("password", "stolen", settings).await;
    (bench, policy)
}

#[actix::test]
async fn a_server_learns_five_digits_and_nothing_else() {
    let ranges = Ranges::listing(42).await;
    let (bench, policy) = ranges.bench().await;
    let said = bench.says(&policy, "password").await;
    let message = "Password exists on 42 online lists.".to_owned();
    assert_eq!(said, (false, vec![message]));
    let asked = ranges.asked();
    assert_eq!(asked.len(), 1);
    let first = asked[0].lines().next().expect("a line");
    assert_eq!(first, format!("GET /range/{RANGE} HTTP/1.1"));
    let head = asked[0].to_lowercase();
    assert!(head.contains("add-padding: true"), "{head}");
    assert!(!head.contains(&REST.to_lowercase()), "{head}");
}

#[actix::test]
async fn as_many_finds_as_are_allowed_pass_and_so_does_what_is_not_listed() {
    let ranges = Ranges::listing(2).await;
    let (bench, policy) = ranges.bench().await;
    assert_eq!(bench.says(&policy, "password").await, (true, vec![]));
    let random = crate::support::random(24);
    assert_eq!(bench.says(&policy, &random).await, (true, vec![]));
}

#[actix::test]
async fn what_is_no_list_is_no_answer() {
    let long = format!("{}:1\r\n", "0".repeat(35)).repeat(40_000);
    for (status, body, complaint) in [
        ("503 Busy", String::new(), "it answered 503"),
        ("302 Found", String::new(), "it answered 302"),
        ("200 OK", "<html>hello</html>".to_owned(), "is none"),
        ("200 OK", long, "is none"),
    ] {
        let ranges = Ranges::answering(status, body).await;
        let (bench, policy) = ranges.bench().await;
        let tested = bench.tries(&policy, None, typed("password")).await;
        assert!(!tested.judged.passing);
        let error = tested.failed.expect("it fails").error;
        assert!(error.contains(complaint), "{error}");
        assert!(!error.to_uppercase().contains(RANGE), "{error}");
        assert_eq!(ranges.asked().len(), 1, "nobody is asked again");
    }
}

#[actix::test]
async fn a_file_and_a_directory_need_no_network() {
    let here = tempfile::tempdir().expect("a directory");
    let file = here.path().join("list.txt");
    std::fs::write(&file, format!("{RANGE}{REST}:42\r\n")).expect("a file");
    let directory = here.path().join("ranges");
    std::fs::create_dir(&directory).expect("a directory");
    std::fs::write(directory.join(RANGE), format!("{REST}:42\r\n")).expect("a file");
    let ranges = Ranges::listing(7).await;
    for path in [file, directory] {
        // The address is not asked, though there is one.
        let breaches = Breaches::new(Some(&path), Some(&ranges.url)).expect("a list");
        let (bench, policy) = bench(breaches).await;
        let message = "Password exists on 42 online lists.".to_owned();
        let said = bench.says(&policy, "password").await;
        assert_eq!(said, (false, vec![message]), "{}", path.display());
    }
    assert!(ranges.asked().is_empty());
}

/// The binding says what counts when nobody can be asked, and the trail holds nothing of the
/// password but the answer.
#[actix::test]
async fn where_nobody_can_be_asked_the_binding_decides() {
    let (bench, policy) = bench(Breaches::default()).await;
    for (slug, failure, stage) in [
        ("strict", false, "strict-1"),
        ("lenient", true, "lenient-0"),
    ] {
        let laid = bench.dummies(slug).await;
        let pbm = laid.bindings[0].pbm;
        bench
            .bind_with(pbm, &policy, |binding| binding.failure_result = failure)
            .await;
        let mut visitor = bench.visitor(slug);
        visitor.begins_anew(typed("password")).await;
        visitor.opens().await.is_at(stage);
        let told = bench.told("stolen").await;
        assert_eq!(told.error(), "no list of stolen passwords is configured");
    }
    bench.check().await;
}

#[actix::test]
async fn an_execution_that_asked_a_server_runs_again_without_it() {
    let ranges = Ranges::listing(42).await;
    let (bench, policy) = ranges.bench().await;
    let laid = bench.dummies("signup").await;
    bench.bind(laid.bindings[0].pbm, &policy).await;
    let mut visitor = bench.visitor("signup");
    visitor.begins_anew(typed("password")).await;
    visitor.opens().await.is_at("signup-1");
    let asked = ranges.asked().len();
    assert!(asked > 0);
    bench.check().await;
    assert_eq!(ranges.asked().len(), asked);
    let events = bench.events().await;
    let failed = |event: &Event| matches!(event, Event::PolicyFailed(_));
    assert!(!events.iter().any(failed));
}
