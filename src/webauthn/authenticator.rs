//! What a device says of itself and of the key that it made.

use uuid::Uuid;

use super::{Problem, cbor};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const HAS_KEY: u8 = 0x40;
const HAS_EXTENSIONS: u8 = 0x80;

/// The longest identifier that a device may give a credential.
pub(super) const LONGEST_ID: usize = 1023;

/// Authenticator data (6.1).
#[derive(Clone, Debug)]
pub(super) struct Data<'a> {
    pub(super) party: &'a [u8],
    flags: u8,
    pub(super) sign_count: u32,
    pub(super) attested: Option<Attested<'a>>,
}

/// Attested credential data (6.5.1).
#[derive(Clone, Debug)]
pub(super) struct Attested<'a> {
    pub(super) model: Uuid,
    pub(super) id: &'a [u8],
    /// The key in COSE form, byte for byte.
    pub(super) key: &'a [u8],
}

impl<'a> Data<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Problem> {
        Self::parse(bytes).ok_or(Problem::Form("authenticator data"))
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (party, rest) = bytes.split_at_checked(32)?;
        let (flags, rest) = rest.split_first()?;
        let (count, mut rest) = rest.split_first_chunk::<4>()?;
        let mut attested = None;
        if flags & HAS_KEY != 0 {
            let (model, after) = rest.split_first_chunk::<16>()?;
            let (length, after) = after.split_first_chunk::<2>()?;
            let length = usize::from(u16::from_be_bytes(*length));
            if length > LONGEST_ID {
                return None;
            }
            let (id, after) = after.split_at_checked(length)?;
            let (_, length) = cbor::first(after)?;
            let (key, after) = after.split_at_checked(length)?;
            let model = Uuid::from_bytes(*model);
            attested = Some(Attested { model, id, key });
            rest = after;
        }
        if flags & HAS_EXTENSIONS != 0 {
            let (_, length) = cbor::first(rest)?;
            rest = rest.get(length..)?;
        }
        rest.is_empty().then_some(Self {
            party,
            flags: *flags,
            sign_count: u32::from_be_bytes(*count),
            attested,
        })
    }

    pub(super) fn is_present(&self) -> bool {
        self.flags & PRESENT != 0
    }

    pub(super) fn is_verified(&self) -> bool {
        self.flags & VERIFIED != 0
    }
}
