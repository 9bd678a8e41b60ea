//! A forgotten password in browsers without scripts: plain pages and forms.

use reqwest::Method;

use crate::support::{Person, addresses, forms, random, text_of};

use super::{Link, goes_to, me, with_mail};

const PAGE: &str = "/if/flow/default-recovery-flow/";

#[test]
fn a_forgotten_password_is_set_by_forms_alone_in_another_browser() {
    with_mail(async |server, sink| {
        let on = server.gatelog(&["blueprint", "enable", "recovery"]);
        on.succeeds();
        let person = server.person();
        let asks = server.visitor();
        let form = asks.form_at(PAGE).await.fill("uid_field", &person.mail);
        asks.submits(&form).await.leads_to(PAGE);
        let shown = asks.gets(PAGE).await;
        shown.shows("We sent you a mail").hides("role=\"alert\"");
        shown.hides(&person.mail).hides(&person.username);
        let form = forms(&shown.text).remove(0);
        let again = asks.submits(&form).await;
        again.has_status(200).shows("Sent again.");
        for wrong in ["role=\"alert\"", "email-sent", "Error:"] {
            again.hides(wrong);
        }
        let mails = sink.wait_for(2).await;
        goes_to(&mails[1], &person);

        let link = Link::of(&mails[1], server);
        let path = format!("/if/flow/{}/?{}", link.slug, link.query);
        let confirms = server.visitor();
        let opened = confirms.gets(&path).await;
        opened.shows("Continue to confirm this email address.");
        let form = forms(&opened.text).remove(0);
        let confirmed = confirms.submits(&form).await;
        confirmed.has_status(303);
        let next = confirmed.header("location").to_owned();

        let left = asks.gets(PAGE).await;
        left.shows("Continued in another window");
        left.shows("Cancel and start again").hides("role=\"alert\"");
        left.hides(&person.username);
        let mut ways = addresses(&left.text).into_iter();
        let way = ways.find(|way| way.starts_with("/flows/-/cancel/"));
        let way = way.expect("a way to start again");
        let came_from = format!("{}{PAGE}", server.base());
        let referer = [("referer", came_from.as_str())];
        asks.sends(Method::GET, &way, &referer, "").await;
        let fresh = asks.form_at(PAGE).await;
        assert!(fresh.value("uid_field").is_some(), "{fresh:?}");

        let password = random(20);
        server.canaries().secret("a new password", &password);
        let form = confirms.form_at(&next).await;
        let form = form.fill("secret:password", &password);
        let form = form.fill("secret:password_repeat", &password);
        confirms.submits(&form).await.leads_to("/");
        let name = person.username.as_str();
        assert_eq!(me(&confirms).await["username"], name);
    });
}

#[test]
fn the_page_about_the_mail_is_the_same_for_somebody_who_does_not_exist() {
    with_mail(async |server, _| {
        let on = server.gatelog(&["blueprint", "enable", "recovery"]);
        on.succeeds();
        let person = server.person();
        let stranger = Person::new(server.canaries());
        let pages = async |name: &str| {
            let visitor = server.visitor();
            let form = visitor.form_at(PAGE).await.fill("uid_field", name);
            visitor.submits(&form).await.leads_to(PAGE);
            let first = visitor.gets(PAGE).await;
            let again = visitor.submits(&forms(&first.text).remove(0)).await;
            (text_of(&first.text), text_of(&again.text))
        };
        let known = pages(&person.mail).await;
        assert!(known.1.contains("Sent again."), "{known:?}");
        assert_eq!(pages(&stranger.mail).await, known);
    });
}
