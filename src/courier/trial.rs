//! A mail that is sent at once, so that an operator sees whether mails arrive and, if not, why.

use uuid::Uuid;

use super::conversation::{Conversation, Handed, Told};
use super::delivery::NoRoute;
use super::message::Message;
use super::outbox::{Mail, State};
use super::problem::Problem;
use super::server::{Server, Way};
use super::{Courier, Outcome, folder};
use crate::journal;

const SUBJECT: &str = "A test of Gatelog's mails";
const TEXT: &str = "This mail was sent by `gatelog mail test`. It arrived: mails can be sent.\n";
const HTML: &str = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" \
    content=\"light dark\"></head><body style=\"font: 16px/25px sans-serif\"><p>This mail was sent by \
    <code>gatelog mail test</code>. It arrived: mails can be sent.</p></body></html>";

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Each step that went well, in a line.
    pub steps: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// What the server said when it refused. It may repeat the address.
    pub said: Option<String>,
    /// What helps, where it did not go well.
    pub remedy: Option<String>,
}

impl Courier {
    /// Sends a test mail to `address` by the settings of an e-mail stage, or by the global ones. It
    /// does not go through the outbox, and is tried once.
    ///
    /// # Errors
    /// Only when the journal cannot be read.
    pub async fn try_out(&self, address: &str, stage: Option<Uuid>) -> journal::Result<Trial> {
        let shared = &self.0;
        let now = shared.clock.now();
        let mail = Mail {
            id: shared.clock.ordered_id(),
            to_name: String::new(),
            to_address: address.to_owned(),
            from: None,
            subject: SUBJECT.to_owned(),
            html: HTML.to_owned(),
            text: TEXT.to_owned(),
            server: stage,
            execution: None,
            created: now,
            until: now,
            attempts: 0,
            due: now,
            state: State::Waiting,
        };
        let route = match shared.route(stage).await {
            Ok(route) => route,
            Err(NoRoute::Journal(error)) => return Err(error),
            Err(NoRoute::Wrong(problem)) => return Ok(Trial::wrong(problem)),
        };
        let message = match Message::of(&mail, &route.from) {
            Ok(message) => message,
            Err(problem) => return Ok(Trial::wrong(problem)),
        };
        Ok(match route.way {
            Way::Server(server) => send(&server, &message).await,
            Way::Folder(path) => {
                let written =
                    tokio::task::spawn_blocking(move || folder::write(&path, &mail, &message));
                match written.await {
                    Ok(Ok(path)) => Trial {
                        steps: vec![
                            "no mail server is set (email.host), so mails become files".to_owned(),
                            format!("the mail was written to {}", path.display()),
                        ],
                        outcome: Outcome::Sent,
                        said: None,
                        remedy: None,
                    },
                    Ok(Err(error)) => {
                        Trial::wrong(format!("it cannot be written to a file: {error}"))
                    }
                    Err(_) => Trial::wrong("it could not be written to a file".to_owned()),
                }
            }
        })
    }
}

async fn send(server: &Server, message: &Message) -> Trial {
    let mut steps = Told::new();
    let conversation = match Conversation::prepare(server, message, &mut steps).await {
        Ok(conversation) => conversation,
        Err(problem) => return Trial::ended(server, steps, &problem, false),
    };
    match conversation.hand_over(message).await {
        Handed::Taken(said) => {
            steps.push(format!("the server took the message: {said}"));
            Trial {
                steps,
                outcome: Outcome::Sent,
                said: None,
                remedy: None,
            }
        }
        Handed::Refused(problem) => Trial::ended(server, steps, &problem, false),
        Handed::Unknown(problem) => Trial::ended(server, steps, &problem, true),
    }
}

impl Trial {
    fn wrong(problem: String) -> Self {
        Self {
            steps: Vec::new(),
            outcome: Outcome::Failed { problem },
            said: None,
            remedy: None,
        }
    }

    fn ended(server: &Server, steps: Told, problem: &Problem, is_unknown: bool) -> Self {
        let outcome = if is_unknown {
            Outcome::Unknown
        } else {
            Outcome::Failed {
                problem: problem.to_string(),
            }
        };
        Self {
            steps,
            outcome,
            said: problem.said(),
            remedy: Some(if is_unknown {
                "The connection broke after the message had begun: look whether it arrived."
                    .to_owned()
            } else {
                problem.remedy(server)
            }),
        }
    }
}
