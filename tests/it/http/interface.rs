//! authentik's own interface, kept: its files, its page, and what its socket tells.

use std::time::Duration;

use serde_json::json;

use crate::support::{
    Answer, LOGIN, Options, Said, TestServer, stand_in, with_server, with_server_of,
};

const SOCKET: &str = "/ws/client/";

fn with_interface(scenario: impl AsyncFnOnce(&mut TestServer)) {
    let folder = stand_in();
    let path = folder.path().display().to_string();
    let options = Options::default().with("GATELOG_WEB_DIST", &path);
    with_server_of(options, scenario);
}

/// The text of a page, in which slashes are escaped.
fn plain(page: &Answer) -> String {
    page.text.replace("&#x2f;", "/")
}

#[test]
fn its_page_says_what_it_looks_for_and_lets_nothing_else_run() {
    with_interface(async |server| {
        let visitor = server.visitor();
        let page = visitor.gets(&format!("/if/flow/{LOGIN}/")).await;
        page.has_status(200).hides("ShadyDOM");
        let base = format!("\"base\":\"{}/\"", server.base());
        for part in [
            "window.authentik = {",
            "<ak-flow-executor",
            "/static/dist/flow/FlowInterface-2026.5.0.js",
            "/static/dist/poly-2026.5.0.js",
            "/static/dist/styles/interface-2026.5.0.css",
            "\"versionSubdomain\":\"version-2026-5\"",
            &base,
        ] {
            assert!(plain(&page).contains(part), "no {part} in {page:?}");
        }
        let nonce = |policy: &str| {
            let (_, rest) = policy.split_once("'nonce-").expect("a nonce");
            rest.split('\'').next().unwrap_or_default().to_owned()
        };
        let policy = page.header("content-security-policy").to_owned();
        let scripts = policy.split(';').find(|it| it.contains("script-src"));
        assert!(
            !scripts.expect("it is there").contains("unsafe"),
            "{policy}"
        );
        page.shows(&format!("<script nonce=\"{}\"", nonce(&policy)));
        let again = visitor.gets(&format!("/if/flow/{LOGIN}/")).await;
        assert_ne!(
            nonce(&policy),
            nonce(again.header("content-security-policy"))
        );

        visitor.gets("/if/flow/nothing/").await.has_status(404);
        let simple = visitor.gets(&format!("/if/flow/{LOGIN}/?sfe")).await;
        simple.has_status(200).hides("<ak-flow");
        assert!(plain(&simple).contains("/static/dist/sfe/index.js"));
        // What is not of flows looks as ever.
        visitor.gets("/nothing/").await.shows("gatelog.css");
    });
}

#[test]
fn its_files_are_served_and_ours_where_it_has_none_and_nothing_outside() {
    with_interface(async |server| {
        let visitor = server.visitor();
        let file = visitor.gets("/static/dist/poly-2026.5.0.js").await;
        file.has_status(200).shows("isPolyfilled");
        assert_eq!(
            file.header("content-type"),
            "text/javascript; charset=utf-8"
        );
        let tag = file.header("etag").to_owned();
        let headers = [("if-none-match", tag.as_str())];
        let path = "/static/dist/poly-2026.5.0.js";
        let known = visitor.sends(reqwest::Method::GET, path, &headers, "");
        known.await.has_status(304);
        let theirs = format!("/if/flow/{LOGIN}/assets/only-theirs.svg");
        visitor.gets(&theirs).await.has_status(200).shows("<svg");
        let ours = format!("/if/flow/{LOGIN}/assets/icons/icon_left_brand.svg");
        visitor.gets(&ours).await.has_status(200).shows("<svg");
        visitor
            .gets("/static/dist/assets/gatelog.css")
            .await
            .has_status(200);
        for path in [
            "/static/dist/../data/secret.key",
            "/static/dist/..%2f..%2fetc%2fhostname.txt",
            "/static/dist/%2e%2e/x.js",
            "/static/dist/flow",
            "/static/dist//etc/x.txt",
        ] {
            visitor.gets(path).await.has_status(404);
        }
    });
}

#[test]
fn without_the_setting_there_is_nothing_of_it() {
    with_server(async |server| {
        let visitor = server.visitor();
        let page = visitor.gets(&format!("/if/flow/{LOGIN}/")).await;
        page.hides("window.authentik").shows("uid_field");
        let assets = format!("/if/flow/{LOGIN}/assets/icons/icon_left_brand.svg");
        visitor.gets(&assets).await.has_status(404);
    });
}

#[test]
fn the_other_tabs_of_a_browser_hear_of_a_login_there_and_nobody_else() {
    with_server(async |server| {
        let person = server.person();
        let mut visitor = server.visitor();
        // Whoever has no session yet has nothing to hear of.
        let refused = visitor.opens_socket(SOCKET, &[]).await;
        assert!(matches!(refused, Err(401 | 403)), "{refused:?}");
        visitor.opens(LOGIN).await.sees("ak-stage-identification");
        let foreign = [("origin", "https://evil.example")];
        let refused = visitor.opens_socket(SOCKET, &foreign).await;
        assert_eq!(refused.err(), Some(403));
        let own = [("origin", server.base())];
        let mut socket = visitor.opens_socket(SOCKET, &own).await.expect("open");
        let mut stranger = server.visitor();
        stranger.opens(LOGIN).await;
        let mut other = stranger.opens_socket(SOCKET, &[]).await.expect("open");

        socket.says(9, b"there?").await;
        assert_eq!(socket.next().await, Said::Pong);
        socket.says(1, b"whatever").await;
        visitor.logs_in(&person).await;
        let told = json!({ "message_type": "session.authenticated" });
        assert_eq!(socket.next().await, Said::Text(told));
        assert_eq!(other.within(Duration::from_millis(300)).await, None);

        // Larger than anything that is listened to.
        socket.says(1, &[b'a'; 8000]).await;
        assert!(matches!(
            socket.next().await,
            Said::Close(_) | Said::Nothing
        ));
        other.says(8, &1000_u16.to_be_bytes()).await;
        assert_eq!(other.next().await, Said::Close(1000));
    });
}

#[test]
fn an_address_has_so_many_sockets_and_all_end_with_the_server() {
    with_server(async |server| {
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        let mut sockets = Vec::new();
        let refused = loop {
            match visitor.opens_socket(SOCKET, &[]).await {
                Ok(socket) => sockets.push(socket),
                Err(status) => break status,
            }
        };
        assert_eq!((refused, sockets.len()), (429, 64));
        // A place that is given back is there for the next one.
        sockets
            .pop()
            .expect("one")
            .says(8, &1000_u16.to_be_bytes())
            .await;
        let mut again = visitor.opens_socket(SOCKET, &[]).await;
        for _ in 0..100 {
            if again.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            again = visitor.opens_socket(SOCKET, &[]).await;
        }
        again.expect("there is a place");
        let mut last = sockets.pop().expect("one");
        tokio::join!(server.stop(), async {
            assert!(matches!(last.next().await, Said::Close(1001)));
        });
        server.begin().await;
    });
}
