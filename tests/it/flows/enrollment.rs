//! Signing up with an address that is confirmed by a mail.

use serde_json::json;

use super::{EMAIL, Link, PROMPT, goes_to, listed, me, with_mail};
use crate::support::{Answer, LOGIN, Person, Visitor};

const FLOW: &str = "default-enrollment-flow";

/// Somebody types everything that is asked.
pub(crate) async fn signs_up(visitor: &mut Visitor, person: &Person) -> Answer {
    visitor.opens(FLOW).await.sees(PROMPT);
    let credentials = json!({
        "username": person.username,
        "password": person.password,
        "password_repeat": person.password,
    });
    visitor.answers(credentials).await.sees(PROMPT);
    let details = json!({ "name": person.name, "email": person.mail });
    visitor.answers(details).await
}

#[test]
fn somebody_signs_up_and_gets_in_once_their_address_is_confirmed() {
    with_mail(async |server, sink| {
        let on = server.gatelog(&["blueprint", "enable", "enrollment"]);
        on.succeeds().says("gatelog mail test");
        let mut visitor = server.visitor();
        let login = visitor.opens(LOGIN).await;
        let url = login.json()["enroll_url"].clone();
        assert!(url.as_str().is_some_and(|it| it.contains(FLOW)), "{url}");
        let person = Person::new(server.canaries());
        signs_up(&mut visitor, &person).await.sees(EMAIL);
        let made = listed(server, &person).expect("they are written");
        assert_eq!(made["is_active"], false);

        let mail = sink.wait_for(1).await.remove(0);
        goes_to(&mail, &person);
        let link = Link::of(&mail, server);
        let mut reader = server.visitor();
        let done = link.confirmed_by(&mut reader).await;
        done.is_redirected_to("/");
        let known = me(&reader).await;
        assert_eq!(known["username"], person.username.as_str());
        assert_eq!(known["name"], person.name.as_str());
        assert_eq!(known["email"], person.mail.as_str());
        // The tab that asked is another browser's: it has no part in it, and begins anew.
        let anew = visitor.looks().await;
        anew.sees(PROMPT).hides(&person.username);
        server.visitor().logs_in(&person).await;
        assert_eq!(sink.taken().len(), 1);
    });
}

#[test]
fn a_password_that_is_easily_guessed_and_a_name_that_is_taken_are_refused() {
    with_mail(async |server, sink| {
        server
            .gatelog(&["blueprint", "enable", "enrollment"])
            .succeeds();
        let taken = server.person();
        let mut visitor = server.visitor();
        visitor.opens(FLOW).await.sees(PROMPT);
        let tries = [
            (
                taken.username.as_str(),
                taken.password.as_str(),
                taken.password.as_str(),
            ),
            ("somebody-else", "Password123!", "Password123!"),
            ("somebody-else", "short", "short"),
            (
                "somebody-else",
                taken.password.as_str(),
                "another one entirely",
            ),
        ];
        for (username, password, repeat) in tries {
            let typed = json!({
                "username": username, "password": password, "password_repeat": repeat,
            });
            let refused = visitor.answers(typed).await;
            refused.sees(PROMPT);
            let errors = refused.json()["response_errors"].clone();
            assert!(errors.is_object(), "{username}: {refused:?}");
        }
        assert!(sink.taken().is_empty());
    });
}
