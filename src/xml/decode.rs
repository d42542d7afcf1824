//! From the bytes of a request to text.
//!
//! A byte order mark counts before the charset parameter of the content type, that before the XML
//! declaration, and without any of them it is UTF-8. Bytes that do not fit are an error, never
//! replaced: a name or an amount must not change on its way in.

use encoding_rs::DecoderResult;
use std::borrow::Cow;

use super::declaration;
use super::error::{XmlError, excerpt};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16LittleEndian,
    Utf16BigEndian,
    UsAscii,
    Latin1,
    Windows1252,
    /// Any other in which ASCII means itself, by the tables of the WHATWG.
    Tabled(&'static encoding_rs::Encoding),
}

/// Decodes a document; UTF-8 (and so US-ASCII) is borrowed, not copied. `charset` is the parameter
/// of the content type, if it has one. A byte order mark is taken off.
pub fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, XmlError> {
    if let Some((encoding, content)) = split_byte_order_mark(bytes)? {
        return decode_as(encoding, content);
    }
    let charset = charset.map(|name| name.trim().trim_matches(['"', '\'']).trim());
    let charset = charset.filter(|name| !name.is_empty());
    let encoding = match charset {
        Some(name) => by_name(name, bytes, "charset")?,
        None => by_content(bytes)?,
    };
    decode_as(encoding, bytes)
}

fn split_byte_order_mark(bytes: &[u8]) -> Result<Option<(Encoding, &[u8])>, XmlError> {
    Ok(match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => {
            return Err(XmlError::encoding("the encoding UTF-32 is not supported"));
        }
        [0xEF, 0xBB, 0xBF, rest @ ..] => Some((Encoding::Utf8, rest)),
        [0xFF, 0xFE, rest @ ..] => Some((Encoding::Utf16LittleEndian, rest)),
        [0xFE, 0xFF, rest @ ..] => Some((Encoding::Utf16BigEndian, rest)),
        _ => None,
    })
}

/// UTF-16 by the first `<`; everything else is an extension of ASCII and can name itself.
fn by_content(bytes: &[u8]) -> Result<Encoding, XmlError> {
    if let Some(encoding) = sniff_utf16(bytes) {
        return Ok(encoding);
    }
    let declared = declared_encoding(bytes);
    let encoding = declared.map_or(Ok(Encoding::Utf8), |name| by_name(name, bytes, "XML"))?;
    if matches!(encoding, Encoding::Utf16LittleEndian | Encoding::Utf16BigEndian) {
        return Err(XmlError::encoding(
            "the XML declaration names UTF-16, but is itself not written in it",
        ));
    }
    Ok(encoding)
}

fn sniff_utf16(bytes: &[u8]) -> Option<Encoding> {
    match bytes {
        [b'<', 0, ..] => Some(Encoding::Utf16LittleEndian),
        [0, b'<', ..] => Some(Encoding::Utf16BigEndian),
        _ => None,
    }
}

/// The encoding that the XML declaration names. What is wrong with a declaration otherwise is
/// found when the text is parsed.
fn declared_encoding(bytes: &[u8]) -> Option<&str> {
    let content = bytes.strip_prefix(b"<?")?;
    if !content.starts_with(b"xml") {
        return None;
    }
    let end = content.windows(2).position(|pair| pair == b"?>")?;
    let content = std::str::from_utf8(content.split_at(end).0).ok()?;
    declaration::read(content).ok()?.encoding
}

fn by_name(name: &str, bytes: &[u8], source: &str) -> Result<Encoding, XmlError> {
    match name.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => Ok(Encoding::Utf8),
        "utf-16le" => Ok(Encoding::Utf16LittleEndian),
        "utf-16be" => Ok(Encoding::Utf16BigEndian),
        // Without a byte order mark the bytes may show it; big-endian is what remains.
        "utf-16" => Ok(sniff_utf16(bytes).unwrap_or(Encoding::Utf16BigEndian)),
        "us-ascii" | "ascii" | "ansi_x3.4-1968" => Ok(Encoding::UsAscii),
        "windows-1252" | "cp1252" | "x-cp1252" => Ok(Encoding::Windows1252),
        _ => by_label(name).ok_or_else(|| {
            let name = excerpt(name);
            XmlError::encoding(format!("the {source} encoding {name} is not supported"))
        }),
    }
}

/// By the labels of the WHATWG, also where they are written with the `_` of old Java names. What
/// ISO-8859-1 is called there stays ISO-8859-1. Where bytes of ASCII can be parts of other
/// characters (ISO-2022-JP), there could be an element that a look at the bytes does not show.
fn by_label(name: &str) -> Option<Encoding> {
    let known = |name: &str| encoding_rs::Encoding::for_label(name.as_bytes());
    let found = known(name).or_else(|| known(&name.replace('_', "-")))?;
    if found == encoding_rs::UTF_8 {
        Some(Encoding::Utf8)
    } else if found == encoding_rs::WINDOWS_1252 {
        Some(Encoding::Latin1)
    } else {
        let is_text = found.is_ascii_compatible() && found != encoding_rs::X_USER_DEFINED;
        is_text.then_some(Encoding::Tabled(found))
    }
}

fn decode_as(encoding: Encoding, bytes: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    match encoding {
        Encoding::Utf8 => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(error) => Err(invalid("UTF-8", error.valid_up_to())),
        },
        Encoding::UsAscii => match std::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => Ok(Cow::Borrowed(text)),
            _ => {
                let position = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
                Err(invalid("US-ASCII", position))
            }
        },
        Encoding::Latin1 => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
        Encoding::Windows1252 => windows_1252(bytes),
        Encoding::Tabled(encoding) => by_table(encoding, bytes),
        Encoding::Utf16LittleEndian => utf16(bytes, u16::from_le_bytes),
        Encoding::Utf16BigEndian => utf16(bytes, u16::from_be_bytes),
    }
}

fn invalid(encoding: &str, position: usize) -> XmlError {
    XmlError::encoding(format!("the bytes are not {encoding} at byte {position}"))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, XmlError> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(XmlError::encoding("the bytes are not UTF-16: their number is odd"));
    }
    let mut text = String::with_capacity(bytes.len());
    let mut position = 0;
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let character = decoded.map_err(|_| invalid("UTF-16", position))?;
        text.push(character);
        position += character.len_utf16() * 2;
    }
    Ok(Cow::Owned(text))
}

fn by_table(
    encoding: &'static encoding_rs::Encoding,
    bytes: &[u8],
) -> Result<Cow<'static, str>, XmlError> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
    let mut text = String::with_capacity(room.unwrap_or_default());
    let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
    match result {
        DecoderResult::InputEmpty => Ok(Cow::Owned(text)),
        DecoderResult::Malformed(wrong, after) => {
            let position = read.saturating_sub(usize::from(wrong) + usize::from(after));
            Err(invalid(encoding.name(), position))
        }
        DecoderResult::OutputFull => Err(invalid(encoding.name(), read)),
    }
}

/// What windows-1252 has where ISO-8859-1 has the control characters 80 to 9F; five are unused.
const WINDOWS_1252_FROM_80: [Option<char>; 32] = [
    Some('€'),
    None,
    Some('‚'),
    Some('ƒ'),
    Some('„'),
    Some('…'),
    Some('†'),
    Some('‡'),
    Some('ˆ'),
    Some('‰'),
    Some('Š'),
    Some('‹'),
    Some('Œ'),
    None,
    Some('Ž'),
    None,
    None,
    Some('‘'),
    Some('’'),
    Some('“'),
    Some('”'),
    Some('•'),
    Some('–'),
    Some('—'),
    Some('˜'),
    Some('™'),
    Some('š'),
    Some('›'),
    Some('œ'),
    None,
    Some('ž'),
    Some('Ÿ'),
];

fn windows_1252(bytes: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let character = |(position, byte): (usize, &u8)| match byte {
        0x80..=0x9F => WINDOWS_1252_FROM_80
            .get(usize::from(byte - 0x80))
            .copied()
            .flatten()
            .ok_or_else(|| invalid("windows-1252", position)),
        _ => Ok(char::from(*byte)),
    };
    bytes.iter().enumerate().map(character).collect::<Result<String, _>>().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], charset: Option<&str>) -> String {
        decode(bytes, charset).expect("text").into_owned()
    }

    fn refused(bytes: &[u8], charset: Option<&str>) -> String {
        decode(bytes, charset).expect_err("an encoding error").to_string()
    }

    fn utf16_bytes(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf8_is_the_default_and_is_not_copied() {
        let bytes = "<a>é€😀</a>".as_bytes();
        for charset in [None, Some("utf-8"), Some(" \"UTF-8\" "), Some("utf8"), Some("")] {
            assert!(matches!(decode(bytes, charset), Ok(Cow::Borrowed("<a>é€😀</a>"))));
        }
        assert!(matches!(decode(b"<a/>", Some("us-ascii")), Ok(Cow::Borrowed("<a/>"))));
    }

    #[test]
    fn a_byte_order_mark_is_taken_off_and_counts_before_the_charset() {
        let utf8 = "\u{FEFF}<a>é</a>".as_bytes();
        assert_eq!(decoded(utf8, Some("iso-8859-1")), "<a>é</a>");
        assert!(matches!(decode(utf8, None), Ok(Cow::Borrowed(_))));
        let text = "\u{FEFF}<a>é😀</a>";
        assert_eq!(decoded(&utf16_bytes(text, u16::to_le_bytes), Some("utf-8")), "<a>é😀</a>");
        assert_eq!(decoded(&utf16_bytes(text, u16::to_be_bytes), None), "<a>é😀</a>");
    }

    #[test]
    fn only_one_byte_order_mark_is_taken_off() {
        assert_eq!(decoded("\u{FEFF}\u{FEFF}<a/>".as_bytes(), None), "\u{FEFF}<a/>");
    }

    #[test]
    fn utf16_without_a_mark_is_known_by_name_or_by_its_first_bytes() {
        let little = utf16_bytes("<a>é</a>", u16::to_le_bytes);
        let big = utf16_bytes("<a>é</a>", u16::to_be_bytes);
        for charset in [None, Some("UTF-16"), Some("utf-16le")] {
            assert_eq!(decoded(&little, charset), "<a>é</a>");
        }
        for charset in [None, Some("UTF-16"), Some("utf-16be")] {
            assert_eq!(decoded(&big, charset), "<a>é</a>");
        }
        let unmarked = utf16_bytes("\n<a/>", u16::to_be_bytes);
        assert_eq!(decoded(&unmarked, Some("utf-16")), "\n<a/>");
    }

    #[test]
    fn single_byte_encodings_are_read_as_declared() {
        let bytes = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9\x85</a>";
        assert!(decoded(bytes, None).ends_with("<a>é\u{85}</a>"));
        assert_eq!(decoded(b"<a>\xE9</a>", Some("Latin1")), "<a>é</a>");
        assert_eq!(decoded(b"<a>\x80\xE9\x9F</a>", Some("windows-1252")), "<a>€éŸ</a>");
    }

    #[test]
    fn encodings_of_old_systems_are_read_by_all_their_names() {
        for name in ["ISO-8859-15", "iso8859-15", "ISO8859_15", "latin-9", "'iso-8859-15'"] {
            let bytes = b"<a>\xA4\xBD\xE9</a>";
            match decode(bytes, Some(name)) {
                Ok(text) => assert_eq!(text, "<a>€œé</a>", "{name}"),
                Err(error) => assert_eq!(name, "latin-9", "{error}"),
            }
        }
        for (name, bytes, expected) in [
            ("windows-1250", &b"<a>\x9A</a>"[..], "<a>š</a>"),
            ("windows-1251", b"<a>\xE9</a>", "<a>й</a>"),
            ("ISO-8859-2", b"<a>\xB1</a>", "<a>ą</a>"),
            ("Shift_JIS", b"<a>\x83\x5C</a>", "<a>ソ</a>"),
            ("GB18030", b"<a>\xC4\xE3</a>", "<a>你</a>"),
            ("EUC-KR", b"<a>\xB0\xA1</a>", "<a>가</a>"),
            ("koi8-r", b"<a>\xC1</a>", "<a>а</a>"),
            ("ISO8859_1", b"<a>\xE9</a>", "<a>é</a>"),
            ("ibm819", b"<a>\xE9\x85</a>", "<a>é\u{85}</a>"),
            ("'utf-8'", "<a>é</a>".as_bytes(), "<a>é</a>"),
            ("UTF_8", "<a>é</a>".as_bytes(), "<a>é</a>"),
        ] {
            assert_eq!(decoded(bytes, Some(name)), expected, "{name}");
        }
        let declared = b"<?xml version='1.0' encoding='ISO-8859-15'?><a>\xA4</a>";
        assert!(decoded(declared, None).ends_with("<a>€</a>"));
    }

    #[test]
    fn the_charset_counts_before_the_declaration() {
        let bytes = "<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>".as_bytes();
        assert!(decoded(bytes, Some("utf-8")).ends_with("<a>é</a>"));
        let bytes = b"<?xml version='1.0' encoding='utf-16'?><a/>";
        assert!(decoded(bytes, Some("utf-8")).ends_with("<a/>"));
    }

    #[test]
    fn bytes_that_do_not_fit_are_refused_with_their_place() {
        assert_eq!(refused(b"<a>\xE9</a>", None), "the bytes are not UTF-8 at byte 3");
        assert_eq!(refused(b"<a>\xED\xA0\x80", None), "the bytes are not UTF-8 at byte 3");
        assert_eq!(
            refused(b"<a>\xC3\xA9", Some("us-ascii")),
            "the bytes are not US-ASCII at byte 3"
        );
        let message = refused(b"\x80\x81", Some("cp1252"));
        assert_eq!(message, "the bytes are not windows-1252 at byte 1");
        let message = refused(b"<a>\x81</a>", Some("shift_jis"));
        assert_eq!(message, "the bytes are not Shift_JIS at byte 3");
        let message = refused(b"\xFF\xFE<\0\x3D\xD8<\0", None);
        assert_eq!(message, "the bytes are not UTF-16 at byte 2");
        let message = refused(b"<\0a", None);
        assert_eq!(message, "the bytes are not UTF-16: their number is odd");
    }

    #[test]
    fn unknown_encodings_are_named() {
        let message = refused(b"<a/>", Some("utf-7"));
        assert_eq!(message, "the charset encoding utf-7 is not supported");
        for name in ["iso-2022-jp", "iso-2022-kr", "x-user-defined", "utf-32", "utf8x"] {
            let message = refused(b"<a/>", Some(name));
            assert_eq!(message, format!("the charset encoding {name} is not supported"));
        }
        let message = refused(b"<?xml version='1.0' encoding='EBCDIC-CP-US'?><a/>", None);
        assert_eq!(message, "the XML encoding EBCDIC-CP-US is not supported");
        for mark in [b"\xFF\xFE\0\0", b"\0\0\xFE\xFF"] {
            assert_eq!(refused(mark, None), "the encoding UTF-32 is not supported");
        }
        assert!(refused(b"", Some(&"x".repeat(500))).len() < 100);
    }

    #[test]
    fn a_declaration_in_single_bytes_cannot_name_utf16() {
        let message = refused(b"<?xml version='1.0' encoding='utf-16'?><a/>", None);
        let expected = "the XML declaration names UTF-16, but is itself not written in it";
        assert_eq!(message, expected);
    }

    #[test]
    fn every_ascii_byte_means_the_same_in_each_single_byte_encoding() {
        let bytes: Vec<u8> = (0..=0x7F).collect();
        for charset in ["utf-8", "us-ascii", "iso-8859-1", "windows-1252", "iso-8859-15", "gbk"] {
            assert_eq!(decoded(&bytes, Some(charset)).as_bytes(), bytes);
        }
    }
}
