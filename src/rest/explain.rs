//! What a REST call was refused for, and what its caller may have meant: read off the documents of
//! a journal, for people who wonder why their test is red.
//!
//! What must stay true: it only reads, and what it cannot read it says nothing about.

use super::error::FIELDS;
use crate::call::{Rejection, missed_value};
use crate::catalogue::Object;
use crate::domain::toml_text::suggest;
use crate::json::{Json, JsonLimits, read};
use crate::ledger::test_bench::KnownId;

/// How alike two ids have to be to be taken for each other, 0 to 1.
const ALIKE_LEAST: f64 = 0.8;

fn document(text: &str) -> Option<Json> {
    read(text.as_bytes(), &JsonLimits::default()).ok()
}

/// What was refused in an answer of any of the three families.
pub(super) fn rejections(answer: &str) -> Vec<Rejection> {
    let Some(json) = document(answer) else { return Vec::new() };
    let text = |json: &Json, name: &str| match json.get(name) {
        Some(Json::Text(text) | Json::Number(text)) => text.to_string(),
        _ => String::new(),
    };
    let of = |row, error: &Json, code: &str, message: &str| Rejection {
        row,
        code: text(error, code),
        message: text(error, message),
    };
    if let Some(rows) = json.items() {
        let failed = (1..).zip(rows).filter_map(|(row, result)| {
            let error = errors_of(result)?.first()?;
            Some(of(Some(row), error, "Code", "Message"))
        });
        return failed.collect();
    }
    if let Some(reasons) = json.get("reasons").and_then(Json::items) {
        return reasons.iter().map(|reason| of(None, reason, "code", "message")).collect();
    }
    if let Some(errors) = errors_of(&json) {
        return errors.iter().map(|error| of(None, error, "Code", "Message")).collect();
    }
    match (json.get("FaultCode"), json.get("message"), json.get("error")) {
        (Some(_), ..) => vec![of(None, &json, "FaultCode", "FaultMessage")],
        (_, Some(_), _) => vec![of(None, &json, "", "message")],
        (_, _, Some(_)) => vec![of(None, &json, "error", "error_description")],
        _ => Vec::new(),
    }
}

fn errors_of(result: &Json) -> Option<&[Json]> {
    result.get("Errors").or_else(|| result.get("errors"))?.items()
}

/// What in a request is close to something that would have been understood. The objects of an
/// action say their type; other documents have the fields of SOAP where their names begin with a
/// capital.
pub(super) fn near_misses(request: &str, known: &[KnownId]) -> Vec<String> {
    if request.trim().is_empty() {
        return Vec::new();
    }
    let Some(json) = document(request) else {
        let is_form = request.contains('=') && !request.trim_start().starts_with(['{', '[']);
        let reported = || "the request is not well-formed JSON".to_owned();
        return if is_form { Vec::new() } else { vec![reported()] };
    };
    let objects = json.get("objects").and_then(Json::items);
    let (Some(objects), Some(name)) = (objects, json.get("type").and_then(Json::text)) else {
        return of_object(&json, None, known);
    };
    let Some(object) = Object::from_name(name) else {
        let names = Object::ALL.iter().map(|object| object.name());
        return missed("type", name, names).into_iter().collect();
    };
    let rows = (1..).zip(objects);
    let misses = rows.flat_map(|(row, one)| {
        let misses = of_object(one, Some(object), known).into_iter();
        misses.map(move |miss| format!("row {row}: {miss}"))
    });
    misses.collect()
}

fn of_object(json: &Json, object: Option<Object>, known: &[KnownId]) -> Vec<String> {
    let mut misses = Vec::new();
    for member in json.members().unwrap_or_default() {
        let name = &*member.name;
        let is_known = match object {
            Some(object) => name == "fieldsToNull" || object.field(name).is_some(),
            None => names().any(|known| known == name),
        };
        if !is_known && !name.ends_with("__c") {
            let fields = object.into_iter().flat_map(Object::fields);
            let of_object = fields.map(|field| field.name);
            misses.extend(match object {
                Some(_) => missed("field", name, of_object),
                None => missed("field", name, names()),
            });
        } else if let (true, Some(id)) = (name.ends_with("Id"), member.value.text()) {
            misses.extend(missed_id(name, id.trim(), known));
        } else if let Some(value) = member.value.text() {
            // The v1 operations and the objects without a type are about refunds.
            let first = name.chars().next().map(|letter| letter.to_ascii_uppercase());
            let field: String = first.into_iter().chain(name.chars().skip(1)).collect();
            let miss = missed_value(object.unwrap_or(Object::Refund), &field, value.trim());
            misses.extend(miss.map(|miss| miss.replacen(&field, name, 1)));
        }
    }
    misses
}

/// The fields of the operations whose documents name no type.
fn names() -> impl Iterator<Item = &'static str> {
    let twins = Object::ALL.iter().flat_map(|object| object.fields()).map(|field| field.name);
    let actions = ["type", "objects", "ids", "queryString", "queryLocator", "conf"];
    FIELDS.into_iter().filter(|name| !name.contains('.')).chain(actions).chain(twins)
}

/// A word that is none of those there are, and the nearest of them.
fn missed<'n>(what: &str, word: &str, there: impl Iterator<Item = &'n str>) -> Option<String> {
    let near = suggest(word, there);
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Some(format!("there is no {what} {word}{near}"))
}

fn missed_id(field: &str, id: &str, known: &[KnownId]) -> Option<String> {
    if id.is_empty() || known.iter().any(|known| known.id == id) {
        return None;
    }
    let alike = |known: &&KnownId| strsim::normalized_levenshtein(id, &known.id);
    let near = known.iter().max_by(|one, other| alike(one).total_cmp(&alike(other)))?;
    let is_near = alike(&near) >= ALIKE_LEAST;
    let KnownId { object, id: near, also } = near;
    is_near.then(|| format!("{field} {id} is unknown; near it is {near} ({object} {also})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejections_are_read_from_each_family() {
        let of = |row, code: &str, message: &str| {
            vec![Rejection { row, code: code.to_owned(), message: message.to_owned() }]
        };
        for (answer, expected) in [
            (
                "{\"success\":false,\"reasons\":[{\"code\":54200122,\"message\":\"no\"}]}",
                of(None, "54200122", "no"),
            ),
            (
                "[{\"Success\":true},{\"Errors\":[{\"Code\":\"A\",\"Message\":\"no\"}]}]",
                of(Some(2), "A", "no"),
            ),
            (
                "{\"Success\":false,\"Errors\":[{\"Code\":\"A\",\"Message\":\"no\"}]}",
                of(None, "A", "no"),
            ),
            ("{\"FaultCode\":\"A\",\"FaultMessage\":\"no\"}", of(None, "A", "no")),
            ("{\"message\":\"no\"}", of(None, "", "no")),
            ("{\"error\":\"invalid_client\"}", of(None, "invalid_client", "")),
            ("{\"success\":true}", Vec::new()),
            ("<html>", Vec::new()),
        ] {
            assert_eq!(rejections(answer), expected, "{answer}");
        }
    }

    #[test]
    fn what_is_near_is_named_and_what_is_right_is_not() {
        let id = "402892c72b9e3319012b9e34b88e0001";
        let known = [KnownId { object: "Account", id: id.to_owned(), also: "A1".to_owned() }];
        let misses = |request: &str| near_misses(request, &known);
        assert_eq!(misses(&format!("{{\"type\":\"External\",\"AccountId\":\"{id}\"}}")), [""; 0]);
        assert_eq!(
            misses("{\"totalAmout\":1,\"own__c\":2}"),
            ["there is no field totalAmout; did you mean totalAmount?"]
        );
        let rows = "{\"type\":\"Refund\",\"objects\":[{},{\"AcountId\":\"x\"}]}";
        assert_eq!(misses(rows), ["row 2: there is no field AcountId; did you mean AccountId?"]);
        let typo = "{\"type\":\"Refnud\",\"objects\":[{}]}";
        assert_eq!(misses(typo), ["there is no type Refnud; did you mean Refund?"]);
        let near = format!("{{\"accountId\":\"{}\"}}", id.replace("0001", "0002"));
        assert!(misses(&near)[0].contains("near it is 402892c72b9e3319012b9e34b88e0001 (Account"));
        let value = "{\"methodType\":\"Chek\",\"type\":\"External\"}";
        assert_eq!(misses(value), ["methodType has no value Chek; did you mean Check?"]);
        let value = "{\"type\":\"Refund\",\"objects\":[{\"SourceType\":\"Creditbalance\"}]}";
        let said = "row 1: SourceType has no value Creditbalance; did you mean CreditBalance?";
        assert_eq!(misses(value), [said]);
        assert_eq!(misses("{\"a\":"), ["the request is not well-formed JSON"]);
        assert_eq!(misses("grant_type=client_credentials"), [""; 0]);
    }
}
