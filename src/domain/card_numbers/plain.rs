//! A text as a reader of its document sees it: one byte for each character, with its place in the
//! text.
//!
//! What must stay true: a digit is one however the document may write it (as it is, in full width,
//! as a reference or an escape); what may stand between groups of digits is a blank, a hyphen or a
//! dot; what no reader sees (comments, borders of CDATA sections, characters without a width) is
//! not there; and each digit can be masked where it stands without a change of length or of
//! structure.

/// How a document writes its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// References, comments, CDATA sections.
    Xml,
    /// Escapes with a backslash.
    Json,
    /// Escapes with a percent sign, and plus signs for blanks.
    Form,
}

impl Kind {
    /// That of a document, by its first character behind a mark of the order of bytes.
    pub(super) fn of(text: &[u8]) -> Self {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let text = text.strip_prefix(&[NO_ASCII]).unwrap_or(text);
        match text.trim_ascii_start().first() {
            Some(b'<') => Self::Xml,
            Some(b'{' | b'[') => Self::Json,
            _ => Self::Form,
        }
    }
}

/// What stands for a character that is no part of anything looked for.
const OTHER: u8 = 0xff;
/// What stands for a unit of UTF-16 that is not ASCII.
pub(super) const NO_ASCII: u8 = 0x7f;

/// The characters of a text, and where each begins. It takes as much memory as the text, and eight
/// bytes for each place where a character is written otherwise or is not seen.
#[derive(Debug, Default)]
pub(super) struct Plain {
    pub(super) text: Vec<u8>,
    /// From which character on each begins a byte behind the one before, and where that one does.
    shifts: Vec<(u32, u32)>,
}

/// Whether a text is as it is: each byte a character.
pub(super) fn is_plain(text: &[u8], kind: Kind) -> bool {
    let is_reference = |at: usize| text.get(at + 1) == Some(&b'#');
    let is_escaped = memchr::memchr_iter(b'&', text).any(is_reference)
        || match kind {
            Kind::Xml => memchr::memchr2_iter(b'!', b'\\', text).any(|at| {
                text.get(at) == Some(&b'\\')
                    || at.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'<')
            }),
            Kind::Json => memchr::memchr(b'\\', text).is_some(),
            Kind::Form => memchr::memchr2(b'%', b'+', text).is_some(),
        };
    !is_escaped && text.is_ascii()
}

impl Plain {
    /// Reads a text.
    pub(super) fn of(text: &[u8], kind: Kind) -> Self {
        let mut plain = Self { text: Vec::with_capacity(text.len()), shifts: Vec::new() };
        let (mut at, mut is_data) = (0, false);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let (seen, length) = match hidden(rest, kind, &mut is_data) {
                0 => character(rest, kind),
                length => (None, length),
            };
            // In a CDATA section these are no part of the document's structure.
            let seen = seen.map(|byte| if is_data && b"<>".contains(&byte) { OTHER } else { byte });
            if let Some(byte) = seen {
                plain.push(byte, at);
            }
            at += length;
        }
        plain
    }

    fn push(&mut self, byte: u8, at: usize) {
        let next = self.text.len();
        if self.place(next) != Some(at) {
            let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
            self.shifts.push((number(next), number(at)));
        }
        self.text.push(byte);
    }

    /// Where in the text a character begins.
    pub(super) fn place(&self, at: usize) -> Option<usize> {
        let last = match self.shifts.last() {
            Some(last) if last.0 as usize <= at => last,
            _ => {
                let behind = self.shifts.partition_point(|(from, _)| *from as usize <= at);
                self.shifts.get(behind.checked_sub(1)?)?
            }
        };
        Some(at - last.0 as usize + last.1 as usize)
    }
}

/// How many bytes begin the text that no reader sees; `is_data` follows whether they are in a CDATA
/// section.
fn hidden(text: &[u8], kind: Kind, is_data: &mut bool) -> usize {
    const COMMENT: (&[u8], &[u8]) = (b"<!--", b"-->");
    const DATA: (&[u8], &[u8]) = (b"<![CDATA[", b"]]>");
    if kind != Kind::Xml {
        return 0;
    }
    if *is_data {
        *is_data = !text.starts_with(DATA.1);
        return if *is_data { 0 } else { DATA.1.len() };
    }
    if text.starts_with(DATA.0) {
        *is_data = true;
        return DATA.0.len();
    }
    if text.starts_with(COMMENT.0) {
        let end = memchr::memmem::find(text, COMMENT.1).map(|end| end + COMMENT.1.len());
        return end.unwrap_or(text.len());
    }
    0
}

/// The character that a text begins with, if a reader sees it, and its length in bytes.
fn character(text: &[u8], kind: Kind) -> (Option<u8>, usize) {
    let escaped = match (text, kind) {
        ([b'&', b'#', ..], _) => reference(text),
        ([b'\\', ..], _) => backslash(text, kind),
        ([b'%', ..], Kind::Form) => percent(text),
        ([b'+', ..], Kind::Form) => Some((u32::from(b' '), 1)),
        _ => None,
    };
    if let Some((code, length)) = escaped {
        return (seen(code), length);
    }
    match text {
        [byte, ..] if byte.is_ascii() => (Some(if_blank(*byte)), 1),
        // A blank that does not break, in one byte.
        [0xa0, ..] => (Some(b' '), 1),
        _ => wide(text),
    }
}

/// What a character beyond ASCII is, in UTF-8.
fn wide(text: &[u8]) -> (Option<u8>, usize) {
    let Some(chunk) = text.get(..text.len().min(4)) else { return (Some(OTHER), 1) };
    let valid = match std::str::from_utf8(chunk) {
        Ok(valid) => valid,
        Err(error) => {
            let valid = chunk.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
    };
    match valid.chars().next() {
        Some(first) => (seen(u32::from(first)), first.len_utf8()),
        None => (Some(OTHER), 1),
    }
}

/// What a reader sees of a character; none if it has no width.
fn seen(code: u32) -> Option<u8> {
    match code {
        0x0..0x80 => u8::try_from(code).ok().map(if_blank),
        0xa0 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => Some(b' '),
        0xad | 0x200b..=0x200f | 0x2060 | 0xfeff => None,
        0x2010..=0x2015 | 0x2212 | 0xfe63 | 0xff0d => Some(b'-'),
        0xff10..=0xff19 => u8::try_from(code - 0xff10).ok().map(|digit| b'0' + digit),
        _ => Some(OTHER),
    }
}

fn if_blank(byte: u8) -> u8 {
    if byte.is_ascii_whitespace() || byte == 0x0b { b' ' } else { byte }
}

/// `&#49;` or `&#x31;`.
fn reference(text: &[u8]) -> Option<(u32, usize)> {
    let end = text.iter().take(16).position(|byte| *byte == b';')?;
    let digits = std::str::from_utf8(text.get(2..end)?).ok()?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    Some((code.ok()?, end + 1))
}

/// An escape of JSON, or a quote within a literal of a query.
fn backslash(text: &[u8], kind: Kind) -> Option<(u32, usize)> {
    let other = u32::from(OTHER);
    match (text.get(1)?, kind) {
        (b'u', Kind::Json) => {
            let digits = std::str::from_utf8(text.get(2..6)?).ok()?;
            Some((u32::from_str_radix(digits, 16).ok()?, 6))
        }
        (b't' | b'n' | b'r' | b'f' | b'b', Kind::Json) => Some((u32::from(b' '), 2)),
        (b'\'' | b'"', _) | (b'\\', Kind::Json) => Some((other, 2)),
        _ => None,
    }
}

/// `%31`; characters beyond ASCII are seen byte by byte.
fn percent(text: &[u8]) -> Option<(u32, usize)> {
    for length in [9, 6, 3] {
        let escapes = text.get(..length).and_then(|text| std::str::from_utf8(text).ok());
        let decoded = escapes.and_then(crate::domain::percent::decoded);
        let mut characters = decoded.as_deref().unwrap_or_default().chars();
        if let (Some(only), None) = (characters.next(), characters.next()) {
            return Some((u32::from(only), length));
        }
    }
    None
}

/// Puts an asterisk in the place of the digit that begins at `at`, as its document writes one; in a
/// name, which may have none, a zero.
pub(super) fn mask(text: &mut [u8], at: usize, is_in_name: bool) {
    let Some(digit) = text.get_mut(at..) else { return };
    let end = |digit: &[u8]| digit.iter().take(16).position(|byte| *byte == b';').unwrap_or(0);
    match digit {
        // `&#x31;` to `&#x2a;`, and `&#49;` to `&#42;`.
        [b'&', b'#', b'x' | b'X', ..] => put(digit, end(digit).saturating_sub(2), b"2a"),
        [b'&', ..] => put(digit, end(digit).saturating_sub(2), b"42"),
        [b'\\', ..] => put(digit, 2, b"002a"),
        [b'%', _, _, b'%', ..] if is_wide_escape(digit) => put(digit, 3, b"%BC%8A"),
        [b'%', ..] => put(digit, 1, b"2A"),
        // In full width.
        [0xef, ..] => put(digit, 1, &[0xbc, 0x8a]),
        [digit, ..] => *digit = if is_in_name { b'0' } else { b'*' },
        [] => {}
    }
}

/// Whether a digit in full width stands here in escapes.
fn is_wide_escape(text: &[u8]) -> bool {
    text.get(..3).is_some_and(|first| first.eq_ignore_ascii_case(b"%ef"))
}

fn put(text: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = text.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}
