//! Sends the visitor to an address, or into another flow. Source: authentik `stages/redirect`.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::field::{Field, Shape};
use super::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::catalog::flow::flow_by_slug;
use crate::flow::context::key;
use crate::flow::field::{Invalid, Problem};

/// The settings of a redirect stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = RedirectStage)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RedirectStageModeEnum)]
pub enum Mode {
    /// To an address.
    Static,
    /// To another flow.
    Flow,
}

fn yes() -> bool {
    true
}

/// What a refusal says that has no target.
pub(super) const NO_TARGET: &str =
    "No target found for Redirect stage. The stage's target_flow may have been deleted.";

/// How a policy names a flow instead of an address.
const FLOW_SCHEME: &str = "ak-flow://";

/// Where a redirect stage leads in the end.
enum Target<'a> {
    Address(&'a str),
    Flow(Uuid),
}

impl Redirect {
    /// Where to; a policy may have said otherwise. A flow that nobody knows counts as not said.
    async fn target<'a>(&'a self, turn: &'a Turn<'_>) -> Result<Option<Target<'a>>, Error> {
        let told = turn.running.context.text(key::REDIRECT_STAGE_TARGET);
        if let Some(told) = told.filter(|told| !told.is_empty()) {
            let Some(slug) = told.strip_prefix(FLOW_SCHEME) else {
                return Ok(Some(Target::Address(told)));
            };
            let slug = slug.trim_end_matches('/');
            if let Some(flow) = flow_by_slug(turn.world.objects(), slug).await? {
                return Ok(Some(Target::Flow(flow.value.pk)));
            }
        }
        let target = match self.mode {
            Mode::Static => Some(self.target_static.as_str())
                .filter(|target| !target.is_empty())
                .map(Target::Address),
            Mode::Flow => self.target_flow.map(Target::Flow),
        };
        Ok(target)
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
        Ok(match self.target(turn).await? {
            Some(Target::Address(_)) => Entered::Asks,
            Some(Target::Flow(flow)) => Entered::Redirected {
                flow,
                keep_context: self.keep_context,
            },
            None => Entered::Denied(NO_TARGET.to_owned()),
        })
    }

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        // Only an address asks; what a policy says of it later counts for nothing.
        let to = match self.target(turn).await? {
            Some(Target::Address(to)) => to.to_owned(),
            _ => "/".to_owned(),
        };
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
            Mode::Static | Mode::Flow => return Vec::new(),
        };
        vec![Invalid::new(Invalid::ALL_FIELDS, Problem::Other(problem))]
    }
}

/// Whether a browser would run the address instead of opening it.
fn has_dangerous_scheme(address: &str) -> bool {
    url::Url::parse(address.trim())
        .is_ok_and(|url| matches!(url.scheme(), "javascript" | "data" | "vbscript"))
}
