//! Numbers of cards where no number of a card belongs: in comments, in unknown fields, in queries.
//!
//! What looks like one is masked in the bytes of a request before anything else sees them, so that
//! no ledger, journal, recording, log or fault can keep or repeat it. What must stay true: the
//! request keeps its length and its structure, however its digits are written (`plain`); what
//! stands in a field that is made for a secret, for an id or for the number of an object stays as
//! it is (`exempt`), because it is read, looked up or masked by its meaning; and so do ids and
//! amounts.
//!
//! A number of a card (ISO/IEC 7812) has 13 to 19 digits, of which the first is not 0 and the last
//! checks the others; blanks, hyphens or dots may part it into groups, and letters may stand beside
//! it.

mod exempt;
mod plain;

use exempt::{is_exempt, is_in_name};
use plain::{Kind, NO_ASCII, Plain, is_plain};
use std::ops::{Range, RangeInclusive};

const DIGITS: RangeInclusive<usize> = 13..=19;
/// How many digits at the end stay, as on a receipt.
const SHOWN: usize = 4;
/// How many blanks or hyphens may stand between two groups.
const GAP_MAX: usize = 4;
/// How many digits a group has at least where dots part them: dates and addresses have fewer.
const DOTTED_MIN: usize = 3;
/// The length of a UUID as text.
const UUID: usize = 36;
/// The length of an id as text.
const ID: usize = 32;

/// The body of a request with what looks like a number of a card masked; none where nothing does.
pub fn masked(body: &[u8]) -> Option<Vec<u8>> {
    let units = units(body);
    let text = units.as_ref().map_or(body, |(text, _)| text);
    let kind = Kind::of(text);
    let hidden = match is_plain(text, kind) {
        true => hidden_digits(text, kind),
        false => {
            let plain = Plain::of(text, kind);
            let digits = hidden_digits(&plain.text, kind).into_iter();
            digits.filter_map(|(at, is_in_name)| Some((plain.place(at)?, is_in_name))).collect()
        }
    };
    if hidden.is_empty() {
        return None;
    }
    let mut text = text.to_vec();
    hidden.into_iter().for_each(|(at, is_in_name)| plain::mask(&mut text, at, is_in_name));
    match units {
        None => Some(text),
        Some((before, low)) => Some(in_units(body, &before, &text, low)),
    }
}

/// The units of UTF-16 as bytes, what is not ASCII as one that is no part of anything; and which
/// byte of a unit is the low one. None where the body is no UTF-16.
fn units(body: &[u8]) -> Option<(Vec<u8>, usize)> {
    let low = match body {
        [0xff, 0xfe, ..] | [1..=0xff, 0, ..] => 0,
        [0xfe, 0xff, ..] | [0, 1..=0xff, ..] => 1,
        _ => return None,
    };
    let unit = |pair: &[u8]| match pair {
        [low_byte, 0] if low == 0 => *low_byte,
        [0, low_byte] if low == 1 => *low_byte,
        _ => NO_ASCII,
    };
    Some((body.chunks(2).map(unit).collect(), low))
}

/// The body with those of its units changed that `after` has otherwise than `before`.
fn in_units(body: &[u8], before: &[u8], after: &[u8], low: usize) -> Vec<u8> {
    let mut changed = body.to_vec();
    let pairs = before.iter().zip(after).enumerate();
    for (number, (_, after)) in pairs.filter(|(_, (before, after))| before != after) {
        if let Some(byte) = changed.get_mut(number * 2 + low) {
            *byte = *after;
        }
    }
    changed
}

/// Which bytes may be part of a number in groups.
static PARTS: [bool; 256] = {
    let (mut parts, mut byte) = ([false; 256], 0_u8);
    let [first @ .., last] = &mut parts;
    let mut rest: &mut [bool] = first;
    while let [part, behind @ ..] = rest {
        *part = byte.is_ascii_digit() || is_separator(byte);
        byte += 1;
        rest = behind;
    }
    *last = is_separator(u8::MAX);
    parts
};

/// The places of the digits that are not shown, and whether each is part of the name of an element.
fn hidden_digits(text: &[u8], kind: Kind) -> Vec<(usize, bool)> {
    let mut hidden = Vec::new();
    for digits in found(text, kind) {
        let is_in_name = digits.first().is_some_and(|first| is_in_name(text, kind, *first));
        let count = digits.len().saturating_sub(SHOWN);
        hidden.extend(digits.into_iter().take(count).map(|at| (at, is_in_name)));
    }
    hidden
}

/// The places of the digits of each number.
fn found(text: &[u8], kind: Kind) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(run) = next_run(text, at) {
        at = run.end;
        find_in(text, kind, run, &mut found);
    }
    found
}

/// The next digits from `from` on, alone or in groups, that are enough for a number. Every request
/// is looked through here, so only one pair of bytes in twelve is: what is long enough for a number
/// has such a pair in it, wherever it begins.
fn next_run(text: &[u8], mut from: usize) -> Option<Range<usize>> {
    const STEP: usize = *DIGITS.start() - 1;
    let is_part = |byte: &u8| PARTS.get(usize::from(*byte)) == Some(&true);
    let mut probe = from;
    loop {
        if !(is_part(text.get(probe)?) && is_part(text.get(probe + 1)?)) {
            probe += STEP;
            continue;
        }
        let before = text.get(from..probe)?;
        let start = before.iter().rposition(|byte| !is_part(byte)).map_or(from, |at| from + at + 1);
        let blanks = text.get(start..)?.iter().take_while(|byte| is_separator(**byte)).count();
        let start = start + blanks;
        let (digits, end) = run_from(text, start);
        if digits >= *DIGITS.start() {
            return Some(start..end);
        }
        from = end.max(start + 1);
        probe = from;
    }
}

/// How many digits there are from `start` on, with few separators behind each, and where they end.
fn run_from(text: &[u8], start: usize) -> (usize, usize) {
    let (mut digits, mut end, mut gap) = (0, start, GAP_MAX);
    for byte in text.get(start..).unwrap_or_default() {
        match byte.is_ascii_digit() {
            true => (digits, gap) = (digits + 1, 0),
            false if is_separator(*byte) && gap < GAP_MAX => gap += 1,
            false => break,
        }
        end += 1;
    }
    (digits, end)
}

/// Adds the numbers among the groups of a run.
fn find_in(text: &[u8], kind: Kind, run: Range<usize>, found: &mut Vec<Vec<usize>>) {
    let mut at = run.start;
    while at < run.end {
        let groups = groups_from(text, at);
        let start = at;
        at = groups.first().map_or(at, |group| group.end) + 1;
        let Some(numbers) = numbers_in(text, &groups) else { continue };
        if !is_exempt(text, kind, run.start) && !is_in_uuid(text, start) {
            at = numbers.iter().flatten().max().map_or(at, |last| last + 2);
            found.extend(numbers);
        }
    }
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'\t'..=b'\r')
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
        let rest = text.get(at..).unwrap_or_default();
        let gap = rest.iter().take(GAP_MAX + 1).take_while(|byte| is_separator(**byte)).count();
        if gap == 0 || gap > GAP_MAX {
            return groups;
        }
        at += gap;
    }
}

/// The longest number of a card that the first of these groups begin with, or the two that the
/// first is.
fn numbers_in(text: &[u8], groups: &[Range<usize>]) -> Option<Vec<Vec<usize>>> {
    let one = (1..=groups.len()).rev().find_map(|count| number_in(text, groups.get(..count)?));
    match one {
        Some(number) => Some(vec![number]),
        None => groups.first().and_then(|group| two_in(text, group)),
    }
}

/// The number that these groups are, as a word of its own.
fn number_in(text: &[u8], parts: &[Range<usize>]) -> Option<Vec<usize>> {
    let length: usize = parts.iter().map(Range::len).sum();
    if !DIGITS.contains(&length) || !is_alone(text, parts) || !may_be_parted_so(text, parts) {
        return None;
    }
    let places: Vec<usize> = parts.iter().cloned().flatten().collect();
    is_card(text, &places).then_some(places)
}

/// Two numbers with nothing between them.
fn two_in(text: &[u8], group: &Range<usize>) -> Option<Vec<Vec<usize>>> {
    if !is_alone(text, std::slice::from_ref(group)) {
        return None;
    }
    let number = |part: Range<usize>| {
        let places: Vec<usize> = part.collect();
        is_card(text, &places).then_some(places)
    };
    let split = |length: usize| {
        let middle = group.start + length;
        (middle < group.end)
            .then(|| Some(vec![number(group.start..middle)?, number(middle..group.end)?]))?
    };
    (group.len() <= 2 * DIGITS.end()).then(|| DIGITS.clone().find_map(split))?
}

/// Whether dots part these groups as they part a number, if they do.
fn may_be_parted_so(text: &[u8], parts: &[Range<usize>]) -> bool {
    let gap = |pair: &[Range<usize>]| match pair {
        [one, next] => text.get(one.end..next.start),
        _ => None,
    };
    let gaps = || parts.windows(2).filter_map(gap);
    if !gaps().any(|gap| gap.contains(&b'.')) {
        return true;
    }
    parts.len() > 2
        && parts.iter().all(|part| part.len() >= DOTTED_MIN)
        && gaps().all(|gap| gap == b".")
}

/// Whether letters alone stand beside the groups, as beside a number and not as in an id or a
/// token, and no decimal point before.
fn is_alone(text: &[u8], parts: &[Range<usize>]) -> bool {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    let before = text.get(..first.start).unwrap_or_default();
    let after = text.get(last.end..).unwrap_or_default();
    let letters = |bytes: &mut dyn Iterator<Item = &u8>| {
        bytes.take(ID).take_while(|byte| byte.is_ascii_alphabetic()).count()
    };
    let (ahead, behind) = (letters(&mut before.iter().rev()), letters(&mut after.iter()));
    let beyond = [before.iter().rev().nth(ahead), after.get(behind)];
    let is_of_token = beyond.iter().flatten().any(|byte| byte.is_ascii_alphanumeric());
    let is_decimal = matches!(before, [.., digit, b'.'] if digit.is_ascii_digit());
    !is_of_token && !is_decimal && !is_id(text, first.start - ahead..last.end + behind)
}

/// Whether a word is written as an id is.
fn is_id(text: &[u8], word: Range<usize>) -> bool {
    let word = text.get(word).unwrap_or_default();
    word.len() == ID
        && word.iter().all(u8::is_ascii_hexdigit)
        && word.iter().any(u8::is_ascii_alphabetic)
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
mod tests;
