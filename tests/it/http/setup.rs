//! The first run: whoever reads the terminal becomes the administrator.

use crate::support::{Answer, Form, Options, TestServer, Visitor, random, with_server_of};

fn bare() -> Options {
    Options {
        has_administrator: false,
        ..Options::default()
    }
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

async fn sets(visitor: &Visitor, form: &Form, password: &str, repeat: &str) -> Answer {
    let form = form.clone().fill("password", password);
    visitor.submits(&form.fill("repeat", repeat)).await
}

#[test]
fn the_link_on_the_terminal_sets_the_password_once() {
    with_server_of(bare(), async |server| {
        let links = links(server);
        let [link] = links.as_slice() else {
            panic!("not one link: {links:?}")
        };
        let visitor = server.visitor();
        let form = visitor.form_at(link).await;
        let mut administrator = server.administrator.clone();
        let password = administrator.password.clone();

        let short = sets(&visitor, &form, "short", "short").await;
        short.has_status(200).shows("role=\"alert\"");
        let other = sets(&visitor, &form, &password, &random(20)).await;
        other.has_status(200).shows("not the same").hides(&password);
        let done = sets(&visitor, &form, &password, &password).await;
        done.has_status(200).shows("The password is set");

        visitor.gets(link).await.has_status(403);
        administrator.password = random(20);
        let again = sets(
            &visitor,
            &form,
            &administrator.password,
            &administrator.password,
        );
        again.await.has_status(403);
        administrator.password = password;
        let mut visitor = server.visitor();
        visitor.logs_in(&administrator).await;
        let me = visitor.gets("/api/v3/core/users/me/").await;
        assert_eq!(me.json()["user"]["is_superuser"], true);
    });
}

#[test]
fn no_link_works_but_the_one_that_was_printed() {
    with_server_of(bare(), async |server| {
        let visitor = server.visitor();
        for path in ["/setup", "/setup?token=", "/setup?token=guessed"] {
            visitor.gets(path).await.has_status(403);
        }
        let link = links(server).remove(0);
        let form = visitor.form_at(&link).await;
        let password = random(20);
        for token in ["", "guessed"] {
            let forged = form.clone().fill("token", token);
            let refused = sets(&visitor, &forged, &password, &password).await;
            refused.has_status(403);
        }
        let foreign = [("origin", "https://evil.example")];
        let filled = form.fill("password", &password).fill("repeat", &password);
        let refused = visitor.submits_with(&filled, &foreign).await;
        refused.has_status(403);
        visitor.gets(&link).await.has_status(200);
    });
}

#[test]
fn two_who_use_the_link_at_once_do_not_both_win() {
    with_server_of(bare(), async |server| {
        let link = links(server).remove(0);
        let (one, two) = (server.visitor(), server.visitor());
        let (first, second) = (random(20), random(20));
        let form = one.form_at(&link).await;
        let (a, b) = tokio::join!(
            sets(&one, &form, &first, &first),
            sets(&two, &form, &second, &second)
        );
        let statuses = [a.status.as_u16(), b.status.as_u16()];
        assert!(
            statuses == [200, 403] || statuses == [403, 200],
            "{statuses:?}"
        );
    });
}

#[test]
fn a_restart_before_the_password_is_set_prints_a_new_link_and_voids_the_old_one() {
    with_server_of(bare(), async |server| {
        let old = links(server).remove(0);
        server.kill().await;
        let new = links(server).remove(1);
        assert_ne!(old, new);
        let visitor = server.visitor();
        visitor.gets(&old).await.has_status(403);
        visitor.gets(&new).await.has_status(200);
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
