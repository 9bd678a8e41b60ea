//! Importing a blueprint that is kept nowhere: from a file that is sent, or one of the watched folder.
//! Where flows were imported alone, in former years, the same is done.
//!
//! What became of it is told in the body: the status says only whether there was something to try.

use actix_web::{HttpResponse, web};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::form;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::schema::{Components, reference, words};
use super::{refusal, trust};
use crate::blueprint::edit::Edit;
use crate::blueprint::{self, Document, Host, Options, Problem};
use crate::http::Error;

/// What the log calls whoever writes it.
const LOGGER: &str = "blueprint";

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let form = || {
        Content::Form(json!({
            "type": "object",
            "properties": {
                "file": { "type": "string", "format": "binary" },
                "path": { "type": "string" },
            },
        }))
    };
    let result = || Content::One("BlueprintImportResult".to_owned());
    vec![
        Operation::new(
            Method::Post,
            "/managed/blueprints/import/",
            "managed_blueprints_import_create",
            import,
        )
        .takes(form())
        .answers(200, result()),
        Operation::new(
            Method::Post,
            "/flows/instances/import/",
            "flows_instances_import_create",
            import,
        )
        .takes(form())
        .answers(200, result()),
    ]
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let levels = [
        "critical",
        "exception",
        "error",
        "warn",
        "warning",
        "info",
        "debug",
        "notset",
    ];
    components.put("LogLevelEnum", words(&levels));
    components.put(
        "LogEvent",
        json!({
            "type": "object",
            "properties": {
                "timestamp": { "type": "string", "format": "date-time" },
                "log_level": reference("LogLevelEnum"),
                "logger": { "type": "string" },
                "event": { "type": "string" },
                "attributes": { "type": "object", "additionalProperties": {} },
            },
            "required": ["attributes", "event", "log_level", "logger", "timestamp"],
        }),
    );
    components.put(
        "BlueprintImportResult",
        json!({
            "type": "object",
            "properties": {
                "logs": { "type": "array", "items": reference("LogEvent"), "readOnly": true },
                "success": { "type": "boolean", "readOnly": true },
            },
            "required": ["logs", "success"],
        }),
    );
}

/// `POST /managed/blueprints/import/` and `POST /flows/instances/import/`
async fn import(mut call: Call) -> Answered {
    // Whoever may do nothing need not have anything read.
    if !call.caller()?.granted.may_anything() {
        return Err(Error::NotPermitted);
    }
    let parts = form::read(&mut call).await?;
    let now = call.state.clock.now();
    let text = |name: &str| {
        parts
            .get(name)
            .map(|it| String::from_utf8_lossy(it).into_owned())
    };
    let path = text("path").filter(|path| !path.is_empty());
    let content = match (text("file").filter(|file| !file.is_empty()), path) {
        (Some(file), _) => file,
        (None, Some(path)) => {
            let file = call.state.library.get(&path);
            let missing = "Blueprint file does not exist".to_owned();
            let missing = || Error::Invalid(vec![("path".to_owned(), missing)]);
            file.ok_or_else(missing)?.content.to_string()
        }
        (None, None) => return Ok(HttpResponse::BadRequest().json(result(false, &Vec::new()))),
    };
    let read = web::block(move || Document::read(&content, "import")).await;
    let read = read.map_err(|error| Error::Internal {
        cause: format!("the blueprint could not be read: {error}"),
    })?;
    let document = match read {
        Ok(document) => document,
        Err(problems) => {
            let logs = told(&problems, now);
            // A version that is not known is a blueprint all the same.
            let is_blueprint = problems
                .iter()
                .all(|it| it.message.contains("blueprint version"));
            let mut answer = if is_blueprint {
                HttpResponse::Ok()
            } else {
                HttpResponse::BadRequest()
            };
            return Ok(answer.json(result(false, &logs)));
        }
    };
    if let Err(untrusted) = trust::check(&call.caller()?.granted, &document) {
        return Ok(refusal(&untrusted));
    }
    let author = call.author()?;
    let edit = call.edit(&author, call.arrival.id);
    let options = options(&edit, &call)?;
    let state = &call.state;
    let applied = blueprint::apply(&*state.journal, &state.clock, &[document], &options).await;
    Ok(HttpResponse::Ok().json(match applied {
        Ok(report) => {
            let lines = report.lines().into_iter();
            result(
                true,
                &lines
                    .map(|line| log("info", &line, now))
                    .collect::<Vec<_>>(),
            )
        }
        Err(blueprint::Error::Invalid(problems)) => result(false, &told(&problems, now)),
        Err(error) => return Err(failure(error)),
    }))
}

/// How a blueprint is applied on a caller's behalf: it reads nothing of the machine.
///
/// # Errors
/// When nobody calls.
pub(super) fn options<'a>(edit: &Edit<'a>, call: &'a Call) -> Result<Options<'a>, Error> {
    Ok(Options {
        host: Host::Closed,
        passwords: edit.passwords,
        syntax: edit.syntax,
        correlation: Some(call.arrival.id),
        author: edit.author.clone(),
        turns: Some(edit.turns),
        granted: Some(&call.caller()?.granted),
        ..Options::default()
    })
}

/// Why a blueprint could not be tried.
pub(super) fn failure(error: blueprint::Error) -> Error {
    match error {
        blueprint::Error::Journal(error) => error.into(),
        error @ (blueprint::Error::Busy(_) | blueprint::Error::Unchecked(_)) => {
            Error::Unavailable {
                cause: error.to_string(),
            }
        }
        blueprint::Error::Invalid(problems) => Error::Internal {
            cause: format!("{} problems were not told", problems.len()),
        },
    }
}

fn result(success: bool, logs: &[Value]) -> Value {
    json!({ "success": success, "logs": logs })
}

fn told(problems: &[Problem], at: Timestamp) -> Vec<Value> {
    let lines = problems.iter().map(ToString::to_string);
    lines.map(|line| log("error", &line, at)).collect()
}

fn log(level: &str, event: &str, at: Timestamp) -> Value {
    json!({
        "timestamp": at,
        "log_level": level,
        "logger": LOGGER,
        "event": event,
        "attributes": {},
    })
}
