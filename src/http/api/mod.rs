//! The management API. Every route is one of the [`operation::Operation`]s of a table, from which
//! the description comes as well.

use std::sync::OnceLock;

use actix_web::http::Method as Verb;
use actix_web::{guard, web};
use serde_json::Value;

mod applications;
mod authenticators;
mod blueprints;
mod body;
mod brands;
mod call;
mod caller;
mod conditions;
mod countries;
mod directory;
mod duo;
mod email_templates;
mod events;
mod executions;
mod executor;
mod feed;
mod flow_actions;
mod flows;
mod form;
mod health;
mod history;
mod inspector;
mod invitations;
mod key_models;
mod kind;
mod listing;
mod mappings;
pub(super) mod operation;
mod partial;
mod policies;
mod policy_kinds;
mod prompts;
mod resource;
mod root;
mod schema;
mod sources;
mod stage_base;
mod stage_kinds;
mod stages;

pub(super) use brands::shown as current_brand;
pub(super) use root::shown as configuration;

use super::not_allowed;
use operation::{Method, Operation};

/// Every operation. Paths without parameters come before those with, since the first that fits
/// serves.
pub(super) fn operations() -> &'static [Operation] {
    static ALL: OnceLock<Vec<Operation>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = flows::operations();
        all.extend(applications::operations());
        all.extend(events::operations());
        all.extend(executions::operations());
        all.extend(feed::operations());
        all.extend(health::operations());
        all.extend(history::operations());
        all.extend(flow_actions::operations());
        all.extend(blueprints::operations());
        all.extend(directory::operations());
        all.extend(schema::operations());
        all.extend(authenticators::operations());
        all.extend(brands::operations());
        all.extend(countries::operations());
        all.extend(duo::operations());
        all.extend(executor::operations());
        all.extend(inspector::operations());
        all.extend(policies::operations());
        all.extend(root::operations());
        all.extend(stages::operations());
        all.extend(conditions::operations());
        all.extend(invitations::operations());
        all.extend(mappings::operations());
        all.extend(policy_kinds::operations());
        all.extend(prompts::operations());
        all.extend(sources::operations());
        all.extend(stage_kinds::operations());
        all.sort_by_key(|it| (it.path.contains('{'), it.path.clone(), it.method));
        all
    })
}

/// The description of every operation.
pub(super) fn description() -> &'static Value {
    static MADE: OnceLock<Value> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut components = schema::Components::default();
        flows::describe(&mut components);
        applications::describe(&mut components);
        partial::describe(&mut components);
        events::describe(&mut components);
        executions::describe(&mut components);
        health::describe(&mut components);
        flow_actions::describe(&mut components);
        blueprints::describe(&mut components);
        directory::describe(&mut components);
        schema::describe(&mut components);
        conditions::describe(&mut components);
        invitations::describe(&mut components);
        mappings::describe(&mut components);
        policy_kinds::describe(&mut components);
        prompts::describe(&mut components);
        sources::describe(&mut components);
        stage_kinds::describe(&mut components);
        schema::document(operations(), components)
    })
}

/// Adds the routes below `/api/v3`: those of the table, one resource for each path. Paths are compared
/// one after the other, so the executor's comes first: most of all requests are to it.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    let mut resources: Vec<_> = operations()
        .chunk_by(|one, other| one.path == other.path)
        .collect();
    resources.sort_by_key(|same| same[0].path != executor::PATH);
    for same in resources {
        let mut resource = web::resource(same[0].path.as_str());
        for operation in same {
            let route = match operation.method {
                Method::Get => web::route().guard(guard::Any(guard::Get()).or(guard::Head())),
                Method::Post => web::post(),
                Method::Put => web::put(),
                Method::Patch => web::method(Verb::PATCH),
                Method::Delete => web::delete(),
            };
            let serve = |request, payload, state, arrival| {
                operation.serve(request, payload, state, arrival)
            };
            resource = resource.route(route.to(serve));
        }
        app.service(if same[0].path == executor::PATH {
            resource.default_service(web::route().to(super::executor::other))
        } else {
            resource.default_service(web::route().to(not_allowed))
        });
    }
}

/// What a key of any sort is as a text.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
