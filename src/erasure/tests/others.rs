//! What happened to others stays when somebody is erased, and what stays is listed.

use super::*;
use crate::journal::object::open;

/// What a login leaves that names nobody but whom it says.
fn login(typed: &str) -> Value {
    json!({
        "input": {
            "at": "2026-11-27T09:00:00Z",
            "client": { "address": "192.0.2.77", "user_agent": "a browser" },
            "query": "next=%2Fhome&theme=dark",
            "body": { "component": "ak-stage-password", "uid_field": typed },
        },
        "observations": [
            { "saw": "found", "kind": "flow", "lookup": "slug", "value": "default-flow" },
        ],
        "events": [
            { "event": "started", "slug": "default-flow" },
            { "event": "response_rejected", "errors": { "password": [{ "string": "Invalid password" }] } },
            { "event": "context_changed", "key": "auth_method", "by": "default-flow",
              "value": { "is": "json", "value": "password" } },
        ],
    })
}

impl Scene {
    async fn user(&self, username: &str, change: impl FnOnce(&mut NewUser)) -> Uuid {
        let mut new = NewUser::named(username);
        change(&mut new);
        let made = create_user(&self.journal, &self.clock, new).await;
        made.expect("a user").uuid
    }

    async fn is_readable(&self, execution: Uuid) -> bool {
        let stream = StreamId::new(KIND, execution);
        let records = self.journal.read(stream, Version::NONE).await;
        records.expect("reads")[0].body.is_some()
    }
}

fn listed(certificate: &Certificate, id: Uuid) -> bool {
    certificate.remains.iter().any(|it| it.id == id)
}

#[actix::test]
async fn nobody_can_choose_a_name_with_which_the_trails_of_others_go() {
    let scene = Scene::new().await;
    let (nobodys, bobs) = (scene.clock.ordered_id(), scene.clock.ordered_id());
    scene.record(nobodys, None, login("carol")).await;
    scene.record(bobs, Some(scene.bob), login("bob")).await;
    for name in [
        "password",
        "default-flow",
        "2026-11-27",
        "dark",
        "json",
        "192.0.2.77",
    ] {
        let user = scene
            .user(name, |new| {
                new.name = "2026-11-27".to_owned();
                new.attributes
                    .insert("phone".to_owned(), "192.0.2.77".into());
                new.attributes
                    .insert("mobile".to_owned(), "2026-11-27".into());
            })
            .await;
        let tools = scene.tools(Arc::new(scene.journal.clone()));
        let certificate = whole(&tools, user).await.expect("it is done");
        let removed = certificate.removed;
        assert_eq!(removed.executions_of_nobody, 0, "{name}");
        assert_eq!(removed.executions_of_others, 0, "{name}");
        assert_eq!(removed.events, 0, "{name}");
    }
    assert!(scene.is_readable(nobodys).await && scene.is_readable(bobs).await);
}

#[actix::test]
async fn executions_of_others_stay_and_are_listed_unless_somebody_says_so() {
    let scene = Scene::new().await;
    let tools = scene.tools(Arc::new(scene.journal.clone()));
    erase(&tools, scene.ann, false).await.expect("two steps");
    let certificate = certify(&tools, scene.ann, Chain::default(), &|_, _| None).await;
    let certificate = certificate.expect("it is finished");
    let bobs = scene.go[3];
    assert!(scene.is_readable(bobs).await);
    assert!(listed(&certificate, bobs), "{certificate:?}");
    assert_eq!(certificate.remains.len(), 2, "and the group");
    assert_eq!(certificate.removed.executions_of_others, 0);
}

#[actix::test]
async fn an_address_goes_although_somebody_else_has_it_in_an_attribute() {
    let scene = Scene::new().await;
    let carol = scene
        .user("carol", |new| {
            let address = NAMES[1].into();
            new.attributes.insert("manager".to_owned(), address);
        })
        .await;
    let tools = scene.tools(Arc::new(scene.journal.clone()));
    let certificate = whole(&tools, scene.ann).await.expect("it is done");
    assert_eq!(certificate.removed.executions_of_nobody, 2);
    assert_eq!(certificate.removed.attempts, 1);
    assert!(listed(&certificate, carol), "{certificate:?}");
}

#[actix::test]
async fn what_another_account_logs_in_with_stays_theirs_and_is_listed() {
    let scene = Scene::new().await;
    let dave = scene
        .user("dave", |new| new.email = NAMES[1].to_owned())
        .await;
    let daves = scene.clock.ordered_id();
    scene.record(daves, Some(dave), login(NAMES[1])).await;
    let tools = scene.tools(Arc::new(scene.journal.clone()));
    let certificate = whole(&tools, scene.ann).await.expect("it is done");
    assert!(scene.is_readable(daves).await);
    assert!(scene.is_readable(scene.go[3]).await);
    for id in [dave, daves, scene.go[3], scene.group] {
        assert!(listed(&certificate, id), "{id} in {certificate:?}");
    }
}

#[actix::test]
async fn what_comes_while_somebody_is_erased_goes_as_well() {
    let scene = Scene::new().await;
    let tools = scene.tools(Arc::new(scene.journal.clone()));
    erase(&tools, scene.ann, true).await.expect("two steps");
    let late = scene.clock.ordered_id();
    scene.record(late, None, login(NAMES[1])).await;
    let address = "192.0.2.78".parse().expect("an address");
    let (clock, now) = (&scene.clock, scene.clock.now());
    let row = Reputation::new(clock, NAMES[0], address, now, Rules::default());
    scene.write(vec![put(&row, Version::NONE)]).await;
    let certificate = certify(&tools, scene.ann, Chain::default(), &|_, _| None).await;
    let certificate = certificate.expect("it is finished");
    assert!(!scene.is_readable(late).await);
    assert_eq!(certificate.removed.executions_of_nobody, 3);
    assert_eq!(certificate.removed.attempts, 2);
    assert_eq!(certificate.remains.len(), 1, "only the group");
    for object in Journal::list(&scene.journal, Reputation::KIND, None, 10)
        .await
        .expect("reads")
    {
        let row = open::<Reputation>(&object).expect("a row").value;
        assert_eq!(row.identifier, "carol");
    }
}

#[actix::test]
async fn a_browser_that_shows_who_was_there_before_is_theirs_and_nobody_loses_it() {
    let scene = Scene::new().await;
    let install = crate::directory::install(&scene.journal).await;
    let install = install.expect("reads").expect("an installation").value;
    let ann: Option<Versioned<User>> = object::get(&scene.journal, scene.ann).await.expect("reads");
    let uid = ann.expect("a user").value.uid(install.install_id);
    let (nobodys, bobs) = (scene.clock.ordered_id(), scene.clock.ordered_id());
    for (id, of) in [(nobodys, None), (bobs, Some(scene.bob))] {
        let client = json!({ "device": { "stage": Uuid::nil(), "user": uid } });
        scene.execution(id, of, json!({ "client": client })).await;
    }
    let tools = scene.tools(Arc::new(scene.journal.clone()));
    let certificate = whole(&tools, scene.ann).await.expect("it is done");
    assert!(!scene.is_readable(nobodys).await);
    assert!(scene.is_readable(bobs).await);
    assert!(listed(&certificate, bobs), "{certificate:?}");
}

#[actix::test]
async fn mails_in_files_go_as_well() {
    let scene = Scene::new().await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = |to: &str| {
        let name = format!("20260101T000000Z-{}.eml", scene.clock.ordered_id());
        let path = directory.path().join(name);
        let mail = format!("To: Somebody <{to}>\r\n\r\nhello\r\n");
        std::fs::write(&path, mail).expect("it is written");
        path
    };
    let (hers, other) = (file(NAMES[1]), file("carol@canary.example"));
    let folder = directory.path();
    let seen = preview(
        &scene.journal,
        Some(folder),
        scene.ann,
        &mut Freely::default(),
    )
    .await;
    let seen = seen.expect("it reads").removed.mails;
    assert!(hers.exists(), "a preview changes nothing");
    let mut tools = scene.tools(Arc::new(scene.journal.clone()));
    tools.letters = Some(folder.to_owned());
    let certificate = whole(&tools, scene.ann).await.expect("it is done");
    assert!(!hers.exists() && other.exists());
    assert_eq!((certificate.removed.mails, seen), (2, 2));
    assert_eq!(certificate.remains.len(), 1, "only the group");
}
