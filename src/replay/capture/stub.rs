//! What stubs record: WireMock's mappings and its journal of requests, and Hoverfly's simulations.
//!
//! Stubs match requests and need not know them whole. What says only what a body is like, and not
//! what it is, cannot be sent, and is skipped with the reason.

use super::traffic::{Body, Traffic};
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

/// Where WireMock keeps the bodies of answers, beside its `mappings`.
const FILES: &str = "__files";
/// A body in a file of its own may have so much.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The matchers of a body that say what it is.
const EXACT: [&str; 3] = ["equalToXml", "equalTo", "binaryEqualTo"];

/// The exchange of a stub, a pair, or an entry of a journal, out of the capture `file`.
pub(super) fn traffic(item: &Value, file: &Path) -> Result<Traffic, String> {
    let request = item.get("request").ok_or("it has no `request`")?;
    if request.get("destination").is_some() || request.get("path").is_some() {
        return hoverfly(request, item, file);
    }
    wiremock(request, item, file)
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

fn skipped(method: &str, why: impl Into<String>) -> Traffic {
    Traffic { method: method.to_owned(), unsent: Some(why.into()), ..Traffic::default() }
}

fn wiremock(request: &Value, item: &Value, file: &Path) -> Result<Traffic, String> {
    let method = text(request, "method").unwrap_or("ANY");
    let Some(url) = ["url", "urlPath"].iter().find_map(|key| text(request, key)) else {
        return Ok(skipped(method, "its URL is a pattern, not a path"));
    };
    let body = match (text(request, "body"), request.get("bodyPatterns")) {
        (Some(body), _) => Some(Body::Text(body.to_owned())),
        (None, Some(patterns)) => match exact(patterns) {
            Some(body) => Some(body),
            None => {
                return Ok(skipped(method, "its body is matched by a pattern, not known"));
            }
        },
        (None, None) => text(request, "bodyAsBase64").map(|it| Body::Base64(it.to_owned())),
    };
    let sent = match request.get("bodyPatterns") {
        Some(_) => matched_headers(request.get("headers"), "equalTo"),
        None => headers(request.get("headers")),
    };
    let mut traffic = Traffic {
        method: method.replace("ANY", "POST"),
        url: url.to_owned(),
        headers: sent,
        request: body,
        ..Traffic::default()
    };
    // A journal says what was sent back, and how that was made; of old ones only the latter.
    let answered = item.get("response").filter(|it| it.get("status").is_some());
    let Some(response) = answered.or_else(|| item.get("responseDefinition")) else {
        return Ok(traffic);
    };
    traffic.status = Some(response.get("status").and_then(Value::as_i64).unwrap_or(200));
    traffic.response_headers = headers(response.get("headers"));
    traffic.response = if let Some(name) = text(response, "bodyFileName") {
        match beside(file, FILES, name) {
            Some(body) => Some(body),
            None => {
                let why = format!("there is no {FILES}/{name} beside its mappings");
                return Ok(skipped(method, why));
            }
        }
    } else {
        let base64 = ["base64Body", "bodyAsBase64"].iter().find_map(|key| text(response, key));
        let plain = text(response, "body").map(|body| Body::Text(body.to_owned()));
        plain.or_else(|| base64.map(|it| Body::Base64(it.to_owned())))
    };
    let is_template = response.get("transformers").is_some_and(|it| {
        it.as_array().is_some_and(|all| all.iter().any(|it| it == "response-template"))
    });
    if is_template {
        traffic.unsent = Some("its answer is a template".to_owned());
    }
    Ok(traffic)
}

/// The body that patterns say, if one of them says it whole.
fn exact(patterns: &Value) -> Option<Body> {
    let patterns = patterns.as_array()?;
    let said = patterns.iter().find_map(|pattern| {
        EXACT.iter().find_map(|key| text(pattern, key).map(|body| (*key, body.to_owned())))
    });
    // Placeholders of WireMock in XML stand for any value.
    let (key, body) = said.filter(|(_, body)| !body.contains("${xmlunit."))?;
    Some(if key == "binaryEqualTo" { Body::Base64(body) } else { Body::Text(body) })
}

/// Headers with a value, or with a list of which the first counts.
fn headers(value: Option<&Value>) -> Vec<(String, String)> {
    let pairs = value.and_then(Value::as_object).into_iter().flatten();
    let pair = |(name, value): (&String, &Value)| {
        let first = value.as_array().map_or(Some(value), |all| all.first())?;
        Some((name.clone(), first.as_str()?.to_owned()))
    };
    pairs.filter_map(pair).collect()
}

/// Headers that a stub asks for with just this value.
fn matched_headers(value: Option<&Value>, key: &str) -> Vec<(String, String)> {
    let pairs = value.and_then(Value::as_object).into_iter().flatten();
    let pair =
        |(name, value): (&String, &Value)| Some((name.clone(), text(value, key)?.to_owned()));
    pairs.filter_map(pair).collect()
}

fn hoverfly(request: &Value, item: &Value, file: &Path) -> Result<Traffic, String> {
    let said = |key: &str| request.get(key).and_then(matched);
    let Some(path) = said("path") else {
        return Ok(skipped("ANY", "its path is a pattern, not known"));
    };
    let method = said("method").unwrap_or_else(|| "POST".to_owned());
    if request.get("body").is_some() && said("body").is_none() {
        return Ok(skipped(&method, "its body is matched by a pattern, not known"));
    }
    let asked = request.get("headers").and_then(Value::as_object).into_iter().flatten();
    let mut traffic = Traffic {
        method,
        url: path,
        headers: asked.filter_map(|(name, value)| Some((name.clone(), matched(value)?))).collect(),
        request: said("body").map(Body::Text),
        ..Traffic::default()
    };
    let Some(response) = item.get("response") else { return Ok(traffic) };
    traffic.status = response.get("status").and_then(Value::as_i64);
    traffic.response_headers = headers(response.get("headers"));
    if response.get("templated").and_then(Value::as_bool) == Some(true) {
        traffic.unsent = Some("its answer is a template".to_owned());
    }
    let is_base64 = response.get("encodedBody").and_then(Value::as_bool) == Some(true);
    traffic.response = match (text(response, "body"), text(response, "bodyFile")) {
        (_, Some(name)) => match beside(file, "", name) {
            Some(body) => Some(body),
            None => {
                let why = format!("there is no {name} beside the simulation");
                return Ok(skipped(&traffic.method, why));
            }
        },
        (Some(body), None) if is_base64 => Some(Body::Base64(body.to_owned())),
        (Some(body), None) => Some(Body::Text(body.to_owned())),
        (None, None) => None,
    };
    Ok(traffic)
}

/// The value that matchers say: those that compare the whole text.
fn matched(matchers: &Value) -> Option<String> {
    if let Some(plain) = matchers.as_str() {
        return Some(plain.to_owned());
    }
    let is_exact = |matcher: &&Value| {
        let kind = text(matcher, "matcher").unwrap_or("exact");
        matches!(kind, "exact" | "xml")
    };
    let matcher = matchers.as_array()?.iter().find(is_exact)?;
    text(matcher, "value").map(str::to_owned)
}

/// What is in a file that a capture names, in a folder beside it or above it.
fn beside(file: &Path, folder: &str, name: &str) -> Option<Body> {
    let name = Path::new(name);
    // A capture must not lead anywhere else.
    if !name.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let above = file.ancestors().skip(1).take(4).map(|above| above.join(folder).join(name));
    let found = above.into_iter().find(|path| path.is_file())?;
    let mut text = String::new();
    File::open(found).ok()?.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(Body::Text(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(item: &Value) -> Traffic {
        traffic(item, Path::new("mappings/a.json")).expect("an item")
    }

    #[test]
    fn a_stub_that_says_its_body_can_be_sent() {
        let stub = json!({"id": "1", "request": {"method": "POST", "urlPath": "/a",
            "headers": {"SOAPAction": {"equalTo": "x"}, "B": {"contains": "y"}},
            "bodyPatterns": [{"equalToXml": "<a/>", "ignoreWhitespace": true}]},
            "response": {"status": 500, "base64Body": "PGIvPg==", "headers": {"C": "d"}}});
        let traffic = of(&stub);
        assert_eq!((traffic.method.as_str(), traffic.url.as_str()), ("POST", "/a"));
        assert_eq!(traffic.headers, [("SOAPAction".to_owned(), "x".to_owned())]);
        assert_eq!(traffic.request, Some(Body::Text("<a/>".to_owned())));
        assert_eq!((traffic.status, traffic.unsent), (Some(500), None));
        assert_eq!(traffic.response, Some(Body::Base64("PGIvPg==".to_owned())));
    }

    #[test]
    fn what_is_only_matched_is_skipped_with_the_reason() {
        let stub = |request: Value| json!({"request": request, "response": {"status": 200}});
        for (request, why) in [
            (json!({"method": "POST", "urlPattern": "/.*"}), "its URL is a pattern"),
            (
                json!({"method": "POST", "url": "/a", "bodyPatterns": [{"matches": "."}]}),
                "its body is matched by a pattern",
            ),
            (json!({"path": [{"matcher": "glob", "value": "*"}]}), "its path is a pattern"),
            (
                json!({"path": [{"matcher": "exact", "value": "/a"}],
                    "body": [{"matcher": "regex", "value": "."}]}),
                "its body is matched by a pattern",
            ),
        ] {
            let unsent = of(&stub(request)).unsent.unwrap_or_default();
            assert!(unsent.contains(why), "{why} in {unsent}");
        }
        let file = |name: &str| {
            let response = json!({"status": 200, "bodyFileName": name});
            json!({"request": {"url": "/a"}, "response": response})
        };
        for name in ["none.xml", "../../etc/passwd", "/etc/passwd"] {
            assert!(
                of(&file(name)).unsent.is_some_and(|why| why.contains("there is no")),
                "{name}"
            );
        }
    }
}
