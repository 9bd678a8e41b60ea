//! What executions ask besides the journal and the hashes, who is asked, and who counts.

use std::sync::Arc;

use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::{Shared, duo, posting};
use crate::breaches::Breaches;
use crate::captcha::{Providers, Question};
use crate::courier::Courier;
use crate::courier::template::Templates;
use crate::duo::Duo;
use crate::expression::Workers;
use crate::flow::effect::{Effect, Outcome};
use crate::geoip::Geoip;
use crate::sms;
use crate::telemetry::Metrics;
use crate::traces::Tracer;
use crate::world::Call;

/// What executions ask besides the journal and the hashes. The default knows nothing.
#[derive(Clone, Default)]
pub struct Outside {
    /// The processes that run expressions.
    pub workers: Option<Workers>,
    /// Where addresses are.
    pub geoip: Arc<Geoip>,
    /// Which passwords were stolen.
    pub breaches: Arc<Breaches>,
    /// Who judges captchas.
    pub captcha: Arc<Providers>,
    /// Who sends text messages.
    pub sms: Arc<sms::Providers>,
    /// Who sends pushes.
    pub duo: Arc<Duo>,
    /// What mails are made from; without it there are none.
    pub letters: Option<Arc<Templates>>,
    /// Who sends them.
    pub courier: Option<Courier>,
    /// The scheme and host under which browsers reach the server, where the operator says so.
    pub public_url: Option<String>,
    /// What is counted.
    pub metrics: Metrics,
    /// Where spans come from.
    pub traces: Tracer,
}

impl Outside {
    /// Asks another server, once.
    pub(super) async fn carry_out(&self, shared: &Shared, execution: Uuid, call: Call) -> Outcome {
        let _turn = shared.turn(&call).await;
        let own = &self.duo;
        match call {
            Call::Captcha(question) => self.captcha(&question).await,
            Call::Sms(message) => self.sms(&message).await,
            Call::DuoPush {
                mut push, client, ..
            } => {
                push.domain = posting::domain(shared, &client).await;
                duo::push(own, &push).await
            }
            Call::DuoPushStatus {
                account,
                transaction,
                ..
            } => duo::fate(shared, execution, &account, &transaction).await,
            Call::DuoEnrolment {
                account, username, ..
            } => duo::enrol(shared, execution, &account, &username).await,
            Call::DuoEnrolmentStatus {
                account,
                user_id,
                activation_code,
                ..
            } => duo::enrolment_status(own, &account, &user_id, &activation_code).await,
            // The timer of the effect ends it.
            Call::Pause => std::future::pending().await,
        }
    }

    async fn captcha(&self, question: &Question) -> Outcome {
        match self.captcha.ask(question).await {
            Ok(answer) => Outcome::Answered { answer },
            Err(error) => {
                // The rest of an address may be a secret.
                let url = Url::parse(&question.url).ok();
                let provider = url.as_ref().and_then(Url::host_str);
                tracing::warn!(provider, %error, "a captcha could not be judged");
                Outcome::Failed {
                    problem: error.to_string(),
                }
            }
        }
    }

    /// Hands a text message over. What the provider says is an answer, also where it refuses.
    async fn sms(&self, message: &sms::Message) -> Outcome {
        let provider = message.host();
        match self.sms.send(message).await {
            Ok(answer) => {
                if !answer.is_taken() {
                    let status = answer.status;
                    tracing::warn!(provider, status, "a text message was refused");
                }
                Outcome::Answered {
                    answer: json!({ "status": answer.status, "said": answer.said }),
                }
            }
            Err(error) => {
                tracing::warn!(provider, %error, "a text message may not have been sent");
                match error {
                    sms::Error::Unreachable(_) => Outcome::Failed {
                        problem: error.to_string(),
                    },
                    sms::Error::Slow => Outcome::TimedOut,
                    sms::Error::Broken => Outcome::Unknown,
                }
            }
        }
    }

    /// The question that a server which is gone had asked, to be asked once more.
    ///
    /// # Errors
    /// What came of it, where it cannot be asked any more.
    pub(super) async fn again(&self, shared: &Shared, what: &Effect) -> Result<Call, Outcome> {
        duo::again(shared, what).await
    }
}
