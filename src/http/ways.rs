//! Where the page of a flow leads besides its form: what only a browser needs, and no client asks
//! for.

use serde_json::Value;

use super::location::login;
use super::session::Visitor;
use super::{Error, State};
use crate::catalog::Flow;
use crate::catalog::flow::flow_by_slug;
use crate::flow::model::Authentication;
use crate::flow::query::Query;
use crate::journal::object::{self, Versioned};
use crate::stage::DOES_NOT_APPLY;

/// Where a page leads.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ways {
    /// Whether the page may have a script of ours that it can do without.
    pub(super) enhanced: bool,
    /// Whether whoever was refused was so because they are logged in.
    pub(super) is_logged_in: bool,
    /// To a login that leads back here, for whoever was refused because they are not logged in.
    pub(super) login: Option<String>,
    /// To the usual login, for whoever is asked for a passkey and has none.
    pub(super) instead: Option<String>,
}

/// Where the page with this challenge, which has this address, leads.
pub(super) async fn of(
    state: &State,
    visitor: &Visitor,
    slug: &str,
    address: &str,
    challenge: &Value,
) -> Result<Ways, Error> {
    let text = |name: &str| challenge[name].as_str().unwrap_or_default();
    let flow = flow_by_slug(&*state.journal, slug).await?;
    let flow = flow.as_ref().map(|flow| &flow.value);
    let mut ways = Ways {
        enhanced: flow.is_some_and(|flow| !flow.compatibility_mode),
        ..Ways::default()
    };
    match text("component") {
        "ak-stage-access-denied" if text("error_message") == DOES_NOT_APPLY => {
            let wanted = flow.map(|flow| flow.authentication);
            let needs_user = matches!(
                wanted,
                Some(Authentication::RequireAuthenticated | Authentication::RequireSuperuser)
            );
            let is_known = visitor.user.is_some();
            ways.login = (needs_user && !is_known).then(|| login(address));
            ways.is_logged_in = is_known && wanted == Some(Authentication::RequireUnauthenticated);
        }
        "ak-stage-authenticator-validate" if text("pending_user").is_empty() => {
            ways.instead = usual_login(state, visitor, slug, address).await?;
        }
        _ => {}
    }
    Ok(ways)
}

/// The address of the host's usual login, unless this is it.
async fn usual_login(
    state: &State,
    visitor: &Visitor,
    slug: &str,
    address: &str,
) -> Result<Option<String>, Error> {
    let brand = state.brand(&visitor.client.host).await?;
    if let Some(usual) = brand.flow_authentication {
        let flow: Option<Versioned<Flow>> = object::get(&*state.journal, usual).await?;
        if flow.is_some_and(|flow| flow.value.slug.as_str() == slug) {
            return Ok(None);
        }
    }
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let query = Query::parse(query);
    Ok(Some(login(query.next().unwrap_or("/"))))
}
