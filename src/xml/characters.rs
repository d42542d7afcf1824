//! Which characters XML 1.0 allows, and which of them make a name.
//!
//! Both sides use it: the reader to refuse, the writer to replace. What one of them lets pass, the
//! other must accept.

use crate::domain::white_space::is_xml_space;

pub(super) use crate::domain::white_space::trim;

/// Whether XML 1.0 allows the character in a document at all (production 2, `Char`).
pub(super) const fn is_xml(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}'
        | '\u{10000}'..='\u{10FFFF}')
}

/// The first character that XML 1.0 forbids, with its position.
///
/// Nearly every text has none, and then one pass over the bytes without a branch shows it: what is
/// forbidden is a control character or starts with the byte EF (U+FFFE and U+FFFF do).
pub(super) fn first_forbidden(text: &str) -> Option<(usize, char)> {
    let is_suspect = |byte: u8| {
        let control = (byte < 0x20) & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
        u8::from(control | (byte == 0xEF))
    };
    if text.bytes().fold(0, |seen, byte| seen | is_suspect(byte)) == 0 {
        return None;
    }
    text.char_indices().find(|(_, character)| !is_xml(*character))
}

/// White space, byte by byte: no part of a longer character looks like it.
pub(super) const fn is_space(byte: u8) -> bool {
    is_xml_space(byte as char)
}

/// Whether the text is empty or white space only.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}

/// Splits a qualified name into prefix ("" for none) and local part; nothing if it is not one.
pub(super) fn split_qualified(name: &str) -> Option<(&str, &str)> {
    let Some(colon) = name.bytes().position(|byte| byte == b':') else {
        return is_ncname(name).then_some(("", name));
    };
    let (prefix, colon_and_local) = name.split_at(colon);
    let local = colon_and_local.split_at(1).1;
    (is_ncname(prefix) && is_ncname(local)).then_some((prefix, local))
}

/// Whether the text is a name without a colon.
fn is_ncname(name: &str) -> bool {
    match name.as_bytes() {
        [first, rest @ ..]
            if is_ascii_name_start(*first) && rest.iter().all(is_ascii_name_part) =>
        {
            true
        }
        _ => {
            let mut characters = name.chars();
            characters.next().is_some_and(is_name_start) && characters.all(is_name_part)
        }
    }
}

const fn is_ascii_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_ascii_name_part(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

pub(super) const fn is_name_start(character: char) -> bool {
    matches!(character,
        'A'..='Z' | 'a'..='z' | '_'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
        | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

pub(super) const fn is_name_part(character: char) -> bool {
    is_name_start(character)
        || matches!(character,
            '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_are_found_wherever_they_are() {
        for character in ['\0', '\u{1}', '\u{8}', '\u{B}', '\u{1F}', '\u{FFFE}', '\u{FFFF}'] {
            let text = format!("{}{character}b", "a".repeat(100));
            assert_eq!(first_forbidden(&text), Some((100, character)));
        }
    }

    #[test]
    fn allowed_characters_pass() {
        let text = "\t\n\r ~\u{7F}\u{85}\u{D7FF}\u{E000}\u{FEFF}\u{FFFD}\u{10000}\u{10FFFF}";
        assert_eq!(first_forbidden(text), None);
    }

    #[test]
    fn the_scan_agrees_with_the_rule_for_every_character() {
        for character in '\0'..=char::MAX {
            let found = first_forbidden(character.encode_utf8(&mut [0; 4])).is_none();
            assert_eq!(found, is_xml(character), "{character:?}");
        }
    }

    #[test]
    fn qualified_names_split_at_their_one_colon() {
        assert_eq!(split_qualified("Amount"), Some(("", "Amount")));
        assert_eq!(split_qualified("ns1:Größe-1.b"), Some(("ns1", "Größe-1.b")));
    }

    #[test]
    fn what_is_no_qualified_name_is_refused() {
        for name in ["", ":", "a:", ":a", "a:b:c", "1a", "a:1", "-a", "a b", "a'", "a<", "·a", "×"]
        {
            assert_eq!(split_qualified(name), None, "{name:?}");
        }
    }

    #[test]
    fn only_the_white_space_of_xml_is_blank() {
        assert!(is_blank("\r\n\t ") && !is_blank("\u{A0}"));
    }
}
