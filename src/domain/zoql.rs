//! ZOQL: the text of a query becomes a tree, and a tree prints as a text that parses to itself.
//!
//! `select f1, f2 from Object [where cond and cond or cond …]` and nothing more: no parentheses, no
//! joins, no order. Nothing here knows which objects and fields exist. What must stay true: no text
//! makes the parser panic, every error says where it is, and both limits are checked before a tree
//! of their size exists.

mod lexer;
mod parser;

pub use parser::parse;

use std::fmt;

/// The most characters that a query may have (documented).
pub const CHARS_MAX: usize = 10_000;
/// The most conditions that a query may have (documented).
pub const CONDITIONS_MAX: usize = 200;

/// A query as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The select list, at least one name.
    pub fields: Vec<String>,
    /// What is selected from.
    pub object: String,
    /// The conditions: any of the groups has to hold, and of a group all. None at all without
    /// `where`. `and` binds tighter than `or`, so this is every shape that conditions can have.
    pub conditions: Vec<Vec<Comparison>>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The field on the left.
    pub field: String,
    /// How it is compared.
    pub operator: Operator,
    /// The value on the right.
    pub literal: Literal,
    /// Where the operator stands.
    pub operator_at: Position,
    /// Where the literal stands.
    pub literal_at: Position,
}

/// Where something stands: the number of its first character, from 1. It plays no part in whether
/// two queries are equal.
#[derive(Debug, Clone, Copy)]
pub struct Position(pub usize);

impl PartialEq for Position {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Position {}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// A comparison by order.
    Order(Comparator),
    /// `like`
    Like,
}

/// A comparison by order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

impl Comparator {
    /// Every comparator.
    pub const ALL: [Self; 6] = [
        Self::Equal,
        Self::NotEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
    ];

    /// As it is written.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }

    /// Whether it holds between two values that are ordered so.
    pub fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
        }
    }
}

/// A value as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number, a day or a moment without quotes.
    Bare(String),
    /// A text in quotes, its escapes resolved.
    Quoted(String),
}

/// Why a text is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// Something else had to stand there.
    #[error("expected {expected} at character {at}")]
    Expected {
        /// What had to.
        expected: &'static str,
        /// Where, from 1; one after the last character where the text ended too early.
        at: usize,
    },
    /// A text in quotes does not end.
    #[error("the text that begins at character {at} does not end")]
    Unterminated {
        /// Where it begins.
        at: usize,
    },
    /// An escape that does not exist.
    #[error("unknown escape at character {at}")]
    UnknownEscape {
        /// Where its backslash stands.
        at: usize,
    },
    /// The operator does not go with the field or the value.
    #[error("the operator at character {at} does not fit its field or value")]
    Operator {
        /// Where the operator stands.
        at: usize,
    },
    /// A pattern with `%` elsewhere than once at its start or its end.
    #[error("`%` may stand once, at the start or the end of the text at character {at}")]
    Pattern {
        /// Where the text stands.
        at: usize,
    },
    /// Too many conditions.
    #[error("more than 200 conditions at character {at}")]
    TooManyConditions {
        /// Where the first one too many stands.
        at: usize,
    },
    /// Too long.
    #[error("more than 10000 characters")]
    TooLong,
}

impl fmt::Display for Query {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "select {} from {}", self.fields.join(", "), self.object)?;
        let groups = self
            .conditions
            .iter()
            .map(|group| group.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "));
        let groups: Vec<_> = groups.collect();
        if groups.is_empty() { Ok(()) } else { write!(out, " where {}", groups.join(" or ")) }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.operator {
            Operator::Order(comparator) => comparator.text(),
            Operator::Like => "like",
        };
        write!(out, "{} {operator} {}", self.field, self.literal)
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Boolean(value) => write!(out, "{value}"),
            Self::Bare(text) => out.write_str(text),
            Self::Quoted(text) => {
                out.write_str("'")?;
                for character in text.chars() {
                    match lexer::escape_of(character) {
                        Some(escape) => write!(out, "\\{escape}")?,
                        None => write!(out, "{character}")?,
                    }
                }
                out.write_str("'")
            }
        }
    }
}

#[cfg(test)]
mod tests;
