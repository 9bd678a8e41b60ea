//! Whether a password is none that the user had before. Source: authentik
//! `enterprise/policies/unique_password`.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::password::{NOT_SET, typed};
use super::{Error, Judged, Kind, Policy, Request};
use crate::catalog::conditions_with;
use crate::catalog::policy::policies_of_kind;
use crate::catalog::settings;
use crate::directory::{Keeping, PasswordHistory};
use crate::flow::field::{Invalid, Problem};
use crate::journal::object::{self, Versioned};
use crate::journal::{self, Objects};

/// The settings of a password uniqueness policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = UniquePasswordPolicy)]
pub struct UniquePasswordPolicy {
    /// The field of the prompt that holds the password, or else the entry of the context.
    #[serde(default = "password")]
    #[schema(min_length = 1)]
    pub password_field: String,
    /// How many former passwords it must differ from.
    #[serde(default = "one")]
    pub num_historical_passwords: u32,
}

fn password() -> String {
    "password".to_owned()
}

fn one() -> u32 {
    1
}

#[async_trait(?Send)]
impl Policy for UniquePasswordPolicy {
    async fn judge(&self, request: &Request<'_>) -> Result<Judged, Error> {
        let Some(password) = typed(request, &self.password_field).await? else {
            return Ok(Judged::new(false).saying(NOT_SET));
        };
        let most = usize::try_from(self.num_historical_passwords).unwrap_or(usize::MAX);
        let Some(user) = request.subject.user().filter(|_| most > 0) else {
            return Ok(Judged::new(true));
        };
        let (world, id) = (request.world, user.value.uuid);
        let history: Option<Versioned<PasswordHistory>> = object::get(world.objects(), id).await?;
        let former = history.map(|it| it.value.former).unwrap_or_default();
        for former in former.iter().take(most) {
            if world.fits(id, &former.hash, &password).await? {
                let message =
                    "This password has been used previously. Please choose a different one.";
                return Ok(Judged::new(false).saying(message));
            }
        }
        Ok(Judged::new(true))
    }

    fn problems(&self) -> Vec<Invalid> {
        if self.password_field.is_empty() {
            vec![Invalid::new("password_field", Problem::Blank)]
        } else {
            Vec::new()
        }
    }
}

/// What policies of this kind need of former passwords: they are recorded as long as one is bound
/// to something, and as many are kept as the most demanding of all asks for.
///
/// # Errors
/// When the journal cannot be read.
pub async fn keeping(objects: &(impl Objects + ?Sized)) -> journal::Result<Keeping> {
    let mut keeping = Keeping::default();
    for policy in policies_of_kind(objects, Kind::UniquePasswordPolicy.name()).await? {
        let policy = policy.value;
        // One that cannot be read fails whenever it is asked; it compares nothing.
        let read: Result<UniquePasswordPolicy, _> = settings::read(&policy.settings);
        let most = read.map_or(0, |it| it.num_historical_passwords);
        keeping.most = keeping
            .most
            .max(usize::try_from(most).unwrap_or(usize::MAX));
        if !keeping.records {
            let bindings = conditions_with(objects, policy.pk).await?;
            keeping.records = bindings.iter().any(|binding| binding.value.enabled);
        }
    }
    Ok(keeping)
}
