//! Whether a client sent what a test expects of it: so many calls with these fields.
//!
//! What must stay true: amounts are compared as numbers and everything else letter by letter; what
//! was expected and is not there is answered with the calls that came closest, and with what
//! differed in them.

use super::{Contents, Entry, Filter, filter};
use crate::call::{NotedObject, Texts};
use crate::catalogue::Object;
use crate::catalogue::field::{Field, Kind};
use crate::domain::number::saturated;
use crate::domain::toml_text::{meant, suggest};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

/// How many calls that came close are returned.
const NEAR_MISSES_MAX: usize = 5;
/// How many of the calls that match are returned by their numbers.
const MATCHES_TOLD_MAX: usize = 100;

/// What a test expects.
#[derive(Debug)]
pub(in crate::http) struct Expectation {
    filter: Filter,
    object: Option<String>,
    fields: Vec<(String, Wanted)>,
    count: Count,
}

/// What a field is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// Not there, nil or empty.
    Nothing,
    /// This number, however its digits are written.
    Number(Decimal),
    /// This text.
    Text(String),
}

/// How many calls are expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    least: u64,
    most: u64,
}

/// What became of an expectation.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Verified {
    verified: bool,
    expected: String,
    matched: usize,
    /// The numbers of those that matched, newest first.
    exchanges: Vec<u64>,
    /// How many exchanges the journal has dropped, which may have matched.
    dropped: u64,
    near_misses: Vec<NearMiss>,
}

/// A call that came close.
#[derive(Debug, Serialize)]
struct NearMiss {
    id: u64,
    differs: Vec<String>,
}

impl Expectation {
    /// What the keys of a JSON object expect.
    ///
    /// # Errors
    /// A sentence that names the key whose value cannot be used.
    pub(in crate::http) fn parse(written: Map<String, Value>) -> Result<Self, String> {
        let (mut filter, mut object) = (Filter::default(), None);
        let (mut fields, mut count) = (Vec::new(), Count { least: 1, most: u64::MAX });
        for (key, value) in written {
            match (key.as_str(), value) {
                ("type", Value::String(name)) => object = Some(known_type(name)?),
                ("fields", Value::Object(wanted)) => {
                    let field = |(name, value)| Ok((known_field(name)?, Wanted::of(value)?));
                    fields = wanted.into_iter().map(field).collect::<Result<_, String>>()?;
                }
                ("count", value) => count = Count::of(&value)?,
                (_, Value::Bool(value)) if key == "failed" => {
                    filter.set("failed", &value.to_string())?;
                }
                (_, Value::String(value)) if key != "failed" && filter.set(&key, &value)? => {}
                ("type" | "fields" | "failed", _) => {
                    return Err(format!("{key}: must be {}", form_of(&key)));
                }
                (_, _) if filter::KEYS.contains(&key.as_str()) => {
                    return Err(format!("{key}: must be a text"));
                }
                _ => return Err(unknown_key(&key)),
            }
        }
        Ok(Self { filter, object, fields, count })
    }

    /// Whether the journal has as many calls as are expected.
    pub(in crate::http) fn verify(&self, contents: &Contents) -> Verified {
        let mut matches = Vec::new();
        let mut close: Vec<(usize, NearMiss)> = Vec::new();
        let asked = self.filter.len() + self.fields.len() + usize::from(self.object.is_some());
        for entry in &contents.entries {
            let differs = self.differences(entry);
            match differs.len() {
                0 => matches.push(entry.id),
                several if several < asked => {
                    close.push((several, NearMiss { id: entry.id, differs }));
                    // The sort is stable, so among equals the newest stays first.
                    close.sort_by_key(|(several, _)| *several);
                    close.truncate(NEAR_MISSES_MAX);
                }
                _ => {}
            }
        }
        let matched = matches.len();
        let found = saturated::<u64>(matched);
        if found >= self.count.least {
            close.clear();
        }
        matches.truncate(MATCHES_TOLD_MAX);
        Verified {
            verified: (self.count.least..=self.count.most).contains(&found),
            expected: self.count.to_string(),
            matched,
            exchanges: matches,
            dropped: contents.dropped,
            near_misses: close.into_iter().map(|(_, miss)| miss).collect(),
        }
    }

    fn differences(&self, entry: &Entry) -> Vec<String> {
        let mut differences = self.filter.differences(entry);
        if self.object.is_some() || !self.fields.is_empty() {
            let of_object = entry.objects.iter().map(|object| self.differences_of(object));
            let closest = of_object.min_by_key(Vec::len);
            differences.extend(closest.unwrap_or_else(|| vec!["it has no fields".to_owned()]));
        }
        differences
    }

    fn differences_of(&self, object: &NotedObject) -> Vec<String> {
        let found = object.object.as_deref();
        let other_type = self.object.as_deref().filter(|wanted| Some(*wanted) != found);
        let found = found.unwrap_or("none");
        let mut differences: Vec<String> =
            other_type.iter().map(|wanted| format!("type is {found}, not {wanted}")).collect();
        for (name, wanted) in &self.fields {
            let texts = object.fields.get(name);
            if !wanted.is_met(name, texts) {
                let found = texts.filter(|texts| !texts.0.is_empty());
                let found = found.map_or_else(|| "not there".to_owned(), |it| it.0.join(", "));
                differences.push(format!("{name} is {found}, not {wanted}"));
            }
        }
        differences
    }
}

impl Wanted {
    fn of(value: Value) -> Result<Self, String> {
        Ok(match value {
            Value::Null => Self::Nothing,
            Value::Bool(value) => Self::Text(value.to_string()),
            Value::String(text) => Self::Text(text.trim().to_owned()),
            Value::Number(number) => {
                let text = number.to_string();
                let read = Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text));
                Self::Number(read.map_err(|_| format!("fields: {number} is no amount"))?)
            }
            Value::Array(_) | Value::Object(_) => {
                return Err("fields: a value is a text, a number, true, false or null".to_owned());
            }
        })
    }

    fn is_met(&self, name: &str, texts: Option<&Texts>) -> bool {
        let texts = texts.map(|texts| texts.0.as_slice()).unwrap_or_default();
        match self {
            Self::Nothing => texts.iter().all(String::is_empty),
            Self::Number(wanted) => texts.iter().any(|text| amount(text) == Some(*wanted)),
            Self::Text(wanted) => {
                let number = amount(wanted).filter(|_| is_number(name));
                let is_met =
                    |text: &String| text == wanted || number.is_some() && amount(text) == number;
                texts.iter().any(is_met)
            }
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => out.write_str("absent"),
            Self::Number(number) => number.fmt(out),
            Self::Text(text) => out.write_str(text),
        }
    }
}

impl Count {
    fn of(value: &Value) -> Result<Self, String> {
        let wrong = || {
            "count: say a number, or {\"exactly\": 1}, or {\"at_least\": 1, \"at_most\": 2}, of \
             which one can be left away"
                .to_owned()
        };
        if let Some(exactly) = value.as_u64() {
            return Ok(Self { least: exactly, most: exactly });
        }
        let keys = value.as_object().filter(|keys| !keys.is_empty()).ok_or_else(wrong)?;
        let mut count = Self { least: 0, most: u64::MAX };
        for (key, number) in keys {
            let number = number.as_u64().ok_or_else(wrong)?;
            match key.as_str() {
                "exactly" if keys.len() == 1 => count = Self { least: number, most: number },
                "at_least" => count.least = number,
                "at_most" => count.most = number,
                _ => return Err(wrong()),
            }
        }
        let fits = count.least <= count.most;
        fits.then_some(count).ok_or_else(|| "count: at_least is above at_most".to_owned())
    }
}

impl fmt::Display for Count {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, most) if least == most => write!(out, "exactly {least}"),
            (least, u64::MAX) => write!(out, "at least {least}"),
            (0, most) => write!(out, "at most {most}"),
            (least, most) => write!(out, "{least} to {most}"),
        }
    }
}

fn amount(text: &str) -> Option<Decimal> {
    Decimal::from_str(text.trim()).ok()
}

/// Whether any object of the WSDL has a number by the last of the names in `path`.
fn is_number(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or(path);
    let is_number = |field: &&Field| matches!(field.kind, Kind::Decimal | Kind::Int | Kind::Short);
    every_field().filter(is_number).any(|field| field.name == name)
}

fn every_field() -> impl Iterator<Item = &'static Field> {
    Object::ALL.iter().flat_map(|object| object.fields().iter().copied())
}

/// A type of the WSDL, which a misspelt one is not.
fn known_type(name: String) -> Result<String, String> {
    if Object::from_name(&name).is_some() {
        return Ok(name);
    }
    let meant = meant(&name, Object::ALL.iter().map(|object| object.name()));
    Err(format!("type: there is no `{name}`{meant}"))
}

/// The name of a field, unless it looks like a misspelt one: clients may send any, but hardly one
/// that differs from a known one by a letter.
fn known_field(path: String) -> Result<String, String> {
    let name = path.rsplit('.').next().unwrap_or(&path);
    let parameters = ["username", "password", "queryString", "queryLocator", "fieldsToNull", "Id"];
    let known: Vec<&str> = every_field().map(|field| field.name).chain(parameters).collect();
    // The v1 operations of the REST API write the same names with a small letter first.
    let is_v1 = |near: &str| {
        name.starts_with(|letter: char| letter.is_ascii_lowercase())
            && near.eq_ignore_ascii_case(name)
    };
    match suggest(name, known.iter().copied()) {
        Some(near) if near != name && !name.ends_with("__c") && !is_v1(near) => {
            Err(format!("fields: there is no `{name}`; did you mean `{near}`?"))
        }
        _ => Ok(path),
    }
}

fn unknown_key(key: &str) -> String {
    let known: Vec<&str> = filter::KEYS.into_iter().chain(["type", "fields", "count"]).collect();
    let meant = meant(key, known.iter().copied());
    format!("`{key}` is none of {}{meant}", known.join(", "))
}

fn form_of(key: &str) -> &'static str {
    match key {
        "type" => "the name of a type, such as Refund",
        "fields" => "an object of names and values",
        _ => "true or false",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn expect(written: Value) -> Result<Expectation, String> {
        let Value::Object(written) = written else { panic!("{written}") };
        Expectation::parse(written)
    }

    fn differences(fields: &[(&str, &str)], wanted: &Value) -> Vec<String> {
        let field =
            |(name, text): &(&str, &str)| ((*name).to_owned(), Texts(vec![(*text).to_owned()]));
        let fields: BTreeMap<_, _> = fields.iter().map(field).collect();
        let object = NotedObject { object: Some("Refund".to_owned()), fields };
        expect(json!({ "fields": wanted })).unwrap().differences_of(&object)
    }

    #[test]
    fn amounts_are_compared_as_numbers_and_texts_letter_by_letter() {
        let sent = [("Amount", "10.00"), ("Comment", "007"), ("Type", "External"), ("Nil", "")];
        for wanted in [
            json!({ "Amount": 10 }),
            json!({ "Amount": 10.0 }),
            json!({ "Amount": "10" }),
            json!({ "Comment": "007", "Type": "External" }),
            json!({ "Nil": null, "ReasonCode": null }),
        ] {
            assert_eq!(differences(&sent, &wanted), Vec::<String>::new(), "{wanted}");
        }
        for (wanted, reported) in [
            (json!({ "Amount": 10.01 }), "Amount is 10.00, not 10.01"),
            (json!({ "Comment": "7" }), "Comment is 007, not 7"),
            (json!({ "Type": "external" }), "Type is External, not external"),
            (json!({ "ReasonCode": "x" }), "ReasonCode is not there, not x"),
            (json!({ "Type": null }), "Type is External, not absent"),
        ] {
            assert_eq!(differences(&sent, &wanted), [reported], "{wanted}");
        }
    }

    #[test]
    fn what_cannot_be_expected_is_refused_by_name() {
        for (written, named) in [
            (json!({ "operation": "craete" }), "`create`"),
            (json!({ "acount": "x" }), "`account`"),
            (json!({ "type": "Refnd" }), "`Refund`"),
            (json!({ "fields": { "Amuont": 1 } }), "`Amount`"),
            (json!({ "fields": { "Amount": [1] } }), "fields"),
            (json!({ "fields": "Amount" }), "fields: must be"),
            (json!({ "user": 7 }), "user: must be a text"),
            (json!({ "failed": "yes" }), "failed: must be"),
            (json!({ "count": -1 }), "count"),
            (json!({ "count": { "exactly": 1, "at_most": 2 } }), "count"),
            (json!({ "count": { "at_least": 3, "at_most": 2 } }), "above"),
            (json!({ "count": {} }), "count"),
        ] {
            let why = expect(written.clone()).unwrap_err();
            assert!(why.contains(named), "{written}: {why}");
        }
        for (count, reported) in [
            (json!(1), "exactly 1"),
            (json!({ "at_least": 2 }), "at least 2"),
            (json!({ "at_most": 0 }), "exactly 0"),
            (json!({ "at_least": 1, "at_most": 2 }), "1 to 2"),
        ] {
            let expected = expect(json!({ "count": count })).unwrap();
            assert_eq!(expected.count.to_string(), reported);
        }
    }
}
