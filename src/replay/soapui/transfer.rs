//! Property transfers: from a response or a property, whole or by XPath, into another property.

use super::assertion::refused;
use super::expand::{Expander, inert};
use super::model::{End, Transfer};
use super::outcome::{CheckReport, Verdict};
use super::scope::{Owner, Scope};
use super::xpath::{Found, XPathError, evaluate};
use crate::xml::with_text;

/// Does the transfers of a step one after the other. The first that must not fail and does ends
/// them.
pub(super) fn transfer_all(
    transfers: &[Transfer],
    scope: &mut Scope,
    notes: &mut Vec<String>,
) -> (Verdict, Vec<CheckReport>) {
    let mut checks: Vec<CheckReport> = Vec::new();
    for transfer in transfers {
        let verdict = match one(transfer, scope, notes) {
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
        let told = format!("{}: {why}", check.name);
        match check.verdict {
            Verdict::Failed(_) => Verdict::Failed(told),
            _ => Verdict::Skipped(told),
        }
    });
    (verdict.unwrap_or(Verdict::Passed), checks)
}

fn one(transfer: &Transfer, scope: &mut Scope, notes: &mut Vec<String>) -> Verdict {
    let skipped = |why: &str| Verdict::Skipped(why.to_owned());
    if transfer.disabled {
        return skipped("it is disabled");
    }
    let has_path = !transfer.source.path.is_empty() || !transfer.target.path.is_empty();
    if has_path && transfer.language != "XPATH" {
        return Verdict::Skipped(format!("paths in {} are not understood", transfer.language));
    }
    if transfer.as_xml && !transfer.source.path.is_empty() {
        return skipped("transfers of whole elements are not made, only of their text");
    }
    let value = match source(transfer, scope, notes) {
        Ok(value) => value,
        Err(verdict) => return verdict,
    };
    let value = match value {
        None if !transfer.null_on_missing && transfer.ignore_empty => return Verdict::Passed,
        None if !transfer.null_on_missing && transfer.fail_on_error => {
            return Verdict::Failed(format!("`{}` selects nothing", transfer.source.path));
        }
        None if !transfer.null_on_missing => return Verdict::Passed,
        value => value.unwrap_or_default(),
    };
    if value.is_empty() && transfer.ignore_empty {
        return Verdict::Passed;
    }
    let value = if transfer.entitize { entitized(&value) } else { value };
    target(transfer, &value, scope, notes)
}

/// What is to be transferred; none if its path selects nothing.
fn source(
    transfer: &Transfer,
    scope: &Scope,
    notes: &mut Vec<String>,
) -> Result<Option<String>, Verdict> {
    let End { step, property, path } = &transfer.source;
    let known = scope.get(Owner::of(step), property);
    let value = known.ok_or_else(|| {
        Verdict::Failed(format!("`{step}` has no property `{property}` to transfer from"))
    })?;
    if path.is_empty() {
        return Ok(Some(value.to_owned()));
    }
    let found = found(value, path, scope, notes)?;
    if matches!(&found, Found::Nodes(nodes) if nodes.is_empty()) {
        notes.push(format!("{}: `{path}` selects nothing", transfer.name));
        return Ok(None);
    }
    Ok(Some(found.text().to_owned()))
}

fn target(transfer: &Transfer, value: &str, scope: &mut Scope, notes: &mut Vec<String>) -> Verdict {
    let End { step, property, path } = &transfer.target;
    let owner = Owner::of(step);
    let new = if path.is_empty() {
        inert(value)
    } else {
        match spliced(transfer, value, scope, notes) {
            Ok(new) => new,
            Err(verdict) => return verdict,
        }
    };
    if scope.set(owner, property, new) {
        return Verdict::Passed;
    }
    Verdict::Failed(format!("there is no `{step}` to transfer to"))
}

/// The target with the value as the text of the elements that its path selects.
fn spliced(
    transfer: &Transfer,
    value: &str,
    scope: &Scope,
    notes: &mut Vec<String>,
) -> Result<String, Verdict> {
    let End { step, property, path } = &transfer.target;
    let failed = |why: String| Verdict::Failed(why);
    let known = scope.get(Owner::of(step), property);
    let mut text = known
        .ok_or_else(|| failed(format!("`{step}` has no property `{property}` to transfer to")))?
        .to_owned();
    let Found::Nodes(nodes) = found(&text, path, scope, notes)? else {
        return Err(failed(format!("`{path}` selects no element of `{step}`")));
    };
    let count = if transfer.to_all { nodes.len() } else { 1 };
    let places: Vec<_> = nodes.into_iter().take(count).map(|node| node.place).collect();
    if places.is_empty() {
        return Err(failed(format!("`{path}` selects nothing in `{step}`")));
    }
    for place in places {
        let place = place.ok_or_else(|| {
            Verdict::Skipped(format!("`{path}` is no element, and only elements are written to"))
        })?;
        text = with_text(&text, &place, &inert(value))
            .ok_or_else(|| failed(format!("`{path}` is inside of what was just written")))?;
    }
    Ok(text)
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
