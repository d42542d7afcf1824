//! The create cases of the SOAP catalogue through `/v1/action/create`: each object as JSON, at the
//! version of its case, is answered with the same rows in the same order as in the captured answer
//! of SOAP, and leaves the same balances.

use super::client::json;
use crate::gateway::TestGateway;
use refund_gateway::xml::{Document, ElementRef, XmlLimits, decode, parse};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The namespaces whose fields count.
const OURS: [&str; 3] = ["http://api.zuora.com/", "http://object.api.zuora.com/", ""];
/// Codes of faults that an action can be refused with as well.
const FAULTS: [&str; 2] = ["MAX_RECORDS_EXCEEDED", "INVALID_TYPE"];
/// So many cases can be said in JSON, at least.
const CASES_LEAST: usize = 120;

/// What an answer says of a call.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// Each row: nothing, or the code and the text of its error.
    Rows(Vec<Option<(String, String)>>),
    /// The call is refused with this code.
    Fault(String),
}

/// A case that can be said in JSON.
struct Case {
    name: String,
    request: String,
    path: String,
    key: Option<String>,
    /// The user whose session it brings.
    user: Option<String>,
    object: String,
    objects: Vec<Value>,
    expected: Said,
    /// Whether the texts of errors differ from run to run.
    has_any_text: bool,
}

fn folders(below: &Path, found: &mut Vec<PathBuf>) {
    let mut all: Vec<PathBuf> =
        fs::read_dir(below).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    if below.join("request.xml").is_file() {
        found.push(below.to_owned());
    }
    all.iter().filter(|path| path.is_dir()).for_each(|path| folders(path, found));
}

fn operation<'d>(document: &'d Document<'_>) -> Option<ElementRef<'d>> {
    let body = document.root().children().find(|part| part.local() == "Body")?;
    body.children().next()
}

fn text_of(element: ElementRef<'_>, name: &str) -> Option<String> {
    let found = element.descendants().find(|one| one.local() == name)?;
    Some(found.text().to_owned())
}

/// The user of a placeholder for a session, if it is one: none is the first.
fn user_of(session: &str) -> Option<Option<String>> {
    let inside = session.trim().strip_prefix("{{session")?.strip_suffix("}}")?;
    Some(inside.strip_prefix(':').map(str::to_owned))
}

/// The value of a field; none where JSON cannot say it.
fn value(field: ElementRef<'_>) -> Option<Value> {
    if field.is_nil() {
        return Some(Value::Null);
    }
    field.children().next().is_none().then(|| Value::String(field.text().to_owned()))
}

/// The object as JSON; none where JSON cannot say it.
fn object(element: ElementRef<'_>) -> Option<Value> {
    let mut fields = Map::new();
    let mut nulled = Vec::new();
    for field in element.children() {
        let is_strange = !OURS.contains(&field.namespace());
        if is_strange || field.attribute("", "href").is_some() {
            return None;
        }
        let value = value(field)?;
        if field.local() == "fieldsToNull" {
            nulled.push(value);
        } else if fields.insert(field.local().to_owned(), value).is_some() {
            // The same field twice is one name twice, which is no JSON.
            return None;
        }
    }
    if !nulled.is_empty() {
        fields.insert("fieldsToNull".to_owned(), nulled.into());
    }
    Some(fields.into())
}

/// The case of a folder; none where it is no create, or cannot be said in JSON.
fn case(folder: &Path) -> Option<Case> {
    let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
    let (request, response) = (bytes("request.xml"), bytes("response.xml"));
    let limits = XmlLimits::default();
    let response = decode(&response, None).ok()?.into_owned();
    let response = parse(&response, &limits).ok()?;
    let expected = said(operation(&response)?)?;
    let request = decode(&request, None).ok()?.into_owned();
    let document = parse(&request, &limits).ok()?;
    let create = operation(&document).filter(|first| first.local() == "create")?;
    // Options of a call have no counterpart.
    let header = document.root().children().find(|part| part.local() == "Header")?;
    let headers: Vec<&str> = header.children().map(|one| one.local()).collect();
    if headers != ["SessionHeader"] {
        return None;
    }
    let user = user_of(&text_of(header, "session")?)?;
    let mut types = Vec::new();
    let mut objects = Vec::new();
    for part in create.children() {
        if part.local() != "zObjects" || part.is_nil() {
            return None;
        }
        let name = part.xsi_type().filter(|name| OURS.contains(&name.namespace))?;
        types.push(name.local.to_owned());
        objects.push(object(part)?);
    }
    types.dedup();
    let [of_all] = &types[..] else { return None };
    let rules = fs::read_to_string(folder.join("replay.toml")).unwrap_or_default();
    let rules: toml::Table = toml::from_str(&rules).unwrap();
    let text = |value: Option<&toml::Value>| value.and_then(toml::Value::as_str).map(str::to_owned);
    let path = text(rules.get("path")).unwrap_or_else(|| "/apps/services/a/91.0".to_owned());
    let headers = rules.get("headers").and_then(toml::Value::as_table);
    let matched = rules.get("match").and_then(toml::Value::as_table);
    Some(Case {
        name: folder.file_name()?.to_string_lossy().into_owned(),
        path,
        key: headers.and_then(|headers| text(headers.get("Idempotency-Key"))),
        user,
        object: of_all.clone(),
        objects,
        expected,
        has_any_text: matched.is_some_and(|matched| matched.contains_key("//Message")),
        request,
    })
}

/// What an answer of SOAP says.
fn said(reported: ElementRef<'_>) -> Option<Said> {
    if reported.local() == "Fault" {
        let code = text_of(reported, "FaultCode")?;
        return FAULTS.contains(&code.as_str()).then_some(Said::Fault(code));
    }
    let row = |result: ElementRef<'_>| {
        let error = result.children().find(|part| part.local() == "Errors")?;
        Some((text_of(error, "Code")?, text_of(error, "Message")?))
    };
    (reported.local() == "createResponse")
        .then(|| Said::Rows(reported.children().map(row).collect()))
}

/// What an answer of an action says.
fn said_in_json(answer: &Value) -> Said {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    let Some(rows) = answer.as_array() else { return Said::Fault(text(&answer["FaultCode"])) };
    let row = |row: &Value| {
        let error = &row["Errors"][0];
        let is_done = row["Success"] == Value::Bool(true);
        (!is_done).then(|| (text(&error["Code"]), text(&error["Message"])))
    };
    Said::Rows(rows.iter().map(row).collect())
}

impl Said {
    /// The same without the texts of errors.
    fn without_texts(mut self) -> Self {
        if let Self::Rows(rows) = &mut self {
            rows.iter_mut().flatten().for_each(|(_, text)| text.clear());
        }
        self
    }
}

struct Sessions<'g> {
    gateway: &'g TestGateway,
    open: BTreeMap<String, String>,
}

impl Sessions<'_> {
    fn of(&mut self, user: Option<&str>) -> String {
        let user = user.unwrap_or("demo@example.com");
        let password = user.split('@').next().unwrap();
        let login = || self.gateway.login_as(user, password);
        self.open.entry(user.to_owned()).or_insert_with(login).clone()
    }
}

#[test]
fn the_create_cases_of_the_catalogue_are_answered_the_same_by_an_action() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let seed = fs::read_to_string(fixtures.join("seed.toml")).unwrap();
    let mut all = Vec::new();
    folders(&fixtures, &mut all);
    let cases: Vec<Case> = all.iter().filter_map(|folder| case(folder)).collect();
    assert!(cases.len() >= CASES_LEAST, "{}", cases.len());
    let (by_rest, by_soap) = (TestGateway::seeded(&seed, &[]), TestGateway::seeded(&seed, &[]));
    let mut sessions = Sessions { gateway: &by_rest, open: BTreeMap::new() };
    let mut soap_sessions = Sessions { gateway: &by_soap, open: BTreeMap::new() };
    let mut different = Vec::new();
    for case in cases {
        let session = soap_sessions.of(case.user.as_deref());
        let placeholder = case.user.as_deref().map_or_else(String::new, |user| format!(":{user}"));
        let request = case.request.replace(&format!("{{{{session{placeholder}}}}}"), &session);
        let mut headers = vec![("Content-Type", "text/xml; charset=utf-8")];
        headers.extend(case.key.as_deref().map(|key| ("Idempotency-Key", key)));
        by_soap.connect().send("POST", &case.path, &headers, request.as_bytes());

        let authorization = format!("ZSession {}", sessions.of(case.user.as_deref()));
        let version = case.path.rsplit('/').next().unwrap();
        let mut headers = vec![
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
            ("X-Zuora-WSDL-Version", version),
        ];
        headers.extend(case.key.as_deref().map(|key| ("Idempotency-Key", key)));
        let body = serde_json::json!({"type": case.object, "objects": case.objects}).to_string();
        let mut connection = by_rest.connect();
        let answer = connection.send("POST", "/v1/action/create", &headers, body.as_bytes());
        let (mut actual, mut expected) = (said_in_json(&json(&answer)), case.expected);
        if case.has_any_text {
            (actual, expected) = (actual.without_texts(), expected.without_texts());
        }
        if actual != expected {
            different.push(format!("{}: {actual:?}\n  by SOAP {expected:?}", case.name));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    // Accounts that were created are called otherwise, and have nothing.
    let seeded = |gateway: &TestGateway| {
        let balances = gateway.balances();
        let all = balances.len();
        let of_seed = balances.into_iter().filter(|(id, _)| seed.contains(id.as_str()));
        (all, of_seed.collect::<BTreeMap<_, _>>())
    };
    let (all, balances) = seeded(&by_rest);
    assert!(balances.len() > 100, "{}", balances.len());
    assert_eq!((all, balances), seeded(&by_soap));
}
