//! The server's side of an evaluation: who answers what an expression asks.

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::evaluation::Change;
use super::value::{Object, Value};

/// Answers the questions of one evaluation.
///
/// The policy engine implements it over `World`, so that each answer is recorded. Answers may
/// depend on earlier calls of the same evaluation and on nothing else that changes.
#[async_trait(?Send)]
pub trait Host {
    /// A name that neither Python nor the evaluation knows; `None` raises `NameError`.
    async fn name(&self, name: &str) -> Result<Option<Value>, Failure>;

    /// `from module import name`; without a name, `import module`. `None` raises `ImportError`.
    ///
    /// What Python modules the interpreter has (`json`, `datetime`, `re`, `math`, `base64`, ...)
    /// and `ipaddress` are never asked for.
    async fn import(&self, module: &str, name: Option<&str>) -> Result<Option<Value>, Failure>;

    /// An attribute of `object` that was not among its fields, also for `hasattr` and `getattr`;
    /// `None` raises `AttributeError`. Of a class, `object.class` is `"type"` and `object.id` its
    /// name.
    async fn attribute(&self, object: &Object, name: &str) -> Result<Option<Value>, Failure>;

    /// A call of a function (`ak_user_by`) or of a method of an object.
    async fn call(&self, call: Call) -> Result<Value, Failure>;

    /// The text of a secret that is about to be handed to the expression.
    ///
    /// Asked once per evaluation and handle; from then on the text is masked in whatever this
    /// evaluation lets out.
    async fn reveal(&self, handle: &str) -> Result<SecretString, Failure>;
}

/// A call that an expression made.
///
/// Arguments hold a secret only as its handle, and only where the whole text is the secret;
/// where a text merely contains it, it is masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The receiver, with its fields as the expression left them, of a method; `None` for a
    /// function. Of a class, `class` is `"type"` and `id` its name. Only for `save` are the
    /// fields there.
    pub object: Option<Object>,
    /// The name of the function or method. Iterating over a query set calls `__iter__`, calling
    /// a class `__call__`.
    pub name: String,
    /// Arguments by position.
    pub args: Vec<Value>,
    /// Arguments by name.
    pub kwargs: Vec<(String, Value)>,
}

impl Call {
    /// The argument at `position`, or the one of that name.
    pub fn argument(&self, position: usize, name: &str) -> Option<&Value> {
        let named = self.kwargs.iter().find(|(key, _)| key == name);
        self.args.get(position).or(named.map(|(_, value)| value))
    }
}

/// Why a host does not answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The expression is to see this exception, and may catch it.
    #[error(transparent)]
    Raise(#[from] Raised),
    /// The evaluation cannot go on: the journal could not be read, or a recorded evaluation asks
    /// what was not recorded. Ends it with [`super::Error::Host`].
    #[error(transparent)]
    Abort(Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    /// An exception of Python's class `kind` (`ValueError`); an unknown class is `RuntimeError`.
    pub fn raise(kind: &str, message: impl Into<String>) -> Self {
        Self::Raise(Raised {
            kind: kind.to_owned(),
            message: message.into(),
        })
    }
}

/// A Python exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Raised {
    /// Its class: `ValueError`.
    pub kind: String,
    /// What `str()` gives.
    pub message: String,
}

/// The answer to a call of `ak_call_policy`.
///
/// That call arrives with the policy's name, the context as it is by then, and the context of the
/// plan or `None`. What the called policy changed in them is carried over into the caller's.
pub fn policy_called(result: Object, changes: &[Change]) -> Value {
    let changes = changes.iter().map(Change::to_value);
    Value::dict([
        ("result", Value::Object(result)),
        ("changes", Value::List(changes.collect())),
    ])
}
