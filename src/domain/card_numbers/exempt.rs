//! Fields whose texts stay as they are although they look like the number of a card: those made for
//! a secret, for an id or for the number of an object, which are masked or looked up by their
//! meaning.
//!
//! What must stay true: it is the structure of the document that says so, and never a word in a
//! text: in XML the element whose content begins with the number, in JSON the member, in a form the
//! field, and in a query, which only an element or a member for queries holds, what is compared.

use super::plain::Kind;
use crate::catalogue::Object;
use crate::domain::secret::ELEMENTS;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// How far before a number its element's tag is looked for, in characters.
const TAG_WITHIN: usize = 1 << 10;
/// How far before a number the beginning of its query is looked for.
const QUERY_WITHIN: usize = 8 << 10;
/// What holds a query, in lower case.
const QUERY: &[u8] = b"querystring";

/// The fields, in lower case.
static FIELDS: LazyLock<BTreeSet<Vec<u8>>> = LazyLock::new(|| {
    let fields = Object::ALL.iter().flat_map(|object| object.fields()).map(|field| field.name);
    let is_key = |name: &&str| ["Id", "ID", "Number", "Key"].iter().any(|end| name.ends_with(end));
    let keys = fields.filter(is_key).chain(ELEMENTS.iter().copied());
    keys.map(|name| name.to_ascii_lowercase().into_bytes()).collect()
});

/// Whether the digits from `at` on are the text of such a field.
pub(super) fn is_exempt(text: &[u8], kind: Kind, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    match kind {
        Kind::Xml => {
            element_before(before).is_some_and(is_field)
                || compared(before).is_some_and(|query| {
                    let tag = within(query, QUERY_WITHIN);
                    let open = memchr::memrchr(b'<', tag).and_then(|open| tag.get(open..));
                    open.and_then(name_of_tag).is_some_and(is_query)
                })
        }
        Kind::Json => {
            member_before(before.strip_suffix(b"\"").unwrap_or(before)).is_some_and(is_field)
                || compared(before).is_some_and(|query| {
                    let text = within(query, QUERY_WITHIN);
                    let open = memchr::memrchr(b'"', text).and_then(|open| text.get(..open));
                    open.and_then(member_before).is_some_and(is_query)
                })
        }
        Kind::Form => before.strip_suffix(b"=").map(last_word).is_some_and(is_field),
    }
}

/// Whether the digits from `at` on are part of the name of an element.
pub(super) fn is_in_name(text: &[u8], kind: Kind, at: usize) -> bool {
    let before = within(text.get(..at).unwrap_or_default(), TAG_WITHIN);
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-:".contains(byte);
    let end = before.iter().rposition(|byte| !is_of_name(byte)).map_or(0, |last| last + 1);
    let before = before.get(..end).unwrap_or_default();
    kind == Kind::Xml && (before.ends_with(b"<") || before.ends_with(b"</"))
}

fn is_field(name: &[u8]) -> bool {
    FIELDS.contains(&name.to_ascii_lowercase())
}

fn is_query(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(QUERY)
}

/// The local name of the element whose content begins here.
fn element_before(before: &[u8]) -> Option<&[u8]> {
    let tag = before.trim_ascii_end().strip_suffix(b">")?;
    let tag = within(tag, TAG_WITHIN);
    name_of_tag(tag.get(memchr::memrchr(b'<', tag)?..)?)
}

/// The local name in the tag that a text begins with.
fn name_of_tag(tag: &[u8]) -> Option<&[u8]> {
    let name = tag.strip_prefix(b"<")?;
    let end = name.iter().position(|byte| b" />".contains(byte)).unwrap_or(name.len());
    let name = name.get(..end)?;
    let local = memchr::memrchr(b':', name).map_or(0, |colon| colon + 1);
    name.get(local..)
}

/// The name of the member whose value begins here.
fn member_before(before: &[u8]) -> Option<&[u8]> {
    let name = before.trim_ascii_end().strip_suffix(b":")?;
    let name = name.trim_ascii_end().strip_suffix(b"\"")?;
    let word = last_word(name);
    let rest = name.get(..name.len() - word.len())?;
    rest.ends_with(b"\"").then_some(word)
}

/// The query before a literal that begins here, up to the field that it is compared with, if that
/// is one whose texts stay.
fn compared(before: &[u8]) -> Option<&[u8]> {
    let quotes: [&[u8]; 4] = [b"'", b"\"", b"&apos;", b"&quot;"];
    let mut rest = quotes.iter().find_map(|quote| before.strip_suffix(*quote))?;
    let whole = rest.len();
    rest = rest.trim_ascii_end();
    let signs: [&[u8]; 5] = [b"=", b"!", b"&lt;", b"&gt;", b"<"];
    while let Some(shorter) = signs.iter().find_map(|sign| rest.strip_suffix(*sign)) {
        rest = shorter;
    }
    let is_compared = rest.len() < whole;
    let rest = rest.trim_ascii_end();
    let name = last_word(rest);
    let query = rest.get(..rest.len() - name.len())?;
    (is_compared && is_field(name)).then_some(query)
}

/// The letters, digits and low lines at the end.
fn last_word(text: &[u8]) -> &[u8] {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let start = text.iter().rposition(|byte| !is_part(byte)).map_or(0, |before| before + 1);
    text.get(start..).unwrap_or_default()
}

/// The last so many characters.
fn within(text: &[u8], most: usize) -> &[u8] {
    text.get(text.len().saturating_sub(most)..).unwrap_or_default()
}
