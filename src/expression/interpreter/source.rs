//! From the text of an expression to the program that is run, and back to the author's lines.
//!
//! Line 1 of the program is `def handler(...):`, then comes the author's text, indented by four
//! (also inside of multi-line strings, as in authentik), then what is added to it. So line N of
//! the author is line N + 1. Nothing that is rewritten inside moves a line.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Alias, Expr, ExprCall, Identifier, Stmt};
use ruff_python_parser::parse_module;
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::prelude;
use crate::expression::error::{Frame, SyntaxError};
use crate::expression::wire::Text;

/// Modules that the interpreter has itself and an expression may use. It also has `asyncio`, `os`
/// and `sys`: the host is asked for those, as for everything else, and has none of them.
const OWN: [&str; 13] = [
    "__future__",
    "base64",
    "binascii",
    "collections",
    "dataclasses",
    "datetime",
    "functools",
    "itertools",
    "json",
    "math",
    "re",
    "typing",
    "unicodedata",
];
/// Methods that give a query set. Its rows are asked for unless another method is called on it.
const QUERIES: [&str; 10] = [
    "all",
    "all_groups",
    "distinct",
    "exclude",
    "filter",
    "order_by",
    "prefetch_related",
    "select_related",
    "select_subclasses",
    "values_list",
];
/// Methods without arguments that query sets have and lists have not, and what stands for them.
const OF_ROWS: [(&str, &str); 5] = [
    ("all", "_ak_all("),
    ("count", "_ak_count("),
    ("exists", "_ak_exists("),
    ("first", "_ak_first("),
    ("last", "_ak_last("),
];
/// Exceptions that are attributes of a model, and Python's that stand for them: a class of the
/// host's cannot be caught.
const EXCEPTIONS: [(&str, &str); 2] = [
    ("DoesNotExist", "LookupError"),
    ("MultipleObjectsReturned", "RuntimeError"),
];
/// The longest text of an expression, in bytes.
const LONGEST: usize = 64 << 10;

/// A program and what leads back from it to the author's text.
pub(super) struct Source {
    /// What is compiled.
    pub(super) program: String,
    /// The names of what is handed over, in order.
    pub(super) inputs: Vec<String>,
    lines: Vec<String>,
}

impl Source {
    /// Builds the program.
    pub(super) fn new(text: &Text) -> Result<Self, SyntaxError> {
        let lines: Vec<_> = text.source.lines().map(str::to_owned).collect();
        if text.source.len() > LONGEST {
            return Err(SyntaxError {
                line: 1,
                column: 1,
                message: format!("The expression is longer than {LONGEST} bytes"),
            });
        }
        let inputs = inputs(text);
        let parameters = inputs.iter().filter(|name| !name.starts_with("_ak_"));
        let parameters: Vec<_> = parameters.cloned().collect();
        let mut program = format!("def handler({}):\n", parameters.join(", "));
        for line in &lines {
            program.push_str("    ");
            program.push_str(line);
            program.push('\n');
        }
        let mut source = Self {
            program,
            inputs,
            lines,
        };
        let parsed = parse_module(&source.program)
            .map_err(|error| source.error(error.location.start(), &error.error.to_string()))?;
        let mut rewriting = Rewriting {
            program: &source.program,
            edits: Vec::new(),
            inner: Vec::new(),
            queries: false,
        };
        rewriting.visit_body(&parsed.syntax().body);
        let uses = |word: &str| text.source.contains(word);
        let parts = prelude::Parts {
            addresses: uses("ip_address")
                || uses("ip_network")
                || uses("ipaddress")
                || text.client_ip,
            rows: rewriting.queries,
            skip: uses("SkipObject"),
            list_flatten: uses("list_flatten"),
            pow: uses("pow"),
            call_policy: uses("ak_call_policy"),
        };
        source.program = rewriting.apply();
        prelude::append(&mut source.program, parts, text, &parameters);
        Ok(source)
    }

    fn error(&self, at: TextSize, message: &str) -> SyntaxError {
        let before = &self.program[..at.to_usize().min(self.program.len())];
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count());
        self.located(line + 1, column + 1, message)
    }

    /// An error at a place of the program, as one of the author's text; both count from 1.
    pub(super) fn located(&self, line: usize, column: usize, message: &str) -> SyntaxError {
        let last = self.lines.len().max(1);
        let own = line.saturating_sub(1);
        let (line, column) = if own > last {
            let end = self.lines.last().map_or(0, |line| line.chars().count());
            (last, end + 1)
        } else if own == 0 {
            (1, 1)
        } else {
            (own, column.saturating_sub(4).max(1))
        };
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        SyntaxError {
            line: number(line),
            column: number(column),
            message: message.to_owned(),
        }
    }

    /// A place in a traceback; `None` if it is not in the author's text.
    pub(super) fn frame(&self, line: u32, function: Option<&str>) -> Option<Frame> {
        let line = line.checked_sub(1).filter(|line| *line > 0)?;
        let text = self.lines.get(line as usize - 1)?;
        let function = function.filter(|name| *name != "handler").unwrap_or("");
        Some(Frame {
            line,
            function: function.to_owned(),
            text: text.trim().to_owned(),
        })
    }
}

/// What is handed over, in order; what starts with `_ak_` is no variable of the author's.
fn inputs(text: &Text) -> Vec<String> {
    let given = [
        (text.request, "request"),
        (text.context, "context"),
        (text.client_ip, "ak_client_ip"),
        (text.plan, "_ak_plan"),
    ];
    let given = given.into_iter().filter(|(given, _)| *given);
    given
        .map(|(_, name)| name.to_owned())
        .chain(text.variables.iter().cloned())
        .collect()
}

/// Replacements in the program, by place.
struct Rewriting<'p> {
    program: &'p str,
    edits: Vec<(TextRange, Edit)>,
    /// Queries that another method is called on: the host goes on with those.
    inner: Vec<TextRange>,
    queries: bool,
}

enum Edit {
    /// In the place of what is there, a statement or a name.
    Replace(String),
    Insert(&'static str),
}

impl Rewriting<'_> {
    fn insert(&mut self, at: TextSize, text: &'static str) {
        self.edits.push((TextRange::empty(at), Edit::Insert(text)));
    }

    fn apply(mut self) -> String {
        let program = self.program;
        // Stable, so that what is inserted at one place stays in the order of the visit.
        self.edits.sort_by_key(|(range, _)| range.start());
        let mut out = String::with_capacity(program.len() + 256);
        let mut done = 0;
        for (range, edit) in self.edits {
            out.push_str(&program[done..range.start().to_usize()]);
            match edit {
                Edit::Insert(text) => out.push_str(text),
                Edit::Replace(text) => {
                    // The line breaks of the statement are kept inside of a bracket.
                    let breaks = program[range].matches('\n').count();
                    let bracket = text.rfind(')').unwrap_or(text.len());
                    out.push_str(&text[..bracket]);
                    out.push_str(&"\n".repeat(breaks));
                    out.push_str(&text[bracket..]);
                }
            }
            done = range.end().to_usize();
        }
        out.push_str(&program[done..]);
        out
    }

    fn import(&mut self, range: TextRange, module: Option<&str>, names: &[Alias]) {
        let bindings = names.iter().map(|alias| {
            let name = alias.name.as_str();
            let bound = alias.asname.as_ref().map_or(name, |name| name.as_str());
            match module {
                Some("ipaddress") => format!("{bound} = (_ak_{name})"),
                Some(module) => format!("{bound} = _ak_import({module:?}, {name:?})"),
                None if OWN.contains(&name) => format!("import {name} as {bound}"),
                None if name == "ipaddress" => format!("{bound} = (_ak_ipaddress)"),
                None => {
                    let bound = bound.split('.').next().unwrap_or(bound);
                    format!("{bound} = _ak_import({name:?}, None)")
                }
            }
        });
        let bindings: Vec<_> = bindings.collect();
        self.edits.push((range, Edit::Replace(bindings.join("; "))));
    }

    fn call(&mut self, call: &ExprCall) {
        let Expr::Attribute(method) = &*call.func else {
            return;
        };
        if is_query(&method.value) {
            self.inner.push(method.value.range());
        }
        let name = method.attr.as_str();
        if QUERIES.contains(&name) {
            self.queries = true;
            if !self.inner.contains(&call.range()) {
                self.insert(call.start(), "_ak_rows(");
                self.insert(call.end(), ")");
            }
        }
        let Some(dot) = self.program[..method.attr.start().to_usize()].rfind('.') else {
            return;
        };
        // Behind the receiver and the brackets around it.
        let dot = TextSize::try_from(dot).expect("a place in a text that was parsed");
        let function = OF_ROWS.iter().find(|(method, _)| *method == name);
        if let Some((_, function)) = function.filter(|_| call.arguments.is_empty()) {
            self.queries = true;
            self.insert(call.start(), function);
            let method = TextRange::new(dot, call.end());
            self.edits.push((method, Edit::Insert(")")));
        } else if name == "save" {
            // `x.save(...)` becomes `_ak_save(x, ...)`, which sees the fields of `x`.
            self.insert(call.start(), "_ak_save(");
            let method = TextRange::new(dot, call.arguments.start() + TextSize::from(1));
            self.edits.push((method, Edit::Insert(", ")));
        }
    }
}

fn is_query(expr: &Expr) -> bool {
    let Expr::Call(call) = expr else { return false };
    matches!(&*call.func, Expr::Attribute(method) if QUERIES.contains(&method.attr.as_str()))
}

impl<'a> Visitor<'a> for Rewriting<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::ImportFrom(import) if import.level == 0 => {
                let module = import.module.as_ref().map(Identifier::as_str);
                let star = import.names.iter().any(|alias| alias.name.as_str() == "*");
                if !star && module.is_some_and(|module| !OWN.contains(&module)) {
                    self.import(import.range, module, &import.names);
                }
            }
            Stmt::Import(import) => {
                let foreign = |alias: &Alias| !OWN.contains(&alias.name.as_str());
                if import.names.iter().any(foreign) {
                    self.import(import.range, None, &import.names);
                }
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Call(call) = expr {
            self.call(call);
        }
        if let Expr::Attribute(attribute) = expr {
            let name = attribute.attr.as_str();
            let stands_for = EXCEPTIONS.iter().find(|(exception, _)| *exception == name);
            if let Some((_, exception)) = stands_for {
                let exception = Edit::Replace((*exception).to_owned());
                self.edits.push((attribute.range(), exception));
                return;
            }
        }
        visitor::walk_expr(self, expr);
    }
}

/// The name under which a variable can be handed over: ASCII letters and digits in lower case,
/// underlines for blanks and hyphens; `None` if nothing is left that Python takes for a name.
pub(in crate::expression) fn identifier(name: &str) -> Option<String> {
    let name = super::pure::slugify(name).replace('-', "_");
    let start = name.chars().next()?;
    let reserved = prelude::RESERVED.contains(&name.as_str());
    (!start.is_ascii_digit() && !reserved && !name.starts_with("_ak_")).then_some(name)
}
