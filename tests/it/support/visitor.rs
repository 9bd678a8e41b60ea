//! Somebody with a browser or a program that keeps cookies.

use std::net::Ipv6Addr;
use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use serde_json::{Value, json};

use super::cookies::{CSRF, Jar};
use super::{Answer, Canaries, Form, LOGIN, Person, TestServer, forms, random, random_below};

/// How a server is reached; the same over its restarts.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    pub(crate) canaries: Arc<Canaries>,
}

/// One tab of one browser. It behaves as authentik's own clients do: the component of the
/// challenge goes back with the answer, and so does the CSRF cookie, as a header.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    line: Arc<Line>,
    jar: Arc<Jar>,
    address: Ipv6Addr,
    agent: String,
    slug: String,
    query: String,
    component: Option<String>,
    /// The id of the challenge that this tab shows.
    pub(crate) challenge: Option<String>,
}

impl Visitor {
    pub(crate) fn new(line: Arc<Line>) -> Self {
        let address = random_address(&[0x2001, 0x0db8]);
        let agent = format!("Browser/{}", random(16));
        line.canaries.personal("a browser", &agent);
        let it = Self {
            line,
            jar: Arc::default(),
            address,
            agent,
            slug: LOGIN.to_owned(),
            query: String::new(),
            component: None,
            challenge: None,
        };
        it.tells_address();
        it
    }

    /// The same browser after a journey: at another address, which begins with these groups.
    pub(crate) fn goes_to(&mut self, groups: &[u16]) {
        self.address = random_address(groups);
        self.tells_address();
    }

    fn tells_address(&self) {
        let (canaries, address) = (&self.line.canaries, self.address);
        canaries.personal("an address", &address.to_string());
        canaries.personal_bytes("an address in binary", &address.octets());
    }

    /// The same browser, whose requests go to another server from now on.
    pub(crate) fn turns_to(&mut self, server: &TestServer) {
        self.line = Arc::clone(&server.line);
    }

    /// The same browser, whose requests go to this address from now on, such as that of a proxy.
    pub(crate) fn turns_to_address(&mut self, base: &str) {
        self.line = Arc::new(Line {
            base: base.to_owned(),
            http: self.line.http.clone(),
            canaries: Arc::clone(&self.line.canaries),
        });
    }

    /// The same browser, whose requests go where those of another one do.
    pub(crate) fn turns_as(&mut self, other: &Self) {
        self.line = Arc::clone(&other.line);
    }

    /// What must not be readable where it goes to.
    pub(crate) fn canaries(&self) -> &Canaries {
        &self.line.canaries
    }

    /// Another tab of the same browser.
    pub(crate) fn in_another_tab(&self) -> Self {
        Self {
            component: None,
            challenge: None,
            ..self.clone()
        }
    }

    /// Somebody else, who comes for the first time.
    pub(crate) fn as_somebody_else(&self) -> Self {
        Self::new(Arc::clone(&self.line))
    }

    /// The browser's cookies.
    pub(crate) fn cookies(&self) -> &Jar {
        &self.jar
    }

    /// The address of the executor for what this tab shows.
    pub(crate) fn executor(&self) -> String {
        let query: String = url::form_urlencoded::byte_serialize(self.query.as_bytes()).collect();
        format!("/api/v3/flows/executor/{}/?query={query}", self.slug)
    }

    /// Opens a flow.
    pub(crate) async fn opens(&mut self, slug: &str) -> Answer {
        self.opens_with(slug, "").await
    }

    /// Opens a flow with what stands behind the question mark of the browser's address.
    pub(crate) async fn opens_with(&mut self, slug: &str, query: &str) -> Answer {
        slug.clone_into(&mut self.slug);
        query.clone_into(&mut self.query);
        self.looks().await
    }

    /// Makes this tab show a flow without asking the server.
    pub(crate) fn points_at(&mut self, slug: &str) {
        self.points_at_with(slug, "");
    }

    /// The same with what stands behind the question mark of the browser's address.
    pub(crate) fn points_at_with(&mut self, slug: &str, query: &str) {
        slug.clone_into(&mut self.slug);
        query.clone_into(&mut self.query);
        self.component = None;
        self.challenge = None;
    }

    /// Asks for the challenge again.
    pub(crate) async fn looks(&mut self) -> Answer {
        let answer = self.gets(&self.executor()).await;
        self.notes(&answer);
        answer
    }

    /// The same where the server may be killed meanwhile; the tab shows nothing new.
    pub(crate) async fn try_to_look(&self) -> reqwest::Result<Answer> {
        let path = self.executor();
        self.asks(Method::GET, &path, &[], String::new()).await
    }

    /// Answers the challenge that this tab shows.
    pub(crate) async fn answers(&mut self, mut body: Value) -> Answer {
        if let (Some(body), Some(component)) = (body.as_object_mut(), &self.component) {
            body.entry("component").or_insert_with(|| json!(component));
        }
        self.answers_exactly(&body, &[]).await
    }

    /// Answers with this body and these headers besides the usual ones.
    pub(crate) async fn answers_exactly(
        &mut self,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let answer = self.try_to_answer(body, headers).await;
        let answer = answer.expect("the server answers");
        self.notes(&answer);
        answer
    }

    /// The same where the server may be killed meanwhile.
    pub(crate) async fn try_to_answer(
        &self,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        self.types(body);
        let mut all = vec![("content-type", "application/json")];
        let csrf = self.jar.get(CSRF);
        if let Some(csrf) = &csrf {
            all.push(("x-authentik-csrf", csrf));
        }
        all.extend_from_slice(headers);
        self.asks(Method::POST, &self.executor(), &all, body.to_string())
            .await
    }

    /// What the tab shows from now on.
    pub(crate) fn notes(&mut self, answer: &Answer) {
        let id = answer.header("x-gatelog-challenge");
        self.challenge = (!id.is_empty()).then(|| id.to_owned());
        let body: Option<Value> = serde_json::from_str(&answer.text).ok();
        self.component = body.and_then(|it| it["component"].as_str().map(str::to_owned));
    }

    /// Logs in by the default flow.
    pub(crate) async fn logs_in(&mut self, person: &Person) {
        self.opens(LOGIN).await.sees("ak-stage-identification");
        let who = json!({ "uid_field": person.username });
        self.answers(who).await.sees("ak-stage-password");
        let what = json!({ "password": person.password });
        self.answers(what).await.is_redirected_to("/");
    }

    /// Reads a page or a resource.
    pub(crate) async fn gets(&self, path: &str) -> Answer {
        let answer = self.asks(Method::GET, path, &[], String::new()).await;
        answer.expect("the server answers")
    }

    /// Sends a form as a browser does, which follows no redirect here.
    pub(crate) async fn submits(&self, form: &Form) -> Answer {
        assert_eq!(form.method, "post", "{form:?}");
        self.submits_with(form, &[]).await
    }

    /// The same with other headers.
    pub(crate) async fn submits_with(&self, form: &Form, headers: &[(&str, &str)]) -> Answer {
        for (name, value) in &form.fields {
            self.types(&json!({ name: value }));
        }
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&form.fields)
            .finish();
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        if !headers.iter().any(|(name, _)| *name == "origin") {
            all.push(("origin", self.line.base.as_str()));
        }
        all.extend_from_slice(headers);
        self.sends(Method::POST, &form.action, &all, body).await
    }

    /// Opens a page and returns its only form.
    pub(crate) async fn form_at(&self, path: &str) -> Form {
        let page = self.gets(path).await;
        page.has_status(200);
        let mut forms = forms(&page.text);
        assert_eq!(forms.len(), 1, "{page:?}");
        forms.remove(0)
    }

    /// Any request at all.
    pub(crate) async fn sends(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let answer = self.asks(method, path, headers, body).await;
        answer.expect("the server answers")
    }

    /// Any request at all, where the server may be killed meanwhile.
    pub(crate) async fn asks(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Result<Answer> {
        let to = format!("{method} {path}");
        let url = format!("{}{path}", self.line.base);
        let response = self
            .line
            .http
            .request(method, url)
            .headers(self.headers(headers))
            .body(body)
            .send()
            .await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        self.jar.take(&headers, &self.line.canaries);
        Ok(Answer {
            to,
            status,
            headers,
            text,
        })
    }

    /// A request whose answer is read piece by piece.
    pub(super) async fn opens_stream(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> reqwest::Response {
        let url = format!("{}{path}", self.line.base);
        let request = self.line.http.request(method, url);
        let answer = request.headers(self.headers(headers)).send().await;
        answer.expect("the server answers")
    }

    /// The host and port of the server.
    pub(super) fn host(&self) -> String {
        let (_, host) = self.line.base.split_once("://").expect("an address");
        host.to_owned()
    }

    pub(super) fn headers(&self, more: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: &str| {
            headers.insert(
                name,
                HeaderValue::from_str(value).expect("a header's value"),
            );
        };
        set(USER_AGENT, &self.agent);
        // The server listens on this machine only, so it believes the proxy that this test is.
        set(
            HeaderName::from_static("x-forwarded-for"),
            &self.address.to_string(),
        );
        let cookies = self.jar.header();
        if !cookies.is_empty() {
            set(COOKIE, &cookies);
        }
        for (name, value) in more {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            set(name, value);
        }
        if more
            .iter()
            .any(|(name, value)| *name == "content-type" && value.is_empty())
        {
            headers.remove(CONTENT_TYPE);
        }
        headers
    }

    /// Tells the canaries what somebody types.
    fn types(&self, body: &Value) {
        let canaries = &self.line.canaries;
        for (field, value) in body.as_object().into_iter().flatten() {
            match (field.as_str(), value.as_str()) {
                ("password" | "repeat", Some(typed)) => canaries.secret("a typed password", typed),
                ("uid_field", Some(typed)) => canaries.personal("a typed identifier", typed),
                _ => {}
            }
        }
    }
}

/// A random address that begins with these groups.
fn random_address(groups: &[u16]) -> Ipv6Addr {
    let mut all =
        [0; 8].map(|_: u16| 0x1000 + u16::try_from(random_below(0xf000)).expect("16 bits"));
    all[..groups.len()].copy_from_slice(groups);
    all.into()
}
