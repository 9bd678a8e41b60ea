//! The handlers over a journal in memory, asked as a browser or a program would.

mod access;
mod account;
mod admin;
mod api;
mod blueprints;
mod described;
mod devices;
mod directory;
mod executor;
mod flows;
mod kinds;
mod openapi;
mod pages;
mod policies;
mod sessions;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::cookie::Cookie;
use actix_web::http::header::HeaderMap;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, web};
use secrecy::SecretBox;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::bounds::Bounds;
use super::cookie::{Scope, Signer};
use super::device::Devices;
use super::forward::Forward;
use super::mfa::Factors;
use super::turned_away::TurnedAway;
use super::{Probed, Scans, State, configure, request};
use crate::catalog::{Brand, Flow, FlowStageBinding, Stage};
use crate::clock::Clock;
use crate::directory::password::{self, Pool};
use crate::directory::token::Intent;
use crate::directory::{NewUser, Token, User, create_user, setup};
use crate::execution::limit::Limiter;
use crate::execution::{Executions, Limits, Outside};
use crate::flow::model::Designation;
use crate::journal::memory::MemoryJournal;
use crate::journal::object::{self, Stored};
use crate::journal::{Commit, Durability, Journal, Version, Write};
use crate::stage::Kind;
use crate::telemetry::Metrics;
use crate::traces::Tracer;
use crate::web::Pages;

/// A server without sockets.
struct Server {
    state: web::Data<State>,
}

impl Server {
    /// A server with the usual flows for logging in and out.
    async fn new() -> Self {
        Self::begun(Some("battery staple")).await
    }

    /// A server after its first start, with this password of the administrator or none yet.
    async fn begun(password: Option<&str>) -> Self {
        let clock = Clock::fixed("2026-01-01T00:00:00Z".parse().expect("a moment"));
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new(clock.clone()));
        let hashes = Arc::new(Pool::no_op(clock.clone()));
        let executions = Executions::start(
            Arc::clone(&journal),
            clock.clone(),
            Arc::clone(&hashes),
            Limits::default(),
            Outside::default(),
            1,
        );
        let wanted = setup::Wanted {
            password: password.map(|typed| password::hash(&typed.into(), &clock)),
            ..setup::Wanted::default()
        };
        let install = setup::begin(&*journal, &clock, &wanted).await;
        let install = install.expect("the first start");
        let state = State {
            turns: Arc::default(),
            journal,
            executions,
            clock,
            hashes,
            signer: Signer::new(&[7; 32]),
            devices: Devices::new(SecretBox::init_with(|| [8; 32])),
            factors: Factors::new(SecretBox::init_with(|| [9; 32])),
            forward: Forward::new(SecretBox::init_with(|| [10; 32])),
            cookies: Scope::default(),
            trusted_proxies: vec!["127.0.0.0/8".parse().expect("a literal")],
            unused_age: Duration::from_hours(24),
            install_id: install.value.install_id,
            limiter: Limiter::new(1, 100),
            // Some tests call each of some hundred operations in many ways.
            bounds: Bounds {
                requests: Limiter::new(100_000, 100_000),
                ..Bounds::default()
            },
            turned_away: TurnedAway::default(),
            probed: Probed::default(),
            metrics: Metrics::default(),
            traces: Tracer::default(),
            workers: None,
            geoip: Arc::default(),
            streams: Arc::default(),
            logins: Arc::default(),
            interface: None,
            events_kept: Some(Duration::from_hours(24)),
            feeds: Arc::default(),
            scans: Scans::default(),
            library: Arc::default(),
            pages: Pages::new(),
            machine: None,
            stopping: Arc::default(),
        };
        let server = Self {
            state: web::Data::new(state),
        };
        let login = [
            (Kind::Identification, json!({"user_fields": ["username"]})),
            (
                Kind::Password,
                json!({"backends": ["authentik.core.auth.InbuiltBackend"]}),
            ),
            (Kind::UserLogin, json!({})),
        ];
        server
            .flow("login", Designation::Authentication, &login)
            .await;
        let logout = [(Kind::UserLogout, json!({}))];
        server
            .flow("logout", Designation::Invalidation, &logout)
            .await;
        server
    }

    async fn write(&self, writes: Vec<Write>) {
        let commit = Commit {
            writes,
            durability: Durability::Relaxed,
            fence: None,
            at: self.state.clock.now(),
            correlation: uuid::Uuid::nil(),
        };
        self.state.journal.commit(commit).await.expect("a commit");
    }

    async fn put(&self, value: &impl Stored) {
        self.write(vec![object::put(value, Version::NONE)]).await;
    }

    async fn flow(&self, slug: &str, designation: Designation, stages: &[(Kind, Value)]) -> Flow {
        let clock = &self.state.clock;
        let flow = Flow::new(clock, slug.parse().expect("a slug"), "Welcome", designation);
        let mut writes = vec![object::put(&flow, Version::NONE)];
        for (order, (kind, settings)) in stages.iter().enumerate() {
            let settings = settings.as_object().cloned().unwrap_or_default();
            let settings = kind.validate(&settings).expect("valid settings");
            let name = format!("{slug}-{order}");
            let stage = Stage::new(clock, kind.name(), &name, settings);
            let order = i32::try_from(order).expect("few stages");
            let binding = FlowStageBinding::new(clock, flow.pk, stage.pk, order);
            writes.extend([
                object::put(&stage, Version::NONE),
                object::put(&binding, Version::NONE),
            ]);
        }
        self.write(writes).await;
        flow
    }

    /// A flow of as many dummies.
    async fn dummies(&self, slug: &str, count: usize) {
        let stages = vec![(Kind::Dummy, json!({})); count];
        self.flow(slug, Designation::StageConfiguration, &stages)
            .await;
    }

    /// A program that calls the API with a token of this user.
    async fn program(&self, user: &User) -> Browser {
        let clock = &self.state.clock;
        let name = format!("program-{}", clock.opaque_id());
        let token = Token::new(clock, name.parse().expect("a slug"), Intent::Api, user.uuid);
        self.put(&token).await;
        let key = secrecy::ExposeSecret::expose_secret(&token.key);
        let authorization = format!("Bearer {key}");
        self.browser().with_header("authorization", &authorization)
    }

    async fn user(&self, name: &str, password: &str) -> User {
        let (journal, clock) = (&*self.state.journal, &self.state.clock);
        let mut new = NewUser::named(name);
        new.password = Some(password::hash(&password.into(), clock));
        create_user(journal, clock, new).await.expect("a user")
    }

    fn browser(&self) -> Browser {
        Browser {
            state: self.state.clone(),
            cookies: BTreeMap::new(),
            address: "192.0.2.1".to_owned(),
            headers: vec![("user-agent".to_owned(), "browser/1".to_owned())],
        }
    }

    /// A brand without anything, for whatever host.
    fn brand(&self) -> Brand {
        let mut brand = Brand::new(&self.state.clock, "default");
        brand.default = true;
        brand
    }
}

/// What came back.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("text"))
            .unwrap_or_default()
    }

    fn location(&self) -> &str {
        self.header("location")
    }

    #[track_caller]
    fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    #[track_caller]
    fn shows(&self, text: &str) -> &Self {
        assert!(self.body.contains(text), "no {text:?} in {}", self.body);
        self
    }

    /// The value of a hidden field of the page.
    fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let from = self.body.find(&mark).expect("the field is there") + mark.len();
        let value = &self.body[from..];
        value[..value.find('"').expect("it ends")].to_owned()
    }
}

/// Keeps cookies, as browsers do.
#[derive(Clone)]
struct Browser {
    state: web::Data<State>,
    cookies: BTreeMap<String, String>,
    address: String,
    headers: Vec<(String, String)>,
}

impl Browser {
    fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(TestRequest::get().uri(path)).await
    }

    async fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.send(TestRequest::post().uri(path).set_json(body))
            .await
    }

    /// Sends a body with this method.
    async fn change(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        let method = method.parse().expect("a method");
        let request = TestRequest::default().method(method).uri(path);
        self.send(request.set_json(body)).await
    }

    async fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = TestRequest::post()
            .uri(path)
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(body);
        self.send(request).await
    }

    /// Answers the form that a page shows.
    async fn fills(&mut self, path: &str, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let hidden: Vec<(&str, String)> = ["component", "challenge", "csrf"]
            .into_iter()
            .map(|name| (name, page.hidden(name)))
            .collect();
        let mut all: Vec<(&str, &str)> = hidden
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        all.extend(fields);
        self.post_form(path, &all).await
    }

    async fn send(&mut self, mut request: TestRequest) -> Answer {
        let peer = format!("{}:5000", self.address);
        request = request.peer_addr(peer.parse().expect("an address"));
        for (name, value) in &self.headers {
            request = request.insert_header((name.as_str(), value.as_str()));
        }
        for (name, value) in &self.cookies {
            request = request.cookie(Cookie::new(name.clone(), value.clone()));
        }
        let app = App::new()
            .app_data(self.state.clone())
            .wrap(from_fn(request::around))
            .configure(configure);
        let service = init_service(app).await;
        let response = call_service(&service, request.to_request()).await;
        for cookie in response.response().cookies() {
            let (name, value) = (cookie.name().to_owned(), cookie.value().to_owned());
            self.cookies.insert(name, value);
        }
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = to_bytes(response.into_body()).await.expect("a body");
        Answer {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// Logs in through the API.
    async fn logs_in(&mut self, name: &str, password: &str) -> Answer {
        self.post(LOGIN, &json!({"uid_field": name})).await.is(200);
        self.post(LOGIN, &json!({"password": password})).await
    }

    fn session(&self) -> Option<&String> {
        self.cookies.get("authentik_session")
    }

    fn csrf(&self) -> String {
        self.cookies
            .get("authentik_csrf")
            .cloned()
            .unwrap_or_default()
    }
}

const LOGIN: &str = "/api/v3/flows/executor/login/?query=";
const ME: &str = "/api/v3/core/users/me/";
