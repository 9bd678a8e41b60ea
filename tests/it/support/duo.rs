//! Duo: speaks the Auth API v2 and the Admin API, believes no request that is not signed as Duo
//! publishes it, and does with a push what the test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base16ct::lower::encode_string;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::peer::{http, read};
use super::{Canaries, random};

/// How long it holds a question about a push to which nobody has said anything.
const HOLDS: Duration = Duration::from_secs(3);

/// What it does when a push is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It sends it.
    Sends,
    /// It sends it, and never says so.
    SendsAndHangs,
    /// It says that it does not know the key.
    Refuses,
    /// It is out of order.
    Fails,
    /// It wants to be asked less often, so many times, and sends it then.
    Throttles(u32),
}

/// A push that it sent.
#[derive(Clone, Debug)]
pub(crate) struct Pushed {
    /// What it is called.
    pub(crate) transaction: String,
    /// What was asked for.
    pub(crate) asked: Value,
    decision: Option<(&'static str, &'static str)>,
    /// How often it was asked what became of it.
    pub(crate) polls: usize,
}

#[derive(Debug)]
struct State {
    mood: Mood,
    is_down: bool,
    lets_everybody_in: bool,
    pushes: Vec<Pushed>,
    enrolled: BTreeMap<String, (String, &'static str)>,
    enrolments: usize,
    users: Vec<Value>,
    problems: Vec<String>,
}

/// A server that listens as long as its test runs.
#[derive(Clone)]
pub(crate) struct Duo {
    address: String,
    key: String,
    secret: String,
    admin: (String, String),
    state: Arc<Mutex<State>>,
    changed: watch::Sender<u64>,
}

impl Duo {
    /// Starts it.
    pub(crate) async fn start(canaries: &Canaries) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let secret = || {
            let secret = random(40);
            canaries.secret("a key of Duo's", &secret);
            secret
        };
        let duo = Self {
            address: listener.local_addr().expect("an address").to_string(),
            key: format!("DI{}", random(18)),
            secret: secret(),
            admin: (format!("DI{}", random(18)), secret()),
            state: Arc::new(Mutex::new(State {
                mood: Mood::Sends,
                is_down: false,
                lets_everybody_in: false,
                pushes: Vec::new(),
                enrolled: BTreeMap::new(),
                enrolments: 0,
                users: Vec::new(),
                problems: Vec::new(),
            })),
            changed: watch::Sender::new(0),
        };
        let this = duo.clone();
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                tokio::spawn(this.clone().serve(line));
            }
        });
        duo
    }

    /// The settings of a stage that uses this account.
    pub(crate) fn settings(&self) -> Value {
        json!({
            "api_hostname": format!("http://{}", self.address),
            "client_id": self.key,
            "client_secret": self.secret,
            "admin_integration_key": self.admin.0,
            "admin_secret_key": self.admin.1,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let done = change(&mut self.state());
        self.changed.send_modify(|count| *count += 1);
        done
    }

    /// What it does with pushes from now on.
    pub(crate) fn is(&self, mood: Mood) {
        self.change(|state| state.mood = mood);
    }

    /// Whether it answers everything with an error.
    pub(crate) fn is_down(&self, is_down: bool) {
        self.change(|state| state.is_down = is_down);
    }

    /// Whoever gets a push approves it at once, from now on.
    pub(crate) fn lets_everybody_in(&self) {
        self.change(|state| state.lets_everybody_in = true);
    }

    /// The users whom it lists.
    pub(crate) fn knows(&self, users: &[(&str, &str)]) {
        let users = users
            .iter()
            .map(|(id, name)| json!({ "user_id": id, "username": name }));
        self.change(|state| state.users = users.collect());
    }

    /// Everybody who is enrolling has finished now, or has not and never will.
    pub(crate) fn enrolled(&self, status: &'static str) {
        self.change(|state| {
            for (_, said) in state.enrolled.values_mut() {
                *said = status;
            }
        });
    }

    /// Somebody decides about the latest push: `result` and `status` of the API.
    pub(crate) fn decides(&self, result: &'static str, status: &'static str) {
        self.change(|state| {
            let latest = state.pushes.last_mut().expect("a push");
            latest.decision = Some((result, status));
        });
    }

    /// Somebody approves the latest push.
    pub(crate) fn approves(&self) {
        self.decides("allow", "allow");
    }

    /// Somebody refuses the latest push.
    pub(crate) fn denies(&self) {
        self.decides("deny", "deny");
    }

    /// The pushes so far; everything that it was asked was asked as it wants to be.
    #[track_caller]
    pub(crate) fn pushes(&self) -> Vec<Pushed> {
        let state = self.state();
        assert!(state.problems.is_empty(), "{:?}", state.problems);
        state.pushes.clone()
    }

    /// How often somebody was enrolled.
    #[track_caller]
    pub(crate) fn enrolments(&self) -> usize {
        self.state().enrolments
    }

    async fn until(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let mut changed = self.changed.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(30), async {
            while !is_so(&self.state()) {
                changed.changed().await.expect("it is ours");
            }
        });
        assert!(waited.await.is_ok(), "never: {what}");
    }

    /// Waits until it has sent so many pushes.
    pub(crate) async fn has_pushed(&self, count: usize) {
        self.until("a push", |state| state.pushes.len() >= count)
            .await;
    }

    /// Waits until it is asked what became of the latest push.
    pub(crate) async fn is_asked(&self) {
        let is_asked = |state: &State| state.pushes.last().is_some_and(|it| it.polls > 0);
        self.until("a question about a push", is_asked).await;
    }

    async fn serve(self, mut line: TcpStream) {
        let Some(request) = asked(&mut line).await else {
            return;
        };
        if let Err(problem) = self.check(&request) {
            self.change(|state| state.problems.push(problem));
            let said = json!({ "stat": "FAIL", "code": 40103, "message": "Invalid signature" });
            answer(&mut line, 401, &said).await;
            return;
        }
        if self.state().is_down {
            answer(&mut line, 503, &json!({ "stat": "FAIL" })).await;
            return;
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let (status, said) = match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/auth/v2/enroll") => self.enrol(&body),
            ("POST", "/auth/v2/enroll_status") => self.enrolment(&body),
            ("POST", "/auth/v2/auth") => {
                let Some(said) = self.push(&body) else {
                    tokio::time::sleep(Duration::from_mins(2)).await;
                    return;
                };
                said
            }
            ("GET", "/auth/v2/auth_status") => self.fate(&request).await,
            ("GET", "/admin/v1/users") => self.users(&request),
            (method, path) => {
                let problem = format!("nobody knows {method} {path}");
                self.change(|state| state.problems.push(problem));
                fail(404, 40401, "Resource not found")
            }
        };
        answer(&mut line, status, &said).await;
    }

    fn enrol(&self, body: &Value) -> (u16, Value) {
        let name = body["username"].as_str().unwrap_or_default().to_owned();
        let (user, code) = (format!("DU{}", random(18)), format!("duo://{}", random(20)));
        self.change(|state| {
            state.enrolments += 1;
            state
                .enrolled
                .insert(user.clone(), (code.clone(), "waiting"));
        });
        ok(json!({
            "user_id": user,
            "username": name,
            "activation_barcode": format!("https://{}/frame/qr?value={code}", self.address),
            "activation_code": code,
            "valid_secs": 86_400,
            "expiration": 1_800_000_000,
        }))
    }

    fn enrolment(&self, body: &Value) -> (u16, Value) {
        let user = body["user_id"].as_str().unwrap_or_default();
        let state = self.state();
        let known = state.enrolled.get(user);
        let known = known.filter(|(code, _)| body["activation_code"] == code.as_str());
        match known {
            Some((_, status)) => ok(json!(status)),
            None => ok(json!("invalid")),
        }
    }

    /// `None` where it never says anything.
    fn push(&self, body: &Value) -> Option<(u16, Value)> {
        let names: Vec<&str> = body
            .as_object()
            .map(|it| it.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let wanted = [
            "async",
            "device",
            "display_username",
            "factor",
            "ipaddr",
            "pushinfo",
            "type",
            "user_id",
        ];
        self.change(|state| {
            if names != wanted || body["async"] != "1" {
                state
                    .problems
                    .push(format!("a push is asked for by {body}"));
            }
            match state.mood {
                Mood::Refuses => return Some(fail(401, 40102, "Invalid integration key")),
                Mood::Fails => return Some(fail(500, 50000, "Oops")),
                Mood::Throttles(times) if times > 0 => {
                    state.mood = Mood::Throttles(times - 1);
                    return Some(fail(429, 42901, "Too Many Requests"));
                }
                _ => {}
            }
            let transaction = format!("{}-{}", random(8), random(8));
            state.pushes.push(Pushed {
                transaction: transaction.clone(),
                asked: body.clone(),
                decision: state.lets_everybody_in.then_some(("allow", "allow")),
                polls: 0,
            });
            let says = state.mood != Mood::SendsAndHangs;
            says.then(|| ok(json!({ "txid": transaction })))
        })
    }

    async fn fate(&self, request: &Asked) -> (u16, Value) {
        let transaction = request.query.strip_prefix("txid=").unwrap_or_default();
        let find = |state: &State| {
            let mut all = state.pushes.iter();
            all.position(|it| it.transaction == transaction)
        };
        let Some(at) = find(&self.state()) else {
            return fail(400, 40002, "Invalid request parameters");
        };
        let is_first = self.change(|state| {
            state.pushes[at].polls += 1;
            state.pushes[at].polls == 1
        });
        // At first there is something to say: that it was pushed.
        let holds = if is_first { Duration::ZERO } else { HOLDS };
        let mut changed = self.changed.subscribe();
        let decided = tokio::time::timeout(holds, async {
            loop {
                if let Some(decision) = self.state().pushes[at].decision {
                    return decision;
                }
                changed.changed().await.expect("it is ours");
            }
        });
        let (result, status) = decided.await.unwrap_or(("waiting", "pushed"));
        ok(json!({ "result": result, "status": status, "status_msg": "In words." }))
    }

    fn users(&self, request: &Asked) -> (u16, Value) {
        const PAGE: usize = 2;
        let offset = request.query.split('&').find_map(|pair| {
            let offset = pair.strip_prefix("offset=")?;
            offset.parse::<usize>().ok()
        });
        let (state, offset) = (self.state(), offset.unwrap_or(0));
        let page: Vec<&Value> = state.users.iter().skip(offset).take(PAGE).collect();
        let next = offset + PAGE;
        let next = (next < state.users.len()).then_some(next);
        let said = json!({
            "stat": "OK",
            "response": page,
            "metadata": { "next_offset": next, "total_objects": state.users.len() },
        });
        (200, said)
    }

    /// Whether a request is signed: signature version 5, as Duo publishes it.
    fn check(&self, request: &Asked) -> Result<(), String> {
        let header = |name: &str| {
            let found = request.headers.get(name).cloned();
            found.ok_or_else(|| format!("no header {name}: {request:?}"))
        };
        let (key, secret) = if request.path.starts_with("/admin/") {
            (&self.admin.0, &self.admin.1)
        } else {
            (&self.key, &self.secret)
        };
        let date = header("date")?;
        if !date.ends_with(" -0000") {
            return Err(format!("the date is {date}"));
        }
        let host = header("host")?;
        let host = host.split(':').next().unwrap_or_default();
        let digest = |bytes: &[u8]| encode_string(&Sha512::digest(bytes));
        let canonical = format!(
            "{date}\n{}\n{host}\n{}\n{}\n{}\n{}",
            request.method,
            request.path,
            request.query,
            digest(&request.body),
            digest(b"")
        );
        let mut mac = Hmac::<Sha512>::new_from_slice(secret.as_bytes()).expect("any key");
        mac.update(canonical.as_bytes());
        let signature = encode_string(&mac.finalize().into_bytes());
        let expected = format!("Basic {}", STANDARD.encode(format!("{key}:{signature}")));
        if header("authorization")? != expected {
            return Err(format!("a wrong signature of {canonical:?}"));
        }
        if request.method == "POST" && header("content-type")? != "application/json" {
            return Err("a body of another kind".to_owned());
        }
        Ok(())
    }
}

fn ok(response: impl Into<Value>) -> (u16, Value) {
    let response: Value = response.into();
    (200, json!({ "stat": "OK", "response": response }))
}

fn fail(status: u16, code: u32, message: &str) -> (u16, Value) {
    (
        status,
        json!({ "stat": "FAIL", "code": code, "message": message }),
    )
}

/// A request, read to its end.
#[derive(Debug)]
struct Asked {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

async fn asked(line: &mut TcpStream) -> Option<Asked> {
    let (head, body) = read(line).await?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines.filter_map(|line| line.split_once(": "));
    Some(Asked {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body,
    })
}

async fn answer(line: &mut TcpStream, status: u16, said: &Value) {
    let status = format!("{status} Said");
    let answer = http(&status, "application/json", &said.to_string());
    // Whoever asked may have gone.
    let _ = line.write_all(answer.as_bytes()).await;
}
