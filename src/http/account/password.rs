//! When the password was changed last, and where it is.

use actix_web::HttpResponse;

use super::{Owner, setting_up};
use crate::directory::user::has_usable_password;
use crate::http::Error;
use crate::web::account::{Password, Topic};

/// `GET /if/user/password/`
pub(super) async fn show(owner: &Owner<'_>) -> Result<HttpResponse, Error> {
    let user = &owner.user.value;
    let changed = has_usable_password(user).then(|| owner.past(user.password_change_date));
    let change = setting_up::password(owner).await?;
    let topic = Topic::Password(Password { changed, change });
    owner.page(&topic).await
}
