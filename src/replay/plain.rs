//! Requests as plain XML: whole envelopes, and operations as documents print them.
//!
//! An operation without an envelope is given one with a live session, unless the captured answer
//! says that it was refused as it is. What is neither is distinguished from what is no XML, with
//! the line.

use super::blanks;
use super::compare::{LIMITS, usual_status};
use super::error::ReplayError;
use crate::xml::{ElementRef, XmlError, decode, parse};
use std::path::Path;

const API: &str = "http://api.zuora.com/";

/// The operations that a document may print without their envelope.
const OPERATIONS: [&str; 12] = [
    "login",
    "create",
    "query",
    "queryMore",
    "getUserInfo",
    "update",
    "delete",
    "generate",
    "execute",
    "subscribe",
    "amend",
    "rasdRequest",
];

const BEFORE: &str = "<soapenv:Envelope \
    xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">";
const HEADER: &str = "<soapenv:Header><ns1:SessionHeader xmlns:ns1=\"http://api.zuora.com/\">\
    <ns1:session>{{session}}</ns1:session></ns1:SessionHeader></soapenv:Header>";

/// The request, in an envelope if it is an operation without one.
pub(super) fn enveloped(request: Vec<u8>, expected: Option<&[u8]>) -> Vec<u8> {
    if is_fault(expected) {
        return request;
    }
    let neutral = blanks::neutral(&request);
    let operation = decode(&neutral, None).ok().and_then(|text| {
        let document = parse(&text, &LIMITS).ok()?;
        is_operation(document.root()).then(|| document.root().local().to_owned())
    });
    let text = operation.and_then(|operation| Some((operation, decode(&request, None).ok()?)));
    match text {
        Some((operation, text)) => wrap(&text, &operation),
        None => request,
    }
}

/// The request of a capture, which must be SOAP or an operation, unless it was refused.
pub(super) fn soap(
    file: &Path,
    request: Vec<u8>,
    expected: Option<&[u8]>,
) -> Result<Vec<u8>, ReplayError> {
    if is_fault(expected) {
        return Ok(request);
    }
    let neutral = blanks::neutral(&request);
    let text = decode(&neutral, None).map_err(|error| no_xml(file, "", &error))?;
    let document = parse(&text, &LIMITS).map_err(|error| no_xml(file, &text, &error))?;
    let root = document.root();
    if is_operation(root) {
        let text = decode(&request, None).map_err(|error| no_xml(file, "", &error))?;
        return Ok(wrap(&text, root.local()));
    }
    if root.local() != "Envelope" {
        let line = line_of(&text, text.find('<').unwrap_or_default());
        let message = format!(
            "expected a soapenv:Envelope, or an operation of {API} such as create; found <{}>",
            root.local()
        );
        return Err(ReplayError::capture(file, Some(line), message));
    }
    drop(document);
    drop(text);
    drop(neutral);
    Ok(request)
}

fn is_fault(expected: Option<&[u8]>) -> bool {
    expected.is_some_and(|expected| usual_status(expected) != 200)
}

fn is_operation(root: ElementRef<'_>) -> bool {
    [API, ""].contains(&root.namespace()) && OPERATIONS.contains(&root.local())
}

fn wrap(text: &str, operation: &str) -> Vec<u8> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_declared = text.starts_with("<?xml");
    let body = text.split_once("?>").filter(|_| is_declared).map_or(text, |(_, rest)| rest);
    let header = if operation == "login" { "" } else { HEADER };
    format!("{BEFORE}{header}<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>").into_bytes()
}

fn no_xml(file: &Path, text: &str, error: &XmlError) -> ReplayError {
    let line = match error {
        XmlError::NotWellFormed { position, .. } => Some(line_of(text, *position)),
        _ => None,
    };
    let hint = if text.contains("\\>") || text.contains("\\=") {
        "; the backslashes before > and = are no XML: take them out"
    } else {
        ""
    };
    ReplayError::capture(file, line, format!("expected the XML of a request: {error}{hint}"))
}

/// The line of a position, from 1.
fn line_of(text: &str, position: usize) -> usize {
    let before = text.as_bytes().iter().take(position);
    before.filter(|byte| **byte == b'\n').count().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &str = "<?xml version='1.0'?>\n<ns1:create xmlns:ns1=\"http://api.zuora.com/\">\
        <ns1:zObjects/></ns1:create>";

    fn reported(text: &str) -> String {
        soap(Path::new("x.xml"), text.into(), None).expect_err(text).to_string()
    }

    #[test]
    fn an_operation_alone_gets_an_envelope_with_a_session() {
        let wrapped = soap(Path::new("x.xml"), BARE.into(), None).unwrap();
        let text = std::str::from_utf8(&wrapped).unwrap();
        let document = parse(text, &LIMITS).unwrap();
        let parts: Vec<_> = document.root().children().map(|part| part.local()).collect();
        assert_eq!(parts, ["Header", "Body"]);
        assert!(text.contains("<ns1:session>{{session}}</ns1:session>"), "{text}");
        let login = "<login xmlns='http://api.zuora.com/'><username/></login>";
        let wrapped = soap(Path::new("x.xml"), login.into(), None).unwrap();
        assert!(!String::from_utf8(wrapped).unwrap().contains("session"), "{login}");
    }

    #[test]
    fn what_was_refused_as_it_is_stays_as_it_is() {
        let fault = b"<e><Body><Fault/></Body></e>";
        assert_eq!(enveloped(BARE.into(), Some(fault)), BARE.as_bytes());
        assert_eq!(soap(Path::new("x"), b"<no".to_vec(), Some(fault)).unwrap(), b"<no");
        for other in ["<x/>", "no XML", "<create xmlns='urn:other'/>"] {
            assert_eq!(enveloped(other.into(), None), other.as_bytes());
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let escaped = BARE.replace("\">", "\"\\>");
        let told_of = reported(&escaped);
        assert!(told_of.starts_with("x.xml:2: expected the XML of a request: "), "{told_of}");
        assert!(told_of.contains("backslashes"), "{told_of}");
        let found = reported("\n<html/>");
        assert!(found.starts_with("x.xml:2: expected a soapenv:Envelope"), "{found}");
        assert!(reported("hello").contains("expected the XML of a request"));
    }
}
