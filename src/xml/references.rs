//! References (`&amp;`, `&#233;`) and the normalization of attribute values.
//!
//! Only the five entities that XML itself defines exist: without a DOCTYPE no document can define
//! more, and so nothing can expand to more than was sent.

use std::borrow::Cow;

use super::characters::is_xml;
use super::error::excerpt;

/// The character that the reference between `&` and `;` stands for, or what is wrong with it.
pub(super) fn resolve(reference: &str) -> Result<char, String> {
    let number = match reference {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => reference.strip_prefix('#'),
    };
    let Some(number) = number else {
        return Err(format!("unknown entity &{};", excerpt(reference)));
    };
    character(number)
        .ok_or_else(|| format!("character reference &#{}; to no XML character", excerpt(number)))
}

fn character(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // `from_str_radix` alone would take a sign.
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).ok()?;
    char::from_u32(code).filter(|character| is_xml(*character))
}

/// The value of an attribute from the text between its quotes: references resolved, each line end
/// or tab a blank. The error says what is wrong, and how many bytes into the text.
pub(super) fn attribute_value(raw: &str) -> Result<Cow<'_, str>, (String, usize)> {
    let is_special = |byte: u8| matches!(byte, b'&' | b'<' | b'\t' | b'\n' | b'\r');
    // Looking at every byte is faster than stopping at the first: the values are short.
    if raw.bytes().fold(0, |seen, byte| seen | u8::from(is_special(byte))) == 0 {
        return Ok(Cow::Borrowed(raw));
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.bytes().position(is_special) {
        let position = raw.len() - rest.len() + at;
        let (plain, special) = rest.split_at(at);
        value.push_str(plain);
        rest = if special.starts_with('<') {
            return Err(("found < in the value of an attribute".to_owned(), position));
        } else if let Some(reference) = special.strip_prefix('&') {
            let Some((name, after)) = reference.split_once(';') else {
                return Err(("found & without a ; that ends the reference".to_owned(), position));
            };
            value.push(resolve(name).map_err(|detail| (detail, position))?);
            after
        } else {
            value.push(' ');
            special.strip_prefix("\r\n").unwrap_or_else(|| special.split_at(1).1)
        };
    }
    value.push_str(rest);
    Ok(Cow::Owned(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entities_of_xml_and_character_references_resolve() {
        let cases =
            [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("#39", '\'')];
        for (reference, character) in cases {
            assert_eq!(resolve(reference), Ok(character));
        }
        assert_eq!(resolve("#xE9"), Ok('é'));
        assert_eq!(resolve("#x10ffff"), Ok('\u{10FFFF}'));
        assert_eq!(resolve("#00000000000000000065"), Ok('A'));
    }

    #[test]
    fn what_stands_for_nothing_is_refused() {
        for reference in ["nbsp", "", "AMP", "amp ", "x41"] {
            let detail = resolve(reference).expect_err(reference);
            assert_eq!(detail, format!("unknown entity &{reference};"));
        }
        let numbers =
            ["#", "#x", "#0", "#1", "#xD800", "#xFFFE", "#x110000", "#+65", "#-1", "#X41", "#6 5"];
        for reference in numbers {
            let detail = resolve(reference).expect_err(reference);
            assert_eq!(detail, format!("character reference &{reference}; to no XML character"));
        }
        assert!(resolve("#99999999999999999999").is_err());
    }

    #[test]
    fn an_attribute_value_without_anything_special_is_borrowed() {
        assert!(matches!(attribute_value("ons:Refund"), Ok(Cow::Borrowed("ons:Refund"))));
    }

    #[test]
    fn attribute_values_are_normalized() {
        let value = attribute_value("a\tb\r\nc\rd\ne&#9;&#xA;&lt;&#233;").expect("a value");
        assert_eq!(value, "a b c d e\t\n<é");
    }

    #[test]
    fn errors_in_attribute_values_have_their_place() {
        let place = |raw: &str| attribute_value(raw).expect_err(raw).1;
        assert_eq!(place("ab<"), 2);
        assert_eq!(place("é&amp;&nbsp;"), 7);
        assert_eq!(place("a & b"), 2);
    }
}
