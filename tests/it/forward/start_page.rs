//! The page at `/`, where somebody sees what they may use.

use serde_json::json;

use super::browser::{application, for_group};
use crate::support::with_server;

#[test]
fn somebody_sees_what_they_may_use_and_nothing_else() {
    with_server(async |server| {
        let (writer, reader) = (server.person(), server.person());
        server.has_group("writers", None, &[&writer]);
        let hosts = json!({ "hosts": ["https://press.example"] });
        server.apply(&for_group("press", &hosts, "writers"));
        server.apply(&application(
            "wiki",
            &json!({ "hosts": ["https://*.wiki.example"] }),
        ));
        server.apply(
            "version: 1\nentries:\n- model: authentik_core.application\n  identifiers: {slug: notes}\n  \
             attrs: {name: Notes <x>, group: Work, meta_launch_url: 'https://notes.example/start', \
             meta_icon: 'https://notes.example/icon.png', meta_description: What we know, \
             open_in_new_tab: true}\n\
             - model: authentik_core.application\n  identifiers: {slug: hidden}\n  \
             attrs: {name: Hidden one, meta_hide: true, meta_launch_url: 'https://hidden.example/'}\n",
        );
        let stranger = server.visitor().gets("/").await;
        stranger.has_status(302);
        let mut visitor = server.visitor();
        visitor.logs_in(&writer).await;
        let page = visitor.gets("/").await;
        page.has_status(200)
            .shows("The press")
            .shows("Notes &lt;x&gt;")
            .shows("What we know");
        page.shows("Work").shows("notes.example");
        page.hides("Hidden one").hides("The wiki");
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self'"),
            "{policy}"
        );
        let mut visitor = server.visitor();
        visitor.logs_in(&reader).await;
        visitor.gets("/").await.hides("The press").shows("Notes");
    });
}
