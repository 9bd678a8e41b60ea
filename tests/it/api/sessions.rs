//! Where people are logged in.

use reqwest::Method;
use serde_json::json;

use super::program::with_program;

const ME: &str = "/api/v3/core/users/me/";

#[test]
fn a_session_that_is_ended_logs_its_browser_out_and_no_other() {
    with_program(async |server, program| {
        let person = server.person();
        let (mut here, mut there) = (server.visitor(), server.visitor());
        here.logs_in(&person).await;
        there.logs_in(&person).await;
        let path = "/api/v3/core/authenticated_sessions/";
        let own = here.gets(path).await.has_status(200).json();
        let own = own["results"].as_array().expect("a list");
        assert_eq!(own.len(), 2);
        let current = own.iter().find(|it| it["current"] == true);
        let current = current.expect("one is this one")["uuid"].clone();
        let other = own.iter().find(|it| it["current"] == false);
        let other = other.expect("the other")["uuid"].clone();
        let other = other.as_str().expect("a key");
        // Another site sends the cookie, but not the header.
        let one = format!("{path}{other}/");
        let forged = here.sends(Method::DELETE, &one, &[], "").await;
        forged.has_status(403);
        let csrf = here.cookies().get("authentik_csrf").expect("a token");
        let headers = [("x-authentik-csrf", csrf.as_str())];
        let ended = here.sends(Method::DELETE, &one, &headers, "").await;
        ended.has_status(204);
        there.gets(ME).await.has_status(403);
        here.gets(ME).await.has_status(200);
        let current = current.as_str().expect("a key");
        let all = program.gets("/core/authenticated_sessions/").await;
        assert_eq!(all["pagination"]["count"], 1);
        assert_eq!(all["results"][0]["uuid"], current);
        let number = program.number_of(&person.username).await;
        let path = format!("/core/authenticated_sessions/bulk_delete/?user_pks={number}");
        let ended = program.sends(Method::DELETE, &path, &json!({})).await;
        assert_eq!(ended.has_status(200).json(), json!({"deleted": 1}));
        here.gets(ME).await.has_status(403);
    });
}
