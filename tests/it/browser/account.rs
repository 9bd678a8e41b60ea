//! An account begins with a mail, lets an application in, and ends.

use serde_json::json;

use super::{axe_everywhere, with_browsers, with_window};
use crate::support::{Flow, MailSink, Options, Person};

#[test]
fn somebody_signs_up_and_gets_in_by_the_link_of_a_mail() {
    let sink = MailSink::start();
    let options = sink.serves(Options::default());
    with_browsers(options, async |server, browsers| {
        let on = server.gatelog(&["blueprint", "enable", "enrollment"]);
        on.succeeds();
        let window = browsers.open().await?;
        let person = Person::new(server.canaries());
        window.opens("/").await?;
        // The login leads there.
        window.clicks("a[href*='default-enrollment-flow']").await?;
        window.sees("[autocomplete=new-password]").await?;
        axe_everywhere(&window).await?;
        window.types("text:username", &person.username).await?;
        window.types("secret:password", &person.password).await?;
        let mistyped = format!("{}x", person.password);
        server.canaries().secret("a typed password", &mistyped);
        window.types("secret:password_repeat", &mistyped).await?;
        window.presses().await?;
        window.sees("[role=alert]").await?;
        axe_everywhere(&window).await?;
        // What was typed is still there, but for passwords.
        let name = window.sees("[name='text:username']").await?;
        assert_eq!(name.prop("value").await?, Some(person.username.clone()));
        window.types("secret:password", &person.password).await?;
        window
            .types("secret:password_repeat", &person.password)
            .await?;
        window.presses().await?;
        window.types("text:name", &person.name).await?;
        window.types("text:email", &person.mail).await?;
        axe_everywhere(&window).await?;
        window.presses().await?;
        let mail = sink.wait_for(1).await.remove(0);
        window.sees("form:has([name=component]) button").await?;
        axe_everywhere(&window).await?;
        let link = mail.letter().link();
        let (_, secret) = link.split_once("flow_token=").expect("a secret");
        server.canaries().secret("the secret of a link", secret);
        window.goto(&link).await?;
        window.presses().await?;
        window.is_logged_in(&person).await
    });
}

#[test]
fn an_application_is_let_in_or_not() {
    with_window(async |server, window| {
        let ann = server.person();
        let known = "context['flow_plan'].context.update({
            'application': {'pk': '7', 'name': 'App'},
            'consent_permissions': [{'name': 'Read your mail', 'id': 'mail'}]})
return True";
        let flow = Flow::new("allow")
            .stage("consent", "allow-ask", json!({ "mode": "permanent" }))
            .expression("allow-known", known)
            .asks("allow-ask", "allow-known", json!({}));
        server.has_flow(&flow);
        window.logs_in(&ann).await?;
        window.opens_flow("allow").await?;
        window.shows("main", "Read your mail").await?;
        window.shows("main", &ann.username).await?;
        axe_everywhere(window).await?;
        window.clicks("main a[href*='/flows/-/cancel/']").await?;
        // Whoever cancels is logged out.
        window.sees("input[name=uid_field]").await?;
        window.logs_in(&ann).await?;
        window.opens_flow("allow").await?;
        window.shows("main", "Read your mail").await?;
        window.presses().await?;
        window.is_logged_in(&ann).await?;
        // It is not asked again.
        window.opens_flow("allow").await?;
        window.is_logged_in(&ann).await
    });
}

#[test]
fn somebody_deletes_their_account() {
    with_window(async |server, window| {
        let on = server.gatelog(&["blueprint", "enable", "unenrollment"]);
        on.succeeds();
        let ann = server.person();
        window.logs_in(&ann).await?;
        window.opens_flow("default-unenrollment-flow").await?;
        window.sees("form:has([name=component]) button").await?;
        axe_everywhere(window).await?;
        window.presses().await?;
        window.proves(&ann).await?;
        window.sees("input[name=uid_field]").await?;
        window.names(&ann).await?;
        window.proves(&ann).await?;
        window.sees("[aria-invalid=true]").await?;
        Ok(())
    });
}
