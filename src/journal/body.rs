//! The opened body of an object, and what was read from it while somebody keeps it.

use std::any::Any;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;

/// A body. Clones share the bytes, and the value that was read from them.
#[derive(Clone)]
pub struct Body(Arc<Opened>);

struct Opened {
    bytes: Vec<u8>,
    read: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Body {
    /// The value that the body holds. It is parsed once where somebody else keeps the body as well.
    ///
    /// # Errors
    /// When the body holds no such value.
    pub(super) fn value<T>(&self) -> serde_json::Result<T>
    where
        T: DeserializeOwned + Clone + Send + Sync + 'static,
    {
        let read = self.0.read.get();
        if let Some(value) = read.and_then(|value| value.downcast_ref::<T>()) {
            return Ok(value.clone());
        }
        let value: T = serde_json::from_slice(&self.0.bytes)?;
        // A copy for nobody is not worth its time.
        if read.is_none() && Arc::strong_count(&self.0) > 1 {
            // Whoever was faster has put the same there.
            let _same = self.0.read.set(Box::new(value.clone()));
        }
        Ok(value)
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Opened {
            bytes,
            read: OnceLock::new(),
        }))
    }
}

impl From<Body> for Vec<u8> {
    fn from(body: Body) -> Self {
        match Arc::try_unwrap(body.0) {
            Ok(opened) => opened.bytes,
            Err(shared) => shared.bytes.clone(),
        }
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0.bytes
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.0.bytes == other.0.bytes
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.bytes.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_once_where_the_body_is_kept_and_as_whatever_is_asked_for() {
        let body = Body::from(b"[1,2]".to_vec());
        assert_eq!(body.value::<Vec<u8>>().expect("a list"), [1, 2]);
        assert!(body.0.read.get().is_none(), "nobody else has it");
        let kept = body.clone();
        assert_eq!(body.value::<Vec<u8>>().expect("a list"), [1, 2]);
        let read = kept.0.read.get().expect("it is kept");
        assert_eq!(read.downcast_ref::<Vec<u8>>(), Some(&vec![1, 2]));
        assert_eq!(kept.value::<Vec<u64>>().expect("a list"), [1, 2]);
        assert_eq!(kept.value::<(u8, u8)>().expect("a pair"), (1, 2));
        assert!(kept.value::<String>().is_err());
        assert_eq!(Vec::from(kept), b"[1,2]");
        assert_eq!(Vec::from(body), b"[1,2]");
    }
}
