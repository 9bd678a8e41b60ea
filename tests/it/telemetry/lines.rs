//! Log lines say to which request and to which execution they belong.

use serde_json::{Value, json};

use crate::support::{Answer, LOGIN, Options, TestServer, with_server_of};

/// The execution whose challenge an answer shows, as 32 digits.
fn execution(answer: &Answer) -> String {
    let id = answer.header("x-gatelog-challenge");
    let (execution, _) = id.split_once('-').expect("an execution and a number");
    execution.to_owned()
}

fn id(answer: &Answer) -> String {
    answer.header("x-authentik-id").to_owned()
}

/// Waits until the server has written the lines of a request, and returns those that hold this.
async fn lines(server: &TestServer, id: &str) -> Vec<String> {
    for _ in 0..500 {
        let output = server.output();
        let found = output.lines().filter(|line| line.contains(id));
        let found: Vec<_> = found.map(str::to_owned).collect();
        if found.iter().any(|line| line.contains("answered")) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("nothing was logged of {id}: {}", server.output());
}

#[test]
fn lines_for_programs_carry_the_request_and_the_execution() {
    let options = Options::default().with("GATELOG_LOG__FORMAT", "json");
    with_server_of(options, async |server| {
        let ann = server.person();
        let mut visitor = server.visitor();
        let shown = visitor.opens(LOGIN).await;
        let own = execution(&shown);
        let named = visitor.answers(json!({ "uid_field": ann.username })).await;
        let right = visitor.answers(json!({ "password": ann.password })).await;
        right.is_redirected_to("/");
        for answer in [&shown, &named, &right] {
            let id = id(answer);
            assert_eq!(id.len(), 32);
            for line in lines(server, &id).await {
                let line: Value = serde_json::from_str(&line).expect("JSON");
                assert_eq!(line["span"]["id"], id.as_str(), "{line}");
                let told = line["span"]["execution"].as_str().expect("an execution");
                assert_eq!(told.replace('-', ""), own, "{line}");
            }
        }
        let elsewhere = visitor.gets("/api/v3/root/config/").await;
        let line = &lines(server, &id(&elsewhere)).await[0];
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert!(line["span"].get("execution").is_none(), "{line}");
    });
}

#[test]
fn lines_for_people_carry_them_too() {
    with_server_of(Options::default(), async |server| {
        let mut visitor = server.visitor();
        let shown = visitor.opens(LOGIN).await;
        let own = execution(&shown);
        let told = lines(server, &id(&shown)).await;
        assert!(
            told.iter()
                .any(|line| line.contains("request{id=") && line.replace('-', "").contains(&own)),
            "{told:?}"
        );
    });
}

#[test]
fn what_the_log_says_of_a_request_is_never_what_the_request_says() {
    with_server_of(Options::default(), async |server| {
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        let own = [("x-authentik-id", "chosen-by-the-visitor")];
        let body = json!({ "uid_field": "somebody-or-other" });
        let answer = visitor.answers_exactly(&body, &own).await;
        assert_ne!(id(&answer), "chosen-by-the-visitor");
        lines(server, &id(&answer)).await;
        let output = server.output();
        for said in ["chosen-by-the-visitor", "somebody-or-other"] {
            assert!(!output.contains(said), "{output}");
        }
    });
}

#[test]
fn of_the_operators_routes_the_log_shows_the_pattern_and_no_name() {
    with_server_of(Options::default(), async |server| {
        let ann = server.person();
        server
            .gatelog(&["user", "devices", &ann.username])
            .succeeds();
        server.says("/operator/users/{username}/devices").await;
        let output = server.output();
        // The commands say the name to whoever typed it, beside the log.
        let mut answered = output.lines().filter(|line| line.contains("answered"));
        assert!(
            answered.all(|line| !line.contains(&ann.username)),
            "{output}"
        );
    });
}

#[test]
fn a_flood_that_is_turned_away_is_told_in_a_line_a_second() {
    let options = Options::default()
        .with("GATELOG_WEB__REQUESTS_PER_SECOND", "1")
        .with("GATELOG_WEB__REQUESTS_AT_ONCE", "20");
    with_server_of(options, async |server| {
        let visitor = server.visitor();
        let mut refused = 0;
        for _ in 0..100 {
            let answer = visitor.gets("/-/health/no-probe/").await;
            refused += u32::from(answer.status == 429);
        }
        assert!(refused > 0, "nothing is limited below the probes");
        server.says("limits turned requests away").await;
        let output = server.output();
        assert!(!output.contains("status=429"), "{output}");
        assert!(output.contains("addresses=1"), "{output}");
    });
}
