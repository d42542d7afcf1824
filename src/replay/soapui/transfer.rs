//! Property transfers: from a response or a property, whole or by XPath, into another property.

use super::assertion::refused;
use super::expand::{Expander, inert};
use super::model::{End, Transfer};
use super::outcome::{CheckReport, Verdict};
use super::scope::{Absent, NotRun, Owner, Scope};
use super::xpath::{Found, Selected, XPathError, evaluate};
use crate::xml::{element, with_attribute, with_content, with_element, with_text};

/// Does the transfers of a step one after the other. The first that must not fail and does ends
/// them.
pub(super) fn transfer_all(
    transfers: &[Transfer],
    scope: &mut Scope,
    notes: &mut Vec<String>,
) -> (Verdict, Vec<CheckReport>) {
    let mut checks: Vec<CheckReport> = Vec::new();
    for transfer in transfers {
        let verdict = one(transfer, scope, notes);
        if !transfer.disabled && matches!(verdict, Verdict::Skipped(_)) {
            let end = &transfer.target;
            let reported =
                format!("the transfer `{}` would have set it, and was skipped", transfer.name);
            scope.leave_out(Owner::of(&end.step), &end.property, &reported, NotRun::Skipped);
        }
        let verdict = match verdict {
            Verdict::Failed(why) if !transfer.fail_on_error => {
                Verdict::Skipped(format!("{why}, which does not fail it"))
            }
            verdict => verdict,
        };
        let has_failed = matches!(verdict, Verdict::Failed(_));
        checks.push(CheckReport { name: transfer.name.clone(), verdict });
        if has_failed {
            break;
        }
    }
    let unmet = |check: &&CheckReport| check.verdict != Verdict::Passed;
    let last_failed = checks.last().filter(|check| matches!(check.verdict, Verdict::Failed(_)));
    let verdict = last_failed.or_else(|| checks.iter().find(unmet)).map(|check| {
        let why = check.verdict.reason().unwrap_or_default();
        let reported = format!("{}: {why}", check.name);
        match check.verdict {
            Verdict::Failed(_) => Verdict::Failed(reported),
            _ => Verdict::Skipped(reported),
        }
    });
    (verdict.unwrap_or(Verdict::Passed), checks)
}

fn one(transfer: &Transfer, scope: &mut Scope, notes: &mut Vec<String>) -> Verdict {
    if transfer.disabled {
        return Verdict::Skipped("it is disabled".to_owned());
    }
    if let Some(language) = strange_language(transfer) {
        return Verdict::Skipped(format!("paths in {language} are not understood"));
    }
    let mut values = match source(transfer, scope, notes) {
        Ok(values) => values,
        Err(verdict) => return verdict,
    };
    if values.is_empty() && !transfer.null_on_missing {
        if transfer.ignore_empty {
            return Verdict::Passed;
        }
        return Verdict::Failed(format!("`{}` selects nothing", transfer.source.path));
    }
    if values.is_empty() {
        values.push(Value::Text(String::new()));
    }
    if transfer.ignore_empty {
        values.retain(|value| !matches!(value, Value::Text(text) if text.is_empty()));
    }
    if transfer.entitize {
        values.iter_mut().for_each(Value::entitize);
    }
    match values.first() {
        Some(first) => target(transfer, first, &values, scope, notes),
        None => Verdict::Passed,
    }
}

/// The language of the paths, if there are paths and they are in none that is understood.
fn strange_language(transfer: &Transfer) -> Option<&str> {
    let paths = [&transfer.source.path, &transfer.target.path];
    // A path that begins so is taken for one into JSON, even where the file says otherwise.
    if paths.iter().any(|path| path.trim_start().starts_with('$')) {
        return Some("JSONPATH");
    }
    let has_path = paths.iter().any(|path| !path.is_empty());
    Some(transfer.language.as_str()).filter(|language| has_path && *language != "XPATH")
}

/// What is transferred.
#[derive(Debug, Clone)]
enum Value {
    /// A text.
    Text(String),
    /// An element as a document of its own.
    Element(String),
    /// What is in an element.
    Content(String),
}

impl Value {
    /// What a node stands for: its text, or all of it. An element in which there are others has no
    /// text.
    fn of(node: Selected, document: &str, transfer: &Transfer) -> Self {
        let has_children = node.tree.as_ref().is_some_and(|tree| !tree.children.is_empty());
        let is_element = node.tree.is_some();
        let (Some(place), true) = (&node.place, is_element) else { return Self::Text(node.text) };
        // Only another document has a place for what is in an element.
        if transfer.children && !transfer.target.path.is_empty() {
            let count = node.tree.as_ref().map_or(0, |tree| tree.children.len());
            let child = |at| element(document, &[place.as_slice(), &[at]].concat());
            let children: Option<String> = (0..count).map(child).collect();
            return match children {
                Some(children) if has_children => Self::Content(children),
                _ => Self::Text(node.text),
            };
        }
        match element(document, place) {
            Some(element) if transfer.whole || has_children => Self::Element(element),
            _ => Self::Text(node.text),
        }
    }

    /// As the value of a property.
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Element(text) | Self::Content(text) => text,
        }
    }

    /// Makes markup references. What is put into another document as it is, stays so.
    fn entitize(&mut self) {
        if let Self::Text(text) = self {
            *text = entitized(text);
        }
    }
}

/// What is to be transferred; nothing if its path selects nothing.
fn source(
    transfer: &Transfer,
    scope: &Scope,
    notes: &mut Vec<String>,
) -> Result<Vec<Value>, Verdict> {
    let path = &transfer.source.path;
    let document = known(scope, &transfer.source, "from")?;
    if path.is_empty() {
        return Ok(vec![Value::Text(document.to_owned())]);
    }
    let nodes = match found(document, path, scope, notes)? {
        Found::Value(value) => return Ok(vec![Value::Text(value)]),
        Found::Nodes(nodes) => nodes,
    };
    if nodes.is_empty() {
        notes.push(format!("{}: `{path}` selects nothing", transfer.name));
    }
    Ok(nodes.into_iter().map(|node| Value::of(node, document, transfer)).collect())
}

/// The property that a transfer reads, or why it cannot.
fn known<'s>(scope: &'s Scope, end: &End, which: &str) -> Result<&'s str, Verdict> {
    let End { step, property, .. } = end;
    scope.get(Owner::of(step), property).map_err(|absent| match absent {
        Absent::Unknown => {
            Verdict::Failed(format!("`{step}` has no property `{property}` to transfer {which}"))
        }
        Absent::Unset(why) => {
            Verdict::Skipped(format!("the `{property}` of `{step}` is not known: {why}"))
        }
    })
}

fn target(
    transfer: &Transfer,
    first: &Value,
    values: &[Value],
    scope: &mut Scope,
    notes: &mut Vec<String>,
) -> Verdict {
    let End { step, property, path } = &transfer.target;
    let owner = Owner::of(step);
    let new = if path.is_empty() {
        inert(first.text())
    } else {
        match spliced(transfer, values, scope, notes) {
            Ok(new) => new,
            Err(verdict) => return verdict,
        }
    };
    if scope.set(owner, property, new) {
        return Verdict::Passed;
    }
    Verdict::Failed(format!("there is no `{step}` to transfer to"))
}

/// The target with the values in the nodes that its path selects: the first in the first and so on.
/// If all are to be written to, the last value is for those that are left.
fn spliced(
    transfer: &Transfer,
    values: &[Value],
    scope: &Scope,
    notes: &mut Vec<String>,
) -> Result<String, Verdict> {
    let End { step, path, .. } = &transfer.target;
    let failed = |why: String| Verdict::Failed(why);
    let mut text = known(scope, &transfer.target, "to")?.to_owned();
    let Found::Nodes(nodes) = found(&text, path, scope, notes)? else {
        return Err(failed(format!("`{path}` selects no element of `{step}`")));
    };
    if nodes.is_empty() {
        return Err(failed(format!("`{path}` selects nothing in `{step}`")));
    }
    let left = values.last().filter(|_| transfer.to_all);
    let values = values.iter().chain(left.into_iter().cycle());
    for (node, value) in nodes.iter().zip(values) {
        text = written(&text, node, value)
            .ok_or_else(|| failed(format!("`{path}` is inside of what was just written")))?;
    }
    Ok(text)
}

/// The document with a value in the place of what a node holds, or of the node itself.
fn written(document: &str, node: &Selected, value: &Value) -> Option<String> {
    let place = node.place.as_ref()?;
    let text = inert(value.text());
    if let Some((namespace, local)) = &node.attribute {
        return with_attribute(document, place, (namespace, local), &text);
    }
    match value {
        Value::Element(_) if node.tree.is_some() => with_element(document, place, &text),
        Value::Content(_) if node.tree.is_some() => with_content(document, place, &text),
        _ => with_text(document, place, &text),
    }
}

fn found(text: &str, path: &str, scope: &Scope, notes: &mut Vec<String>) -> Result<Found, Verdict> {
    let mut expander = Expander::new(scope);
    let expanded = expander.expand(path);
    notes.append(&mut expander.notes);
    let path = expanded.map_err(|error| refused(&error))?;
    evaluate(text, &path).map_err(|error| match error {
        XPathError::NotUnderstood(..) => Verdict::Skipped(error.to_string()),
        _ => Verdict::Failed(error.to_string()),
    })
}

/// The text with markup as references.
fn entitized(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&apos;")
}
