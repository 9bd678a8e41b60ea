//! Sessions and tokens: for whom, for what and for how long they are good.

use super::*;

#[tokio::test]
async fn a_session_keeps_its_identity_and_its_former_secret_for_a_moment() {
    let (clock, journal) = prepared().await;
    let alice = user(&journal, &clock, NewUser::named("alice")).await;
    let mut session = anonymous(&clock);
    let before = session.sid.clone();
    commit(&journal, vec![put(&session, Version::NONE)])
        .await
        .expect("new");
    let (sid, csrf) = (clock.random_text(32), clock.random_text(32));
    session.log_in(
        alice.uuid,
        sid.clone(),
        csrf.clone(),
        clock.now(),
        None,
        HOUR,
    );
    commit(&journal, vec![put(&session, Version(1))])
        .await
        .expect("the next revision");
    assert_eq!(session.generation, 1);
    assert!(session.is_current(&sid) && !session.is_current(&before));
    assert!(session.csrf_is(&csrf) && !session.csrf_is(&sid));
    for (secret, found) in [(&sid, true), (&before, true), (&csrf, false)] {
        let it = session_by_sid(&journal, secret, clock.now()).await;
        assert_eq!(it.expect("readable").is_some(), found);
    }
    clock.advance(session::GRACE);
    let late = session_by_sid(&journal, &before, clock.now()).await;
    assert!(late.expect("readable").is_none());
    let still = session_by_sid(&journal, &sid, clock.now()).await;
    assert_eq!(
        still.expect("readable").map(|it| it.value.id),
        Some(session.id)
    );
    let hers = sessions_of(&journal, alice.uuid).await.expect("readable");
    assert_eq!(hers.len(), 1);
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_or_when_its_end_is_fixed() {
    let (clock, journal) = prepared().await;
    let mut session = anonymous(&clock);
    session.network_binding = NetworkBinding::BindAsn;
    let sid = session.sid.clone();
    commit(&journal, vec![put(&session, Version::NONE)])
        .await
        .expect("new");
    clock.advance(HOUR);
    assert!(session.is_expired(clock.now()));
    let found = session_by_sid(&journal, &sid, clock.now()).await;
    assert!(found.expect("readable").is_none());
    let kept = crate::journal::object::all::<Session>(&journal).await;
    let kept = kept.expect("readable");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].value.network_binding, NetworkBinding::BindAsn);

    let ip = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    session.touch(clock.now(), HOUR, ip, "another");
    assert!(!session.is_expired(clock.now()), "use prolongs it");
    let end = clock.now() + HOUR;
    let secrets = (clock.random_text(32), clock.random_text(32));
    session.log_in(
        Uuid::nil(),
        secrets.0,
        secrets.1,
        clock.now(),
        Some(end),
        HOUR,
    );
    clock.advance(HOUR);
    session.touch(clock.now(), HOUR, ip, "another");
    assert!(session.is_expired(clock.now()), "a fixed end stays");
}

#[tokio::test]
async fn an_app_password_is_good_for_its_user_its_purpose_and_its_time() {
    let (clock, journal) = prepared().await;
    let alice = user(&journal, &clock, NewUser::named("alice")).await;
    let bob = user(&journal, &clock, NewUser::named("bob")).await;
    let named = |name: &str| name.parse().expect("a slug");
    let mine = Token::new(&clock, named("mail"), Intent::AppPassword, alice.uuid);
    let api = Token::new(&clock, named("api"), Intent::Api, alice.uuid);
    let writes = [&mine, &api].map(|token| put(token, Version::NONE));
    commit(&journal, writes.to_vec())
        .await
        .expect("both are new");
    let now = clock.now();
    for (user, key, at, found) in [
        (alice.uuid, &mine.key, now, true),
        (bob.uuid, &mine.key, now, false),
        (alice.uuid, &api.key, now, false),
        (alice.uuid, &SecretString::from(""), now, false),
        (alice.uuid, &mine.key, now + token::LIFETIME, false),
    ] {
        let it = app_password(&journal, user, key, at)
            .await
            .expect("readable");
        assert_eq!(it.is_some(), found);
    }
    assert_eq!(mine.reference(), "mail (expires=1970-01-02T00:00:00Z)");
    let twin = Token::new(&clock, named("mail"), Intent::Api, bob.uuid);
    let taken = commit(&journal, vec![put(&twin, Version::NONE)]).await;
    let problem = problem_of(&taken.expect_err("the name is taken"));
    assert_eq!(
        problem,
        Some(Invalid::new("identifier", Problem::NotUnique))
    );
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let clock = Clock::system();
    let session = anonymous(&clock);
    let shown = format!("{session:?}");
    assert!(!shown.contains(session.sid.expose_secret()));
    assert!(!shown.contains(session.csrf.expose_secret()));
}
