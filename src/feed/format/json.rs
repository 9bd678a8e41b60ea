//! An item as the journal has it, as one JSON object.
//!
//! What a command saw of the world is left out: it is of use for running it again, and for nothing
//! else.

use serde_json::{Value, json};

use crate::feed::Item;
use crate::feed::item::What;

pub(super) fn line(item: &Item) -> String {
    let (kind, more) = match &item.what {
        What::Execution(record) => (
            "execution",
            json!({
                "client": record.input.client,
                "request": record.input.request,
                "events": record.events,
            }),
        ),
        What::Change(change) => (
            "change",
            json!({ "author": change.author, "objects": change.objects }),
        ),
        What::Remark(remark) => (
            "remark",
            json!({
                "author": remark.author,
                "action": remark.action,
                "object": remark.object,
                "context": remark.context,
            }),
        ),
    };
    let mut whole = json!({
        "position": item.position,
        "at": item.at,
        "kind": kind,
        "id": item.id,
        "version": item.version,
        "correlation": item.correlation,
    });
    if let (Value::Object(whole), Value::Object(more)) = (&mut whole, more) {
        whole.extend(more);
    }
    whole.to_string()
}
