//! White space as XML counts it, which is less than what Rust trims: no-break spaces are text.

/// Whether XML counts the character as white space.
pub const fn is_xml_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// The text without the white space around it.
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_xml_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_white_space_of_xml_is_trimmed() {
        assert_eq!(trim(" \t\r\n\u{A0}a \n"), "\u{A0}a");
        assert_eq!(trim("\u{85}\u{2003}\u{B}"), "\u{85}\u{2003}\u{B}");
        assert_eq!(trim(" \n"), "");
    }
}
