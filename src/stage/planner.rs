//! Who may start a flow at all. Source: authentik `flows/planner.py`.

use crate::catalog::Flow;
use crate::directory;
use crate::directory::user::User;
use crate::flow::Context;
use crate::flow::client::Client;
use crate::flow::context::key;
use crate::flow::model::Authentication;
use crate::journal::object::Versioned;
use crate::world::World;

use super::Error;

/// What every refusal says that has nothing better to say.
pub const DOES_NOT_APPLY: &str = "Flow does not apply to current user.";

/// What somebody reads who comes without a valid link.
pub(super) const NO_LINK: &str = "This link is invalid or has expired. Please request a new one.";

/// Why the flow's authentication requirement is not met; `None` when it is.
///
/// It looks at who is logged in, never at who is being identified.
pub(super) async fn requirement(
    world: &dyn World,
    flow: &Flow,
    user: Option<&Versioned<User>>,
    client: &Client,
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
        Authentication::RequireOutpost => client.outpost.is_some(),
    };
    Ok((!met).then_some(DOES_NOT_APPLY))
}
