//! Codes that are written down.

use super::{STATIC_SETUP, begins, gets_codes, is_refused, types};
use crate::support::with_server;

#[test]
fn codes_are_given_out_and_each_lets_its_owner_in_once() {
    with_server(async |server| {
        let person = server.person();
        let stranger = server.visitor().opens(STATIC_SETUP).await;
        stranger.sees("ak-stage-access-denied");
        let mut first = server.visitor();
        first.logs_in(&person).await;
        let codes = gets_codes(server, &mut first).await;
        assert_eq!(codes.len(), 6);
        for code in &codes {
            assert_eq!(code.len(), 12);
            assert!(code.bytes().all(|it| it.is_ascii_alphanumeric()));
        }
        for code in &codes[..2] {
            let mut visitor = server.visitor();
            let asked = begins(&mut visitor, &person).await;
            let offers = asked.json()["device_challenges"].clone();
            assert_eq!(offers[0]["device_class"], "static", "{offers}");
            types(&mut visitor, code).await.is_redirected_to("/");
        }
        server.restart().await;
        let mut visitor = server.visitor();
        begins(&mut visitor, &person).await;
        is_refused(&types(&mut visitor, &codes[0]).await);
        // White space around one is none of it.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        let padded = format!(" {} ", codes[2]);
        types(&mut visitor, &padded).await.is_redirected_to("/");
    });
}

#[test]
fn a_code_that_ten_type_at_once_lets_one_of_them_in() {
    with_server(async |server| {
        let person = server.person();
        let mut first = server.visitor();
        first.logs_in(&person).await;
        let codes = gets_codes(server, &mut first).await;
        let mut visitors = Vec::new();
        for _ in 0..10 {
            let mut visitor = server.visitor();
            begins(&mut visitor, &person).await;
            visitors.push(visitor);
        }
        let typed = visitors.iter_mut().map(|visitor| types(visitor, &codes[0]));
        let answers = futures_util::future::join_all(typed).await;
        let let_in = answers
            .iter()
            .filter(|answer| answer.component() == "xak-flow-redirect");
        assert_eq!(let_in.count(), 1);
    });
}
