//! The flows in front of an application.

use serde_json::json;

use crate::support::with_server;

const EXPLICIT: &str = "default-provider-authorization-explicit-consent";
const IMPLICIT: &str = "default-provider-authorization-implicit-consent";

#[test]
fn one_flow_asks_before_an_application_is_let_in_and_the_other_does_not() {
    with_server(async |server| {
        let person = server.person();
        for flow in [EXPLICIT, IMPLICIT] {
            let refused = server.visitor().opens(flow).await;
            refused.sees("ak-stage-access-denied");
        }
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        visitor.opens(IMPLICIT).await.is_redirected_to("/");
        let asked = visitor.opens(EXPLICIT).await;
        asked.sees("ak-stage-consent");
        let forged = visitor.answers(json!({ "token": "guessed" })).await;
        forged
            .sees("ak-stage-consent")
            .with_error("token", "invalid");
        let token = forged.json()["token"].clone();
        let done = visitor.answers(json!({ "token": token })).await;
        done.is_redirected_to("/");
    });
}
