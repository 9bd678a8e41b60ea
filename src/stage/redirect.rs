//! Sends the visitor somewhere else. Source: authentik `stages/redirect`.
//!
//! This version knows static targets only.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::field::{Field, Shape};
use super::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::flow::context::key;
use crate::flow::field::{Invalid, Problem};

/// The settings of a redirect stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// Whether it leads to an address or to a flow.
    pub mode: Mode,
    /// The address; may lead to another server, since an operator wrote it.
    #[serde(default)]
    pub target_static: String,
    /// The flow.
    #[serde(default)]
    pub target_flow: Option<Uuid>,
    /// Whether the flow starts with what this one learnt.
    #[serde(default = "yes")]
    pub keep_context: bool,
}

/// Where a redirect stage leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// To an address.
    Static,
    /// To another flow.
    Flow,
}

fn yes() -> bool {
    true
}

impl Redirect {
    /// Where to; a policy may have said otherwise.
    fn target<'a>(&'a self, turn: &'a Turn<'_>) -> Option<&'a str> {
        let told = turn.running.context.text(key::REDIRECT_STAGE_TARGET);
        let target = told
            .filter(|target| !target.is_empty() && !target.starts_with("ak-flow://"))
            .unwrap_or(&self.target_static);
        (!target.is_empty()).then_some(target)
    }
}

#[async_trait(?Send)]
impl Stage for Redirect {
    const COMPONENT: &'static str = "xak-flow-redirect";

    const FIELDS: &'static [Field] = &[Field {
        name: "to",
        shape: Shape::RequiredText,
        secret: false,
    }];

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        Ok(match self.target(turn) {
            Some(_) => Entered::Asks,
            None => Entered::Denied(
                "No target found for Redirect stage. \
                 The stage's target_flow may have been deleted."
                    .to_owned(),
            ),
        })
    }

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let to = self.target(turn).unwrap_or("/").to_owned();
        Ok(Map::from_iter([("to".to_owned(), to.into())]))
    }

    async fn judge(&self, _: Response, _: &mut Turn<'_>) -> Result<Verdict, Error> {
        Ok(Verdict::Passed)
    }

    fn problems(&self) -> Vec<Invalid> {
        let problem = match self.mode {
            Mode::Static if self.target_static.trim().is_empty() => {
                "Target URL should be present when mode is Static."
            }
            Mode::Static if has_dangerous_scheme(&self.target_static) => {
                "Target URL should be a path or an http(s) address."
            }
            Mode::Flow if self.target_flow.is_none() => {
                "Target Flow should be present when mode is Flow."
            }
            Mode::Flow => "Redirects to a flow are not supported by this version.",
            Mode::Static => return Vec::new(),
        };
        vec![Invalid::new(Invalid::ALL_FIELDS, Problem::Other(problem))]
    }
}

/// Whether a browser would run the address instead of opening it.
fn has_dangerous_scheme(address: &str) -> bool {
    url::Url::parse(address.trim())
        .is_ok_and(|url| matches!(url.scheme(), "javascript" | "data" | "vbscript"))
}
