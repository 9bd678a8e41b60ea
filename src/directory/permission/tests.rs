//! What roles and groups permit.

use super::*;
use crate::clock::Clock;
use crate::directory::role::OnObject;
use crate::directory::{Group, NewUser};
use crate::journal::memory::MemoryJournal;
use crate::journal::object::{Stored, put};
use crate::journal::{Commit, Durability, Journal, KeyId, Version, Write};

const VIEW: &str = "authentik_flows.view_flow";

#[test]
fn every_permission_has_its_own_name_and_number() {
    let all: Vec<Known> = all().collect();
    let names: HashSet<String> = all.iter().map(Known::full_name).collect();
    let numbers: HashSet<i32> = all.iter().map(Known::id).collect();
    assert_eq!(names.len(), all.len());
    assert_eq!(numbers.len(), all.len());
    assert!(numbers.iter().all(|number| *number > 0));
    for known in all {
        assert_eq!(find(&known.full_name()).as_ref(), Some(&known));
        assert!(of_model(&known.model).contains(&known));
    }
    for name in ["", "view_flow", "authentik_flows.view_user", "a.view_flow"] {
        assert_eq!(find(name), None, "{name}");
    }
}

#[test]
fn the_number_of_a_permission_stays_the_same() {
    let view = find(VIEW).expect("there is one");
    assert_eq!(view.id(), 655_475_161);
    assert_eq!(view.title, "Can view Flow");
    assert_eq!(view.model.app_title(), "Flows");
}

fn role(name: &str, permissions: &[&str], objects: &[(&str, &str)]) -> Role {
    let mut role = Role::new(&Clock::system(), name);
    role.permissions
        .extend(permissions.iter().map(|it| (*it).to_owned()));
    role.objects
        .extend(objects.iter().map(|(permission, pk)| OnObject {
            model: "authentik_flows.flow".to_owned(),
            pk: (*pk).to_owned(),
            permission: (*permission).to_owned(),
        }));
    role
}

#[test]
fn a_permission_on_one_object_is_none_on_another() {
    let one = role("one", &[], &[(VIEW, "a")]);
    let granted = Granted::by([&one]);
    assert!(granted.may_of(VIEW, "a") && granted.may_any(VIEW));
    assert!(!granted.may_of(VIEW, "b") && !granted.may(VIEW));
    assert!(!granted.may_any("authentik_flows.change_flow"));
    let all = role("all", &[VIEW], &[]);
    assert!(Granted::by([&all]).may_of(VIEW, "b"));
    assert!(Granted::by([&all]).covers(&one));
    assert!(!granted.covers(&all));
    assert!(Granted::by([&all]).includes(&granted) && !granted.includes(&Granted::by([&all])));
    assert!(!Granted::by([&all]).includes(&Granted::everything()));
    assert!(Granted::everything().includes(&Granted::by([&all])));
    assert!(granted.includes(&Granted::default()));
    assert!(!granted.is_superuser() && Granted::everything().covers(&all));
}

#[tokio::test]
async fn roles_count_from_all_groups_above_and_superusers_may_everything() {
    let clock = Clock::system();
    let journal = MemoryJournal::new(clock.clone());
    let (inherited, own) = (
        role("inherited", &[VIEW], &[]),
        role("own", &[], &[(VIEW, "a")]),
    );
    let mut above = Group::new(&clock, "above");
    above.roles = vec![inherited.pk];
    let mut below = Group::new(&clock, "below");
    below.parents = vec![above.pk];
    let mut chiefs = Group::new(&clock, "chiefs");
    chiefs.is_superuser = true;
    let mut user = NewUser::named("anna").into_user(1, &clock);
    user.roles = vec![own.pk, clock.opaque_id()];
    let writes = vec![
        Write::CreateKey {
            id: KeyId(user.uuid),
            under: KeyId::SYSTEM,
        },
        put(&inherited, Version::NONE),
        put(&own, Version::NONE),
        put(&above, Version::NONE),
        put(&below, Version::NONE),
        put(&chiefs, Version::NONE),
        put(&user, Version::NONE),
    ];
    let commit = Commit {
        writes,
        durability: Durability::Durable,
        fence: None,
        at: clock.now(),
        correlation: clock.ordered_id(),
    };
    journal.commit(commit).await.expect("it can be written");
    let of = async |user: &User| granted(&journal, user).await.expect("readable");
    assert!(!of(&user).await.may(VIEW) && of(&user).await.may_of(VIEW, "a"));
    user.groups = vec![below.id()];
    assert!(of(&user).await.may(VIEW));
    assert!(of(&user).await.of_system().is_empty());
    user.groups = vec![chiefs.id()];
    assert!(of(&user).await.is_superuser());
    assert_eq!(of(&user).await.of_system().len(), 4);
}
