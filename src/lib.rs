//! Gatelog executes authentication flows and remembers every step.
//!
//! # The map
//!
//! Each module may use the ones below it in this picture, never one above; a test
//! (`tests/it/architecture.rs`) reads the sources and holds them to it.
//!
//! ```text
//! main -> cli -> load
//!                 |
//!                app
//!                 |
//!              http, web
//!                 |
//!        erasure, forward
//!                 |
//!   execution, replay, blueprint, audit
//!                 |
//!               stage
//!                 |
//!              policy
//!                 |
//!               world
//!                 |
//!         catalog, directory
//!                 |
//!               flow              beside them: journal, feed, expression, geoip, breaches,
//!                                 captcha, sms, duo, courier, tls, webauthn,
//!                                 telemetry, traces, process, clock,
//!                                 settings
//! ```
//!
//! | module | what it is for | what it may not do |
//! |---|---|---|
//! | [`flow`] | what can happen to an execution: commands, events, and the two functions between them, [`flow::decide`] and [`flow::evolve`] | anything but compute: no clock, no store, no IO, nothing of ours |
//! | [`catalog`] | what an operator configures: flows, stages, bindings, brands | commit; know what a stage does |
//! | [`policy`] | who may use a flow and which stages a plan holds: the engine, and one file for each kind of policy | see anything but its `Request` |
//! | [`directory`] | who there is: users, groups, sessions, tokens, passwords | know of HTTP; commit, but in its `command` and `device_command` |
//! | [`world`] | the window through which a stage sees catalog and directory: live it notes every answer, in a replay it gives the noted one | decide |
//! | [`stage`] | one file for each kind of stage: its settings, its question, its judgement | see anything but its `Turn` |
//! | [`execution`] | the actors: one for each execution, one command at a time, an answer only after the commit | know of HTTP |
//! | [`replay`] | reads executions back, and runs them again to compare | write |
//! | [`blueprint`] | files that say which objects there are to be | know of HTTP; read the machine but through its `Host` |
//! | [`audit`] | audit events as authentik's clients know them, read out of the journal | decide anything; be depended on by what it tells of |
//! | [`erasure`] | removes a person from everything that can be read, and says what it came to | remove anything else; know of HTTP |
//! | [`forward`] | forward authentication: whether a request to an application may pass, and as whom | know of HTTP; write |
//! | [`feed`] | the journal told to others as it grows: formats, the webhook, standard output | say who may read; leave anything out |
//! | [`web`] | pages from texts, texts from forms | look anything up; know status codes |
//! | [`http`] | thin handlers: read the request, call, map the answer; also the operator's routes | decide what a flow does next |
//! | [`load`] | makes load: visitors, their conversations, what those took; and a server of its own to bear it | look inside the server; reach another machine unless that is meant |
//! | [`app`] | puts everything together, and names the concrete journal | decide anything about a request |
//! | [`cli`] | one file for each command; speaks to the operator's routes | reach the journal past them, but to verify and to rebuild it |
//! | [`journal`] | streams of sealed, chained records behind one trait; `journal::sled` is the one on disk, `journal::postgres` the one that nodes share, `journal::memory` the one for tests | know what a body means; use anything of ours but [`clock`] |
//! | [`expression`] | runs Python expressions in worker processes | know users, flows or what a result is for |
//! | [`geoip`] | where an address is | judge it |
//! | [`breaches`] | how often a password was stolen: a file, a directory or a server | judge it; let anything of a password out but five digits of its hash |
//! | [`courier`] | mails: letters from templates, the outbox, and how a mail server gets them | know what an execution is, or what a letter is for; send a mail twice |
//! | [`captcha`] | asks a captcha's provider what it thinks of an answer | judge it |
//! | [`webauthn`] | checks what security keys and passkeys say | anything but compute; know users |
//! | [`sms`] | hands text messages to a provider | judge what it answers; send a message twice |
//! | [`duo`] | speaks with Duo: signs, sends pushes, asks what became of them | judge it; send a push twice |
//! | [`tls`] | the clients with which this program calls others | send anything |
//! | [`telemetry`] | what is counted and measured, and its text | look anything up; hold anything of a visitor; serve anything |
//! | [`traces`] | what requests and commands took, as spans for a collector of OpenTelemetry | hold anything of a visitor; keep anybody waiting |
//! | [`settings`] | every setting, its default and its origin | carry anything out |
//! | [`process`] | processor time and memory of processes, as the system tells them | anything but look |
//! | [`clock`] | the only reader of time and randomness | |
//!
//! # Where to start reading
//!
//! Follow one answer on its way down and up: `http::executor` (the request), `execution::actor`
//! (its turn), `stage::run` (who is asked, and what came of it), [`flow::decide`] and
//! [`flow::evolve`] (the events), `execution::commit` (what is written together),
//! [`journal::Journal`] (the trait), `journal::sled::writer` (the disk).
//!
//! `docs/concepts.md` tells the same as a story, `docs/decisions/` why it is so, and
//! `docs/contributing.md` where a new stage kind, event or setting goes.

pub mod app;
pub mod audit;
pub mod blueprint;
pub mod breaches;
pub mod captcha;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod courier;
pub mod directory;
pub mod duo;
pub mod erasure;
pub mod execution;
pub mod expression;
pub mod feed;
pub mod flow;
pub mod forward;
pub mod geoip;
pub mod http;
pub mod journal;
pub mod load;
pub mod policy;
pub mod process;
pub mod replay;
pub mod settings;
pub mod sms;
pub mod stage;
pub mod telemetry;
pub mod tls;
pub mod traces;
pub mod web;
pub mod webauthn;
pub mod world;
