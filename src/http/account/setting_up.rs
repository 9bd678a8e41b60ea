//! Where somebody sets up a second factor, or another password: the flows that the stages which ask
//! for them name.

use std::collections::HashMap;

use crate::catalog::flow::flow_by_slug;
use crate::catalog::{Flow, Stage, bindings_of};
use crate::flow::query::Query;
use crate::http::Error;
use crate::journal::object::{self, Versioned};
use crate::policy::Asker;
use crate::stage::configure_flow;
use crate::web::account::Offer;

use super::Owner;
use super::owner::coming_back;

/// The flow that changes a password where no stage names one.
const PASSWORD: &str = "default-password-change";

/// The page that says that the password was changed, if it was just now.
const CHANGED: &str = "password/?done=changed";

/// The classes of second factors in the order of the page: those first that are best.
const CLASSES: [&str; 6] = ["webauthn", "totp", "duo", "sms", "email", "static"];

/// The second factors that the user can set up.
pub(super) async fn offers(owner: &Owner<'_>) -> Result<Vec<Offer>, Error> {
    let mut found: Vec<(usize, Stage, Flow)> = Vec::new();
    for stage in stages(owner).await? {
        let class = stage.kind.strip_prefix("authenticator_");
        let Some(place) = CLASSES.iter().position(|it| Some(*it) == class) else {
            continue;
        };
        let Some(flow) = flow_of(owner, &stage).await? else {
            continue;
        };
        let is_same = |it: &(usize, Stage, Flow)| it.0 == place && it.2.pk == flow.pk;
        if !found.iter().any(is_same) {
            found.push((place, stage, flow));
        }
    }
    found.sort_by_key(|(place, _, _)| *place);
    let mut of_class: HashMap<usize, usize> = HashMap::new();
    for (place, _, _) in &found {
        *of_class.entry(*place).or_default() += 1;
    }
    let offer = |(place, stage, _): (usize, Stage, Flow)| Offer {
        class: CLASSES[place].to_owned(),
        name: (of_class[&place] > 1).then(|| called(&stage)),
        address: address(&stage, "devices/"),
    };
    Ok(found.into_iter().map(offer).collect())
}

/// Where the user changes the password: by the stage of the host's own login, if that names a flow
/// for it.
pub(super) async fn password(owner: &Owner<'_>) -> Result<Option<String>, Error> {
    let mut asking: Vec<Stage> = stages(owner).await?;
    asking.retain(|stage| stage.kind == "password");
    let brand = owner.state.brand(&owner.visitor.client.host).await?;
    if let Some(login) = brand.flow_authentication {
        let bound = bindings_of(owner.journal(), login).await?;
        let is_own = |stage: &Stage| bound.iter().any(|it| it.value.stage == stage.pk);
        asking.sort_by_key(|stage| !is_own(stage));
    }
    for stage in asking {
        if flow_of(owner, &stage).await?.is_some() {
            return Ok(Some(address(&stage, CHANGED)));
        }
    }
    let flow = flow_by_slug(owner.journal(), PASSWORD).await?;
    Ok(flow.map(|flow| page(&flow.value, CHANGED)))
}

/// The page of a flow that comes back to the page at `path` below ours.
pub(super) fn page(flow: &Flow, path: &str) -> String {
    coming_back(&format!("/if/flow/{}/", flow.slug), path)
}

fn address(stage: &Stage, path: &str) -> String {
    coming_back(&format!("/flows/-/configure/{}/", stage.pk), path)
}

/// All stages, by name.
async fn stages(owner: &Owner<'_>) -> Result<Vec<Stage>, Error> {
    let all: Vec<Versioned<Stage>> = object::all(owner.journal()).await?;
    let mut all: Vec<Stage> = all.into_iter().map(|it| it.value).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// The flow that a stage names, if it is for the user.
async fn flow_of(owner: &Owner<'_>, stage: &Stage) -> Result<Option<Flow>, Error> {
    let Some(flow) = configure_flow(stage) else {
        return Ok(None);
    };
    let found: Option<Versioned<Flow>> = object::get(owner.journal(), flow).await?;
    let Some(Versioned { value: flow, .. }) = found else {
        return Ok(None);
    };
    let asker = Asker {
        client: &owner.visitor.client,
        query: &Query::parse(""),
        path: owner.request.path().to_owned(),
        is_answer: false,
        user: Some(owner.user.clone()),
    };
    let applies = owner.state.executions.applies(&flow, asker).await?;
    Ok(applies.then_some(flow))
}

/// What the operator calls a stage towards its users.
fn called(stage: &Stage) -> String {
    let own = stage.settings.get("friendly_name");
    let own = own.and_then(|name| name.as_str());
    own.filter(|name| !name.is_empty())
        .unwrap_or(&stage.name)
        .to_owned()
}
