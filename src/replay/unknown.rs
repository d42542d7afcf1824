//! Whether an endpoint knows the objects that a request names, asked where an answer differs.
//!
//! What must stay true: only what the endpoint certainly does not have is called unknown, each
//! object is asked for once, and nothing is asked while everything passes.

use super::canonical::printable;
use super::compare::{LIMITS, operation};
use super::references::{Reference, named_in};
use crate::client::Connection;
use crate::client::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use crate::xml::{ElementRef, Writer, decode, parse};
use std::collections::HashMap;
use tokio::sync::Mutex;

/// So many objects of one request are asked for.
const ASKED_MAX: usize = 20;

/// What was asked, and whether the endpoint has it; nothing where its answer did not say.
#[derive(Default)]
pub(super) struct Asked(Mutex<HashMap<Reference, Option<bool>>>);

impl Asked {
    /// What of the objects that `messages` name is unknown at the other end of `connection`, as
    /// the type and the id of each.
    pub(super) async fn unknown(
        &self,
        messages: &[&[u8]],
        session: &str,
        path: &str,
        connection: &mut Connection,
    ) -> Vec<String> {
        let mut named: Vec<_> = messages.iter().flat_map(|message| named_in(message)).collect();
        named.sort();
        named.dedup();
        let mut unknown = Vec::new();
        for reference in named.into_iter().take(ASKED_MAX) {
            let known = self.0.lock().await.get(&reference).copied();
            let is_there = match known {
                Some(is_there) => is_there,
                None => {
                    let is_there = has(&reference, session, path, connection).await;
                    self.0.lock().await.insert(reference.clone(), is_there);
                    is_there
                }
            };
            if is_there == Some(false) {
                unknown.push(printable(&reference.to_string()));
            }
        }
        unknown
    }
}

/// Whether the endpoint has an object; nothing if its answer does not say.
async fn has(
    reference: &Reference,
    session: &str,
    path: &str,
    connection: &mut Connection,
) -> Option<bool> {
    let Reference { object, id } = reference;
    let by = if id.len() == 32 { "Id" } else { "AccountNumber" };
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_plain = |text: &str| text.bytes().all(is_letter);
    if !is_plain(object) || !is_plain(id) {
        return None;
    }
    let text = format!("select Id from {object} where {by} = '{id}'");
    let content_type = HeaderValue::from_static("text/xml; charset=utf-8");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
    let answer = connection.post(path, &headers, query(session, &text).into()).await.ok()?;
    let text = decode(&answer.body, None).ok()?;
    let document = parse(&text, &LIMITS).ok()?;
    let response = operation(document.root()).filter(|first| first.local() == "queryResponse")?;
    let size = find(response, "size")?.parse::<u64>().ok()?;
    Some(size > 0)
}

fn query(session: &str, text: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    let envelope = [("xmlns:soapenv", "http://schemas.xmlsoap.org/soap/envelope/")];
    let api = [("xmlns:ns1", "http://api.zuora.com/")];
    writer.declaration().open_with("soapenv:Envelope", &envelope).open("soapenv:Header");
    writer.open_with("ns1:SessionHeader", &api).text_element("ns1:session", session);
    writer.close().close().open("soapenv:Body").open_with("ns1:query", &api);
    writer.text_element("ns1:queryString", text);
    writer.into_bytes()
}

fn find<'d>(element: ElementRef<'d>, local: &str) -> Option<&'d str> {
    if element.local() == local {
        return Some(element.text().trim());
    }
    element.children().find_map(|child| find(child, local))
}
