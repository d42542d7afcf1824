//! Conversions and comparisons of values.

use super::budget::Budget;
use super::expression::Comparison;
use super::nodes::{Node, Nodes};
use super::{XPathError, XPathValue, number};
use crate::domain::number::saturated;
use std::borrow::Cow;

pub(super) fn truth(value: &XPathValue) -> bool {
    match value {
        XPathValue::Nodes(nodes) => !nodes.is_empty(),
        XPathValue::Text(text) => !text.is_empty(),
        XPathValue::Number(number) => number::is_true(*number),
        XPathValue::Truth(truth) => *truth,
    }
}

/// The text of a node, for its steps.
pub(super) fn text<'n>(
    nodes: &'n Nodes<'_>,
    node: Node,
    budget: &Budget,
) -> Result<Cow<'n, str>, XPathError> {
    // What is in an element is walked over, whether it is text or not.
    let inside = nodes.end(node.entry).saturating_sub(node.entry);
    budget.spend(if node.is_whole() { saturated::<usize>(inside) } else { 1 })?;
    let text = nodes.text(node);
    budget.spend_on(&text)?;
    Ok(text)
}

pub(super) fn string(
    value: XPathValue,
    nodes: &Nodes<'_>,
    budget: &Budget,
) -> Result<String, XPathError> {
    match value {
        XPathValue::Nodes(found) => match found.first() {
            Some(node) => Ok(text(nodes, *node, budget)?.into_owned()),
            None => Ok(String::new()),
        },
        XPathValue::Text(text) => Ok(text),
        other => Ok(other.string(nodes)),
    }
}

pub(super) fn number(
    value: XPathValue,
    nodes: &Nodes<'_>,
    budget: &Budget,
) -> Result<f64, XPathError> {
    Ok(match value {
        XPathValue::Number(number) => number,
        XPathValue::Truth(truth) => f64::from(u8::from(truth)),
        other => number::from_text(&string(other, nodes, budget)?),
    })
}

/// Compares two values: sets of nodes by whether any of their nodes compares so.
pub(super) fn compare(
    comparison: Comparison,
    one: XPathValue,
    other: XPathValue,
    nodes: &Nodes<'_>,
    budget: &Budget,
) -> Result<bool, XPathError> {
    match (one, other) {
        (XPathValue::Nodes(one), XPathValue::Nodes(other)) => {
            let texts: Result<Vec<_>, _> =
                other.iter().map(|node| text(nodes, *node, budget)).collect();
            let texts = texts?;
            for node in one {
                let text = text(nodes, node, budget)?;
                for other in &texts {
                    budget.spend(1)?;
                    if texts_compare(comparison, &text, other) {
                        return Ok(true);
                    }
                }
            }
            Ok(false)
        }
        (XPathValue::Nodes(found), XPathValue::Truth(truth)) => {
            Ok(truths_compare(comparison, !found.is_empty(), truth))
        }
        (XPathValue::Truth(truth), XPathValue::Nodes(found)) => {
            Ok(truths_compare(comparison, truth, !found.is_empty()))
        }
        (XPathValue::Nodes(found), other) => any(comparison, &found, &other, nodes, budget),
        (one, XPathValue::Nodes(found)) => any(mirrored(comparison), &found, &one, nodes, budget),
        (one, other) => atoms_compare(comparison, one, other, nodes, budget),
    }
}

fn any(
    comparison: Comparison,
    found: &[Node],
    other: &XPathValue,
    nodes: &Nodes<'_>,
    budget: &Budget,
) -> Result<bool, XPathError> {
    for node in found {
        let text = text(nodes, *node, budget)?;
        let is_met = match other {
            XPathValue::Number(other) => {
                number::compares(comparison, number::from_text(&text), *other)
            }
            XPathValue::Text(other) => texts_compare(comparison, &text, other),
            XPathValue::Nodes(_) | XPathValue::Truth(_) => false,
        };
        if is_met {
            return Ok(true);
        }
    }
    Ok(false)
}

fn atoms_compare(
    comparison: Comparison,
    one: XPathValue,
    other: XPathValue,
    nodes: &Nodes<'_>,
    budget: &Budget,
) -> Result<bool, XPathError> {
    let is_equality = matches!(comparison, Comparison::Equal | Comparison::Unequal);
    if is_equality {
        match (&one, &other) {
            (XPathValue::Truth(_), _) | (_, XPathValue::Truth(_)) => {
                return Ok(truths_compare(comparison, truth(&one), truth(&other)));
            }
            (XPathValue::Text(one), XPathValue::Text(other)) => {
                return Ok(texts_compare(comparison, one, other));
            }
            _ => {}
        }
    }
    let (one, other) = (number(one, nodes, budget)?, number(other, nodes, budget)?);
    Ok(number::compares(comparison, one, other))
}

fn truths_compare(comparison: Comparison, one: bool, other: bool) -> bool {
    number::compares(comparison, f64::from(u8::from(one)), f64::from(u8::from(other)))
}

/// Texts are compared as texts only for whether they are the same, else as numbers.
fn texts_compare(comparison: Comparison, one: &str, other: &str) -> bool {
    match comparison {
        Comparison::Equal => one == other,
        Comparison::Unequal => one != other,
        _ => number::compares(comparison, number::from_text(one), number::from_text(other)),
    }
}

/// The comparison with its sides exchanged.
fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}
