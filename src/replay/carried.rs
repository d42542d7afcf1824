//! What the replay's own objects are called, for requests that name the captured ones.
//!
//! Where the expected answer of a create has the id of what was created and the live answer has
//! another, later requests are sent with the live one. Only what is certainly the same object is
//! carried over: the results of a call, and the numbers and locators of records whose ids agree.
//! What is kept is bounded; the oldest goes first.

use super::blanks;
use super::compare::{LIMITS, operation};
use super::json_lines;
use super::raw::View;
use crate::json::{self, Json};
use crate::xml::{ElementRef, decode, parse};
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

/// So many names are kept.
const KEPT_MAX: usize = 50_000;

/// Names of captured objects and sessions, each with its live one.
#[derive(Default)]
pub(super) struct Carried {
    ids: Kept,
    sessions: Kept,
    /// Captured tokens, each with the id of the client that got it.
    tokens: Kept,
    /// What blanks of captured answers stand for, by their names.
    blanks: Kept,
}

#[derive(Default)]
struct Kept {
    live: HashMap<Box<str>, Box<str>>,
    order: VecDeque<Box<str>>,
}

impl Kept {
    fn insert(&mut self, captured: &str, live: &str) {
        if self.live.insert(captured.into(), live.into()).is_none() {
            self.order.push_back(captured.into());
            if self.order.len() > KEPT_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.live.remove(&oldest);
            }
        }
    }

    fn get(&self, captured: &str) -> Option<&str> {
        self.live.get(captured).map(AsRef::as_ref)
    }
}

impl Carried {
    /// The live session that a captured one stands for.
    pub(super) fn session(&self, captured: &str) -> Option<&str> {
        self.sessions.get(captured)
    }

    /// What a blank stands for, if an answer said so.
    pub(super) fn blank(&self, name: &str) -> Option<&str> {
        self.blanks.get(name)
    }

    /// Remembers that a captured login's session has become another.
    pub(super) fn learn_session(&mut self, captured: &str, live: &str) {
        self.sessions.insert(captured, live);
    }

    /// The id of the client that got a captured token.
    pub(super) fn client_of(&self, token: &str) -> Option<&str> {
        self.tokens.get(token)
    }

    /// Remembers which client a captured token was issued to.
    pub(super) fn learn_token(&mut self, token: &str, client: &str) {
        self.tokens.insert(token, client);
    }

    /// Looks at both answers for objects that are called otherwise now.
    pub(super) fn learn(&mut self, expected: &[u8], actual: &[u8]) {
        if expected == actual {
            return;
        }
        let (Ok(expected), Ok(actual)) = (decode(expected, None), decode(actual, None)) else {
            return;
        };
        let (Ok(expected), Ok(actual)) = (parse(&expected, &LIMITS), parse(&actual, &LIMITS))
        else {
            return;
        };
        let (Some(expected), Some(actual)) = (operation(expected.root()), operation(actual.root()))
        else {
            return;
        };
        if expected.local() != actual.local() {
            return;
        }
        match expected.local() {
            "queryResponse" | "queryMoreResponse" => self.learn_query(expected, actual),
            "loginResponse" | "getUserInfoResponse" | "Fault" => {}
            _ => self.learn_all(expected, actual),
        }
    }

    /// The same for answers of the REST API.
    pub(super) fn learn_json(&mut self, expected: &[u8], actual: &[u8]) {
        let read = |answer: &[u8]| json::read(answer, &json_lines::LIMITS).ok();
        if let (Some(expected), Some(actual)) = (read(expected), read(actual)) {
            self.learn_value("", &expected, &actual);
        }
    }

    /// What is certainly the same: members of the same name, and the rows of a call. Items of other
    /// lists are so only if their ids agree.
    fn learn_value(&mut self, name: &str, expected: &Json, actual: &Json) {
        match (expected, actual) {
            (Json::Object(members), Json::Object(_)) => {
                for member in members {
                    if let Some(live) = actual.get(&member.name) {
                        self.learn_value(&member.name, &member.value, live);
                    }
                }
            }
            (Json::List(all), Json::List(live)) => {
                for (captured, live) in all.iter().zip(live) {
                    if name.is_empty() || self.is_same(captured, live) {
                        self.learn_value(name, captured, live);
                    }
                }
            }
            (Json::Text(captured), Json::Text(live)) => {
                if let Some(blank) = blanks::any_of(captured).filter(|_| !live.is_empty()) {
                    self.blanks.insert(blank, live);
                }
                let is_of_both = is_json_name(name, captured) && is_json_name(name, live);
                if captured != live && is_of_both {
                    self.ids.insert(captured, live);
                }
            }
            _ => {}
        }
    }

    fn is_same(&self, captured: &Json, live: &Json) -> bool {
        let id = |json: &Json| {
            json.get("id").or_else(|| json.get("Id")).and_then(Json::text).map(str::to_owned)
        };
        let (Some(captured), Some(live)) = (id(captured), id(live)) else { return false };
        captured == live || self.ids.get(&captured) == Some(live.as_str())
    }

    fn learn_query(&mut self, expected: ElementRef<'_>, actual: ElementRef<'_>) {
        for (expected, actual) in pairs(expected, actual) {
            for (expected, actual) in pairs(expected, actual) {
                if expected.local() == "records" {
                    self.learn_record(expected, actual);
                } else if expected.local() == "queryLocator" {
                    self.learn_text(expected, actual);
                }
            }
        }
    }

    fn learn_record(&mut self, expected: ElementRef<'_>, actual: ElementRef<'_>) {
        let id = |record: ElementRef<'_>| {
            record.children().find(|field| field.local() == "Id").map(|id| id.text().to_owned())
        };
        let (Some(captured), Some(live)) = (id(expected), id(actual)) else { return };
        let is_blank = blanks::any_of(&captured).is_some();
        if is_blank || captured == live || self.ids.get(&captured) == Some(live.as_str()) {
            self.learn_all(expected, actual);
        }
    }

    fn learn_all(&mut self, expected: ElementRef<'_>, actual: ElementRef<'_>) {
        for (expected, actual) in pairs(expected, actual) {
            self.learn_text(expected, actual);
            self.learn_all(expected, actual);
        }
    }

    fn learn_text(&mut self, expected: ElementRef<'_>, actual: ElementRef<'_>) {
        let (captured, live) = (expected.text().trim(), actual.text().trim());
        if let Some(name) = blanks::any_of(captured).filter(|_| !live.is_empty()) {
            self.blanks.insert(name, live);
        }
        if captured != live && is_name(expected.local(), captured) && is_name(actual.local(), live)
        {
            self.ids.insert(captured, live);
        }
    }

    /// The message with live names in the place of captured ones, also where a name is a part of a
    /// longer word, such as the reference of a gateway.
    pub(super) fn replaced<'m>(&self, message: &'m [u8]) -> Cow<'m, [u8]> {
        if self.ids.live.is_empty() {
            return Cow::Borrowed(message);
        }
        let view = View::of(message);
        let mut edits = Vec::new();
        let mut at = 0;
        for word in view.bytes().split(|byte| !is_of_name(*byte)) {
            if let Some(live) = self.live(word) {
                edits.push((at..at + word.len(), live.to_owned()));
                at += word.len() + 1;
                continue;
            }
            for part in word.split(|byte| *byte == b'-') {
                if let Some(live) = self.live(part) {
                    edits.push((at..at + part.len(), live.to_owned()));
                }
                at += part.len() + 1;
            }
        }
        if edits.is_empty() { Cow::Borrowed(message) } else { Cow::Owned(view.with(&edits)) }
    }

    fn live(&self, word: &[u8]) -> Option<&str> {
        std::str::from_utf8(word).ok().and_then(|word| self.ids.get(word))
    }
}

/// The elements inside two elements that stand at the same places.
fn pairs<'e, 'a>(
    expected: ElementRef<'e>,
    actual: ElementRef<'a>,
) -> impl Iterator<Item = (ElementRef<'e>, ElementRef<'a>)> {
    let mut places: HashMap<(&str, usize), ElementRef<'a>> = HashMap::new();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for child in actual.children() {
        let count = counts.entry(child.local()).or_default();
        places.insert((child.local(), *count), child);
        *count += 1;
    }
    let mut counts: HashMap<&'e str, usize> = HashMap::new();
    expected.children().filter_map(move |child| {
        let count = counts.entry(child.local()).or_default();
        let place = (child.local(), *count);
        *count += 1;
        places.get(&place).map(|actual| (child, *actual))
    })
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// Whether this is the name of an object, by its element and its form.
fn is_name(local: &str, text: &str) -> bool {
    let is_id =
        |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if local.ends_with("Id") || local.ends_with("ID") {
        is_id(text)
    } else if local.ends_with("Number") {
        let digits =
            text.trim_start_matches(|letter: char| letter.is_ascii_uppercase() || letter == '-');
        !digits.is_empty()
            && digits.len() < text.len()
            && digits.bytes().all(|b| b.is_ascii_digit())
    } else if local == "queryLocator" {
        text.split_once('-').is_some_and(|(id, rest)| {
            is_id(id) && !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
        })
    } else {
        false
    }
}

/// Whether this is the name of an object, by its member and its form.
fn is_json_name(name: &str, text: &str) -> bool {
    match name {
        "id" => is_name("Id", text),
        "number" => is_name("Number", text),
        name => is_name(name, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_json_answer_calls_otherwise_is_named_anew() {
        let mut carried = Carried::default();
        let refund = |id: &str, number: &str| {
            format!("{{\"id\":\"{id}\",\"number\":\"{number}\",\"comment\":\"{id}\"}}").into_bytes()
        };
        carried.learn_json(&refund(OLD, "R-00000417"), &refund(NEW, "R-00000001"));
        assert_eq!(replaced(&carried, "/v1/refunds/R-00000417/x"), "/v1/refunds/R-00000001/x");
        assert_eq!(
            replaced(&carried, &format!("{{\"a\":\"{OLD}\"}}")),
            format!("{{\"a\":\"{NEW}\"}}")
        );
        let mut carried = Carried::default();
        let rows = |id: &str| format!("[{{\"Success\":true,\"Id\":\"{id}\"}}]").into_bytes();
        carried.learn_json(&rows(OLD), &rows(NEW));
        assert_eq!(replaced(&carried, OLD), NEW);
        let mut carried = Carried::default();
        let list = |id: &str| format!("{{\"refunds\":[{{\"id\":\"{id}\"}}]}}").into_bytes();
        carried.learn_json(&list(OLD), &list(NEW));
        assert_eq!(replaced(&carried, OLD), OLD);
    }

    const OLD: &str = "402892c72b9e3319012b9e34b88e00aa";
    const NEW: &str = "8a80812f3ec0d1a5013ec0d1a5aa00bb";
    const OTHER: &str = "8a80812f3ec0d1a5013ec0d1a5aa00cc";

    fn answer(operation: &str, inside: &str) -> Vec<u8> {
        format!("<e><Body><{operation}><result>{inside}</result></{operation}></Body></e>").into()
    }

    fn replaced(carried: &Carried, request: &str) -> String {
        String::from_utf8(carried.replaced(request.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn what_was_created_is_named_anew_in_later_requests() {
        let mut carried = Carried::default();
        let created = |id: &str| answer("createResponse", &format!("<Id>{id}</Id>"));
        carried.learn(&created(OLD), &created(NEW));
        let request = format!("<q>where Id = '{OLD}' or X = '{OLD}x' or Y = 'a-{OLD}'</q>");
        let expected = format!("<q>where Id = '{NEW}' or X = '{OLD}x' or Y = 'a-{NEW}'</q>");
        assert_eq!(replaced(&carried, &request), expected);
    }

    #[test]
    fn a_blank_in_an_answer_is_what_came_in_its_place() {
        let mut carried = Carried::default();
        let created = |id: &str| answer("createResponse", &format!("<Id>{id}</Id>"));
        carried.learn(&created("{{any REFUND_ID}}"), &created(NEW));
        assert_eq!((carried.blank("REFUND_ID"), carried.blank("x")), (Some(NEW), None));
    }

    #[test]
    fn numbers_and_locators_of_the_same_records_follow() {
        let mut carried = Carried::default();
        let created = |id: &str| answer("createResponse", &format!("<Id>{id}</Id>"));
        let queried = |id: &str, number: &str, locator: &str| {
            let record = format!("<Id>{id}</Id><RefundNumber>{number}</RefundNumber>");
            let inside =
                format!("<queryLocator>{locator}-2000</queryLocator><records>{record}</records>");
            answer("queryResponse", &inside)
        };
        carried.learn(&created(OLD), &created(NEW));
        carried.learn(&queried(OLD, "R-00000417", OLD), &queried(NEW, "R-00000001", OTHER));
        assert_eq!(replaced(&carried, "<n>R-00000417</n>"), "<n>R-00000001</n>");
        assert_eq!(replaced(&carried, &format!("{OLD}-2000")), format!("{OTHER}-2000"));
    }

    #[test]
    fn records_of_other_objects_teach_nothing() {
        let mut carried = Carried::default();
        let queried = |id: &str, number: &str| {
            answer(
                "queryResponse",
                &format!("<records><Id>{id}</Id><RefundNumber>{number}</RefundNumber></records>"),
            )
        };
        carried.learn(&queried(OLD, "R-1"), &queried(NEW, "R-2"));
        let request = format!("{OLD} R-1");
        assert_eq!(replaced(&carried, &request), request);
        for answer in [&b"no XML"[..], b"<e><Body/></e>", b""] {
            carried.learn(&queried(OLD, "R-1"), answer);
        }
        assert_eq!(replaced(&carried, &request), request);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut kept = Kept::default();
        for number in 0..=KEPT_MAX {
            kept.insert(&number.to_string(), "x");
        }
        assert_eq!((kept.live.len(), kept.order.len()), (KEPT_MAX, KEPT_MAX));
        assert_eq!((kept.get("0"), kept.get("1")), (None, Some("x")));
    }
}
