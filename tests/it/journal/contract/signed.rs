//! What verifying says of checkpoints: kept by every journal that can be verified against some.

use gatelog::journal::Hash;
use gatelog::journal::evidence::Checkpoint;

use super::{Subject, append, run};

/// What a report counts: records, checkpoints that it agrees with, and records after the last of them.
pub(crate) type Counts = (u64, u64, u64);

/// `root` is the root of the tree when it had so many records; `verify` compares it with checkpoints, and says
/// how many findings there are.
pub(crate) async fn what_no_checkpoint_covers_is_counted(
    subject: Subject,
    root: impl AsyncFn(u64) -> Hash,
    verify: impl AsyncFn(Vec<Checkpoint>) -> (Counts, usize),
) {
    assert_eq!(verify(Vec::new()).await, ((0, 0, 0), 0));
    for version in 0..10 {
        subject.does(vec![append(run(1), version, "x")]).await;
    }
    let checkpoint = async |size| Checkpoint {
        origin: "somebody".to_owned(),
        size,
        root: root(size).await,
    };
    assert_eq!(
        verify(Vec::new()).await,
        ((10, 0, 10), 0),
        "where nothing is signed, nothing is covered"
    );
    let (four, seven) = (checkpoint(4).await, checkpoint(7).await);
    let all = vec![seven.clone(), four.clone()];
    assert_eq!(verify(all).await, ((10, 2, 3), 0));
    let nothing = Checkpoint {
        size: 0,
        root: Hash([9; 32]),
        ..four.clone()
    };
    let repeated = vec![four.clone(), four.clone(), nothing];
    assert_eq!(
        verify(repeated).await,
        ((10, 1, 6), 0),
        "one counts once, and one of nothing says nothing"
    );
    let ten = checkpoint(10).await;
    assert_eq!(verify(vec![ten]).await, ((10, 1, 0), 0));
    let foreign = Checkpoint {
        root: Hash([7; 32]),
        ..seven
    };
    let (_, findings) = verify(vec![four.clone(), foreign]).await;
    assert_eq!(findings, 1, "another root is found");
    let beyond = Checkpoint { size: 11, ..four };
    let (counts, findings) = verify(vec![beyond]).await;
    assert_eq!(
        (counts, findings),
        ((10, 0, 10), 1),
        "a missing end is found"
    );
}
