//! Groups, and who is in them.

use reqwest::Method;
use serde_json::json;

use super::program::with_program;

#[test]
fn people_come_into_a_group_and_leave_it_by_number() {
    with_program(async |server, program| {
        let person = server.person();
        let number = program.number_of(&person.username).await;
        let above = json!({"name": "above", "attributes": {"a": 1}});
        let above = program.makes("/core/groups/", &above).await;
        let below = json!({"name": "below", "parents": [above["pk"]]});
        let below = program.makes("/core/groups/", &below).await;
        let pk = below["pk"].as_str().expect("a key");
        let one = format!("/core/groups/{pk}/");
        let who = json!({"pk": number});
        program.does(&format!("{one}add_user/"), &who).await;
        let nobody = json!({"pk": 4711});
        let path = format!("{one}add_user/");
        program.is_refused(Method::POST, &path, &nobody, 404).await;
        let seen = program
            .gets(&format!("{one}?include_parents=true&include_children=true"))
            .await;
        assert_eq!(seen["users"], json!([number]));
        assert_eq!(seen["users_obj"][0]["username"], person.username);
        assert_eq!(seen["parents_obj"][0]["name"], "above");
        assert_eq!(seen["children_obj"], json!([]));
        assert_eq!(seen["num_pk"].as_i64(), below["num_pk"].as_i64());
        for (query, count) in [
            (format!("members_by_pk={number}"), 1),
            (format!("members_by_username={}", person.username), 1),
            ("members_by_pk=4711".to_owned(), 0),
            ("name=above".to_owned(), 1),
            ("is_superuser=true&name=below".to_owned(), 0),
            ("attributes=%7B%22a%22:1%7D".to_owned(), 1),
        ] {
            let found = program.gets(&format!("/core/groups/?{query}")).await;
            assert_eq!(found["pagination"]["count"], count, "{query}");
        }
        program.does(&format!("{one}remove_user/"), &who).await;
        let left = program.gets(&format!("{one}?include_users=false")).await;
        assert_eq!(
            (&left["users"], &left["users_obj"]),
            (&json!([]), &json!(null))
        );
        let itself = program
            .sends(Method::PATCH, &one, &json!({"parents": [pk]}))
            .await;
        let told = itself.has_status(400).json();
        assert_eq!(
            told,
            json!({"parents": ["Cannot set group as parent of itself."]})
        );
        let up = json!({"is_superuser": true, "users": [number]});
        let up = program.changes(&one, &up).await;
        assert_eq!(up["is_superuser"], true);
        let user = program.gets(&format!("/core/users/{number}/")).await;
        assert_eq!(user["is_superuser"], true);
        program.removes(&one).await;
        let user = program.gets(&format!("/core/users/{number}/")).await;
        assert_eq!(
            (&user["is_superuser"], &user["groups"]),
            (&json!(false), &json!([]))
        );
    });
}
