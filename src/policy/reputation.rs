//! Passes for whoever failed too often: an address, a name, or either. Bound to a stage that
//! refuses or asks for more, it slows down guessing. Source: authentik `policies/reputation`.

use std::net::{IpAddr, Ipv4Addr};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Error, Judged, Policy, Request};
use crate::flow::field::{Invalid, Problem};
use crate::flow::verdict::Logged;

/// The address where there is no request; nobody fails from it.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::BROADCAST);

/// The settings of a reputation policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = ReputationPolicy)]
pub struct Reputation {
    /// Whether attempts from the visitor's address count.
    pub check_ip: bool,
    /// Whether attempts with the user's name count.
    pub check_username: bool,
    /// The highest score with which it passes.
    pub threshold: i32,
}

impl Default for Reputation {
    fn default() -> Self {
        Self {
            check_ip: true,
            check_username: true,
            threshold: -5,
        }
    }
}

#[async_trait(?Send)]
impl Policy for Reputation {
    async fn judge(&self, request: &Request<'_>) -> Result<Judged, Error> {
        let address = request.visit.map_or(NOWHERE, |visit| visit.client.address);
        let name = request.subject.username();
        let address = self.check_ip.then_some(address);
        let name = Some(name).filter(|name| self.check_username && !name.is_empty());
        let score = request.world.reputation(address, name).await?;
        let mut judged = Judged::new(score <= self.threshold.into());
        judged.log.push(Logged {
            level: "debug".to_owned(),
            text: format!("the score is {score}, the threshold {}", self.threshold),
        });
        Ok(judged)
    }

    fn problems(&self) -> Vec<Invalid> {
        if self.check_ip || self.check_username {
            return Vec::new();
        }
        let text = "Either IP or Username must be checked";
        vec![Invalid::new(Invalid::ALL_FIELDS, Problem::Other(text))]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::policy::Kind;

    #[test]
    fn a_policy_that_checks_nothing_is_refused() {
        let settings = |value: serde_json::Value| value.as_object().cloned().expect("an object");
        let validate = |value| Kind::Reputation.validate(&settings(value));
        let errors = validate(json!({ "check_ip": false, "check_username": false }));
        let errors = errors.expect_err("it checks nothing");
        let error = &errors["non_field_errors"][0];
        assert_eq!(error.string, "Either IP or Username must be checked");
        let filled = validate(json!({})).expect("the defaults are good");
        let defaults = json!({ "check_ip": true, "check_username": true, "threshold": -5 });
        assert_eq!(filled, settings(defaults));
    }
}
