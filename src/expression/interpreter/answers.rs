//! What a running expression asks for: answered here if it can be, else by the host.

use std::fmt::Write as _;

use jiff::tz::Offset;
use monty_types::{
    ExcType, ExtFunctionResult, MontyDate, MontyObject, MontyUuid, NameLookupResult, OsFunctionCall,
};
use num_bigint::BigInt;

use super::bridge::{datetime, text};
use super::{Ended, Run, UNKNOWN, exception, pure};
use crate::expression::evaluation::Level;
use crate::expression::host::Call;
use crate::expression::value::{Object, Value};
use crate::expression::wire::{Answer, Failed, Question};

/// What stands for `SkipObject`.
pub(super) const SKIP: ExcType = ExcType::KeyboardInterrupt;
/// The functions that need no question before they are called.
const FUNCTIONS: [&str; 9] = [
    "_ak_import",
    "_ak_ip",
    "_ak_iterate",
    "_ak_save",
    "_ak_call_policy",
    "devices_for_user",
    "regex_match",
    "regex_replace",
    "slugify",
];
const LOGGER: &str = "Logger";

type Arguments = Vec<MontyObject>;
type Named = Vec<(MontyObject, MontyObject)>;

impl Run<'_> {
    pub(super) fn name(&mut self, name: &str) -> Result<NameLookupResult, Ended> {
        let function = |name: &str| MontyObject::Function {
            name: name.to_owned(),
            docstring: None,
        };
        Ok(match name {
            "ak_logger" => {
                let logger = Object::new(LOGGER, "");
                NameLookupResult::Value(self.bridge.enter(logger.into()))
            }
            _ if FUNCTIONS.contains(&name) => NameLookupResult::Value(function(name)),
            _ if name.starts_with("ak_") && name != "ak_client_ip" && name != "ak_is_sso_flow" => {
                NameLookupResult::Value(function(name))
            }
            _ if name.starts_with('_') => UNKNOWN,
            _ => self.look_up(Question::Name(name.to_owned()))?,
        })
    }

    pub(super) fn attribute(
        &mut self,
        object: MontyUuid,
        name: &str,
    ) -> Result<NameLookupResult, Ended> {
        match self.bridge.object(object) {
            Some(object) if object.class != LOGGER => {
                self.look_up(Question::Attribute(object, name.to_owned()))
            }
            _ => Ok(UNKNOWN),
        }
    }

    fn look_up(&mut self, question: Question) -> Result<NameLookupResult, Ended> {
        Ok(match self.asked(question)? {
            ExtFunctionResult::Return(value) => NameLookupResult::Value(value),
            ExtFunctionResult::Error(error) => NameLookupResult::Error(error),
            _ => UNKNOWN,
        })
    }

    /// Asks the host; `NotFound` means that it knows nothing of the kind.
    fn asked(&mut self, question: Question) -> Result<ExtFunctionResult, Ended> {
        let (answer, secrets) = (self.ask)(question)?;
        self.bridge.mask.add(secrets);
        Ok(match answer {
            Answer::Value(value) => ExtFunctionResult::Return(self.bridge.enter(value)),
            Answer::Nothing => ExtFunctionResult::NotFound(String::new()),
            Answer::Raise(raised) => {
                ExtFunctionResult::Error(exception(&raised.kind, raised.message))
            }
            Answer::Abort => return Err(Ended::Failed(Failed::Aborted)),
        })
    }

    pub(super) fn call(
        &mut self,
        object: Option<MontyUuid>,
        name: &str,
        args: Arguments,
        kwargs: Named,
    ) -> Result<ExtFunctionResult, Ended> {
        let Some(object) = object else {
            return self.function(name, args, kwargs);
        };
        match self.bridge.object(object) {
            Some(object) if object.class == LOGGER => {
                self.log(name, &args, &kwargs);
                Ok(MontyObject::None.into())
            }
            Some(object) => self.forward(Some(object), name, args, kwargs),
            None => Ok(ExtFunctionResult::NotFound(name.to_owned())),
        }
    }

    fn forward(
        &mut self,
        object: Option<Object>,
        name: &str,
        args: Arguments,
        kwargs: Named,
    ) -> Result<ExtFunctionResult, Ended> {
        let args = args
            .into_iter()
            .map(|value| self.bridge.leave(value, false));
        let kwargs = kwargs.into_iter().map(|(key, value)| {
            let value = self.bridge.leave(value, false);
            (key.to_string(), value)
        });
        let call = Call {
            object,
            name: name.to_owned(),
            args: args.collect(),
            kwargs: kwargs.collect(),
        };
        let values = call.args.iter().chain(call.kwargs.iter().map(|(_, v)| v));
        if !values.into_iter().all(Value::fits) {
            let error = exception("ValueError", "the arguments are too large");
            return Ok(error.into());
        }
        let answer = self.asked(Question::Call(call))?;
        Ok(match answer {
            ExtFunctionResult::NotFound(_) => ExtFunctionResult::NotFound(name.to_owned()),
            answer => answer,
        })
    }

    fn function(
        &mut self,
        name: &str,
        mut args: Arguments,
        kwargs: Named,
    ) -> Result<ExtFunctionResult, Ended> {
        Ok(match name {
            "ak_message" => {
                let said = args.first().map(ToString::to_string);
                self.output.message(said.unwrap_or_default());
                MontyObject::None.into()
            }
            "_ak_import" => return self.import(&args),
            "_ak_ip" => address(&args).unwrap_or_else(raised),
            "_ak_iterate" if !args.is_empty() => match self.bridge.leave(args.remove(0), false) {
                Value::Object(object) => {
                    return self.forward(Some(object), "__iter__", args, kwargs);
                }
                _ => exception("TypeError", "object is not iterable").into(),
            },
            "_ak_save" if !args.is_empty() => match self.bridge.leave(args.remove(0), true) {
                Value::Object(object) => return self.forward(Some(object), "save", args, kwargs),
                _ => exception("AttributeError", "object has no attribute 'save'").into(),
            },
            "regex_match" | "regex_replace" | "slugify" => {
                textual(name, &args, &kwargs).unwrap_or_else(raised)
            }
            _ => return self.forward(None, name, args, kwargs),
        })
    }

    fn import(&mut self, args: &Arguments) -> Result<ExtFunctionResult, Ended> {
        let part = |at: usize| match args.get(at) {
            Some(MontyObject::String(text)) => Some(text.clone()),
            _ => None,
        };
        let (module, name) = (part(0).unwrap_or_default(), part(1));
        let question = Question::Import(module.clone(), name.clone());
        Ok(match self.asked(question)? {
            ExtFunctionResult::NotFound(_) => if let Some(name) = name {
                let message = format!("cannot import name '{name}' from '{module}'");
                exception("ImportError", message)
            } else {
                let message = format!("No module named '{module}'");
                exception("ModuleNotFoundError", message)
            }
            .into(),
            answer => answer,
        })
    }

    fn log(&mut self, name: &str, args: &Arguments, kwargs: &Named) {
        let level = match name {
            "debug" => Level::Debug,
            "warning" | "warn" => Level::Warning,
            "error" | "critical" | "exception" => Level::Error,
            _ => Level::Info,
        };
        let mut line = args.first().map(ToString::to_string).unwrap_or_default();
        for (key, value) in kwargs {
            // Writing into a string cannot fail.
            let _ = write!(line, " {key}={}", value.py_repr());
        }
        self.output.log(level, line);
    }

    /// What a program asks of the machine that it runs on: there is a clock, and nothing else.
    pub(super) fn machine(&self, asked: &OsFunctionCall) -> ExtFunctionResult {
        let now = self.start.now;
        match asked {
            OsFunctionCall::DateToday => {
                let today = Offset::UTC.to_datetime(now).date();
                let small = |part: i8| u8::try_from(part).unwrap_or_default();
                MontyObject::Date(MontyDate {
                    year: today.year().into(),
                    month: small(today.month()),
                    day: small(today.day()),
                })
                .into()
            }
            OsFunctionCall::DateTimeNow(zone) => {
                let seconds = zone.as_ref().map(|zone| zone.offset_seconds);
                let offset = Offset::from_seconds(seconds.unwrap_or(0)).unwrap_or(Offset::UTC);
                let mut at = datetime(offset.to_datetime(now), seconds);
                at.timezone_name = zone.as_ref().and_then(|zone| zone.name.clone());
                MontyObject::DateTime(at).into()
            }
            other => {
                let message = format!("{}() is not available in expressions", other.name());
                exception("PermissionError", message).into()
            }
        }
    }
}

fn raised((kind, message): pure::Raised) -> ExtFunctionResult {
    exception(kind, message).into()
}

/// The helpers that take texts and give one value.
fn textual(
    name: &str,
    args: &Arguments,
    kwargs: &Named,
) -> Result<ExtFunctionResult, pure::Raised> {
    let names: &[&str] = match name {
        "regex_replace" => &["value", "regex", "repl"],
        "regex_match" => &["value", "regex"],
        _ => &["text"],
    };
    let mut texts = [""; 3];
    for (at, wanted) in names.iter().enumerate() {
        let by_name = kwargs.iter().find(|(key, _)| key.to_string() == *wanted);
        texts[at] = match args.get(at).or(by_name.map(|(_, value)| value)) {
            Some(MontyObject::String(text)) => text,
            Some(other) if name == "slugify" => return slug(other),
            _ => return Err(("TypeError", format!("{name}() expects a text as {wanted}"))),
        };
    }
    let [first, second, third] = texts;
    Ok(match name {
        "regex_match" => MontyObject::Bool(pure::regex_match(first, second)?),
        "regex_replace" => MontyObject::String(pure::regex_replace(first, second, third)?),
        _ => MontyObject::String(pure::slugify(first)),
    }
    .into())
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of its caller")]
fn slug(of: &MontyObject) -> Result<ExtFunctionResult, pure::Raised> {
    Ok(MontyObject::String(pure::slugify(&of.to_string())).into())
}

/// `_ak_ip(text, version, network, strict)`: what Python's `ipaddress` knows of it.
fn address(args: &Arguments) -> Result<ExtFunctionResult, pure::Raised> {
    let [
        MontyObject::String(given),
        MontyObject::Int(version),
        rest @ ..,
    ] = args.as_slice()
    else {
        return Err(("TypeError", "an address is a text".to_owned()));
    };
    let flag = |at: usize| !matches!(rest.get(at), Some(MontyObject::Bool(false)) | None);
    let facts = pure::ip(given, *version, flag(0), flag(1))?;
    let shown = if facts.network {
        format!("{}/{}", facts.first, facts.prefix)
    } else {
        facts.first.to_string()
    };
    let (bits, packed) = match facts.first {
        std::net::IpAddr::V4(ip) => (32, ip.octets().to_vec()),
        std::net::IpAddr::V6(ip) => (128, ip.octets().to_vec()),
    };
    let exploded = match facts.first {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => {
            let parts = ip.segments().map(|part| format!("{part:04x}"));
            parts.join(":")
        }
    };
    let number = |ip: std::net::IpAddr| match ip {
        std::net::IpAddr::V4(ip) => MontyObject::Int(i64::from(u32::from(ip))),
        std::net::IpAddr::V6(ip) => MontyObject::BigInt(BigInt::from(u128::from(ip))),
    };
    let mut known = vec![
        (text("text"), MontyObject::String(shown)),
        (text("exploded"), MontyObject::String(exploded)),
        (text("number"), number(facts.first)),
        (text("last"), number(facts.last)),
        (text("first_text"), text(&facts.first.to_string())),
        (text("last_text"), text(&facts.last.to_string())),
        (text("prefixlen"), MontyObject::Int(facts.prefix.into())),
        (text("bits"), MontyObject::Int(bits)),
        (text("packed"), MontyObject::Bytes(packed)),
    ];
    let flags = facts.properties().into_iter();
    known.extend(flags.map(|(name, value)| (text(name), MontyObject::Bool(value))));
    Ok(MontyObject::dict(known).into())
}
