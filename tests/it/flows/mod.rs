//! The flows that come with the server, and flow files as others published them, from the first
//! page to the written user, with mails that go over a real SMTP conversation.

use serde_json::{Value, json};

use crate::support::{
    Answer, Canaries, MailSink, Options, Person, Taken, TestServer, Visitor, with_server_of,
};

mod accounts;
mod consent;
pub(crate) mod enrollment;
mod invitation;
mod legacy;
mod pages;
mod published;
mod recovery;
mod sources;

const PROMPT: &str = "ak-stage-prompt";
pub(crate) const EMAIL: &str = "ak-stage-email";

/// Runs a scenario against a server whose mails arrive.
pub(crate) fn with_mail(scenario: impl AsyncFnOnce(&mut TestServer, &MailSink)) {
    let sink = MailSink::start();
    with_server_of(sink.serves(Options::default()), async |server| {
        scenario(server, &sink).await;
    });
}

/// A link out of a mail.
pub(crate) struct Link {
    pub(crate) slug: String,
    pub(crate) query: String,
}

impl Link {
    /// The link in this mail, which leads to this server and works for whoever has it.
    #[track_caller]
    pub(crate) fn of(mail: &Taken, server: &TestServer) -> Self {
        Self::below(mail, server.base(), server.canaries())
    }

    /// The same for a server that is reached at this address.
    #[track_caller]
    pub(crate) fn below(mail: &Taken, base: &str, canaries: &Canaries) -> Self {
        let link = mail.letter().link();
        let path = link.strip_prefix(base);
        let path = path.unwrap_or_else(|| panic!("{link} leads elsewhere"));
        let rest = path.strip_prefix("/if/flow/").expect("the page of a flow");
        let (slug, query) = rest.split_once("/?").expect("a query string");
        let (_, secret) = query.split_once("flow_token=").expect("a secret");
        canaries.secret("the secret of a link", secret);
        Self {
            slug: slug.to_owned(),
            query: query.to_owned(),
        }
    }

    /// Opens it.
    async fn opened_by(&self, visitor: &mut Visitor) -> Answer {
        visitor.opens_with(&self.slug, &self.query).await
    }

    /// Opens it, and confirms what is asked there.
    pub(crate) async fn confirmed_by(&self, visitor: &mut Visitor) -> Answer {
        let asked = self.opened_by(visitor).await;
        asked.sees("ak-stage-consent");
        let token = asked.json()["token"].clone();
        visitor.answers(json!({ "token": token })).await
    }
}

/// The mail went to this person alone. Hosts are sent in lower case.
#[track_caller]
fn goes_to(mail: &Taken, person: &Person) {
    let [to] = &mail.to[..] else {
        panic!("{:?}", mail.to)
    };
    assert!(
        to.eq_ignore_ascii_case(&person.mail),
        "{to} {}",
        person.mail
    );
}

/// What the server says of whoever is logged in there.
async fn me(visitor: &Visitor) -> Value {
    let answer = visitor.gets("/api/v3/core/users/me/").await;
    answer.has_status(200).json()["user"].clone()
}

/// Types a new password twice.
async fn types_password(visitor: &mut Visitor, password: &str) -> Answer {
    let typed = json!({ "password": password, "password_repeat": password });
    visitor.answers(typed).await
}

/// What the policies of a prompt say.
fn messages(answer: &Answer) -> Vec<String> {
    let errors = answer.json()["response_errors"]["non_field_errors"].clone();
    let errors = errors.as_array().cloned().unwrap_or_default();
    let texts = errors.iter().filter_map(|error| error["string"].as_str());
    texts.map(str::to_owned).collect()
}

/// The user as the operator sees them, if there is one.
fn listed(server: &TestServer, person: &Person) -> Option<Value> {
    let list = server.gatelog(&["user", "list", "--json"]);
    let users = list.succeeds().values();
    let is_theirs = |user: &Value| user["username"] == person.username.as_str();
    users.into_iter().find(is_theirs)
}

/// Changes a user as an operator does.
fn changes_user(server: &TestServer, person: &Person, attrs: &Value) {
    server.apply(
        &json!({
            "version": 1,
            "entries": [{
                "model": "authentik_core.user",
                "identifiers": { "username": person.username },
                "attrs": attrs,
            }],
        })
        .to_string(),
    );
}

/// Logging in with a password that is not right any more gets nobody further.
async fn is_refused(server: &TestServer, person: &Person) {
    let mut visitor = server.visitor();
    visitor.opens(crate::support::LOGIN).await;
    let who = json!({ "uid_field": person.username });
    visitor.answers(who).await.sees("ak-stage-password");
    let what = json!({ "password": person.password });
    let refused = visitor.answers(what).await;
    refused.sees("ak-stage-password");
}
