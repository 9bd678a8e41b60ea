//! Choices that can be made again: numbers that follow from one number.

use std::time::Duration;

/// The generator that is called `SplitMix64`.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("it is small");
        usize::try_from(self.next() % bound).expect("it is below the bound")
    }

    /// Whether a coin shows its head.
    pub(super) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Waits for less than so many milliseconds.
    pub(super) async fn sleeps(&mut self, milliseconds: usize) {
        let some = u64::try_from(self.below(milliseconds)).expect("it is small");
        tokio::time::sleep(Duration::from_millis(some)).await;
    }

    /// Dice for somebody else, whose choices do not depend on when these are thrown next.
    pub(super) fn another(&mut self) -> Self {
        Self(self.next())
    }
}
