//! What a request is about: its operation, and the objects that it names.
//!
//! What must stay true: a request that is not quite XML, such as one with the placeholders of a
//! recorder in it, is named by its operation all the same.

use super::blanks;
use super::compare::{LIMITS, operation};
use crate::domain::zoql;
use crate::xml::{ElementRef, decode, parse};
use regex::Regex;
use std::fmt;
use std::sync::LazyLock;

/// What a request is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Subject {
    /// The local name of the operation, if one can be made out.
    pub(super) operation: Option<String>,
    /// The types of its objects, each once, in their order.
    pub(super) objects: Vec<String>,
}

impl Subject {
    /// Of the body of a request.
    pub(super) fn of(request: &[u8]) -> Self {
        let request = blanks::neutral(request);
        let Ok(text) = decode(&request, None) else { return Self::default() };
        let Ok(document) = parse(&text, &LIMITS) else {
            let found = OPERATION.as_ref().and_then(|first| first.captures(&text));
            let name = found.and_then(|found| Some(found.get(1)?.as_str().to_owned()));
            return Self { operation: name, objects: Vec::new() };
        };
        let Some(operation) = operation(document.root()) else { return Self::default() };
        let name = Some(operation.local().to_owned());
        Self { operation: name, objects: objects(operation) }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.operation.as_deref().unwrap_or("a request"))?;
        for (number, object) in self.objects.iter().enumerate() {
            out.write_str(if number == 0 { " of " } else { ", " })?;
            out.write_str(object)?;
        }
        Ok(())
    }
}

/// The first element after the start tag of a body.
static OPERATION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"Body(?:\s[^<>]*)?>\s*<(?:[^<>\s/:]+:)?([A-Za-z]+)[\s/>]").ok());

fn objects(operation: ElementRef<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for child in operation.children() {
        let name = match child.local() {
            "zObjects" => child.xsi_type().map(|name| name.local.to_owned()),
            "type" => Some(child.text().trim().to_owned()),
            "queryString" => zoql::parse(child.text()).ok().map(|query| query.object),
            _ => None,
        };
        found.extend(name.filter(|name| !name.is_empty() && !found.contains(name)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(body: &str) -> String {
        let envelope = format!(
            "<e xmlns:i='http://www.w3.org/2001/XMLSchema-instance' xmlns:o='o'><Body>{body}</Body>\
             </e>"
        );
        Subject::of(envelope.as_bytes()).to_string()
    }

    #[test]
    fn operations_are_told_with_their_objects() {
        for (body, expected) in [
            ("<login/>", "login"),
            ("<query><queryString>select Id from Refund</queryString></query>", "query of Refund"),
            ("<delete><type>Account</type><ids>1</ids></delete>", "delete of Account"),
            (
                "<create><zObjects i:type='o:A'/><zObjects i:type='o:A'/><zObjects i:type='B'/>\
                 </create>",
                "create of A, B",
            ),
            ("<create><zObjects><Id><THE_ID></Id></zObjects></create>", "create"),
        ] {
            assert_eq!(reported(body), expected);
        }
    }

    #[test]
    fn what_is_not_quite_xml_has_an_operation_too() {
        assert_eq!(reported("<ns1:create><a></create>"), "create");
        assert_eq!(Subject::of(b"hello"), Subject::default());
        assert_eq!(Subject::default().to_string(), "a request");
    }
}
