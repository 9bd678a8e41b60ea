//! Users, groups, roles, tokens and sessions through the API, and what nobody can give themselves.

use super::*;
use crate::directory::permission::granted;
use crate::directory::role::OnObject;
use crate::directory::{Group, Role, UserConsent, group_by_name, sessions_of, user_by_username};
use crate::journal::object::Versioned;

mod accounts;
mod giving;
mod roles;
mod sessions;

const USERS: &str = "/api/v3/core/users/";
const GROUPS: &str = "/api/v3/core/groups/";
const ROLES: &str = "/api/v3/rbac/roles/";
const TOKENS: &str = "/api/v3/core/tokens/";
const SESSIONS: &str = "/api/v3/core/authenticated_sessions/";
const PERMISSIONS: &str = "/api/v3/rbac/permissions/";

impl Server {
    async fn root(&self) -> (User, Browser) {
        let found = user_by_username(&*self.state.journal, "akadmin").await;
        let root = found.expect("a read").expect("the administrator").value;
        let program = self.program(&root).await;
        (root, program)
    }

    async fn administrators(&self) -> Group {
        let found = group_by_name(&*self.state.journal, setup::ADMINISTRATORS).await;
        found.expect("a read").expect("the group").value
    }

    pub(super) async fn role(&self, name: &str, permissions: &[&str]) -> Role {
        let mut role = Role::new(&self.state.clock, name);
        let permissions = permissions.iter().map(|it| (*it).to_owned());
        role.permissions.extend(permissions);
        self.put(&role).await;
        role
    }

    /// A user with this role.
    pub(super) async fn holder(&self, name: &str, role: &Role) -> User {
        let user = self.user(name, "correct horse").await;
        let found = object::get::<User>(&*self.state.journal, user.uuid).await;
        let mut found = found.expect("a read").expect("the user");
        found.value.roles = vec![role.pk];
        self.write(vec![object::put(&found.value, found.version)])
            .await;
        found.value
    }

    async fn now(&self, user: &User) -> User {
        let found: Option<Versioned<User>> = object::get(&*self.state.journal, user.uuid)
            .await
            .expect("a read");
        found.expect("the user").value
    }
}

fn one(list: &str, key: impl std::fmt::Display) -> String {
    format!("{list}{key}/")
}
