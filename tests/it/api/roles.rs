//! Roles, and what they permit.

use reqwest::Method;
use serde_json::json;

use super::program::with_program;

#[test]
fn a_role_opens_what_it_permits_over_a_restart_and_nothing_more() {
    with_program(async |server, admin| {
        let person = server.person();
        let number = admin.number_of(&person.username).await;
        let role = admin
            .makes("/rbac/roles/", &json!({"name": "readers"}))
            .await;
        let role = role["pk"].as_str().expect("a key").to_owned();
        let program = admin.as_person(server, &person).await;
        let flows = "/flows/instances/";
        program
            .is_refused(Method::GET, flows, &json!({}), 403)
            .await;
        admin
            .does(
                &format!("/rbac/roles/{role}/add_user/"),
                &json!({"pk": number}),
            )
            .await;
        let all = admin.gets(flows).await["results"].clone();
        let one = json!({"permissions": ["authentik_flows.view_flow"],
            "model": "authentik_flows.flow", "object_pk": all[0]["pk"]});
        let assign = format!("/rbac/permissions/assigned_by_roles/{role}/assign/");
        let given = admin.sends(Method::POST, &assign, &one).await;
        given.has_status(200);
        let seen = program.gets(flows).await;
        assert_eq!(seen["pagination"]["count"], 1);
        assert_eq!(seen["results"][0]["slug"], all[0]["slug"]);

        server.stop().await;
        server.begin().await;
        assert_eq!(program.gets(flows).await["pagination"]["count"], 1);
        let slug = all[1]["slug"].as_str().expect("a slug");
        let other = format!("{flows}{slug}/");
        program
            .is_refused(Method::GET, &other, &json!({}), 404)
            .await;
        let global = json!({"permissions": ["authentik_flows.view_flow"]});
        admin
            .sends(Method::POST, &assign, &global)
            .await
            .has_status(200);
        program.gets(&other).await;
        let title = json!({"title": "x"});
        program.is_refused(Method::PATCH, &other, &title, 403).await;
        program
            .is_refused(Method::DELETE, &other, &title, 403)
            .await;
        program
            .is_refused(Method::POST, &assign, &global, 404)
            .await;
        let me = program.gets("/core/users/me/").await;
        assert_eq!(me["user"]["roles"][0]["name"], "readers");
        assert_eq!(me["user"]["system_permissions"], json!([]));
        admin.removes(&format!("/rbac/roles/{role}/")).await;
        program
            .is_refused(Method::GET, flows, &json!({}), 403)
            .await;
    });
}
