//! What the Content-Type of a call says, read as clients and what stands between write it: quoted
//! either way, in any case, with the value sent twice and put together.

/// The media type: what stands before the first parameter, and before a second value.
pub fn media_type(content_type: &str) -> &str {
    let end = content_type.find([';', ',']).unwrap_or(content_type.len());
    content_type.get(..end).unwrap_or_default().trim()
}

/// The first charset parameter with a value, without its quotes.
pub fn charset(content_type: &str) -> Option<&str> {
    parts(content_type).filter_map(|part| part.split_once('=')).find_map(|(name, value)| {
        // A semicolon may be missing: `text/xml charset=utf-8`.
        let name = name.split_ascii_whitespace().next_back()?;
        let value = value.trim().trim_matches(['"', '\'']).trim();
        (name.eq_ignore_ascii_case("charset") && !value.is_empty()).then_some(value)
    })
}

/// What stands between `;` and `,`, where these are not in double quotes.
fn parts(content_type: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    content_type.split(move |character| {
        is_quoted ^= character == '"';
        !is_quoted && matches!(character, ';' | ',')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: single quotes became part of the name, and so did a value that was sent twice.
    #[test]
    fn the_charset_is_found_however_it_is_written() {
        for text in [
            "text/xml; charset=utf-8",
            "text/xml;charset=utf-8",
            "text/xml; charset=\"utf-8\"",
            "text/xml; charset='utf-8'",
            "text/xml ; CharSet = utf-8 ; action=\"\"",
            "text/xml; charset=utf-8, text/xml",
            "text/xml, text/xml; charset=utf-8",
            "text/xml; charset=utf-8;",
            "text/xml; charset=utf-8; charset=iso-8859-1",
            "text/xml;; charset=; charset=utf-8",
            "text/xml charset=utf-8",
            "application/soap+xml; action=\"urn:a;charset=utf-16,b\"; charset=utf-8",
            "charset=utf-8",
        ] {
            assert_eq!(charset(text), Some("utf-8"), "{text}");
        }
        for text in ["", "text/xml", "text/xml; charset", "text/xml; x=charset=", "a; charset=\"\""]
        {
            assert_eq!(charset(text), None, "{text}");
        }
    }

    #[test]
    fn the_media_type_is_the_first() {
        for text in [" text/xml", "text/xml;charset=x", "text/xml, text/xml", "text/xml ,a;b"] {
            assert_eq!(media_type(text), "text/xml");
        }
    }
}
