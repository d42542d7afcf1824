//! Texts of elements, found in the bytes of a message that need be neither XML nor complete.
//!
//! What is captured is changed as little as possible: a session or a password is exchanged where it
//! stands, and all other bytes stay. UTF-16 is looked at through a view of one byte a character, in
//! which positions are those of the original divided by two.

use crate::xml::{XmlLimits, parse};
use regex::bytes::Regex;
use std::borrow::Cow;
use std::ops::Range;

/// How characters below 128 are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// In a byte, as in UTF-8 and ISO-8859-1.
    One,
    /// In two, the zero last.
    TwoLittle,
    /// In two, the zero first.
    TwoBig,
}

impl Width {
    /// How the characters of a message are written, by its first two bytes.
    pub(super) fn of(message: &[u8]) -> Self {
        match message {
            [0xff, 0xfe, ..] | [b'<', 0, ..] => Self::TwoLittle,
            [0xfe, 0xff, ..] | [0, b'<', ..] => Self::TwoBig,
            _ => Self::One,
        }
    }

    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::One => 1,
            Self::TwoLittle | Self::TwoBig => 2,
        }
    }

    /// A text of ASCII as it is written.
    pub(super) fn encode(self, text: &str) -> Vec<u8> {
        let encode = |unit: u16| match self {
            Self::One => Vec::new(),
            Self::TwoLittle => unit.to_le_bytes().to_vec(),
            Self::TwoBig => unit.to_be_bytes().to_vec(),
        };
        match self {
            Self::One => text.as_bytes().to_vec(),
            Self::TwoLittle | Self::TwoBig => text.encode_utf16().flat_map(encode).collect(),
        }
    }

    /// The character of a unit, if it is a visible one of ASCII.
    pub(super) fn decode(self, unit: &[u8]) -> Option<char> {
        let byte = match (self, unit) {
            (Self::One, [byte]) | (Self::TwoLittle, [byte, 0]) | (Self::TwoBig, [0, byte]) => {
                Some(*byte)
            }
            _ => None,
        }?;
        byte.is_ascii_graphic().then_some(char::from(byte))
    }
}

/// A message, looked at as one byte a character.
pub(super) struct View<'m> {
    message: &'m [u8],
    width: Width,
    narrow: Cow<'m, [u8]>,
}

/// The text of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    /// The element's local name, in lower case.
    pub(super) element: String,
    /// Where it is in the view.
    pub(super) at: Range<usize>,
}

/// What stands between a start tag and the next tag: characters, CDATA, comments, and the words and
/// expressions in angle brackets by which recorders of traffic replace secrets (see `blanks`).
const TEXT: &str = concat!(
    r"(?:<!\[CDATA\[(?:[^\]]|\](?:[^\]]|\][^>]))*(?:\]\]>)?|<!--|<%[^%]*%>",
    r"|<[A-Z0-9_ -]+>|<[a-z0-9]+(?:_[a-z0-9]+)+>|[^<])*"
);

/// A pattern for the texts of elements with these local names.
pub(super) fn pattern(names: &[&str]) -> Option<Regex> {
    let names = names.join("|");
    let tag = format!(r"<(?:[^<>\s/:]+:)?((?i:{names}))(?:\s(?:[^<>]*[^<>/])?)?>");
    Regex::new(&format!(r"(?-u){tag}({TEXT})")).ok()
}

impl<'m> View<'m> {
    pub(super) fn of(message: &'m [u8]) -> Self {
        let width = Width::of(message);
        let narrow = match width {
            Width::One => Cow::Borrowed(message),
            Width::TwoLittle | Width::TwoBig => {
                let high_first = width == Width::TwoBig;
                let byte = |unit: &[u8]| match unit {
                    [low, 0] if !high_first && low.is_ascii() => *low,
                    [0, low] if high_first && low.is_ascii() => *low,
                    _ => 0xff,
                };
                Cow::Owned(message.chunks(2).map(byte).collect())
            }
        };
        Self { message, width, narrow }
    }

    /// One byte a character; what is not ASCII in UTF-16 is 0xff.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.narrow
    }

    /// How many bytes of the message a byte of the view stands for.
    pub(super) const fn unit(&self) -> usize {
        self.width.bytes()
    }

    /// The text at a place, as far as it is UTF-8.
    pub(super) fn text(&self, at: &Range<usize>) -> Cow<'_, str> {
        String::from_utf8_lossy(self.narrow.get(at.clone()).unwrap_or_default())
    }

    /// What the text at a place says: its references resolved, its CDATA opened, and without the
    /// white space around it. What is no XML says what it is.
    pub(super) fn said(&self, at: &Range<usize>) -> String {
        let text = self.text(at);
        let text = text.trim();
        if !text.contains(['&', '<']) {
            return text.to_owned();
        }
        let element = format!("<a>{text}</a>");
        let said = parse(&element, &XmlLimits::default());
        said.map_or_else(|_| text.to_owned(), |said| said.root().text().trim().to_owned())
    }

    /// The texts of the elements that a pattern finds, in their order.
    pub(super) fn texts(&self, pattern: Option<&Regex>) -> Vec<Text> {
        let found = pattern.into_iter().flat_map(|pattern| pattern.captures_iter(&self.narrow));
        let text = |captures: regex::bytes::Captures<'_>| {
            let name = String::from_utf8_lossy(captures.get(1)?.as_bytes()).to_ascii_lowercase();
            Some(Text { element: name, at: captures.get(2)?.range() })
        };
        found.filter_map(text).collect()
    }

    /// The message with other texts at some places, which must be in order.
    pub(super) fn with(&self, edits: &[(Range<usize>, String)]) -> Vec<u8> {
        let unit = self.unit();
        let mut changed = Vec::with_capacity(self.message.len());
        let mut copied = 0;
        for (at, text) in edits {
            let start = at.start.saturating_mul(unit);
            changed.extend(self.message.get(copied..start).unwrap_or_default());
            changed.extend(self.width.encode(text));
            copied = at.end.saturating_mul(unit);
        }
        changed.extend(self.message.get(copied..).unwrap_or_default());
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swapped(message: &[u8]) -> Vec<u8> {
        let view = View::of(message);
        let texts = view.texts(pattern(&["session"]).as_ref());
        let edits: Vec<_> = texts.into_iter().map(|text| (text.at, "NEW".to_owned())).collect();
        view.with(&edits)
    }

    #[test]
    fn every_form_of_a_session_is_found() {
        for (message, expected) in [
            ("<a:session>x</a:session>", "<a:session>NEW</a:session>"),
            ("<Session b='1' >x y</Session>", "<Session b='1' >NEW</Session>"),
            ("<session><![CDATA[a<b]]></session>", "<session>NEW</session>"),
            ("<session><ZUORA_SESSION></session>", "<session>NEW</session>"),
            ("<session><my_session></session>", "<session>NEW</session>"),
            ("<session><%= ENV['X'] %></session>", "<session>NEW</session>"),
            ("<session>cut off", "<session>NEW"),
            ("<session xsi:nil='true'/>x<b/>", "<session xsi:nil='true'/>x<b/>"),
            ("<SessionHeader>x</SessionHeader>", "<SessionHeader>x</SessionHeader>"),
        ] {
            assert_eq!(swapped(message.as_bytes()), expected.as_bytes(), "{message}");
        }
        assert_eq!(swapped(b"<session>\xe9</session>\xff"), b"<session>NEW</session>\xff");
    }

    #[test]
    fn what_a_text_says_does_not_depend_on_how_it_is_written() {
        for text in ["a&b", " a&amp;b\n", "a&#38;b", "<![CDATA[a&b]]>", "a<![CDATA[&]]>b"] {
            let message = format!("<session>{text}</session>");
            let view = View::of(message.as_bytes());
            let at = view.texts(pattern(&["session"]).as_ref()).remove(0).at;
            assert_eq!(view.said(&at), "a&b", "{text}");
        }
    }

    #[test]
    fn two_bytes_a_character_stay_so() {
        let wide = |text: &str, to: fn(u16) -> [u8; 2]| {
            let bytes = text.encode_utf16().flat_map(to);
            bytes.collect::<Vec<u8>>()
        };
        for to in [u16::to_le_bytes, u16::to_be_bytes] {
            for mark in ["\u{feff}", ""] {
                let request = wide(&format!("{mark}<session>é</session>😀"), to);
                let expected = wide(&format!("{mark}<session>NEW</session>😀"), to);
                assert_eq!(swapped(&request), expected);
            }
        }
        let mut odd = wide("<session>x</session>", u16::to_le_bytes);
        odd.push(7);
        assert_eq!(swapped(&odd).last(), Some(&7));
    }
}
