//! Moments by the patterns of Java's `SimpleDateFormat`, in UTC: the zone of the machine is never
//! read.

use chrono::{DateTime, Utc};

/// A pattern that is understood whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// As `chrono` writes it.
    Field(&'static str),
    Literal(String),
}

/// The moment of so many milliseconds since 1970.
pub(super) fn moment_of_epoch(millis: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis)
}

impl Pattern {
    /// Reads a pattern; none if a letter of it is not known.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if first == '\'' {
                let (literal, after) = rest.get(1..)?.split_once('\'')?;
                // Two quotes are one.
                let literal = if literal.is_empty() { "'" } else { literal };
                parts.push(Part::Literal(literal.to_owned()));
                rest = after;
            } else if first.is_ascii_alphabetic() {
                let end = rest.find(|it| it != first).unwrap_or(rest.len());
                let (letters, after) = rest.split_at(end);
                parts.push(Part::Field(field(letters)?));
                rest = after;
            } else {
                parts.push(Part::Literal(first.to_string()));
                rest = rest.get(first.len_utf8()..)?;
            }
        }
        Some(Self(parts))
    }

    /// A moment by the pattern.
    pub(super) fn format(&self, moment: DateTime<Utc>) -> String {
        let part = |part: &Part| match part {
            Part::Field(field) => moment.format(field).to_string(),
            Part::Literal(literal) => literal.clone(),
        };
        self.0.iter().map(part).collect()
    }
}

/// The field of letters of a pattern.
fn field(letters: &str) -> Option<&'static str> {
    Some(match letters {
        "yyyy" | "y" => "%Y",
        "yy" => "%y",
        "MMMM" => "%B",
        "MMM" => "%b",
        "MM" => "%m",
        "M" => "%-m",
        "dd" => "%d",
        "d" => "%-d",
        "DDD" => "%j",
        "EEEE" => "%A",
        "EEE" | "EE" | "E" => "%a",
        "HH" => "%H",
        "H" => "%-H",
        "hh" => "%I",
        "h" => "%-I",
        "mm" => "%M",
        "m" => "%-M",
        "ss" => "%S",
        "s" => "%-S",
        "SSS" => "%3f",
        "a" => "%p",
        "Z" => "%z",
        "XXX" => "%:z",
        "X" => "Z",
        "z" => "UTC",
        _ => return None,
    })
}
