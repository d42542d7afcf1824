//! The journal: what was asked and answered, and why it was refused; one call in full, beside the
//! one that is nearest to it, as a command, as a case of a catalogue, and as a fault to order.

use super::{done, nothing};
use crate::call::{Method, OperationName};
use crate::console::answer;
use crate::console::body::{self, In, Shown};
use crate::console::exchange::{Exchange, Listed};
use crate::console::frame::Frame;
use crate::console::handed_on::{self, File};
use crate::console::ordering;
use crate::console::section::Section;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::{Answered, Console, form};
use crate::domain::percent::encoded;
use askama::Template;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// How many calls a page lists.
const LISTED: &str = "50";
/// Among how many calls of the same operation, and bytes of their requests, the nearest is looked
/// for.
const NEAR_MAX: usize = 50;
const NEAR_BYTES_MAX: usize = 512 * 1024;
/// What the list can be asked for.
const KEYS: [&str; 8] =
    ["operation", "outcome", "failed", "account", "user", "key", "refund", "before"];

#[derive(Template)]
#[template(path = "journal.html")]
struct JournalPage {
    frame: Frame,
    listed: Listed,
    filter: Wanted,
    operations: Vec<&'static str>,
    /// Where the next page is, if there is one.
    older: Option<String>,
    is_filtered: bool,
}

/// What the list was asked for, as it is shown again.
#[derive(Default)]
struct Wanted {
    operation: String,
    outcome: String,
    failed: bool,
    account: String,
    user: String,
    key: String,
    refund: String,
}

#[derive(Template)]
#[template(path = "call.html")]
struct CallPage {
    frame: Frame,
    call: Exchange,
    /// The call that it is compared with.
    near: Option<Exchange>,
    request: Shown,
    answered: Shown,
    has_bodies: bool,
    curl: String,
    files: Vec<File>,
    /// The fault to order for the next call like this one.
    order: ordering::Offer,
}

/// The pages of this section.
pub(super) async fn route(console: &Console, visitor: &Visitor, rest: &[&str]) -> Answered {
    match rest {
        [] => list(console, visitor).await,
        [id] => call(console, visitor, id).await,
        [id, "fault"] => order(console, visitor, id).await,
        [id, name] => file(console, visitor, id, name).await,
        _ => Err(nothing()),
    }
}

/// Reads something of the journal.
async fn read<T: DeserializeOwned>(
    console: &Console,
    visitor: &Visitor,
    path: &str,
    query: &str,
) -> Result<T, Trouble> {
    console.ask(visitor, (Method::Get, path, query), &Value::Null).await
}

async fn list(console: &Console, visitor: &Visitor) -> Answered {
    visitor.reads()?;
    let pairs = form::query(&visitor.visit, &KEYS)?;
    let text = |key: &str| pairs.text(key).unwrap_or_default().trim().to_owned();
    let filter = Wanted {
        operation: text("operation"),
        outcome: text("outcome"),
        failed: pairs.text("failed").is_some(),
        account: text("account"),
        user: text("user"),
        key: text("key"),
        refund: text("refund"),
    };
    let asked = filter.query();
    let before = pairs.text("before").map(|id| format!("&before={}", encoded(id)));
    let query = format!("limit={LISTED}&bodies=false{asked}{}", before.unwrap_or_default());
    let listed: Listed = read(console, visitor, "journal", &query).await?;
    let last = listed.exchanges.last().filter(|_| (listed.exchanges.len() as u64) < listed.matched);
    let older = last.map(|last| format!("/journal?before={}{asked}", last.id));
    let operations = OperationName::named().map(OperationName::name).collect();
    let frame = visitor.frame(console, Some(Section::Journal), Section::Journal.title());
    let is_filtered = !asked.is_empty();
    answer::page(200, &JournalPage { frame, listed, filter, operations, older, is_filtered })
}

impl Wanted {
    /// The same as a query, each pair with its ampersand before it.
    fn query(&self) -> String {
        let pairs = [
            ("operation", self.operation.as_str()),
            ("outcome", &self.outcome),
            ("failed", if self.failed { "true" } else { "" }),
            ("account", &self.account),
            ("user", &self.user),
            ("key", &self.key),
            ("refund", &self.refund),
        ];
        let there = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        there.map(|(key, value)| format!("&{key}={}", encoded(value))).collect()
    }
}

async fn one(console: &Console, visitor: &Visitor, id: &str) -> Result<Exchange, Trouble> {
    let id: u64 = id.parse().map_err(|_| nothing())?;
    read(console, visitor, &format!("journal/{id}"), "").await
}

async fn call(console: &Console, visitor: &Visitor, id: &str) -> Answered {
    visitor.reads()?;
    let pairs = form::query(&visitor.visit, &["with"])?;
    let call = one(console, visitor, id).await?;
    let near = match pairs.text("with") {
        Some("none") => None,
        Some(other) => Some(one(console, visitor, other).await?),
        None => nearest(console, visitor, &call).await?,
    };
    let text = |exchange: &Exchange| exchange.request.clone().unwrap_or_default();
    let answer_of = |exchange: &Exchange| exchange.answer.clone().unwrap_or_default();
    let request = body::shown(&text(&call), near.as_ref().map(text).as_deref());
    let answered = body::shown(&answer_of(&call), near.as_ref().map(answer_of).as_deref());
    let url = console.inside.public_url().unwrap_or_default();
    let title = format!("Call {}: {}", call.id, call.operation);
    let frame = visitor.frame(console, Some(Section::Journal), title);
    let page = CallPage {
        has_bodies: frame.is_test,
        frame,
        near,
        request,
        answered,
        curl: handed_on::as_curl(&call, &url),
        files: handed_on::as_fixture(&call),
        order: ordering::Offer::like(&call),
        call,
    };
    answer::page(200, &page)
}

/// The call of the same operation that was answered as wanted and whose request is most like this
/// one, the newest among equals.
async fn nearest(
    console: &Console,
    visitor: &Visitor,
    call: &Exchange,
) -> Result<Option<Exchange>, Trouble> {
    let request = call.request.as_deref().filter(|request| !request.is_empty());
    let Some(request) = request else { return Ok(None) };
    let query = format!("limit={NEAR_MAX}&outcome=ok&operation={}", encoded(&call.operation));
    let listed: Listed = read(console, visitor, "journal", &query).await?;
    let others = listed.exchanges.into_iter().filter(|one| one.id != call.id && !one.has_failed());
    let likeness = body::Likeness::to(request);
    let mut bytes = 0;
    let looked_at = others.take_while(|one| {
        bytes += one.request.as_ref().map_or(0, String::len);
        bytes <= NEAR_BYTES_MAX
    });
    let likeness = |one: &Exchange| likeness.of(one.request.as_deref().unwrap_or_default());
    let weighed = looked_at.map(|one| (likeness(&one), one)).filter(|(likeness, _)| *likeness > 0);
    Ok(weighed.max_by_key(|(likeness, one)| (*likeness, one.id)).map(|(_, one)| one))
}

/// A body, or a file of the case that the call can be, as a file to keep.
async fn file(console: &Console, visitor: &Visitor, id: &str, name: &str) -> Answered {
    visitor.reads()?;
    let call = one(console, visitor, id).await?;
    let mut files = handed_on::as_fixture(&call).into_iter();
    let found = files.find(|file| file.name == name).ok_or_else(nothing)?;
    Ok(answer::download("text/plain; charset=utf-8", found.name, found.text))
}

async fn order(console: &Console, visitor: &Visitor, id: &str) -> Answered {
    visitor.posts()?;
    let call = one(console, visitor, id).await?;
    let pairs = form::form(&visitor.visit, &ordering::KEYS)?;
    let fault = ordering::fault(&pairs)?;
    let ordered = ordering::order(console, visitor, &fault).await?;
    let notice = format!("Fault {ordered} is ordered: the next {} fails so.", call.operation);
    done(console, visitor, &format!("/journal/{}", call.id), notice)
}
