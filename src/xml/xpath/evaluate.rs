//! Evaluates an expression: recursive as far as its brackets nest, and by steps of a budget.

use super::axis::select;
use super::budget::Budget;
use super::expression::{Expression, Start, Step};
use super::nodes::{Node, Nodes, ROOT};
use super::{XPathError, XPathValue, function, number, value};
use regex::Regex;

/// From how many nodes on a set that grows is looked through for doubles.
const DOUBLES_MIN: usize = 64 * 1024;

/// What an expression is evaluated with.
pub(super) struct Evaluation<'e, 'n> {
    pub(super) nodes: &'e Nodes<'n>,
    pub(super) budget: Budget,
    /// The pattern that was used last, because it is mostly used again.
    pub(super) pattern: Option<(String, Regex)>,
}

/// Where an expression is evaluated.
#[derive(Clone, Copy)]
pub(super) struct Context {
    pub(super) node: Node,
    /// From 1.
    pub(super) position: usize,
    pub(super) size: usize,
}

/// Evaluates with the root of the document as the context.
pub(super) fn evaluate(
    expression: &Expression,
    nodes: &Nodes<'_>,
) -> Result<XPathValue, XPathError> {
    let mut evaluation = Evaluation { nodes, budget: Budget::new(), pattern: None };
    let root = Context { node: Node::whole(ROOT), position: 1, size: 1 };
    evaluation.value(expression, root)
}

impl Evaluation<'_, '_> {
    pub(super) fn value(
        &mut self,
        expression: &Expression,
        context: Context,
    ) -> Result<XPathValue, XPathError> {
        self.budget.spend(1)?;
        Ok(match expression {
            Expression::Or(parts) => XPathValue::Truth(self.any(parts, context, true)?),
            Expression::And(parts) => XPathValue::Truth(!self.any(parts, context, false)?),
            Expression::Compare(first, further) => {
                let mut result = self.value(first, context)?;
                for (comparison, operand) in further {
                    let operand = self.value(operand, context)?;
                    let budget = &self.budget;
                    let is_met = value::compare(*comparison, result, operand, self.nodes, budget)?;
                    result = XPathValue::Truth(is_met);
                }
                result
            }
            Expression::Calculate(first, further) => {
                let mut result = self.number(first, context)?;
                for (calculation, operand) in further {
                    let operand = self.number(operand, context)?;
                    result = number::calculate(*calculation, result, operand);
                }
                XPathValue::Number(result)
            }
            Expression::Negate(operand) => {
                XPathValue::Number(number::negate(self.number(operand, context)?))
            }
            Expression::Union(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(self.set(part, context, "a part of a union")?);
                }
                XPathValue::Nodes(sorted(all))
            }
            Expression::Text(text) => {
                self.budget.spend_on(text)?;
                XPathValue::Text(text.clone())
            }
            Expression::Number(number) => XPathValue::Number(*number),
            Expression::Call(function, arguments) => {
                function::call(self, *function, arguments, context)?
            }
            Expression::Path(start, steps) => XPathValue::Nodes(self.path(start, steps, context)?),
        })
    }

    /// Whether any of the parts is `wanted`; the parts after it are not evaluated.
    fn any(
        &mut self,
        parts: &[Expression],
        context: Context,
        wanted: bool,
    ) -> Result<bool, XPathError> {
        for part in parts {
            if value::truth(&self.value(part, context)?) == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn number(&mut self, expression: &Expression, context: Context) -> Result<f64, XPathError> {
        let value = self.value(expression, context)?;
        value::number(value, self.nodes, &self.budget)
    }

    fn set(
        &mut self,
        expression: &Expression,
        context: Context,
        what: &'static str,
    ) -> Result<Vec<Node>, XPathError> {
        match self.value(expression, context)? {
            XPathValue::Nodes(nodes) => Ok(nodes),
            _ => Err(XPathError::NoNodes(what)),
        }
    }

    fn path(
        &mut self,
        start: &Start,
        steps: &[Step],
        context: Context,
    ) -> Result<Vec<Node>, XPathError> {
        let mut at = match start {
            Start::Root => vec![Node::whole(ROOT)],
            Start::Context => vec![context.node],
            Start::Filter(primary, predicates) => {
                let nodes = self.set(primary, context, "what a path or a predicate follows")?;
                self.filtered(nodes, predicates)?
            }
        };
        for step in steps {
            at = self.step(&at, step)?;
        }
        Ok(at)
    }

    fn step(&mut self, from: &[Node], step: &Step) -> Result<Vec<Node>, XPathError> {
        let mut all = Vec::new();
        let mut limit = DOUBLES_MIN;
        for node in from {
            let found = select(self.nodes, *node, step.axis, &step.test, &self.budget)?;
            all.extend(self.filtered(found, &step.predicates)?);
            if all.len() > limit {
                self.budget.spend(all.len())?;
                all = sorted(all);
                limit = all.len().saturating_mul(2).max(DOUBLES_MIN);
            }
        }
        self.budget.spend(all.len())?;
        Ok(sorted(all))
    }

    /// The nodes that every predicate lets pass, one predicate after the other.
    fn filtered(
        &mut self,
        mut nodes: Vec<Node>,
        predicates: &[Expression],
    ) -> Result<Vec<Node>, XPathError> {
        for predicate in predicates {
            let size = nodes.len();
            let mut kept = Vec::new();
            for (at, node) in nodes.into_iter().enumerate() {
                let context = Context { node, position: at + 1, size };
                let is_met = match self.value(predicate, context)? {
                    XPathValue::Number(wanted) => {
                        number::is_equal(wanted, number::from_count(context.position))
                    }
                    other => value::truth(&other),
                };
                if is_met {
                    kept.push(node);
                }
            }
            nodes = kept;
        }
        Ok(nodes)
    }
}

/// Nodes in document order, each once.
fn sorted(mut nodes: Vec<Node>) -> Vec<Node> {
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}
