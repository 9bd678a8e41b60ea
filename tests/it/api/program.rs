//! A program that calls the API with a token.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Options, Person, TestServer, Visitor, random, with_server_of};

/// A program, and the key that it shows.
pub(super) struct Program {
    visitor: Visitor,
    key: String,
}

/// Runs a scenario with a program of the administrator's.
pub(super) fn with_program(scenario: impl AsyncFnOnce(&mut TestServer, Program)) {
    with_program_of(Options::default(), scenario);
}

/// The same with another start.
pub(super) fn with_program_of(
    options: Options,
    scenario: impl AsyncFnOnce(&mut TestServer, Program),
) {
    let key = random(60);
    let options = options.with("GATELOG_BOOTSTRAP_TOKEN", &key);
    with_server_of(options, async |server| {
        let program = Program::of(server, &key);
        scenario(server, program).await;
    });
}

impl Program {
    /// A program with this key.
    pub(super) fn of(server: &TestServer, key: &str) -> Self {
        server.canaries().secret("a token's key", key);
        Self {
            visitor: server.visitor(),
            key: key.to_owned(),
        }
    }

    /// A program of this person's, with a key that the administrator chose.
    pub(super) async fn as_person(&self, server: &TestServer, person: &Person) -> Self {
        let number = self.number_of(&person.username).await;
        let identifier = format!("of-{number}");
        let body = json!({ "identifier": identifier, "user": number, "expiring": false });
        self.makes("/core/tokens/", &body).await;
        let key = random(40);
        let path = format!("/core/tokens/{identifier}/set_key/");
        self.does(&path, &json!({ "key": key })).await;
        Self::of(server, &key)
    }

    /// Sends a request.
    pub(super) async fn sends(&self, method: Method, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let path = format!("/api/v3{path}");
        let body = match method {
            Method::GET | Method::DELETE => String::new(),
            _ => body.to_string(),
        };
        self.visitor.sends(method, &path, &headers, body).await
    }

    /// Reads.
    pub(super) async fn gets(&self, path: &str) -> Value {
        let answer = self.sends(Method::GET, path, &Value::Null).await;
        answer.has_status(200).json()
    }

    /// Makes an object.
    pub(super) async fn makes(&self, path: &str, body: &Value) -> Value {
        let answer = self.sends(Method::POST, path, body).await;
        answer.has_status(201).json()
    }

    /// Changes an object in part.
    pub(super) async fn changes(&self, path: &str, body: &Value) -> Value {
        let answer = self.sends(Method::PATCH, path, body).await;
        answer.has_status(200).json()
    }

    /// Removes an object.
    pub(super) async fn removes(&self, path: &str) {
        let answer = self.sends(Method::DELETE, path, &Value::Null).await;
        answer.has_status(204);
    }

    /// Does something that answers nothing.
    pub(super) async fn does(&self, path: &str, body: &Value) {
        let answer = self.sends(Method::POST, path, body).await;
        answer.has_status(204);
    }

    /// Is refused with this status.
    pub(super) async fn is_refused(&self, method: Method, path: &str, body: &Value, status: u16) {
        self.sends(method, path, body).await.has_status(status);
    }

    /// The number of the user with this name.
    pub(super) async fn number_of(&self, username: &str) -> i64 {
        let found = self
            .gets(&format!("/core/users/?username={username}"))
            .await;
        found["results"][0]["pk"].as_i64().expect("a number")
    }
}
