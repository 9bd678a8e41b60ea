//! Users: their numbers, their names, and how they are found.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[tokio::test]
async fn users_get_numbers_in_order_and_are_found_again() {
    let (clock, journal) = prepared().await;
    let alice = user(&journal, &clock, NewUser::named("alice")).await;
    let bob = user(&journal, &clock, NewUser::named("bob")).await;
    assert_eq!((alice.pk, bob.pk), (1, 2));
    let by_pk = user_by_pk(&journal, 2).await.expect("readable");
    assert_eq!(by_pk.map(|it| it.value.uuid), Some(bob.uuid));
    let by_name = user_by_username(&journal, "alice").await.expect("readable");
    assert_eq!(by_name.map(|it| it.value.uuid), Some(alice.uuid));
    let other_case = user_by_username(&journal, "Alice").await.expect("readable");
    assert!(other_case.is_none());
    assert!(!user::has_usable_password(&alice));
}

#[tokio::test]
async fn a_name_that_is_taken_is_a_problem_of_that_field() {
    let (clock, journal) = prepared().await;
    user(&journal, &clock, NewUser::named("alice")).await;
    let again = create_user(&journal, &clock, NewUser::named("alice")).await;
    let problems = match again {
        Err(Error::Invalid(problems)) => problems,
        other => panic!("{other:?}"),
    };
    assert_eq!(problems, [Invalid::new("username", Problem::NotUnique)]);
    // The number was not used up.
    let next = user(&journal, &clock, NewUser::named("Alice")).await;
    assert_eq!(next.pk, 2);
}

#[tokio::test]
async fn invalid_fields_are_all_named_in_the_words_of_the_wire() {
    let (clock, journal) = prepared().await;
    let mut new = NewUser::named("");
    new.email = "nowhere".into();
    new.path = "/users".into();
    let error = create_user(&journal, &clock, new).await.expect_err("wrong");
    assert_eq!(
        error.to_string(),
        "username: This field may not be blank.; email: Enter a valid email address.; \
         path: No leading or trailing slashes allowed."
    );
    let long = NewUser::named(&"a".repeat(151));
    let error = create_user(&journal, &clock, long).await.expect_err("long");
    let text = "username: Ensure this field has no more than 150 characters.";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn users_made_at_once_get_different_numbers() {
    let (clock, journal) = prepared().await;
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (journal, clock) = (&journal, &clock);
            scope.spawn(move || {
                let new = NewUser::named(&format!("user-{number}"));
                let made = runtime().block_on(create_user(journal, clock, new));
                made.expect("it is valid");
            });
        }
    });
    let all = users(&journal).await.expect("readable");
    let numbers: Vec<_> = all.iter().map(|user| user.value.pk).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
}

#[tokio::test]
async fn setting_a_password_changes_its_date_and_encoding_it_anew_does_not() {
    let (clock, journal) = prepared().await;
    let alice = user(&journal, &clock, NewUser::named("alice")).await;
    clock.advance(HOUR);
    let encoded: SecretString = "argon2$...".into();
    let set = set_password(&journal, &clock, alice.uuid, encoded, Keeping::default())
        .await
        .expect("she exists");
    assert_eq!(set.password_change_date, clock.now());
    let stored = user_by_pk(&journal, alice.pk).await.expect("readable");
    let mut stored = stored.expect("she exists").value;
    assert_eq!(stored.password.expose_secret(), "argon2$...");
    let before = stored.password_change_date;
    clock.advance(HOUR);
    stored.upgrade_password("other".into(), clock.now());
    assert_eq!(stored.password_change_date, before);
    let nobody = set_password(
        &journal,
        &clock,
        Uuid::nil(),
        "x".into(),
        Keeping::default(),
    )
    .await;
    assert!(matches!(nobody, Err(Error::NoSuchUser(_))));
}

#[tokio::test]
async fn whoever_shares_an_address_the_lowest_number_comes_first() {
    let (clock, journal) = prepared().await;
    for name in ["zoe", "adam"] {
        let mut new = NewUser::named(name);
        new.email = "family@example.com".into();
        new.attributes
            .insert("upn".into(), json!(format!("{name}@corp")));
        user(&journal, &clock, new).await;
    }
    let names = |found: Vec<Versioned<User>>| -> Vec<String> {
        found.into_iter().map(|user| user.value.username).collect()
    };
    for (fields, typed, ignoring_case, expected) in [
        (
            &[LookupField::Email][..],
            "family@example.com",
            false,
            &["zoe", "adam"][..],
        ),
        (&[LookupField::Email], "Family@example.com", false, &[]),
        (
            &[LookupField::Email],
            "Family@example.com",
            true,
            &["zoe", "adam"],
        ),
        (&[LookupField::Upn], "ADAM@corp", true, &["adam"]),
        (&[LookupField::Upn], "adam@corp", false, &["adam"]),
        (&[LookupField::Username], "family@example.com", true, &[]),
        (
            &[LookupField::Username, LookupField::Email],
            "adam",
            false,
            &["adam"],
        ),
        (&[], "adam", false, &[]),
        (LookupField::ALL, "", true, &[]),
    ] {
        let found = users_matching(&journal, fields, typed, ignoring_case).await;
        assert_eq!(
            names(found.expect("readable")),
            expected,
            "{fields:?} {typed}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_name_is_found_whatever_the_case(name in "[\\p{L}\\p{N}@._-]{1,20}", shout: bool) {
        runtime().block_on(async {
            let (clock, journal) = prepared().await;
            user(&journal, &clock, NewUser::named(&name)).await;
            let lower = name.to_lowercase();
            let typed = if shout { &name } else { &lower };
            let found = users_matching(&journal, &[LookupField::Username], typed, true).await;
            assert_eq!(found.expect("readable").len(), 1, "{name} typed as {typed}");
            let exact = users_matching(&journal, &[LookupField::Username], &lower, false).await;
            assert_eq!(exact.expect("readable").len(), usize::from(lower == name));
        });
    }
}

#[test]
fn the_uid_is_the_hash_of_number_and_installation() {
    let clock = Clock::system();
    let user = NewUser::named("alice").into_user(5, &clock);
    let install = Uuid::from_u128(1);
    // sha256("5-00000000-0000-0000-0000-000000000001")
    let expected = "c6ee356eea40493447a91fc719f5031860a907791c35e16d7ea53be5d35de25c";
    assert_eq!(user.uid(install), expected);
}
