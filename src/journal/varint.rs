//! Numbers in as few bytes as they need: seven bits to a byte, the lowest first; all but the last have the
//! eighth. Frozen: records of format 2 hold them.

/// Why the bytes begin with no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// They end before it does.
    Short,
    /// It is larger than any that is written.
    Large,
}

/// Adds a number.
pub(super) fn write(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

/// The number that the bytes begin with, and what follows it.
pub(super) fn read(mut bytes: &[u8]) -> Result<(u64, &[u8]), Bad> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = bytes.split_first().ok_or(Bad::Short)?;
        bytes = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok((value, bytes));
        }
    }
    Err(Bad::Large)
}

/// A number with a sign as one without, so that those near zero stay small.
pub(super) const fn folded(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

/// The number that was folded.
pub(super) const fn unfolded(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back_and_small_ones_are_short() {
        for value in [0, 1, 0x7f, 0x80, 300, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            write(&mut bytes, value);
            assert!(bytes.len() <= 10);
            bytes.push(7);
            assert_eq!(read(&bytes), Ok((value, &[7][..])));
            bytes.truncate(bytes.len() - 2);
            assert_eq!(read(&bytes), Err(Bad::Short));
        }
        assert_eq!(read(&[0xff; 11]), Err(Bad::Large));
        for value in [0, -1, 1, i64::MIN, i64::MAX] {
            assert_eq!(unfolded(folded(value)), value);
        }
        assert_eq!((folded(0), folded(-1), folded(1)), (0, 1, 2));
    }
}
