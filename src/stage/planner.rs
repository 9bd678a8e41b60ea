//! Lays out the stages of a flow for one visitor. Source: authentik `flows/planner.py`.

use crate::catalog::binding::bindings_of;
use crate::catalog::{self, Flow};
use crate::directory;
use crate::directory::user::User;
use crate::flow::Context;
use crate::flow::context::key;
use crate::flow::model::Authentication;
use crate::flow::plan::{Pinned, Plan, PlannedStage};
use crate::journal::object::{self, Versioned};
use crate::world::World;

use super::Error;

/// What every refusal says that has nothing better to say.
const DOES_NOT_APPLY: &str = "Flow does not apply to current user.";

/// What somebody reads who comes without a valid link.
const NO_LINK: &str = "This link is invalid or has expired. Please request a new one.";

/// Why the flow's authentication requirement is not met; `None` when it is.
///
/// It looks at who is logged in, never at who is being identified.
pub(super) async fn requirement(
    world: &dyn World,
    flow: &Flow,
    user: Option<&Versioned<User>>,
    context: &Context,
) -> Result<Option<&'static str>, Error> {
    let met = match flow.authentication {
        Authentication::RequireToken if context.get(key::IS_RESTORED).is_none() => {
            return Ok(Some(NO_LINK));
        }
        Authentication::None | Authentication::RequireToken => true,
        Authentication::RequireAuthenticated => user.is_some(),
        Authentication::RequireUnauthenticated => user.is_none(),
        Authentication::RequireSuperuser => match user {
            Some(user) => directory::is_superuser(world.objects(), &user.value).await?,
            None => false,
        },
        Authentication::RequireRedirect => context.get(key::IS_REDIRECTED).is_some(),
        // There are no outposts in this version, so nobody is one.
        Authentication::RequireOutpost => false,
    };
    Ok((!met).then_some(DOES_NOT_APPLY))
}

/// The stages of the flow, in order, each pinned to the revision that it has now.
pub(super) async fn plan(world: &dyn World, flow: &Flow) -> Result<Plan, Error> {
    let objects = world.objects();
    let mut planned = Vec::new();
    for binding in bindings_of(objects, flow.pk).await? {
        let stage: Option<Versioned<catalog::Stage>> =
            object::get(objects, binding.value.stage).await?;
        // A binding whose stage was deleted binds nothing any more.
        let Some(stage) = stage else { continue };
        planned.push(PlannedStage {
            binding: Pinned {
                id: binding.value.pk,
                version: binding.version.0,
            },
            stage: Pinned {
                id: stage.value.pk,
                version: stage.version.0,
            },
            kind: stage.value.kind,
            name: stage.value.name,
            re_evaluate: binding.value.re_evaluate_policies,
            on_invalid: binding.value.invalid_response_action,
        });
    }
    Ok(planned.into_iter().collect())
}
