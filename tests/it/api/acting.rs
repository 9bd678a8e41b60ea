//! An administrator who is logged in and acts through the API, as a page of theirs would.

use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, TestServer, Visitor};

/// Somebody with the means of a superuser.
pub(super) struct Administrator(Visitor);

impl Administrator {
    /// Logs the administrator of this server in.
    pub(super) async fn of(server: &TestServer) -> Self {
        let mut visitor = server.visitor();
        visitor.logs_in(&server.administrator.clone()).await;
        Self(visitor)
    }

    /// Reads.
    pub(super) async fn gets(&self, path: &str) -> Value {
        self.0.gets(path).await.has_status(200).json()
    }

    /// Acts, with a body.
    pub(super) async fn acts(&self, method: Method, path: &str, body: &Value) -> Answer {
        let csrf = self.0.cookies().get("authentik_csrf").expect("a token");
        let headers = [
            ("content-type", "application/json"),
            ("x-authentik-csrf", csrf.as_str()),
        ];
        self.0.sends(method, path, &headers, body.to_string()).await
    }

    /// Makes an object.
    pub(super) async fn makes(&self, path: &str, body: &Value) -> Value {
        let made = self.acts(Method::POST, path, body).await;
        made.has_status(201).json()
    }

    /// What is said of a body that is wrong.
    pub(super) async fn is_refused(&self, path: &str, body: &Value) -> Value {
        let refused = self.acts(Method::POST, path, body).await;
        refused.has_status(400).json()
    }
}
