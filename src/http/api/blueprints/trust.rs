//! Whether somebody may have a blueprint applied on their behalf. Judges only.

use crate::blueprint::{Document, demands};
use crate::directory::permission::Granted;

/// Apps whose objects say who people are and what they may do. Their own operations look at each
/// field, and at who gives what to whom; a blueprint would pass that by.
const OF_PEOPLE: [&str; 3] = ["authentik_core", "authentik_rbac", "authentik_blueprints"];

/// What somebody may not do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Untrusted {
    /// The first entry that asks for it.
    pub(super) entry: String,
    /// What it is.
    pub(super) text: String,
}

/// Checks that all that the blueprint names may be made, changed and removed. Only superusers may
/// have people, roles and permissions written, or models that a tag names.
pub(super) fn check(granted: &Granted, document: &Document) -> Result<(), Untrusted> {
    if granted.is_superuser() {
        return Ok(());
    }
    for demand in demands(document) {
        let sees = |model: &Option<String>| {
            let model = model.as_deref().and_then(|model| model.split_once('.'));
            model.is_some_and(|(app, noun)| granted.may(&format!("{app}.view_{noun}")))
        };
        if let Some(unseen) = demand.looks_up.iter().find(|model| !sees(model)) {
            let model = unseen.as_deref().unwrap_or("what a tag names");
            return Err(Untrusted {
                entry: demand.entry,
                text: format!("User lacks permission to look up {model}"),
            });
        }
        let model = demand.model.as_deref().unwrap_or_default();
        let trusted = match model.split_once('.') {
            Some((app, noun)) if !OF_PEOPLE.contains(&app) && !demand.grants => {
                let all = ["add", "change", "delete"];
                all.iter()
                    .all(|verb| granted.may(&format!("{app}.{verb}_{noun}")))
            }
            _ => false,
        };
        if !trusted {
            let model = demand.model.unwrap_or_else(|| "an object".to_owned());
            return Err(Untrusted {
                entry: demand.entry,
                text: format!("User lacks permission to create {model}"),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::directory::Role;

    fn refused(permissions: &[&str], entries: &str) -> Option<String> {
        let source = format!("entries: [{entries}]");
        let document = Document::read(&source, "test").expect("a blueprint");
        let mut role = Role::new(&Clock::system(), "editors");
        role.permissions = permissions.iter().map(|it| (*it).to_owned()).collect();
        check(&Granted::by([&role]), &document)
            .err()
            .map(|it| it.entry)
    }

    const ALL: [&str; 6] = [
        "authentik_flows.add_flow",
        "authentik_flows.change_flow",
        "authentik_flows.delete_flow",
        "authentik_core.add_user",
        "authentik_core.change_user",
        "authentik_core.delete_user",
    ];

    #[test]
    fn whoever_may_do_all_with_a_model_may_have_it_applied() {
        let flow = "{model: authentik_flows.Flow, id: f, identifiers: {slug: f}}";
        assert_eq!(refused(&ALL, flow), None);
        assert_eq!(refused(&ALL[..2], flow).as_deref(), Some("f"));
        assert_eq!(refused(&[], "").as_deref(), None);
    }

    #[test]
    fn what_somebody_may_not_see_is_not_looked_up_for_them() {
        let entry = |tag: &str| {
            format!(
                "{{model: authentik_flows.flow, id: f, identifiers: {{slug: f}}, attrs: {{title: {tag}}}}}"
            )
        };
        let user =
            entry("!Format [\"%s\", !FindObject [authentik_core.user, [username, akadmin]]]");
        assert_eq!(refused(&ALL, &user).as_deref(), Some("f"));
        let seeing = [&ALL[..], &["authentik_core.view_user"]].concat();
        assert_eq!(refused(&seeing, &user), None);
        let named = entry("!Find [!Context model, [name, a]]");
        assert_eq!(refused(&seeing, &named).as_deref(), Some("f"));

        let source = format!(
            "context: {{who: !Find [authentik_core.user, [username, akadmin]]}}\nentries: [{}]",
            entry("!Context who")
        );
        let document = Document::read(&source, "test").expect("a blueprint");
        let checked = |permissions: &[&str]| {
            let mut role = Role::new(&Clock::system(), "editors");
            role.permissions = permissions.iter().map(|it| (*it).to_owned()).collect();
            check(&Granted::by([&role]), &document)
        };
        assert!(checked(&ALL).is_err(), "a context is looked up as well");
        assert_eq!(checked(&seeing), Ok(()));
    }

    #[test]
    fn people_permissions_and_what_a_tag_names_are_for_superusers() {
        for entry in [
            "{model: authentik_core.user, identifiers: {username: me}}",
            "{model: !Context model, identifiers: {slug: f}}",
            "{model: authentik_flows.flow, identifiers: {slug: f}, permissions: [{permission: view_flow, user: 1}]}",
        ] {
            assert_eq!(refused(&ALL, entry).as_deref(), Some("entry 1"), "{entry}");
            let document = Document::read(&format!("entries: [{entry}]"), "test");
            let document = document.expect("a blueprint");
            assert_eq!(check(&Granted::everything(), &document), Ok(()));
        }
    }
}
