//! The schemas of executions.

use serde_json::json;

use crate::http::api::schema::shape::{Member, Of, has, may, object};
use crate::http::api::schema::{Components, reference};
use crate::replay::STATES;

/// What running an execution again came to, beside the word for it.
const RAN: &[Member] = &[
    may("records", Of::Number),
    may("version", Of::Number),
    may("event", Of::Number),
    may("observation", Of::Number),
    may("at", Of::OrNull(&Of::To("ExecutionDefinition"))),
    may("problem", Of::Text),
    may("recorded", Of::List(&Of::Text)),
    may("recorded_json", Of::OrNull(&Of::Object)),
    may("replayed", Of::List(&Of::Text)),
    may("replayed_json", Of::OrNull(&Of::Object)),
];

/// What a list shows.
const SUMMARY: &[Member] = &[
    has("execution", Of::Format("uuid")),
    has("code", Of::Text),
    has("started", Of::Format("date-time")),
    has("last", Of::Format("date-time")),
    has("flow", Of::Text),
    has("flow_id", Of::Format("uuid")),
    has("user", Of::OrNull(&Of::To("ExecutionPerson"))),
    has("typed", Of::OrNull(&Of::Text)),
    has("address", Of::Text),
    has("state", Of::To("ExecutionStateEnum")),
    has("detail", Of::Text),
];

/// What is known of one besides.
const FACTS: &[Member] = &[
    has("session", Of::Format("uuid")),
    has("user_agent", Of::Text),
    has("path", Of::List(&Of::Text)),
    has("ahead", Of::List(&Of::To("ExecutionStage"))),
    has("challenge", Of::OrNull(&Of::To("ExecutionChallenge"))),
    has("problem", Of::OrNull(&Of::Text)),
    has("people", Of::Each(&Of::To("ExecutionPerson"))),
    has("steps", Of::List(&Of::To("ExecutionStep"))),
];

const OBJECTS: &[(&str, &[Member])] = &[
    (
        "ExecutionPerson",
        &[
            has("uuid", Of::Format("uuid")),
            has("pk", Of::Number),
            has("username", Of::Text),
            has("name", Of::Text),
        ],
    ),
    (
        "ExecutionStage",
        &[
            has("name", Of::Text),
            has("kind", Of::Text),
            has("stage", Of::Format("uuid")),
        ],
    ),
    (
        "ExecutionChallenge",
        &[has("number", Of::Number), has("component", Of::Text)],
    ),
    (
        "ExecutionStep",
        &[
            has("version", Of::Number),
            has("at", Of::Format("date-time")),
            has("request", Of::Format("uuid")),
            has("address", Of::Text),
            has("asked", Of::Text),
            has("events", Of::List(&Of::To("ExecutionEvent"))),
        ],
    ),
    (
        "ExecutionEvent",
        &[
            has("kind", Of::Text),
            has("stage", Of::OrNull(&Of::Text)),
            has("lines", Of::List(&Of::Text)),
            has("details", Of::Object),
        ],
    ),
    (
        "ExecutionDefinition",
        &[
            has("what", Of::Text),
            has("kind", Of::Text),
            has("name", Of::Text),
            has("id", Of::Format("uuid")),
            has("version", Of::Number),
        ],
    ),
    (
        "ExecutionsVerifyRequest",
        &[
            may("before", Of::OrNull(&Of::Format("uuid"))),
            may("since", Of::OrNull(&Of::Format("date-time"))),
            may("limit", Of::Number),
        ],
    ),
    (
        "ExecutionsVerified",
        &[
            has("results", Of::List(&Of::To("ExecutionRanAgain"))),
            has("next", Of::OrNull(&Of::Format("uuid"))),
        ],
    ),
    (
        "ExecutionBundle",
        &[
            has("format", Of::Number),
            has("gatelog", Of::Text),
            has("execution", Of::Format("uuid")),
            has("code", Of::Text),
            has("personal", Of::Flag),
            may("problem", Of::OrNull(&Of::Text)),
            has("schema", Of::Number),
            has("records", Of::List(&Of::Object)),
            has("objects", Of::List(&Of::To("ExecutionRevision"))),
        ],
    ),
    (
        "ExecutionRevision",
        &[
            has("kind", Of::Text),
            has("id", Of::Format("uuid")),
            has("version", Of::Number),
            has("at", Of::Format("date-time")),
            has("schema", Of::Number),
            has("body", Of::Object),
        ],
    ),
];

/// What an execution was at one of its events.
const STATE: &[(&str, &[Member])] = &[
    (
        "ExecutionPlace",
        &[has("version", Of::Number), has("event", Of::Number)],
    ),
    (
        "ExecutionNode",
        &[
            has("name", Of::Text),
            has("kind", Of::OrNull(&Of::Text)),
            has("stage", Of::OrNull(&Of::Format("uuid"))),
            has("binding", Of::OrNull(&Of::Format("uuid"))),
            has(
                "how",
                Of::Word(&[
                    "flow", "passed", "skipped", "here", "failed", "denied", "left", "ahead",
                ]),
            ),
            has("by", Of::OrNull(&Of::Text)),
            has("reasons", Of::List(&Of::Text)),
            has("refused", Of::Number),
            has("from", Of::OrNull(&Of::To("ExecutionPlace"))),
            has("to", Of::OrNull(&Of::To("ExecutionPlace"))),
        ],
    ),
    (
        "ExecutionKnown",
        &[
            has("key", Of::Text),
            has("value", Of::Object),
            has("text", Of::Text),
            has("by", Of::OrNull(&Of::Text)),
            has("since", Of::OrNull(&Of::To("ExecutionPlace"))),
        ],
    ),
    (
        "ExecutionShown",
        &[
            has("component", Of::Text),
            has("number", Of::OrNull(&Of::Number)),
            has("fields", Of::Object),
            has("errors", Of::OrNull(&Of::Object)),
        ],
    ),
    (
        "ExecutionWaiting",
        &[
            has("what", Of::Text),
            has("until", Of::OrNull(&Of::Format("date-time"))),
        ],
    ),
    (
        "ExecutionChange",
        &[
            has("what", Of::Text),
            has("was", Of::OrNull(&Of::Text)),
            has("is", Of::OrNull(&Of::Text)),
        ],
    ),
    (
        "ExecutionPinned",
        &[has("id", Of::Format("uuid")), has("version", Of::Number)],
    ),
    (
        "ExecutionState",
        &[
            has("place", Of::To("ExecutionPlace")),
            has("at", Of::Format("date-time")),
            has("event", Of::OrNull(&Of::To("ExecutionEvent"))),
            has("state", Of::Text),
            has("detail", Of::Text),
            has("flow", Of::OrNull(&Of::To("ExecutionPinned"))),
            has("slug", Of::Text),
            has("way", Of::List(&Of::To("ExecutionNode"))),
            has("context", Of::List(&Of::To("ExecutionKnown"))),
            has("shown", Of::OrNull(&Of::To("ExecutionShown"))),
            has("waits", Of::List(&Of::To("ExecutionWaiting"))),
            has("changes", Of::List(&Of::To("ExecutionChange"))),
            has("people", Of::Each(&Of::To("ExecutionPerson"))),
        ],
    ),
];

/// Adds them.
pub(super) fn describe(components: &mut Components) {
    components.put("ExecutionStateEnum", Of::Word(&STATES).schema());
    for (name, members) in OBJECTS.iter().chain(STATE) {
        components.put(name, object(members.iter().copied()));
    }
    let verified = [has("outcome", Of::Word(&["same", "diverged"]))];
    let verified = verified.iter().chain(RAN);
    components.put("ExecutionVerified", object(verified.copied()));
    let again = [
        has("execution", Of::Format("uuid")),
        has("code", Of::Text),
        has(
            "outcome",
            Of::Word(&["same", "diverged", "unreadable", "not_run"]),
        ),
    ];
    let again = again.iter().chain(RAN);
    components.put("ExecutionRanAgain", object(again.copied()));
    components.put("ExecutionSummary", object(SUMMARY.iter().copied()));
    let all = SUMMARY.iter().chain(FACTS);
    components.put("Execution", object(all.copied()));
    components.put(
        "ExecutionPage",
        json!({
            "type": "object",
            "properties": {
                "results": { "type": "array", "items": reference("ExecutionSummary") },
                "next": { "type": ["string", "null"], "format": "uuid" },
                "read": { "type": "integer" },
                "unreadable": { "type": "integer" },
            },
            "required": ["results", "next", "read", "unreadable"],
        }),
    );
}
