//! Judges an answer by an assertion. What is not understood is skipped, and never passes.
//!
//! The names of two types say the opposite of what they mean, for historical reasons of SoapUI:
//! `SOAP Fault Assertion` is met by an answer that is no fault, `Not SOAP Fault Assertion` by one
//! that is.

use super::compare::{is_similar, is_tree_similar};
use super::expand::{ExpandError, Expander};
use super::model::Assertion;
use super::outcome::Verdict;
use super::xpath::{Found, Selected, XPathError, evaluate};
use crate::domain::secret::HIDDEN;
use crate::domain::version::ApiVersion;
use crate::soap::wsdl::{Schema, is_described};
use crate::xml::{Document, XmlLimits, parse};
use regex::RegexBuilder;
use std::time::Duration;

/// The namespaces of SOAP 1.1 and 1.2.
const ENVELOPES: [&str; 2] =
    ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"];
/// How large a compiled pattern may be.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;
/// How many of the selected values a message shows.
const SHOWN_MAX: usize = 3;
/// An answer may be as large as the client takes it.
pub(super) const LIMITS: XmlLimits = XmlLimits {
    depth_max: 64,
    elements_max: 500_000,
    attributes_per_tag_max: 64,
    attributes_max: 1_000_000,
    namespaces_per_tag_max: 64,
    name_bytes_max: 256,
    text_bytes_max: 8 * 1024 * 1024,
};

/// What came back.
pub(super) struct Answered<'a> {
    pub(super) status: u16,
    pub(super) body: &'a str,
    pub(super) took: Duration,
    /// Where the request went.
    pub(super) path: &'a str,
    /// The namespace of the interface that the step belongs to; empty if the project does not say.
    pub(super) namespace: &'a str,
}

/// What an answer is worth by an assertion.
pub(super) fn judge(
    assertion: &Assertion,
    answered: &Answered<'_>,
    expander: &mut Expander<'_>,
) -> Verdict {
    if assertion.disabled {
        return Verdict::Skipped("it is disabled".to_owned());
    }
    match assertion.of_type.as_str() {
        "SOAP Response" => envelope(answered, |_| Verdict::Passed),
        "SOAP Fault Assertion" => envelope(answered, |fault| match fault {
            None => Verdict::Passed,
            Some(reported) => Verdict::Failed(format!("the answer is a fault: {reported}")),
        }),
        "Not SOAP Fault Assertion" => envelope(answered, |fault| match fault {
            None => Verdict::Failed("the answer is no fault".to_owned()),
            Some(_) => Verdict::Passed,
        }),
        "Schema Compliance" => schema_compliance(answered),
        "Simple Contains" => contains(assertion, answered, expander, true),
        "Simple NotContains" => contains(assertion, answered, expander, false),
        "XPath Match" => xpath_match(assertion, answered, expander),
        "Response SLA Assertion" => sla(assertion, answered, expander),
        "Valid HTTP Status Codes" => status(assertion, answered, expander, true),
        "Invalid HTTP Status Codes" => status(assertion, answered, expander, false),
        "GroovyScriptAssertion" => Verdict::Skipped("scripts are not run here".to_owned()),
        other => Verdict::Skipped(format!("assertions of type `{other}` are not known here")),
    }
}

/// What is wrong with a text that cannot be expanded, and whether that is for the step to answer.
pub(super) fn refused(error: &ExpandError) -> Verdict {
    match error {
        ExpandError::Never(..)
        | ExpandError::Unset(..)
        | ExpandError::Path(_, XPathError::NotUnderstood(..)) => {
            Verdict::Skipped(error.to_string())
        }
        _ => Verdict::Failed(error.to_string()),
    }
}

fn document(body: &str) -> Result<Document<'_>, Verdict> {
    parse(body, &LIMITS).map_err(|error| Verdict::Failed(format!("the answer is no XML: {error}")))
}

/// Judges an envelope by the text of the fault in it, if there is one.
fn envelope(answered: &Answered<'_>, judge: impl FnOnce(Option<String>) -> Verdict) -> Verdict {
    let document = match document(answered.body) {
        Ok(document) => document,
        Err(verdict) => return verdict,
    };
    let root = document.root();
    let is_envelope = root.local() == "Envelope" && ENVELOPES.contains(&root.namespace());
    let body = root.children().find(|part| part.is(root.namespace(), "Body"));
    let Some(body) = body.filter(|_| is_envelope) else {
        return Verdict::Failed("the answer is no SOAP envelope with a Body".to_owned());
    };
    let fault = body.children().find(|part| part.is(root.namespace(), "Fault"));
    judge(fault.map(|fault| {
        let texts = ["faultstring", "Reason"];
        let reported = fault.children().find(|part| texts.contains(&part.local()));
        let reported = reported
            .map(|reported| reported.children().next().unwrap_or(reported).text().to_owned());
        reported.unwrap_or_default()
    }))
}

fn schema_compliance(answered: &Answered<'_>) -> Verdict {
    let skipped = |why: &str| Verdict::Skipped(why.to_owned());
    if !answered.namespace.is_empty() && !is_described(answered.namespace) {
        return skipped("the interface is of a WSDL that is not ours");
    }
    let path = answered.path.split(['?', '#']).next().unwrap_or_default();
    let version = path.rsplit('/').next().and_then(|last| last.parse::<ApiVersion>().ok());
    let Some(version) = version else {
        return skipped("the path does not end in a version of the API, so its WSDL is not known");
    };
    envelope(answered, |_| match document(answered.body) {
        Err(verdict) => verdict,
        // The project does not say whose interface it is, and the answer is not of ours.
        Ok(document) if answered.namespace.is_empty() && is_foreign(&document) => {
            skipped("the answer is of a WSDL that is not ours")
        }
        Ok(document) => {
            let found = Schema::of(version).violations(document.root());
            if found.is_empty() { Verdict::Passed } else { Verdict::Failed(found.join("; ")) }
        }
    })
}

/// Whether the Body holds what no version of our WSDL could describe.
fn is_foreign(document: &Document<'_>) -> bool {
    let root = document.root();
    let bodies = root.children().filter(|part| part.is(root.namespace(), "Body"));
    let mut messages = bodies.flat_map(|body| body.children());
    messages.any(|it| it.namespace() != root.namespace() && !is_described(it.namespace()))
}

fn contains(
    assertion: &Assertion,
    answered: &Answered<'_>,
    expander: &mut Expander<'_>,
    wanted: bool,
) -> Verdict {
    let token = match expander.expand(assertion.setting("token")) {
        Ok(token) => token.replace("\r\n", "\n"),
        Err(error) => return refused(&error),
    };
    if token.is_empty() {
        return Verdict::Skipped("it looks for nothing".to_owned());
    }
    let body = answered.body.replace("\r\n", "\n");
    let ignore_case = assertion.is_set("ignorecase");
    let is_there = if assertion.is_set("useregex") {
        // As in Java, the pattern has to match all of the answer.
        let pattern = RegexBuilder::new(&format!(r"\A(?:{token})\z"))
            .case_insensitive(ignore_case)
            .size_limit(PATTERN_BYTES_MAX)
            .build();
        match pattern {
            Ok(pattern) => pattern.is_match(&body),
            Err(_) => {
                let why = format!("`{token}` is no regular expression that is understood here");
                return Verdict::Skipped(why);
            }
        }
    } else if ignore_case {
        body.to_lowercase().contains(&token.to_lowercase())
    } else {
        body.contains(&token)
    };
    match (is_there, wanted) {
        (true, true) | (false, false) => Verdict::Passed,
        (false, true) => Verdict::Failed(format!("the answer does not contain `{token}`")),
        (true, false) => Verdict::Failed(format!("the answer contains `{token}`")),
    }
}

fn xpath_match(
    assertion: &Assertion,
    answered: &Answered<'_>,
    expander: &mut Expander<'_>,
) -> Verdict {
    let texts = [assertion.setting("path"), assertion.setting("content")];
    let [path, expected] = match texts.map(|text| expander.expand(text)) {
        [Ok(path), Ok(content)] => [path, content],
        [Err(error), _] | [_, Err(error)] => return refused(&error),
    };
    let found = match evaluate(answered.body, &path) {
        Ok(found) => found,
        Err(error @ XPathError::NotUnderstood(..)) => return Verdict::Skipped(error.to_string()),
        Err(error) => return Verdict::Failed(error.to_string()),
    };
    let wildcards = assertion.is_set("allowwildcards");
    let given =
        if expected.trim_start().starts_with('<') { parse(&expected, &LIMITS).ok() } else { None };
    let ignores_namespaces = assertion.is_set("ignorenamspacedifferences")
        || assertion.is_set("ignorenamespacedifferences");
    let is_met = |node: &Selected| match (&given, &node.tree) {
        (Some(given), Some(tree)) => {
            is_tree_similar(given.root(), tree, wildcards, ignores_namespaces)
        }
        _ => is_similar(&expected, &node.text, wildcards),
    };
    let got = match &found {
        Found::Value(value) if is_similar(&expected, value, wildcards) => return Verdict::Passed,
        Found::Value(value) => format!("`{value}`"),
        Found::Nodes(nodes) if nodes.iter().any(is_met) => return Verdict::Passed,
        Found::Nodes(nodes) => shown(nodes),
    };
    let is_secret = matches!(&found, Found::Nodes(nodes) if nodes.iter().any(|it| it.is_secret));
    let expected = if is_secret { HIDDEN.to_owned() } else { format!("`{expected}`") };
    Verdict::Failed(format!("expected {expected}, got {got}"))
}

fn shown(nodes: &[Selected]) -> String {
    if nodes.is_empty() {
        return "nothing: the path selects no node".to_owned();
    }
    let text = |node: &Selected| match node.is_secret {
        true => HIDDEN.to_owned(),
        false => format!("`{}`", node.text.trim()),
    };
    let mut shown = nodes.iter().take(SHOWN_MAX).map(text).collect::<Vec<_>>().join(", ");
    if let Some(more) = nodes.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
        shown.push_str(&format!(" and {more} more"));
    }
    shown
}

fn sla(assertion: &Assertion, answered: &Answered<'_>, expander: &mut Expander<'_>) -> Verdict {
    let text = match expander.expand(assertion.setting("sla")) {
        Ok(text) => text,
        Err(error) => return refused(&error),
    };
    let Ok(limit) = text.trim().parse::<u64>() else {
        return Verdict::Failed(format!("`{text}` is no number of milliseconds"));
    };
    if answered.took <= Duration::from_millis(limit) {
        return Verdict::Passed;
    }
    Verdict::Failed(format!("it took {} ms, more than {limit}", answered.took.as_millis()))
}

fn status(
    assertion: &Assertion,
    answered: &Answered<'_>,
    expander: &mut Expander<'_>,
    wanted: bool,
) -> Verdict {
    let text = match expander.expand(assertion.setting("codes")) {
        Ok(text) => text,
        Err(error) => return refused(&error),
    };
    let codes: Result<Vec<u16>, _> = text.split(',').map(|code| code.trim().parse()).collect();
    let Ok(codes) = codes else {
        return Verdict::Failed(format!("`{text}` is no list of HTTP statuses"));
    };
    if codes.contains(&answered.status) == wanted {
        return Verdict::Passed;
    }
    let which = if wanted { "none" } else { "one" };
    Verdict::Failed(format!("the status {} is {which} of {text}", answered.status))
}
