//! What refers to an object, and what becomes of that when it goes.
//!
//! Source: authentik `core/api/used_by.py`.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::super::call::Call;
use super::super::operation::Answered;
use super::Resource;
use super::find::found;
use crate::blueprint::edit::{Miss, Object, Staged, Use, ask, uses};

/// `GET /<path>/<key>/used_by/`: those that the caller may see.
pub(super) async fn used_by(resource: &Resource, call: Call) -> Answered {
    let mut staged = Staged::default();
    let object = found(resource, &call, &mut staged).await?;
    let look = |staged: &Staged| -> Result<Vec<(Object, Use)>, Miss> {
        let found = uses(&object, staged)?.into_iter();
        Ok(found.map(|(object, how)| (object.clone(), how)).collect())
    };
    let granted = &call.caller()?.granted;
    let found = ask(&mut staged, &*call.state.journal, look).await?;
    let shown: Vec<Value> = found
        .into_iter()
        .filter_map(|(object, how)| {
            let model = object.model_name();
            let (app, noun) = model.split_once('.')?;
            let id = super::super::text(&object.pk());
            granted.may_of(&format!("{app}.view_{noun}"), &id).then(|| {
                json!({
                    "app": app,
                    "model_name": noun,
                    "pk": id,
                    "name": object.name(),
                    "action": how.as_str(),
                })
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(shown))
}
