//! The client of LDAP and RADIUS logs in by its own rules.

use super::duo::{LOGIN, Scene};
use super::sets_up_app;
use crate::support::{self, Headless, Person, block_on, with_server};

fn headless(person: &Person, code: Option<String>) -> Headless {
    Headless {
        username: person.username.clone(),
        password: person.password.clone(),
        code,
    }
}

#[test]
fn it_logs_in_with_a_push() {
    block_on(async {
        let scene = Scene::start().await;
        let mut visitor = scene.server.visitor();
        let client = headless(&scene.alice, None);
        let (done, ()) = tokio::join!(client.logs_in(&mut visitor, LOGIN), async {
            scene.duo.has_pushed(1).await;
            scene.duo.approves();
        });
        assert_eq!(done, Ok(()));
        let me = visitor.gets("/api/v3/core/users/me/").await.json();
        assert_eq!(me["user"]["username"], scene.alice.username.as_str());
        let mut visitor = scene.server.visitor();
        let (done, ()) = tokio::join!(client.logs_in(&mut visitor, LOGIN), async {
            scene.duo.has_pushed(2).await;
            scene.duo.denies();
        });
        let complaint = "flow error duo: \"Duo denied access\"";
        assert_eq!(done, Err(complaint.to_owned()));
        assert_eq!(scene.duo.pushes().len(), 2);
        scene.server.finish().await;
    });
}

#[test]
fn it_logs_in_with_a_password_and_a_code() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.logs_in(&alice).await;
        let app = sets_up_app(server, &mut visitor).await;

        let mut visitor = server.visitor();
        let client = headless(&alice, Some(app.code(1)));
        assert_eq!(client.logs_in(&mut visitor, support::LOGIN).await, Ok(()));
        // The same code is good once.
        let mut visitor = server.visitor();
        let refused = client.logs_in(&mut visitor, support::LOGIN).await;
        let refused = refused.expect_err("it was used");
        assert!(refused.starts_with("flow error code"), "{refused}");
        let mut visitor = server.visitor();
        let refused = headless(&alice, None)
            .logs_in(&mut visitor, support::LOGIN)
            .await;
        let none = "no compatible authenticator class found";
        assert_eq!(refused, Err(none.to_owned()));
        let wrong = Headless {
            password: "not-the-password".to_owned(),
            ..client
        };
        let mut visitor = server.visitor();
        let refused = wrong.logs_in(&mut visitor, support::LOGIN).await;
        assert!(refused.is_err(), "{refused:?}");
    });
}
