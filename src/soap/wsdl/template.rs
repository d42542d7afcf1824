//! The template of the WSDL, cut into lines that know for which versions they stand.
//!
//! The notation is small on purpose, so that a difference between versions is one line in one file:
//! `64+ ` from a version on, `-68 ` up to it, `22-68 ` between the two (the last one included, with
//! its tenths), `#` for a note. A guard takes the place of indentation and is rendered as blanks.

use std::sync::LazyLock;

use crate::catalogue::stand::Stand;

/// Every line of the template that some version renders, in order.
pub(super) static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
    let source = include_str!("../../../wsdl/zuora.wsdl.in");
    source.lines().filter(|line| !line.starts_with('#')).map(Line::read).collect()
});

/// The operations of the port type and the versions that have them, in order. The template keeps
/// one tag a line, so a scan of the lines is enough.
pub(super) static OPERATIONS: LazyLock<Vec<(&'static str, Stand)>> = LazyLock::new(|| {
    let ports = LINES.iter().skip_while(|line| !line.text.starts_with("<portType "));
    let ports = ports.take_while(|line| line.text != "</portType>");
    ports
        .filter_map(|line| Some((line.attribute("<operation ", " name=\"")?, line.stand)))
        .collect()
});

/// A line without its guard.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The versions that render it.
    pub(super) stand: Stand,
    /// How many blanks it begins with.
    pub(super) indent: usize,
    /// The rest of it.
    pub(super) text: &'static str,
}

/// The span that a guard states, if the text is a guard.
fn read_guard(guard: &str) -> Option<Stand> {
    let (since, until) = match guard.strip_suffix('+') {
        Some(since) => (since, ""),
        None => guard.split_once('-')?,
    };
    let stand = match since {
        "" => Stand::ALWAYS,
        since => Stand::ALWAYS.since(since.parse().ok()?),
    };
    match until {
        "" => Some(stand),
        until => Some(stand.until(until.parse().ok()?)),
    }
}

impl Line {
    /// The value after `key`, if the line opens with `tag`.
    pub(super) fn attribute(&self, tag: &str, key: &str) -> Option<&'static str> {
        let text = Some(self.text).filter(|text| text.starts_with(tag))?;
        text.split_once(key)?.1.split('"').next()
    }

    fn read(line: &'static str) -> Self {
        let guarded =
            line.split_once(' ').and_then(|(guard, rest)| Some((read_guard(guard)?, rest)));
        let (stand, rest) = guarded.unwrap_or((Stand::ALWAYS, line));
        let text = rest.trim_start();
        Self { stand, indent: line.len() - text.len(), text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::version::ApiVersion;

    #[test]
    fn a_guard_becomes_blanks() {
        let line = Line::read("22-68   <x />");
        assert_eq!((line.indent, line.text), (8, "<x />"));
        let covers = |version: &str| line.stand.covers(version.parse().unwrap());
        assert!(!covers("21.9") && covers("22.0") && covers("68.9") && !covers("69.0"));
        assert_eq!(Line::read("    <x />").indent, 4);
        assert_eq!(Line::read("<x y=\"1\">").text, "<x y=\"1\">");
    }

    #[test]
    fn one_sided_guards_are_open_on_the_other_side() {
        let from = Line::read("64+ <x />").stand;
        assert!(!from.covers(ApiVersion::major(63)) && from.covers(ApiVersion::LAST));
        let until = Line::read("-19 <x />").stand;
        assert!(until.covers(ApiVersion::FIRST) && !until.covers(ApiVersion::major(20)));
    }

    #[test]
    fn every_guard_of_the_template_is_understood() {
        for line in LINES.iter() {
            let start = line.text.chars().next().unwrap();
            let is_known = start == '<' || start.is_ascii_alphabetic() || line.text == "{Objects}";
            assert!(is_known, "{}", line.text);
        }
        assert!(LINES.iter().any(|line| !line.stand.covers(ApiVersion::LAST)));
    }
}
