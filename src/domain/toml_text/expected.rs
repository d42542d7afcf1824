//! What a reader of TOML or JSON wanted and what it found, in words for those who write the text by
//! hand: `is "many"; it must be a whole number, 0 or more`.
//!
//! What must stay true: no type of the program's own language reaches a user; a message that is not
//! understood is passed on as it is.

/// The types of numbers without a sign, and the largest that each holds where that says something.
const UNSIGNED: [(&str, &str); 5] = [
    ("u8", "255"),
    ("u16", "65535"),
    ("u32", "4294967295"),
    ("u64", "18446744073709551615"),
    ("usize", "18446744073709551615"),
];

/// A complaint about a value of the wrong type or out of its range in words, if `message` is one.
pub(super) fn in_words(message: &str) -> Option<String> {
    if message == "wanted string or table" {
        return Some("must be a text in quotes".to_owned());
    }
    let (message, place) = match message.rsplit_once(" at line ") {
        Some((message, place)) => (message, format!(" (line {place})")),
        None => (message, String::new()),
    };
    let rest = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .or_else(|| message.strip_prefix("invalid length "))?;
    let (found, wanted) = rest.rsplit_once(", expected ")?;
    Some(format!("is {}; it must be {}{place}", thing(found), want(wanted, found)))
}

/// What was found: its value where that is short, else what kind of thing it is.
fn thing(found: &str) -> String {
    let value = found.split_once('`').and_then(|(_, rest)| Some(rest.rsplit_once('`')?.0));
    let kind = found.split(['`', '"']).next().unwrap_or_default().trim();
    match (kind, value) {
        ("map", _) => "a table".to_owned(),
        ("sequence", _) => "a list".to_owned(),
        ("unit value" | "null", _) => "null".to_owned(),
        ("string", _) => found.trim_start_matches("string ").to_owned(),
        ("integer" | "floating point" | "boolean" | "character", Some(value)) => value.to_owned(),
        _ => found.to_owned(),
    }
}

/// What was wanted. A number that has the right form and is out of range gets the range.
fn want(wanted: &str, found: &str) -> String {
    let wanted = wanted.trim();
    if let Some((_, most)) = UNSIGNED.iter().find(|(name, _)| *name == wanted) {
        let is_too_large = found.starts_with("integer `") && !found.starts_with("integer `-");
        return match (wanted, is_too_large) {
            ("u8" | "u16", _) | (_, true) => format!("a whole number from 0 to {most}"),
            _ => "a whole number, 0 or more".to_owned(),
        };
    }
    match wanted {
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "string" | "str" | "a borrowed string" => "a text in quotes".to_owned(),
        "path string" => "a path in quotes".to_owned(),
        "a sequence" => "a list: in [ ], or under [[ ]]".to_owned(),
        "a map" | "map" => "a table".to_owned(),
        _ if wanted.starts_with("a nonzero u") => "a whole number, 1 or more".to_owned(),
        _ if wanted.starts_with("a nonzero i") => "a whole number other than 0".to_owned(),
        _ if wanted.starts_with("struct ") => "a table".to_owned(),
        _ => wanted.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_the_program_are_said_in_words() {
        for (message, words) in [
            (
                "invalid type: string \"many\", expected usize",
                "is \"many\"; it must be a whole number, 0 or more",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "is -1; it must be a whole number, 0 or more",
            ),
            (
                "invalid value: integer `99999999999`, expected u32",
                "is 99999999999; it must be a whole number from 0 to 4294967295",
            ),
            (
                "invalid type: integer `99999999999999999999` as i128, expected u64",
                "is 99999999999999999999; it must be a whole number from 0 to \
                 18446744073709551615",
            ),
            (
                "invalid type: string \"abc\", expected u16 at line 1 column 23",
                "is \"abc\"; it must be a whole number from 0 to 65535 (line 1 column 23)",
            ),
            (
                "invalid type: floating point `1.5`, expected i64",
                "is 1.5; it must be a whole number",
            ),
            (
                "invalid type: boolean `true`, expected a string",
                "is true; it must be a text in quotes",
            ),
            (
                "invalid type: map, expected a sequence",
                "is a table; it must be a list: in [ ], or under [[ ]]",
            ),
            ("invalid type: null, expected a boolean", "is null; it must be true or false"),
            ("invalid type: integer `5`, expected struct Limits", "is 5; it must be a table"),
            (
                "invalid value: integer `0`, expected a nonzero u32",
                "is 0; it must be a whole number, 1 or more",
            ),
            (
                "invalid type: string \", expected u8\", expected a boolean",
                "is \", expected u8\"; it must be true or false",
            ),
            ("wanted string or table", "must be a text in quotes"),
        ] {
            assert_eq!(in_words(message).as_deref(), Some(words), "{message}");
        }
        assert_eq!(in_words("duplicate key"), None);
    }
}
