//! Reads a query.
//!
//! `and` and `or` bind equally, and what is on their right belongs together: `a and b or c` is
//! `a and (b or c)`. That is authentik's grammar, and queries that come from there must go on
//! meaning what they meant.

use super::eval::moment;
use super::token::{Token, error, tokens};
use super::{Comparison, Constant, Join, Operator, Query, SyntaxError};

/// The fields of an event; what lies below them is anybody's.
const FIELDS: &[&str] = &[
    "action",
    "app",
    "brand",
    "client_ip",
    "context",
    "created",
    "event_uuid",
    "expires",
    "user",
];

/// The fields that hold a moment.
pub(super) const MOMENTS: &[&str] = &["created", "expires"];

/// How deep parentheses may lie within each other.
const DEEPEST: usize = 32;

/// Words that are no names.
const WORDS: &[&str] = &[
    "and",
    "or",
    "not",
    "in",
    "startswith",
    "endswith",
    "True",
    "False",
    "None",
];

/// Reads a whole query.
pub(super) fn query(text: &str) -> Result<Query, SyntaxError> {
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        next: 0,
    };
    let query = parser.chain(0)?;
    match parser.peek() {
        None => Ok(query),
        Some(_) => Err(parser.expected("and, or, or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(usize, Token)>,
    next: usize,
}

impl Parser<'_> {
    fn chain(&mut self, depth: usize) -> Result<Query, SyntaxError> {
        let mut parts = vec![self.part(depth)?];
        let mut joins = Vec::new();
        while let Some(join) = self.join() {
            joins.push(join);
            parts.push(self.part(depth)?);
        }
        if joins.is_empty() {
            return Ok(parts.remove(0));
        }
        Ok(Query::Chain { parts, joins })
    }

    fn join(&mut self) -> Option<Join> {
        if self.takes_word("and") {
            Some(Join::And)
        } else if self.takes_word("or") {
            Some(Join::Or)
        } else {
            None
        }
    }

    fn part(&mut self, depth: usize) -> Result<Query, SyntaxError> {
        if !self.takes_sign("(") {
            return self.comparison().map(Query::Compare);
        }
        if depth == DEEPEST {
            self.next -= 1;
            return Err(self.wrong("too many parentheses within each other"));
        }
        let query = self.chain(depth + 1)?;
        if !self.takes_sign(")") {
            return Err(self.expected("and, or, or a closing parenthesis"));
        }
        Ok(query)
    }

    fn comparison(&mut self) -> Result<Comparison, SyntaxError> {
        let path = self.name()?;
        let (operator, negated) = self.operator()?;
        let mut with = Vec::new();
        if operator == Operator::In {
            if !self.takes_sign("(") {
                return Err(self.expected("a list in parentheses"));
            }
            with.push(self.constant(&path, operator)?);
            while self.takes_sign(",") {
                with.push(self.constant(&path, operator)?);
            }
            if !self.takes_sign(")") {
                return Err(self.expected("a comma or a closing parenthesis"));
            }
        } else {
            with.push(self.constant(&path, operator)?);
        }
        Ok(Comparison {
            path,
            operator,
            negated,
            with,
        })
    }

    fn name(&mut self) -> Result<Vec<String>, SyntaxError> {
        let name = match self.peek() {
            Some(Token::Word(word)) if !WORDS.contains(&word.as_str()) => word,
            _ => return Err(self.expected("the name of a field")),
        };
        let path: Vec<String> = name.split('.').map(str::to_owned).collect();
        if !FIELDS.contains(&path[0].as_str()) {
            let problem = format!(
                "Unknown field: {}. Possible choices are: {}",
                path[0],
                FIELDS.join(", ")
            );
            return Err(self.wrong(&problem));
        }
        self.next += 1;
        Ok(path)
    }

    fn operator(&mut self) -> Result<(Operator, bool), SyntaxError> {
        let negated = self.takes_word("not");
        let operator = match self.peek() {
            Some(Token::Word(word)) => match word.as_str() {
                "in" => Some((Operator::In, negated)),
                "startswith" => Some((Operator::StartsWith, negated)),
                "endswith" => Some((Operator::EndsWith, negated)),
                _ => None,
            },
            Some(Token::Sign(sign)) if !negated => match *sign {
                "=" => Some((Operator::Equal, false)),
                "!=" => Some((Operator::Equal, true)),
                ">" => Some((Operator::Greater, false)),
                ">=" => Some((Operator::GreaterOrEqual, false)),
                "<" => Some((Operator::Less, false)),
                "<=" => Some((Operator::LessOrEqual, false)),
                "~" => Some((Operator::Contains, false)),
                "!~" => Some((Operator::Contains, true)),
                _ => None,
            },
            _ => None,
        };
        let expected = if negated {
            "in, startswith or endswith"
        } else {
            "a comparison"
        };
        let operator = operator.ok_or_else(|| self.expected(expected))?;
        self.next += 1;
        Ok(operator)
    }

    fn constant(&mut self, path: &[String], operator: Operator) -> Result<Constant, SyntaxError> {
        use Operator::{Contains, EndsWith, Equal, In, StartsWith};
        let constant = match self.peek() {
            Some(Token::Text(text)) => Some(Constant::Text(text.clone())),
            Some(Token::Number(number)) => Some(Constant::Number(*number)),
            Some(Token::Word(word)) => match word.as_str() {
                "True" => Some(Constant::Bool(true)),
                "False" => Some(Constant::Bool(false)),
                "None" => Some(Constant::None),
                _ => None,
            },
            _ => None,
        };
        let constant = constant.ok_or_else(|| {
            self.expected("a text in double quotes, a number, True, False or None")
        })?;
        match (&constant, operator) {
            (Constant::Text(text), _) => {
                let is_moment = path.len() == 1 && MOMENTS.contains(&path[0].as_str());
                let whole = !matches!(operator, Contains | StartsWith | EndsWith);
                if is_moment && whole && moment(text).is_none() {
                    return Err(self.wrong("this is no date, such as \"2026-01-31 18:30\""));
                }
            }
            (_, Contains | StartsWith | EndsWith) => {
                return Err(self.wrong("only a text can be looked for in a text"));
            }
            (Constant::Bool(_) | Constant::None, operator) if !matches!(operator, Equal | In) => {
                return Err(
                    self.wrong("True, False and None are neither more nor less than anything")
                );
            }
            _ => {}
        }
        self.next += 1;
        Ok(constant)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        self.next += usize::from(found);
        found
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.next += usize::from(found);
        found
    }

    fn wrong(&self, problem: &str) -> SyntaxError {
        let at = self.tokens.get(self.next);
        let at = at.map_or(self.text.len(), |(at, _)| *at);
        error(self.text, at, problem.to_owned())
    }

    fn expected(&self, what: &str) -> SyntaxError {
        let found = match self.peek() {
            None => "the query ends".to_owned(),
            Some(Token::Word(word)) => format!("{word} was found"),
            Some(Token::Text(text)) => format!("{text:?} was found"),
            Some(Token::Number(number)) => format!("{number} was found"),
            Some(Token::Sign(sign)) => format!("{sign} was found"),
        };
        self.wrong(&format!("expected {what}, but {found}"))
    }
}
