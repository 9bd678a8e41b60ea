//! What a blueprint that was sent would do, for whoever wants to know before it is applied.

use serde_json::{Map, Value};

use super::{import, refusal, trust};
use crate::blueprint::{self, Changed, Document, Options, Report};
use crate::directory::permission::Granted;
use crate::http::Error;
use crate::http::api::body::wrong;
use crate::http::api::call::Call;
use crate::journal::Write;

/// What it would do, as far as the caller may know.
pub(super) enum Drafted {
    /// This, by these writes.
    Would(Report, Vec<Write>),
    /// Nothing: it cannot be applied.
    Wrong(Vec<String>),
    /// Nothing: the caller may not have it applied.
    Untrusted(actix_web::HttpResponse),
}

/// Drafts the blueprint in the field `content`, called what `name` says. It needs the rights to
/// apply it.
///
/// # Errors
/// When there is none, or it cannot be tried at the moment.
pub(super) async fn draft(call: &Call, fields: &Map<String, Value>) -> Result<Drafted, Error> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let content = text("content").filter(|it| !it.trim().is_empty());
    let content = content.ok_or_else(|| wrong("content", "This field may not be blank."))?;
    let document = match Document::read(content, text("name").unwrap_or("blueprint")) {
        Ok(document) => document,
        Err(problems) => return Ok(Drafted::wrong(&problems)),
    };
    let granted = &call.caller()?.granted;
    if let Err(untrusted) = trust::check(granted, &document) {
        return Ok(Drafted::Untrusted(refusal(&untrusted)));
    }
    let author = call.author()?;
    let edit = call.edit(&author, call.arrival.id);
    let options = Options {
        dry_run: true,
        ..import::options(&edit, call)?
    };
    let state = &call.state;
    match blueprint::draft(&*state.journal, &state.clock, &[document], &options).await {
        Ok((mut report, writes)) => {
            hide(&mut report.changes, granted);
            Ok(Drafted::Would(report, writes))
        }
        Err(blueprint::Error::Invalid(problems)) => Ok(Drafted::wrong(&problems)),
        Err(error) => Err(import::failure(error)),
    }
}

impl Drafted {
    fn wrong(problems: &[blueprint::Problem]) -> Self {
        Self::Wrong(problems.iter().map(ToString::to_string).collect())
    }
}

/// Leaves out what was in objects that somebody may write but not look at.
fn hide(changes: &mut [Changed], granted: &Granted) {
    for change in changes {
        let sees = change.model.split_once('.');
        let sees = sees.is_some_and(|(app, noun)| granted.may(&format!("{app}.view_{noun}")));
        if !sees {
            for field in &mut change.fields {
                field.from = Value::Null;
            }
        }
    }
}

/// What is worth a look, as it is told.
pub(super) fn notes(report: &Report) -> Vec<String> {
    report.notes.iter().map(ToString::to_string).collect()
}
