//! The people and flows of a server that is there to be measured, as blueprints.

use serde_json::{Value, json};
use uuid::Uuid;

/// What everybody's name begins with.
pub(super) const NAME: &str = "visitor-";

/// The flow in which accounts are made.
pub(super) const ENROLMENT: &str = "bench-enrolment";

/// The flow that waits for a mailed link.
pub(super) const WAITS: &str = "bench-waits";

/// How many people one file makes: a commit has a largest size.
const AT_ONCE: usize = 200;

/// The slug of one of the many flows.
pub(super) fn flow(number: usize) -> String {
    format!("bench-flow-{number}")
}

/// The files and their names, in the order in which they are applied.
pub(super) fn blueprints(people: usize, encoded: &str, flows: usize) -> Vec<(String, Value)> {
    let numbers: Vec<usize> = (0..people).collect();
    let users = numbers.chunks(AT_ONCE).enumerate().map(|(file, numbers)| {
        let users = numbers.iter().map(|number| user(*number, encoded));
        (
            format!("people-{file}.yaml"),
            document(&users.collect::<Vec<_>>()),
        )
    });
    let mut files: Vec<_> = users.collect();
    files.push(("enrolment.yaml".to_owned(), document(&enrolment())));
    files.push(("waits.yaml".to_owned(), document(&waits())));
    files.push(("flows.yaml".to_owned(), document(&logins(flows))));
    files
}

fn document(entries: &[Value]) -> Value {
    json!({ "version": 1, "entries": entries })
}

fn user(number: usize, encoded: &str) -> Value {
    json!({
        "model": "authentik_core.user",
        "identifiers": { "username": format!("{NAME}{number}") },
        "attrs": {
            "name": "",
            "email": format!("{NAME}{number}@example.org"),
            "password_hash": encoded,
        },
    })
}

/// Identifiers that are the same in every server of this kind.
fn pk(number: usize) -> Uuid {
    let number = u128::try_from(number).unwrap_or(u128::MAX);
    Uuid::from_u128((0xbe << 120) | number)
}

fn new_flow(pk: Uuid, slug: &str, designation: &str) -> Value {
    json!({
        "model": "authentik_flows.flow",
        "identifiers": { "slug": slug, "pk": pk },
        "attrs": { "name": slug, "title": "A bench", "designation": designation },
    })
}

fn stage(model: &str, pk: Uuid, name: &str, attrs: &Value) -> Value {
    json!({
        "model": model,
        "identifiers": { "name": name, "pk": pk },
        "attrs": attrs,
    })
}

fn bound(flow: Uuid, stage: Uuid, order: u32) -> Value {
    json!({
        "model": "authentik_flows.flowstagebinding",
        "identifiers": { "target": flow, "stage": stage, "order": order },
    })
}

/// A name, an address and a password, typed on one page; then an account, and in.
fn enrolment() -> Vec<Value> {
    let (flow, typed, write, login) = (pk(0x10), pk(0x11), pk(0x12), pk(0x13));
    let fields = [
        ("username", "username"),
        ("name", "text"),
        ("email", "email"),
        ("password", "password"),
        ("password_repeat", "password"),
    ];
    let prompt = |(order, (key, kind)): (usize, (&str, &str))| {
        json!({
            "model": "authentik_stages_prompt.prompt",
            "identifiers": { "name": format!("bench-{key}"), "pk": pk(0x20 + order) },
            "attrs": {
                "field_key": key,
                "label": key,
                "type": kind,
                "required": true,
                "placeholder": "",
                "order": order,
            },
        })
    };
    let mut entries: Vec<Value> = fields.into_iter().enumerate().map(prompt).collect();
    let pks: Vec<Uuid> = (0..fields.len()).map(|order| pk(0x20 + order)).collect();
    entries.extend([
        new_flow(flow, ENROLMENT, "enrollment"),
        stage(
            "authentik_stages_prompt.promptstage",
            typed,
            "bench-prompt",
            &json!({ "fields": pks }),
        ),
        stage(
            "authentik_stages_user_write.userwritestage",
            write,
            "bench-user-write",
            &json!({ "user_creation_mode": "always_create" }),
        ),
        stage(
            "authentik_stages_user_login.userloginstage",
            login,
            "bench-enrolment-login",
            &json!({}),
        ),
        bound(flow, typed, 0),
        bound(flow, write, 10),
        bound(flow, login, 20),
    ]);
    entries
}

/// A name, and then a mail with a link. Mails are files, since there is no server for them.
fn waits() -> Vec<Value> {
    let (flow, who, mail) = (pk(0x30), pk(0x31), pk(0x32));
    vec![
        new_flow(flow, WAITS, "recovery"),
        identification(who, "bench-waits-who"),
        stage(
            "authentik_stages_email.emailstage",
            mail,
            "bench-waits-mail",
            // Everybody gets as many as are asked for.
            &json!({ "use_global_settings": true, "recovery_max_attempts": 1_000_000 }),
        ),
        bound(flow, who, 0),
        bound(flow, mail, 10),
    ]
}

/// Many flows that share their stages, each with bindings of its own.
fn logins(flows: usize) -> Vec<Value> {
    let (who, password, login) = (pk(0x40), pk(0x41), pk(0x42));
    let mut entries = vec![
        identification(who, "bench-who"),
        stage(
            "authentik_stages_password.passwordstage",
            password,
            "bench-password",
            &json!({ "backends": ["authentik.core.auth.InbuiltBackend"] }),
        ),
        stage(
            "authentik_stages_user_login.userloginstage",
            login,
            "bench-login",
            &json!({}),
        ),
    ];
    for number in 0..flows {
        let one = pk(0x1000 + number);
        entries.push(new_flow(one, &flow(number), "authentication"));
        entries.extend([
            bound(one, who, 0),
            bound(one, password, 10),
            bound(one, login, 20),
        ]);
    }
    entries
}

fn identification(pk: Uuid, name: &str) -> Value {
    stage(
        "authentik_stages_identification.identificationstage",
        pk,
        name,
        &json!({
            "user_fields": ["username"],
            "show_matched_user": false,
            "pretend_user_exists": true,
        }),
    )
}
