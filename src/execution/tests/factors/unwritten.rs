//! What becomes of whoever waits when the journal fails before the outcome is in it.

use std::sync::Arc;

use super::*;
use crate::execution::Error;
use crate::journal::faulty::{Fault, Faulty};
use crate::world::record::KIND;

#[actix::test]
async fn whoever_waits_for_what_cannot_be_noted_is_told_that_the_journal_fails() {
    let bench = Bench::new();
    let journal = Faulty::over(Arc::clone(&bench.journal), Some(KIND));
    let bench = Bench::over(journal.clone(), bench.clock.clone());
    let user = bench.user("alice", "correct horse").await;
    // Nobody listens there, so what comes of the push is known at once.
    let account = json!({
        "api_hostname": "http://127.0.0.1:1", "client_id": "DI", "client_secret": "secret",
    });
    let stage = bench.setup(Kind::AuthenticatorDuo, "duo", account).await;
    let of = Authenticator::Duo {
        stage,
        duo_user_id: "DU".to_owned(),
    };
    let device = bench.gives(&user, of).await;
    bench.login(json!({})).await;
    let mut alice = bench.enters().await;
    alice.sees(VALIDATE);
    journal.fail([Fault::None, Fault::Before]);
    let before = journal.commits();
    let held = alice.tries(json!({ "duo": device.pk })).await;
    assert!(matches!(held, Err(Error::Journal(_))), "{held:?}");
    assert_eq!(journal.commits(), before + 2, "it is not tried without end");
    // Whether the push was sent is not known any more, and it is not repeated.
    alice.opens().await.with_error("duo", "unknown");
    bench.check().await;
}
