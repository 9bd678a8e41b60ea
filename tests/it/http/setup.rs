//! The first run: whoever reads the terminal becomes the administrator.

use serde_json::json;

use crate::support::{Answer, LOGIN, Options, TestServer, Visitor, random, with_server_of};

const FLOW: &str = "initial-setup";
const PROMPT: &str = "ak-stage-prompt";
const SESSION: &str = "authentik_session";

fn bare() -> Options {
    Options {
        has_administrator: false,
        ..Options::default()
    }
}

/// The link that the server prints as its `nth`, once it has: it answers a moment earlier.
async fn nth_link(server: &TestServer, nth: usize) -> String {
    for _ in 0..200 {
        if let Some(link) = links(server).into_iter().nth(nth) {
            return link;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("no link number {nth} in:\n{}", server.output());
}

/// The links that the server has printed so far.
fn links(server: &TestServer) -> Vec<String> {
    let output = server.output();
    let words = output.split_whitespace();
    let links: Vec<String> = words
        .filter_map(|word| word.strip_prefix(server.base()))
        .filter(|path| path.starts_with("/setup?token="))
        .map(str::to_owned)
        .collect();
    for link in &links {
        let token = link.strip_prefix("/setup?token=").expect("it has one");
        assert!(token.len() >= 22, "{token} can be guessed");
        server.canaries().shown_secret("the setup link", token);
    }
    links
}

/// Opens the link in a browser, which is led into the flow.
async fn follows(visitor: &mut Visitor, link: &str) -> Answer {
    visitor
        .gets(link)
        .await
        .leads_to(&format!("/if/flow/{FLOW}/"));
    visitor.opens(FLOW).await
}

async fn sets(visitor: &mut Visitor, mail: &str, password: &str, repeat: &str) -> Answer {
    let typed = json!({ "email": mail, "password": password, "password_repeat": repeat });
    visitor.answers(typed).await
}

#[test]
fn the_link_on_the_terminal_leads_to_the_administrators_password_once() {
    with_server_of(bare(), async |server| {
        nth_link(server, 0).await;
        let links = links(server);
        let [link] = links.as_slice() else {
            panic!("not one link: {links:?}")
        };
        let mut visitor = server.visitor();
        follows(&mut visitor, link)
            .await
            .sees(PROMPT)
            .shows("akadmin");
        let administrator = server.administrator.clone();
        let (mail, password) = (&administrator.mail, &administrator.password);

        let short = sets(&mut visitor, mail, "short", "short").await;
        short.sees(PROMPT).shows("12 characters");
        let other = sets(&mut visitor, mail, password, &random(20)).await;
        other.sees(PROMPT).shows("don't match").hides(password);
        let done = sets(&mut visitor, mail, password, password).await;
        done.is_redirected_to("/");
        let me = visitor.gets("/api/v3/core/users/me/").await;
        let me = me.has_status(200).json();
        assert_eq!(me["user"]["username"], "akadmin");
        assert_eq!(me["user"]["email"], mail.as_str());
        assert_eq!(me["user"]["is_superuser"], true);

        visitor
            .gets(link)
            .await
            .has_status(403)
            .shows("Set up already");
        let mut stranger = server.visitor();
        stranger.gets(link).await.has_status(403);
        let refused = stranger.opens(FLOW).await;
        refused.sees("ak-stage-access-denied");
        server.visitor().logs_in(&administrator).await;
        server.restart().await;
        assert_eq!(self::links(server).len(), 1, "no link any more");
    });
}

#[test]
fn a_browser_without_scripts_sets_the_password_too() {
    with_server_of(bare(), async |server| {
        let link = nth_link(server, 0).await;
        let visitor = server.visitor();
        let led = visitor.gets(&link).await;
        let page = led.header("location").to_owned();
        let form = visitor.form_at(&page).await;
        let administrator = server.administrator.clone();
        let filled = form
            .fill("text:email", &administrator.mail)
            .fill("secret:password", &administrator.password)
            .fill("secret:password_repeat", &administrator.password);
        visitor.submits(&filled).await.leads_to("/");
        visitor.gets("/").await.has_status(200).shows("akadmin");
        server.visitor().logs_in(&administrator).await;
    });
}

#[test]
fn nothing_leads_into_the_flow_but_the_link_that_was_printed() {
    with_server_of(bare(), async |server| {
        let mut visitor = server.visitor();
        visitor.gets("/").await.leads_to("/setup");
        for path in ["/setup", "/setup?token=", "/setup?token=guessed"] {
            visitor.gets(path).await.has_status(403);
        }
        let refused = visitor.opens(FLOW).await;
        refused.is_denied("Open the link that the server printed when it was started.");
        let link = nth_link(server, 0).await;
        let embedded = [
            ("sec-fetch-dest", "image"),
            ("sec-fetch-site", "cross-site"),
        ];
        let refused = visitor
            .sends(reqwest::Method::GET, &link, &embedded, "")
            .await;
        assert!(!refused.status.is_redirection(), "{refused:?}");
        follows(&mut visitor, &link).await.sees(PROMPT);
    });
}

#[test]
fn whoever_planted_the_browsers_cookie_is_not_led_along() {
    with_server_of(bare(), async |server| {
        let link = nth_link(server, 0).await;
        let mut victim = server.visitor();
        victim.opens(LOGIN).await;
        let planted = victim.cookies().get(SESSION);
        follows(&mut victim, &link).await.sees(PROMPT);
        assert_ne!(victim.cookies().get(SESSION), planted);
    });
}

#[test]
fn two_who_use_the_link_at_once_do_not_both_win() {
    with_server_of(bare(), async |server| {
        let link = nth_link(server, 0).await;
        let (mut one, mut two) = (server.visitor(), server.visitor());
        follows(&mut one, &link).await.sees(PROMPT);
        follows(&mut two, &link).await.sees(PROMPT);
        let (first, second) = (random(20), random(20));
        let (a, b) = tokio::join!(
            sets(&mut one, "one@example.org", &first, &first),
            sets(&mut two, "two@example.org", &second, &second)
        );
        let mut ends = [a.component(), b.component()];
        let won = if ends[0] == "xak-flow-redirect" {
            &first
        } else {
            &second
        };
        let mut administrator = server.administrator.clone();
        won.clone_into(&mut administrator.password);
        server.visitor().logs_in(&administrator).await;
        ends.sort();
        assert_eq!(ends, ["ak-stage-access-denied", "xak-flow-redirect"]);
    });
}

#[test]
fn a_restart_before_the_password_is_set_prints_a_new_link_and_voids_the_old_one() {
    with_server_of(bare(), async |server| {
        let old = nth_link(server, 0).await;
        server.kill().await;
        let new = nth_link(server, 1).await;
        assert_ne!(old, new);
        let mut visitor = server.visitor();
        visitor.gets(&old).await.has_status(403);
        follows(&mut visitor, &new).await.sees(PROMPT);
    });
}

#[test]
fn without_the_flow_the_command_line_sets_the_password() {
    with_server_of(bare(), async |server| {
        let link = nth_link(server, 0).await;
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_flows.flow\n  state: absent\n  \
             identifiers: {{slug: {FLOW}}}\n"
        ));
        let visitor = server.visitor();
        let page = visitor.gets(&link).await;
        page.has_status(403)
            .shows("gatelog user set-password akadmin");
        let password = server.administrator.password.clone();
        let set = ["user", "set-password", "akadmin", "--password-stdin"];
        server.gatelog_reading(&set, &password).succeeds();
        visitor
            .gets(&link)
            .await
            .has_status(403)
            .shows("Set up already");
        server.visitor().logs_in(&server.administrator).await;
    });
}

#[test]
fn a_password_from_the_environment_needs_no_link_and_counts_once() {
    with_server_of(Options::default(), async |server| {
        assert!(links(server).is_empty());
        let mut visitor = server.visitor();
        visitor.logs_in(&server.administrator).await;
        let me = visitor.gets("/api/v3/core/users/me/").await;
        let me = me.json();
        assert_eq!(me["user"]["username"], "akadmin");
        assert_eq!(me["user"]["email"], server.administrator.mail);
        let later = random(20);
        server.canaries().secret("a later password", &later);
        server.sets("GATELOG_BOOTSTRAP_PASSWORD", &later);
        server.restart().await;
        assert!(links(server).is_empty());
        server.visitor().logs_in(&server.administrator).await;
    });
}
