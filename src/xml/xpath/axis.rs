//! The nodes of an axis, nearest first.

use super::XPathError;
use super::budget::Budget;
use super::expression::{Axis, Test};
use super::nodes::{Node, NodeKind, Nodes, ROOT};

/// The nodes of an axis that a test lets pass, in the order of the axis.
pub(super) fn select(
    nodes: &Nodes<'_>,
    node: Node,
    axis: Axis,
    test: &Test,
    budget: &Budget,
) -> Result<Vec<Node>, XPathError> {
    let mut selected = Vec::new();
    let principal = match axis {
        Axis::Attribute => NodeKind::Attribute,
        Axis::Namespace => NodeKind::Namespace,
        _ => NodeKind::Element,
    };
    walk(nodes, node, axis, &mut |found| {
        budget.spend(1)?;
        if is_met(nodes, found, test, principal) {
            selected.push(found);
        }
        Ok(())
    })?;
    Ok(selected)
}

fn is_met(nodes: &Nodes<'_>, node: Node, test: &Test, principal: NodeKind) -> bool {
    let kind = nodes.kind(node);
    match test {
        Test::Node => true,
        Test::Text => kind == NodeKind::Text,
        Test::Comment => kind == NodeKind::Comment,
        Test::Instruction => false,
        _ if kind != principal => false,
        Test::Any => true,
        Test::Namespace(namespace) => nodes.namespace(node) == namespace,
        Test::Local(local) => nodes.local(node) == local,
        Test::Name { namespace, local } => {
            nodes.local(node) == local && nodes.namespace(node) == namespace
        }
    }
}

type Visit<'v> = &'v mut dyn FnMut(Node) -> Result<(), XPathError>;

fn walk(nodes: &Nodes<'_>, node: Node, axis: Axis, visit: Visit<'_>) -> Result<(), XPathError> {
    match axis {
        Axis::Itself => visit(node),
        Axis::Child => nodes.children(node).try_for_each(visit),
        Axis::Parent => nodes.parent(node).into_iter().try_for_each(visit),
        Axis::Attribute => nodes.attributes(node).try_for_each(visit),
        Axis::Namespace => nodes.namespaces(node).into_iter().try_for_each(visit),
        Axis::Descendant => inside(nodes, node).try_for_each(visit),
        Axis::DescendantOrSelf => {
            visit(node)?;
            inside(nodes, node).try_for_each(visit)
        }
        Axis::Ancestor => above(nodes, node).try_for_each(visit),
        Axis::AncestorOrSelf => {
            visit(node)?;
            above(nodes, node).try_for_each(visit)
        }
        Axis::FollowingSibling => {
            siblings(nodes, node).skip_while(|sibling| *sibling != node).skip(1).try_for_each(visit)
        }
        Axis::PrecedingSibling => {
            let before: Vec<Node> =
                siblings(nodes, node).take_while(|sibling| *sibling != node).collect();
            before.into_iter().rev().try_for_each(visit)
        }
        Axis::Following => {
            // What is in an element follows its attributes.
            let from = match node.is_whole() {
                true => nodes.end(node.entry),
                false => node.entry.saturating_add(1),
            };
            (from..nodes.count()).map(Node::whole).try_for_each(visit)
        }
        Axis::Preceding => {
            let is_over = |number: &u32| nodes.end(*number) <= node.entry;
            let before = (ROOT + 1..node.entry).rev().filter(is_over);
            before.map(Node::whole).try_for_each(visit)
        }
    }
}

/// Everything in a node, attributes and namespaces aside.
fn inside(nodes: &Nodes<'_>, node: Node) -> impl Iterator<Item = Node> + use<> {
    let range = match node.is_whole() {
        true => node.entry.saturating_add(1)..nodes.end(node.entry),
        false => 0..0,
    };
    range.map(Node::whole)
}

fn above(nodes: &Nodes<'_>, node: Node) -> impl Iterator<Item = Node> {
    std::iter::successors(nodes.parent(node), |above| nodes.parent(*above))
}

/// The node and its siblings; none if it is an attribute or a namespace.
fn siblings(nodes: &Nodes<'_>, node: Node) -> impl Iterator<Item = Node> {
    let parent = nodes.parent(node).filter(|_| node.is_whole());
    parent.into_iter().flat_map(|parent| nodes.children(parent))
}
