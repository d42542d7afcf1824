//! `{{session}}` and `{{session:NAME}}` in a request, in any encoding that a request may have.
//!
//! Requests are bytes, also such that no decoder would take, so the placeholders are found as
//! bytes: in one byte a character, or in two with the zero before or after.

use super::raw::Width;
use std::ops::Range;

const OPEN: &str = "{{session";
/// A name that is longer is none.
const NAME_CHARACTERS_MAX: usize = 255;

/// A placeholder in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placeholder {
    at: Range<usize>,
    width: Width,
    /// The user whose session is meant; none for the first one.
    pub(super) user: Option<String>,
}

/// The placeholders of a request, in their order.
pub(super) fn find(request: &[u8]) -> Vec<Placeholder> {
    let mut found: Vec<Placeholder> = Vec::new();
    let mut start = 0;
    while let Some(brace) = next_brace(request, start) {
        // The zero of UTF-16 may stand before the brace.
        start = start.max(brace.saturating_sub(1));
        let rest = request.get(start..).unwrap_or_default();
        let widths = [Width::One, Width::TwoLittle, Width::TwoBig];
        match widths.into_iter().find_map(|width| read(rest, width)) {
            Some((length, width, user)) => {
                let end = start.saturating_add(length);
                found.push(Placeholder { at: start..end, width, user });
                start = end;
            }
            None => start = start.saturating_add(1),
        }
    }
    found
}

fn next_brace(request: &[u8], start: usize) -> Option<usize> {
    let ahead = request.get(start..)?.iter().position(|byte| *byte == b'{')?;
    Some(start.saturating_add(ahead))
}

/// The placeholder that `bytes` begin with.
fn read(bytes: &[u8], width: Width) -> Option<(usize, Width, Option<String>)> {
    let open = width.encode(OPEN);
    let rest = bytes.strip_prefix(open.as_slice())?;
    let characters = rest.chunks(width.bytes()).map_while(|unit| width.decode(unit));
    let mut name = String::new();
    for character in characters.take(NAME_CHARACTERS_MAX) {
        name.push(character);
        if name.ends_with("}}") {
            break;
        }
    }
    let length = open.len().saturating_add(name.len().saturating_mul(width.bytes()));
    let user = match name.strip_suffix("}}")? {
        "" => None,
        named => Some(named.strip_prefix(':')?.to_owned()),
    };
    Some((length, width, user))
}

/// The request with a session in the place of each placeholder.
pub(super) fn fill(request: &[u8], placeholders: &[(Placeholder, String)]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(request.len());
    let mut copied = 0;
    for (placeholder, session) in placeholders {
        filled.extend(request.get(copied..placeholder.at.start).unwrap_or_default());
        filled.extend(placeholder.width.encode(session));
        copied = placeholder.at.end;
    }
    filled.extend(request.get(copied..).unwrap_or_default());
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(request: &[u8]) -> Vec<u8> {
        let session = |placeholder: Placeholder| {
            let session = placeholder.user.clone().unwrap_or_else(|| "S".to_owned());
            (placeholder, session)
        };
        fill(request, &find(request).into_iter().map(session).collect::<Vec<_>>())
    }

    fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn placeholders_are_replaced_in_every_encoding() {
        let (request, expected) = ("é<a>{{session}}</a>{{session:a@b.c}}𝄞", "é<a>S</a>a@b.c𝄞");
        assert_eq!(filled(request.as_bytes()), expected.as_bytes());
        for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            assert_eq!(filled(&utf_16(request, to_bytes)), utf_16(expected, to_bytes));
        }
    }

    #[test]
    fn all_other_bytes_stay() {
        let long = format!("{{{{session:{}}}}}", "n".repeat(300));
        for request in [
            &b""[..],
            b"{{session",
            b"{{session}",
            b"{{sessions}}",
            b"{{session a}}",
            b"{{ses\0sion}}",
            b"\0\xff{{\0",
            long.as_bytes(),
        ] {
            assert_eq!(find(request), []);
            assert_eq!(filled(request), request);
        }
    }

    #[test]
    fn a_brace_too_many_does_not_hide_a_placeholder() {
        assert_eq!(filled(b"{{{session}}}"), b"{S}");
        assert_eq!(filled(b"{{session{{session}}"), b"{{sessionS");
    }
}
