//! What is added to an expression: functions that must be Python to see the author's objects, and
//! the call of the author's text.

use std::fmt::Write as _;

use crate::expression::wire::Text;

/// Python's keywords, and the names that mean something here.
pub(super) const RESERVED: [&str; 42] = [
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "match",
    "handler",
    "request",
    "context",
    "ak_client_ip",
    "true",
    "false",
    "none",
    "result",
    "case",
];

/// Which parts an expression needs. Leaving the others out is what makes an evaluation cheap.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each part is there or not")]
pub(super) struct Parts {
    pub(super) addresses: bool,
    pub(super) rows: bool,
    pub(super) skip: bool,
    pub(super) list_flatten: bool,
    pub(super) pow: bool,
    pub(super) call_policy: bool,
}

/// Adds the parts and the call; the program's value is a tuple of the result, the context and
/// the plan's context, the latter two `None` where there are none.
pub(super) fn append(program: &mut String, parts: Parts, text: &Text, parameters: &[String]) {
    if parts.addresses {
        for version in [4, 6] {
            let part = ADDRESSES.replace("VERSION", &version.to_string());
            program.push_str(&part);
        }
        program.push_str(IPADDRESS);
    }
    for (wanted, part) in [
        (parts.rows, ROWS),
        (parts.skip, SKIP),
        (parts.list_flatten, LIST_FLATTEN),
        (parts.pow, POW),
        (parts.call_policy, CALL_POLICY),
    ] {
        if wanted {
            program.push_str(part);
        }
    }
    if text.plan {
        program.push_str("_ak_extra = context\n");
        program.push_str("context = dict(_ak_plan.context)\n");
        program.push_str("context.update(_ak_extra)\n");
        program.push_str("context[\"flow_plan\"] = _ak_plan\n");
    }
    if text.request && text.context {
        program.push_str("request.context = context\n");
    }
    if text.client_ip {
        program.push_str("ak_client_ip = _ak_ip_address(ak_client_ip)\n");
    }
    if parts.call_policy {
        let context = if text.context { "context" } else { "{}" };
        let plan = if text.plan { "_ak_plan" } else { "None" };
        // Writing into a string cannot fail.
        let _ = writeln!(program, "_ak_contexts = ({context}, {plan})");
    }
    let _ = writeln!(program, "_ak_value = handler({})", parameters.join(", "));
    if text.plan {
        program.push_str("if context.get(\"flow_plan\") is _ak_plan:\n");
        program.push_str("    context.pop(\"flow_plan\")\n");
    }
    let context = if text.context { "context" } else { "None" };
    let plan = if text.plan {
        "_ak_plan.context"
    } else {
        "None"
    };
    let _ = write!(program, "(_ak_value, {context}, {plan})");
}

/// No expression meets the real one, and classes of one's own cannot be raised.
const SKIP: &str = "SkipObject = KeyboardInterrupt\n";

const LIST_FLATTEN: &str = r"
def list_flatten(value):
    if isinstance(value, list):
        return value[0] if len(value) > 0 else None
    return value
";

/// The interpreter cannot interrupt the built-in one.
const POW: &str = r#"
def pow(base, exp, mod=None):
    if mod is not None:
        raise NotImplementedError("pow() with three arguments is not available in expressions")
    return base ** exp
"#;

const CALL_POLICY: &str = r#"
def ak_call_policy(name, **kwargs):
    context, plan = _ak_contexts
    context.update(kwargs)
    bare = dict(context)
    bare.pop("flow_plan", None)
    called = _ak_call_policy(name, bare, None if plan is None else plan.context)
    for in_plan, path, present, value in called["changes"]:
        if in_plan and plan is None:
            continue
        inside = plan.context if in_plan else context
        for key in path[:-1]:
            inside = inside[key]
        if present:
            inside[path[-1]] = value
        else:
            inside.pop(path[-1], None)
    return called["result"]
"#;

/// The result of a query is a list: a class of one's own is always true, and nothing can be asked
/// from inside of a method that Python calls by itself. So these methods must work on lists too.
const ROWS: &str = r#"
def _ak_rows(value):
    return _ak_iterate(value) if type(value).__name__ == "QuerySet" else value

def _ak_all(value):
    return value if isinstance(value, list) else value.all()

def _ak_exists(value):
    return len(value) > 0 if isinstance(value, list) else value.exists()

def _ak_count(value):
    return len(value) if isinstance(value, list) else value.count()

def _ak_first(value):
    if isinstance(value, list):
        return value[0] if len(value) > 0 else None
    return value.first()

def _ak_last(value):
    if isinstance(value, list):
        return value[-1] if len(value) > 0 else None
    return value.last()
"#;

const ADDRESSES: &str = r#"
class IPvVERSIONAddress:
    def __init__(self, value):
        facts = _ak_ip(str(value), VERSION, False)
        self._text = facts["text"]
        self._number = facts["number"]
        self.version = VERSION
        self.compressed = facts["text"]
        self.exploded = facts["exploded"]
        self.max_prefixlen = facts["bits"]
        self.packed = facts["packed"]
        self.is_private = facts["is_private"]
        self.is_global = facts["is_global"]
        self.is_loopback = facts["is_loopback"]
        self.is_link_local = facts["is_link_local"]
        self.is_multicast = facts["is_multicast"]
        self.is_unspecified = facts["is_unspecified"]
        self.is_reserved = facts["is_reserved"]
    def __eq__(self, other):
        return type(other) is type(self) and other._number == self._number
    def __hash__(self):
        return hash(self._text)
    def __str__(self):
        return self._text
    def __repr__(self):
        return "IPvVERSIONAddress('" + self._text + "')"

class IPvVERSIONNetwork:
    def __init__(self, value, strict=True):
        facts = _ak_ip(str(value), VERSION, True, strict)
        self._text = facts["text"]
        self._first = facts["number"]
        self._last = facts["last"]
        self.version = VERSION
        self.prefixlen = facts["prefixlen"]
        self.num_addresses = facts["last"] - facts["number"] + 1
        self.network_address = IPvVERSIONAddress(facts["first_text"])
        self.broadcast_address = IPvVERSIONAddress(facts["last_text"])
        self.is_private = self.network_address.is_private and self.broadcast_address.is_private
        self.with_prefixlen = facts["text"]
    def __contains__(self, address):
        return address.version == VERSION and self._first <= address._number and address._number <= self._last
    def subnet_of(self, other):
        return other.version == VERSION and other._first <= self._first and self._last <= other._last
    def supernet_of(self, other):
        return other.subnet_of(self)
    def overlaps(self, other):
        return other.version == VERSION and other._first <= self._last and self._first <= other._last
    def __eq__(self, other):
        return type(other) is type(self) and other._text == self._text
    def __hash__(self):
        return hash(self._text)
    def __str__(self):
        return self._text
    def __repr__(self):
        return "IPvVERSIONNetwork('" + self._text + "')"

_ak_IPvVERSIONAddress = IPvVERSIONAddress
_ak_IPvVERSIONNetwork = IPvVERSIONNetwork
"#;

const IPADDRESS: &str = r#"
def ip_address(value):
    return IPv6Address(value) if ":" in str(value) else IPv4Address(value)

def ip_network(value, strict=True):
    return IPv6Network(value, strict) if ":" in str(value) else IPv4Network(value, strict)

_ak_ip_address = ip_address
_ak_ip_network = ip_network

class _ak_Module:
    def __init__(self):
        self.ip_address = ip_address
        self.ip_network = ip_network
        self.IPv4Address = IPv4Address
        self.IPv4Network = IPv4Network
        self.IPv6Address = IPv6Address
        self.IPv6Network = IPv6Network

_ak_ipaddress = _ak_Module()
"#;
