//! Booleans as the vendor's data types allow them to be sent, which is more than XML Schema does.

/// `true`, `yes`, `1` and their opposites, in any case: the vendor's own samples write `True`.
/// None for anything else; blanks are the caller's to trim.
pub fn parse_boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_documented_word_is_one_and_nothing_else_is() {
        for (text, expected) in [
            ("true", Some(true)),
            ("Yes", Some(true)),
            ("1", Some(true)),
            ("FALSE", Some(false)),
            ("no", Some(false)),
            ("0", Some(false)),
            ("", None),
            ("on", None),
            ("2", None),
            (" true", None),
        ] {
            assert_eq!(parse_boolean(text), expected, "{text:?}");
        }
    }
}
