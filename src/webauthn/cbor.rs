//! Reads the little of CBOR that devices send: numbers, bytes, text, lists and maps.

use minicbor::Decoder;
use minicbor::data::Type;

/// A device nests three deep; more is somebody's attempt.
const DEEPEST: u8 = 8;

/// One item.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item<'a> {
    Integer(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
    List(Vec<Item<'a>>),
    Map(Vec<(Item<'a>, Item<'a>)>),
    /// Anything that nobody asks about here.
    Other,
}

/// Reads the item at the beginning of `bytes`, and says how long it is.
pub(super) fn first(bytes: &[u8]) -> Option<(Item<'_>, usize)> {
    let mut decoder = Decoder::new(bytes);
    let item = item(&mut decoder, DEEPEST)?;
    Some((item, decoder.position()))
}

/// Reads an item and nothing after it.
pub(super) fn whole(bytes: &[u8]) -> Option<Item<'_>> {
    let (item, length) = first(bytes)?;
    (length == bytes.len()).then_some(item)
}

fn item<'a>(decoder: &mut Decoder<'a>, depth: u8) -> Option<Item<'a>> {
    let depth = depth.checked_sub(1)?;
    Some(match decoder.datatype().ok()? {
        Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::I8
        | Type::I16
        | Type::I32
        | Type::I64
        | Type::Int => Item::Integer(decoder.i64().ok()?),
        Type::Bytes => Item::Bytes(decoder.bytes().ok()?),
        Type::String => Item::Text(decoder.str().ok()?),
        Type::Array => {
            let length = decoder.array().ok()??;
            let items = (0..length).map(|_| item(decoder, depth));
            Item::List(items.collect::<Option<_>>()?)
        }
        Type::Map => {
            let length = decoder.map().ok()??;
            let entries = (0..length).map(|_| Some((item(decoder, depth)?, item(decoder, depth)?)));
            Item::Map(entries.collect::<Option<_>>()?)
        }
        Type::Bool | Type::Null | Type::Undefined | Type::F16 | Type::F32 | Type::F64 => {
            decoder.skip().ok()?;
            Item::Other
        }
        // Nothing that a device sends may be of a length that is only known at its end.
        _ => return None,
    })
}

impl<'a> Item<'a> {
    /// The entry of a map under a number.
    pub(super) fn at(&self, key: i64) -> Option<&Item<'a>> {
        self.entry(&Item::Integer(key))
    }

    /// The entry of a map under a name.
    pub(super) fn named(&self, key: &str) -> Option<&Item<'a>> {
        self.entry(&Item::Text(key))
    }

    fn entry(&self, key: &Item<'_>) -> Option<&Item<'a>> {
        let Self::Map(entries) = self else {
            return None;
        };
        let found = entries.iter().find(|(known, _)| known == key);
        found.map(|(_, value)| value)
    }

    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Item<'a>]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_item_is_read_up_to_its_end() {
        let (map, length) = first(&[0xa1, 0x01, 0x26, 0xff]).expect("a map");
        assert_eq!((map.at(1), length), (Some(&Item::Integer(-7)), 3));
        assert_eq!(whole(&[0xa1, 0x01, 0x26, 0xff]), None);
    }

    #[test]
    fn nothing_is_read_that_promises_more_than_it_holds_or_nests_without_end() {
        assert_eq!(
            whole(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            None
        );
        assert_eq!(whole(&[0x81; 5000]), None);
        assert_eq!(whole(&[0x9f, 0x01, 0xff]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = whole(&bytes);
        }
    }
}
