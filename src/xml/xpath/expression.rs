//! The parts of an expression. Operators of one rank stand side by side in a list, so that a long
//! chain is no deep tree.

use super::function::Function;

/// An expression, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    /// The first operand, then each further one with what compares it to the result before it.
    Compare(Box<Expression>, Vec<(Comparison, Expression)>),
    /// The same with calculations.
    Calculate(Box<Expression>, Vec<(Calculation, Expression)>),
    Negate(Box<Expression>),
    Union(Vec<Expression>),
    Text(String),
    Number(f64),
    Call(Function, Vec<Expression>),
    Path(Start, Vec<Step>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calculation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// Where a path begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Start {
    Root,
    Context,
    /// At what an expression gives, filtered by predicates.
    Filter(Box<Expression>, Vec<Expression>),
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) axis: Axis,
    pub(super) test: Test,
    pub(super) predicates: Vec<Expression>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Ancestor,
    AncestorOrSelf,
    Attribute,
    Child,
    Descendant,
    DescendantOrSelf,
    Following,
    FollowingSibling,
    Namespace,
    Parent,
    Preceding,
    PrecedingSibling,
    Itself,
}

impl Axis {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "ancestor" => Self::Ancestor,
            "ancestor-or-self" => Self::AncestorOrSelf,
            "attribute" => Self::Attribute,
            "child" => Self::Child,
            "descendant" => Self::Descendant,
            "descendant-or-self" => Self::DescendantOrSelf,
            "following" => Self::Following,
            "following-sibling" => Self::FollowingSibling,
            "namespace" => Self::Namespace,
            "parent" => Self::Parent,
            "preceding" => Self::Preceding,
            "preceding-sibling" => Self::PrecedingSibling,
            "self" => Self::Itself,
            _ => return None,
        })
    }
}

/// What a node of an axis has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    /// `*`: any node of the kind that the axis is about.
    Any,
    /// `p:*`
    Namespace(String),
    /// `*:name`
    Local(String),
    /// `p:name` or `name`, which has no namespace.
    Name {
        namespace: String,
        local: String,
    },
    Node,
    Text,
    Comment,
    /// There are none: no document with one is read.
    Instruction,
}
