//! Writes LZ4 blocks over a dictionary that is the same for ever.
//!
//! What is packed looks much like the dictionary, so it pays to look for the longest piece of it: an
//! encoder that takes the first match it finds, as fast ones do, needs twice the bytes. Every place of the
//! dictionary is looked up in an index that is made once. The format is that of LZ4, which a library reads.

/// A match is looked for by so many bytes in the dictionary, and by so many in what came before.
const IN_DICTIONARY: usize = 6;
const BEFORE: usize = 4;

/// So many places of the dictionary are tried, the last ones first.
const TRIED: usize = 24;

/// The rules of the format: the last bytes are no part of a match, and none begins so near the end.
const LAST: usize = 5;
const NEAR_END: usize = 12;

/// The farthest that a match may lie back.
const FARTHEST: usize = 65_535;

const DICTIONARY_BITS: u32 = 14;
const BEFORE_BITS: u32 = 11;

/// Nothing is there.
const NONE: u32 = u32::MAX;

/// A dictionary, and where in it everything is.
pub(super) struct Dictionary {
    bytes: Vec<u8>,
    /// The last place of a hash, and of each place the one before with the same hash.
    last: Vec<u32>,
    previous: Vec<u32>,
}

/// Where something was found, how far back that is, and how much of it is the same.
#[derive(Clone, Copy, Default)]
struct Match {
    back: usize,
    length: usize,
}

impl Dictionary {
    /// Makes the index of these bytes.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        let mut last = vec![NONE; 1 << DICTIONARY_BITS];
        let mut previous = vec![NONE; bytes.len()];
        for (at, window) in (0_u32..).zip(bytes.windows(IN_DICTIONARY)) {
            let hash = hash::<IN_DICTIONARY>(window, DICTIONARY_BITS);
            previous[at as usize] = last[hash];
            last[hash] = at;
        }
        Self {
            bytes,
            last,
            previous,
        }
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The longest piece of it that `input` has at `at`.
    fn find(&self, input: &[u8], at: usize) -> Match {
        let mut best = Match::default();
        let rest = &input[at..];
        if rest.len() < IN_DICTIONARY {
            return best;
        }
        let end = &rest[..rest.len() - LAST];
        let mut place = self.last[hash::<IN_DICTIONARY>(rest, DICTIONARY_BITS)];
        for _ in 0..TRIED {
            if place == NONE {
                break;
            }
            let start = place as usize;
            place = self.previous[start];
            // Only one that goes on where the best one ended can be longer.
            if self.bytes.get(start + best.length) != end.get(best.length) {
                continue;
            }
            let back = self.bytes.len() + at - start;
            let length = same(&self.bytes[start..], end);
            if length > best.length && back <= FARTHEST {
                best = Match { back, length };
            }
        }
        best
    }
}

/// The LZ4 block that gives `input` where the dictionary is known.
pub(super) fn compress(input: &[u8], dictionary: &Dictionary) -> Vec<u8> {
    let mut block = Vec::with_capacity(input.len() / 2 + 16);
    let mut before = [NONE; 1 << BEFORE_BITS];
    let last = input.len().saturating_sub(NEAR_END);
    let (mut at, mut literals) = (0, 0);
    while at < last {
        let mut found = find(input, at, dictionary, &mut before);
        if found.length >= BEFORE && at + 1 < last {
            // A longer one may begin one byte later.
            let later = find(input, at + 1, dictionary, &mut before);
            if later.length > found.length + 1 {
                at += 1;
                found = later;
            }
        }
        if found.length < BEFORE {
            at += 1;
            continue;
        }
        sequence(&mut block, &input[literals..at], Some(found));
        let end = at + found.length;
        for inside in at + 1..end.min(last) {
            note(input, inside, &mut before);
        }
        (at, literals) = (end, end);
    }
    sequence(&mut block, &input[literals..], None);
    block
}

/// The longest match at a place, which is noted for those that follow.
fn find(
    input: &[u8],
    at: usize,
    dictionary: &Dictionary,
    before: &mut [u32; 1 << BEFORE_BITS],
) -> Match {
    let mut best = dictionary.find(input, at);
    if let Some(place) = note(input, at, before).filter(|place| at - place <= FARTHEST) {
        let end = &input[..input.len() - LAST];
        let length = same(&input[place..], &end[at..]);
        if length > best.length {
            let back = at - place;
            best = Match { back, length };
        }
    }
    best
}

/// Notes that these bytes are here; gives the place where the like of them were before.
fn note(input: &[u8], at: usize, before: &mut [u32; 1 << BEFORE_BITS]) -> Option<usize> {
    let slot = &mut before[hash::<BEFORE>(&input[at..], BEFORE_BITS)];
    let place = std::mem::replace(slot, u32::try_from(at).unwrap_or(NONE));
    // A place that was noted a moment ago is no match for itself.
    (place != NONE && (place as usize) < at).then_some(place as usize)
}

/// Literals, and what follows them.
fn sequence(block: &mut Vec<u8>, literals: &[u8], found: Option<Match>) {
    let matched = found.map_or(0, |found| found.length - BEFORE);
    let nibble = |length: usize| u8::try_from(length.min(15)).unwrap_or(15);
    block.push((nibble(literals.len()) << 4) | nibble(matched));
    rest_of(block, literals.len());
    block.extend_from_slice(literals);
    if let Some(found) = found {
        let back = u16::try_from(found.back).unwrap_or(u16::MAX);
        block.extend_from_slice(&back.to_le_bytes());
        rest_of(block, matched);
    }
}

/// What of a length did not fit into its four bits.
fn rest_of(block: &mut Vec<u8>, length: usize) {
    let Some(mut rest) = length.checked_sub(15) else {
        return;
    };
    while rest >= 255 {
        block.push(255);
        rest -= 255;
    }
    block.push(u8::try_from(rest).unwrap_or(u8::MAX));
}

/// How many bytes are the same at the beginning of both.
fn same(one: &[u8], other: &[u8]) -> usize {
    let (ones, _) = one.as_chunks::<8>();
    let (others, _) = other.as_chunks::<8>();
    let mut length = 0;
    for (a, b) in ones.iter().zip(others) {
        let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differ != 0 {
            return length + differ.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let rest = one[length..].iter().zip(&other[length..]);
    length + rest.take_while(|(a, b)| a == b).count()
}

/// A hash of the first `N` bytes, at most eight, in so many bits.
fn hash<const N: usize>(bytes: &[u8], bits: u32) -> usize {
    let mut eight = [0; 8];
    eight[..N].copy_from_slice(&bytes[..N]);
    let mixed = u64::from_le_bytes(eight).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> (64 - bits)).unwrap_or(0)
}
