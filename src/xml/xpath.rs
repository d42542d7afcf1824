//! XPath 1.0 over a checked document, bounded: the whole language with its core functions, and of
//! XPath 2.0 what testers write most (`*:name`, `exists`, `empty`, `matches`, `ends-with`,
//! `lower-case`, `upper-case`).
//!
//! What must stay true: no expression and no document can make an evaluation panic, exhaust the
//! stack, or go on without end. Expressions nest at most [`NESTING_MAX`] deep, regardless of their
//! length, because chains of operators and of steps are lists here and not trees; and every node
//! that is visited, every 8 bytes of text that are put together and every comparison is a step, of
//! which one evaluation has [`STEPS_MAX`]. Memory is bounded by the same number.

mod axis;
mod budget;
mod evaluate;
mod expression;
mod function;
mod nodes;
mod number;
mod parser;
mod reader;
mod token;
mod value;

#[cfg(test)]
mod tests;

pub use nodes::{Node, NodeKind, Nodes};
pub use parser::NESTING_MAX;

use expression::Expression;

/// How many steps one evaluation may take: a few seconds on a slow machine.
pub const STEPS_MAX: u32 = 20_000_000;

/// An expression that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct XPath(Expression);

/// What an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub enum XPathValue {
    /// Nodes in document order, each once.
    Nodes(Vec<Node>),
    /// A text.
    Text(String),
    /// A number: a double, as XPath has no others.
    Number(f64),
    /// A truth value.
    Truth(bool),
}

/// Why an expression is not read or not evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XPathError {
    /// It is not of the language.
    #[error("it is no XPath 1.0: {0}")]
    Syntax(String),
    /// It names a prefix that nothing declares.
    #[error("the prefix `{0}` is not declared")]
    Undeclared(String),
    /// It calls a function that is not known, or one with the wrong arguments, or names a variable.
    #[error("{0}")]
    Unknown(String),
    /// It has something where only nodes can be.
    #[error("{0} is no set of nodes")]
    NoNodes(&'static str),
    /// It would take too long.
    #[error("the expression did not end in {STEPS_MAX} steps")]
    Exhausted,
}

impl XPath {
    /// Reads an expression. Its prefixes are those of `namespaces`, each with its namespace; the
    /// prefix `xml` is always known.
    pub fn parse(text: &str, namespaces: &[(String, String)]) -> Result<Self, XPathError> {
        parser::parse(text, namespaces).map(Self)
    }

    /// Evaluates it, with the root of the document as the context.
    pub fn evaluate(&self, nodes: &Nodes<'_>) -> Result<XPathValue, XPathError> {
        evaluate::evaluate(&self.0, nodes)
    }
}

impl XPathValue {
    /// The value as a text, as the function `string` gives it.
    pub fn string(&self, nodes: &Nodes<'_>) -> String {
        match self {
            Self::Nodes(found) => {
                found.first().map_or_else(String::new, |node| nodes.text(*node).into_owned())
            }
            Self::Text(text) => text.clone(),
            Self::Number(number) => number::to_text(*number),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}
