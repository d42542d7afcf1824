//! Numbers of cards where no number of a card belongs: in comments, in unknown fields, in queries.
//!
//! What looks like one is masked in the bytes of a request before anything else sees them, so that
//! no ledger, journal, recording, log or fault can keep or repeat it. What must stay true: the
//! request keeps its length; what stands in a field that is made for a secret, for an id or for the
//! number of an object stays as it is, because it is read, looked up or masked by its meaning.
//!
//! A number of a card (ISO/IEC 7812) has 13 to 19 digits, of which the first is not 0 and the last
//! checks the others; single blanks or hyphens may part it into groups.

use super::secret::ELEMENTS;
use crate::catalogue::Object;
use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

const DIGITS: RangeInclusive<usize> = 13..=19;
/// How many digits at the end stay, as on a receipt.
const SHOWN: usize = 4;
/// The length of a UUID as text.
const UUID: usize = 36;
/// How far before a number the name of its field is looked for, in characters.
const FIELD_WITHIN: usize = 256;

/// The fields whose texts stay as they are, in lower case.
static EXEMPT: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let fields = Object::ALL.iter().flat_map(|object| object.fields()).map(|field| field.name);
    let is_key = |name: &&str| ["Id", "ID", "Number", "Key"].iter().any(|end| name.ends_with(end));
    let keys = fields.filter(is_key).chain(ELEMENTS.iter().copied());
    keys.map(str::to_ascii_lowercase).collect()
});

/// The body of a request with what looks like a number of a card masked; none where nothing does.
pub fn masked(body: &[u8]) -> Option<Vec<u8>> {
    let wide = wide(body);
    let text = wide.as_ref().map_or(body, |(text, _)| text);
    let mut changed: Option<Vec<u8>> = None;
    for digits in found(text) {
        let masked = digits.len().saturating_sub(SHOWN);
        for at in digits.iter().take(masked) {
            let at = wide.as_ref().map_or(*at, |(_, low)| at * 2 + low);
            let changed = changed.get_or_insert_with(|| body.to_vec());
            if let Some(byte) = changed.get_mut(at) {
                *byte = b'*';
            }
        }
    }
    changed
}

/// The units of UTF-16 as bytes, what is not ASCII as one that is no part of anything; and which
/// byte of a unit is the low one. None where the body is no UTF-16.
fn wide(body: &[u8]) -> Option<(Vec<u8>, usize)> {
    let low = match body {
        [0xff, 0xfe, ..] | [1..=0xff, 0, ..] => 0,
        [0xfe, 0xff, ..] | [0, 1..=0xff, ..] => 1,
        _ => return None,
    };
    let unit = |pair: &[u8]| match pair {
        [low_byte, 0] if low == 0 => *low_byte,
        [0, low_byte] if low == 1 => *low_byte,
        _ => 0xff,
    };
    Some((body.chunks(2).map(unit).collect(), low))
}

/// The places of the digits of each number.
fn found(text: &[u8]) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(run) = next_run(text, at) {
        at = run.end;
        find_in(text, run, &mut found);
    }
    found
}

/// The next digits from `from` on, alone or in groups, that are enough for a number. Every request
/// is looked through here, so only one pair of bytes in twelve is: what is long enough for a number
/// has such a pair in it, wherever it begins.
fn next_run(text: &[u8], mut from: usize) -> Option<Range<usize>> {
    const STEP: usize = *DIGITS.start() - 1;
    let is_part = |byte: &u8| byte.is_ascii_digit() || is_separator(Some(byte));
    let mut probe = from;
    loop {
        if !text.get(probe..probe + 2)?.iter().all(is_part) {
            probe += STEP;
            continue;
        }
        let before = text.get(from..probe)?;
        let start = before.iter().rposition(|byte| !is_part(byte)).map_or(from, |at| from + at + 1);
        let (digits, end) = run_from(text, start);
        if digits >= *DIGITS.start() {
            return Some(start..end);
        }
        from = end.max(start + 1);
        probe = from;
    }
}

/// How many digits there are from `start` on, with at most one separator behind each, and where
/// they end.
fn run_from(text: &[u8], start: usize) -> (usize, usize) {
    let (mut digits, mut end, mut after_digit) = (0, start, false);
    for byte in text.get(start..).unwrap_or_default() {
        let is_digit = byte.is_ascii_digit();
        if !(is_digit || after_digit && is_separator(Some(byte))) {
            break;
        }
        digits += usize::from(is_digit);
        after_digit = is_digit;
        end += 1;
    }
    (digits, end)
}

/// Adds the numbers among the groups of a run.
fn find_in(text: &[u8], run: Range<usize>, found: &mut Vec<Vec<usize>>) {
    let mut at = run.start;
    while at < run.end {
        let groups = groups_from(text, at);
        let start = at;
        at = groups.first().map_or(at, |group| group.end) + 1;
        if let Some(number) = number_in(text, &groups)
            && !is_exempt(text, run.start)
            && !is_in_uuid(text, start)
        {
            at = number.last().map_or(at, |last| last + 2);
            found.push(number);
        }
    }
}

fn is_separator(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b' ' | b'-'))
}

/// The groups of digits from `start` on, up to as many digits as a number has at most.
fn groups_from(text: &[u8], start: usize) -> Vec<Range<usize>> {
    let (mut groups, mut digits, mut at) = (Vec::new(), 0, start);
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        digits += length;
        if length == 0 || (digits > *DIGITS.end() && !groups.is_empty()) {
            return groups;
        }
        groups.push(at..at + length);
        at += length;
        match is_separator(text.get(at)) {
            true => at += 1,
            false => return groups,
        }
    }
}

/// The longest number of a card that the first of these groups begin with, as a word of its own.
fn number_in(text: &[u8], groups: &[Range<usize>]) -> Option<Vec<usize>> {
    (1..=groups.len()).rev().find_map(|count| {
        let parts = groups.get(..count)?;
        let length: usize = parts.iter().map(Range::len).sum();
        if !DIGITS.contains(&length) || !is_alone(text, parts) {
            return None;
        }
        let places: Vec<usize> = parts.iter().cloned().flatten().collect();
        is_card(text, &places).then_some(places)
    })
}

fn is_alone(text: &[u8], parts: &[Range<usize>]) -> bool {
    let is_word = |at: Option<&u8>| at.is_some_and(u8::is_ascii_alphanumeric);
    let before = parts.first().and_then(|part| part.start.checked_sub(1));
    let after = parts.last().map(|part| part.end);
    !is_word(before.and_then(|at| text.get(at))) && !is_word(after.and_then(|at| text.get(at)))
}

/// Whether the digits at these places are as many as a card's, and the last checks the others.
fn is_card(text: &[u8], places: &[usize]) -> bool {
    let digits = places.iter().filter_map(|at| text.get(*at)).map(|byte| u32::from(byte - b'0'));
    let digits: Vec<u32> = digits.collect();
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let weighed = digits.iter().rev().enumerate().map(|(number, digit)| match number % 2 {
        0 => *digit,
        _ => doubled(*digit),
    });
    DIGITS.contains(&digits.len())
        && digits.first() != Some(&0)
        && weighed.sum::<u32>().is_multiple_of(10)
}

/// Whether the field before `at` is one that stays as it is: in XML the element, in JSON the
/// member, in a query the field that is compared.
fn is_exempt(text: &[u8], at: usize) -> bool {
    let from = at.saturating_sub(FIELD_WITHIN);
    let before = text.get(from..at).unwrap_or_default();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let end = before.iter().rposition(is_name).map_or(0, |last| last + 1);
    let between = before.get(end..).unwrap_or_default();
    let joins = |byte: &u8| byte.is_ascii_whitespace() || b"<>=!:\"'[CDATA".contains(byte);
    let name = before.get(..end).unwrap_or_default();
    // What a CDATA section begins with ends in a name of its own.
    let name = name.strip_suffix(b"<![CDATA").map_or(name, |outer| {
        let end = outer.iter().rposition(is_name).map_or(0, |last| last + 1);
        outer.get(..end).unwrap_or_default()
    });
    let start = name.iter().rposition(|byte| !is_name(byte)).map_or(0, |last| last + 1);
    let name = name.get(start..).unwrap_or_default();
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    !between.is_empty() && between.iter().all(joins) && EXEMPT.contains(&name)
}

/// Whether the digit at `at` is part of a UUID, as OAuth clients and requests have for an id:
/// groups of 8, 4, 4, 4 and 12 hexadecimal digits.
fn is_in_uuid(text: &[u8], at: usize) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let before = text.get(at.saturating_sub(UUID)..at).unwrap_or_default();
    let after = text.get(at..text.len().min(at + UUID)).unwrap_or_default();
    let before = before.iter().rev().take_while(|byte| is_part(byte)).count();
    let after = after.iter().take_while(|byte| is_part(byte)).count();
    let word = text.get(at - before..at + after).unwrap_or_default();
    word.len() == UUID && word.split(|byte| *byte == b'-').map(<[u8]>::len).eq([8, 4, 4, 4, 12])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mask(text: &str) -> String {
        let masked = masked(text.as_bytes());
        masked.map_or(text.to_owned(), |bytes| String::from_utf8(bytes).expect("ASCII masks"))
    }

    const CARD_NUMBER: &str = "<CardNumber>************1111</CardNumber>";
    const COMMENT: &str = "{\"comment\":\"\u{e9}************1111\"}";

    #[test]
    fn numbers_of_cards_are_masked_wherever_they_are_written() {
        for (text, reported) in [
            ("4111111111111111", "************1111"),
            ("card 4111 1111 1111 1111, 12/31", "card **** **** **** 1111, 12/31"),
            ("<Comment>4111-1111-1111-1111</Comment>", "<Comment>****-****-****-1111</Comment>"),
            ("4111 1111 1111 1111 12", "**** **** **** 1111 12"),
            ("12 3782 822463 10005", "12 **** ****** *0005"),
            ("where Comment = '6011000990139424'", "where Comment = '************9424'"),
            ("xsi:type=\"4222222222222\"", "xsi:type=\"*********2222\""),
            ("<CardNumber>4111111111111111</CardNumber>", CARD_NUMBER),
            ("{\"comment\":\"\u{e9}4111111111111111\"}", COMMENT),
        ] {
            assert_eq!(mask(text), reported);
        }
    }

    #[test]
    fn ids_numbers_of_objects_and_fields_for_secrets_stay() {
        for text in [
            "402892c72b9e3319012b9e34b88e0001",
            "41111111111111110000000000000000",
            "R-00000001 and A00000001",
            "4111111111111112",
            "0000000000000000",
            "2026-01-02T03:04:05.678-08:00",
            "client_id=00000000-0000-4000-8000-000000000003&x=1",
            "<id>00000000-0000-4000-8000-000000000003</id>",
            "<CreditCardNumber>4111111111111111</CreditCardNumber>",
            "<obj:CreditCardNumber xsi:type='x'>4111111111111112</obj:CreditCardNumber>",
            "<n:CreditCardNumber> 4111 1111 1111 1111</n:CreditCardNumber>",
            "<CreditCardNumber><![CDATA[4111111111111111]]></CreditCardNumber>",
            "<AccountNumber>4111111111111111</AccountNumber>",
            "select Id from Account where AccountNumber = '4111111111111111'",
            "{\"AccountNumber\": \"4111111111111111\"}",
            "{\"password\":\"4111111111111111\"}",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn a_number_is_found_behind_whatever_looks_like_the_beginning_of_one() {
        let number = "4111111111111111";
        for before in ["", "1 2  ", "- - -", "12--", "1234567 8 ", "a1-", "  ", "123456789012 x "] {
            for blanks in 0..26 {
                let ahead = format!("{}{before}", ".".repeat(blanks));
                let masked = mask(&format!("{ahead}{number}"));
                assert!(masked.ends_with("*1111"), "{masked}");
            }
        }
    }

    #[test]
    fn utf_16_is_masked_too() {
        let text = "<Comment>4111111111111111</Comment>";
        let little: fn(u16) -> [u8; 2] = u16::to_le_bytes;
        for (mark, bytes_of) in [([0xff, 0xfe], little), ([0xfe, 0xff], u16::to_be_bytes)] {
            let encode = |text: &str| {
                let units = text.encode_utf16().flat_map(bytes_of);
                mark.into_iter().chain(units).collect::<Vec<u8>>()
            };
            let reported = "<Comment>************1111</Comment>";
            assert_eq!(masked(&encode(text)), Some(encode(reported)));
        }
    }

    fn check_digit(digits: &str) -> u32 {
        (0..10).find(|check| is_card_text(&format!("{digits}{check}"))).expect("one of ten")
    }

    #[test]
    fn many_groups_are_read_in_time_that_grows_with_their_number_alone() {
        let text = "1 ".repeat(50_000);
        assert_eq!(mask(&text).len(), text.len());
    }

    fn is_card_text(text: &str) -> bool {
        is_card(text.as_bytes(), &(0..text.len()).collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn whatever_stands_around_a_number_it_is_masked(
            digits in "[1-9][0-9]{11,17}",
            before in "[a-z<>. ]{0,20}[.,>]",
            after in "[.,<][a-z0-9<>. ]{0,20}",
        ) {
            let number = format!("{digits}{}", check_digit(&digits));
            let reported = mask(&format!("{before}{number}{after}"));
            let stars = "*".repeat(number.len() - SHOWN);
            let expected = format!("{before}{stars}{}{after}", &number[number.len() - SHOWN..]);
            prop_assert_eq!(reported, expected);
        }

        #[test]
        fn no_id_is_mangled(
            id in "[0-9a-f]{32}",
            uuid in "[0-9]{8}-[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{12}",
            number in "[RAP]-?[0-9]{8}",
        ) {
            let text = format!("<Comment>{id} by {uuid} of {number}</Comment>");
            prop_assert_eq!(mask(&text), text);
        }

        #[test]
        fn any_bytes_keep_their_length(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let masked = masked(&bytes);
            prop_assert!(masked.is_none_or(|masked| masked.len() == bytes.len()));
        }
    }
}
