//! The XML declaration, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`.
//!
//! Read twice: for the name of the encoding before there is any text, and with all its rules once
//! there is.

use super::tag;

/// What a declaration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Declaration<'a> {
    pub(super) encoding: Option<&'a str>,
}

/// Reads what is between `<?` and `?>`; the error says what is wrong.
pub(super) fn read(content: &str) -> Result<Declaration<'_>, &'static str> {
    let (_, mut attributes) = tag::split(content);
    let mut next = || attributes.next().transpose().map_err(|(detail, _)| detail);
    let Some(version) = next()?.filter(|attribute| attribute.name == "version") else {
        return Err("expected a version first in the XML declaration");
    };
    if !is_version(version.value) {
        return Err("expected version 1.0 in the XML declaration");
    }
    let mut attribute = next()?;
    let encoding = attribute.filter(|attribute| attribute.name == "encoding");
    if let Some(encoding) = encoding {
        if !is_encoding_name(encoding.value) {
            return Err("expected the name of an encoding in the XML declaration");
        }
        attribute = next()?;
    }
    if let Some(standalone) = attribute {
        let allowed = standalone.name == "standalone" && matches!(standalone.value, "yes" | "no");
        if !allowed || next()?.is_some() {
            return Err("expected no more than version, encoding and standalone='yes' or 'no' \
                        in the XML declaration");
        }
    }
    Ok(Declaration { encoding: encoding.map(|encoding| encoding.value) })
}

/// XML 1.0 lets its readers take any 1.x and read it as 1.0.
fn is_version(version: &str) -> bool {
    version
        .strip_prefix("1.")
        .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_encoding_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_as_clients_write_them_are_read() {
        let encoding = |content| read(content).map(|declaration| declaration.encoding);
        assert_eq!(encoding("xml version=\"1.0\""), Ok(None));
        assert_eq!(encoding("xml version='1.0' encoding='utf-8'"), Ok(Some("utf-8")));
        assert_eq!(encoding("xml version='1.1' encoding=\"ISO-8859-1\" "), Ok(Some("ISO-8859-1")));
        assert_eq!(encoding("xml version='1.0' standalone='no'"), Ok(None));
        let all = "xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"";
        assert_eq!(encoding(all), Ok(Some("UTF-8")));
    }

    #[test]
    fn broken_declarations_are_refused() {
        for content in [
            "xml",
            "xml encoding='utf-8'",
            "xml encoding='utf-8' version='1.0'",
            "xml version='2.0'",
            "xml version='1.'",
            "xml version='1.0x'",
            "xml version=1.0",
            "xml version='1.0'encoding='utf-8'",
            "xml version='1.0' encoding=''",
            "xml version='1.0' encoding='-a'",
            "xml version='1.0' encoding='a b'",
            "xml version='1.0' standalone='maybe'",
            "xml version='1.0' standalone='yes' encoding='utf-8'",
            "xml version='1.0' version='1.0'",
            "xml version='1.0' encoding='a' encoding='a'",
            "xml version='1.0' more='yes'",
        ] {
            assert!(read(content).is_err(), "{content}");
        }
    }
}
