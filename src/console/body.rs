//! Bodies for people: laid out in lines, and two of them side by side with what differs marked.
//!
//! What must stay true: any text is taken, also one that is cut; how many lines are compared and
//! how much of a line is shown is bounded, and what is left away is said.

use crate::xml::laid_out;
use similar::{Algorithm, ChangeTag, capture_diff_slices_deadline};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// How many lines are shown before the others are folded.
pub(super) const LINES_OPEN: usize = 120;
/// How many lines are shown at most.
const LINES_MAX: usize = 4_000;
/// How much of a line is shown, in characters.
const CHARACTERS_MAX: usize = 600;
/// After so long a coarser comparison has to do.
const PATIENCE: Duration = Duration::from_millis(200);

/// In which of two bodies a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum In {
    Both,
    /// Only in the one that is looked at.
    This,
    /// Only in the one that it is compared with.
    Other,
}

/// A line of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) found: In,
    pub(super) text: String,
}

/// A body as a page shows it.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The lines that stand open.
    pub(super) open: Vec<Line>,
    /// Those that are folded.
    pub(super) folded: Vec<Line>,
    /// How many more there are.
    pub(super) left_out: usize,
    /// How many differ from the other.
    pub(super) differing: usize,
}

impl Shown {
    /// Lines that are compared already.
    fn of(mut all: Vec<Line>) -> Self {
        let differing = all.iter().filter(|line| line.found != In::Both).count();
        let left_out = all.len().saturating_sub(LINES_MAX);
        all.truncate(LINES_MAX);
        let folded = all.split_off(all.len().min(LINES_OPEN));
        Self { open: all, folded, left_out, differing }
    }

    /// The parts of the body: whether they are folded, and their lines.
    pub(super) fn parts(&self) -> [(bool, &[Line]); 2] {
        [(false, &self.open), (true, &self.folded)]
    }
}

/// A body, compared with another one if there is one.
pub(super) fn shown(body: &str, other: Option<&str>) -> Shown {
    let these = lines(body);
    Shown::of(match other {
        None => these.into_iter().map(|text| Line { found: In::Both, text }).collect(),
        Some(other) => compared(&these, &lines(other)),
    })
}

/// Lines that a replay compared, each of which begins with a space, `-` for what was expected, or
/// `+` for what came.
pub(super) fn of_replay(lines: &[String]) -> Shown {
    let line = |line: &String| {
        let (found, text) = match line.split_at_checked(1) {
            Some(("+", text)) => (In::This, text),
            Some(("-", text)) => (In::Other, text),
            Some((" ", text)) => (In::Both, text),
            _ => (In::Both, line.as_str()),
        };
        Line { found, text: cut(text) }
    };
    Shown::of(lines.iter().map(line).collect())
}

/// A body that others are compared with.
pub(super) struct Likeness(Vec<String>);

impl Likeness {
    /// To this body.
    pub(super) fn to(body: &str) -> Self {
        Self(lines(body))
    }

    /// How alike another body is: lines that both have, of a thousand.
    pub(super) fn of(&self, other: &str) -> usize {
        let others = lines(other);
        let known: HashSet<&String> = others.iter().collect();
        let same = self.0.iter().filter(|line| known.contains(line)).count();
        (same * 1_000).checked_div(self.0.len().max(others.len())).unwrap_or(0)
    }
}

/// The lines of a body, whichever form it has.
fn lines(body: &str) -> Vec<String> {
    match body.trim_start().chars().next() {
        Some('{' | '[') => laid_out_json(body),
        _ => laid_out(body).map(|line| cut(&line)).collect(),
    }
}

fn compared(these: &[String], others: &[String]) -> Vec<Line> {
    let deadline = Some(Instant::now() + PATIENCE);
    let operations = capture_diff_slices_deadline(Algorithm::Myers, others, these, deadline);
    let changes = operations.iter().flat_map(|operation| operation.iter_changes(others, these));
    let line = |change: similar::Change<String>| Line {
        found: match change.tag() {
            ChangeTag::Equal => In::Both,
            ChangeTag::Insert => In::This,
            ChangeTag::Delete => In::Other,
        },
        text: change.value(),
    };
    changes.map(line).collect()
}

/// JSON with a member a line, its numbers and texts as they were written.
fn laid_out_json(text: &str) -> Vec<String> {
    let (mut lines, mut line, mut depth) = (Vec::new(), String::new(), 0_usize);
    let (mut is_text, mut is_escaped) = (false, false);
    let mut next = |line: &mut String, depth: usize| {
        let done = std::mem::replace(line, "  ".repeat(depth.min(32)));
        if !done.trim().is_empty() {
            lines.push(cut(&done));
        }
    };
    for character in text.chars() {
        if is_text {
            line.push(character);
            is_text = character != '"' || is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            continue;
        }
        match character {
            '"' => {
                line.push(character);
                is_text = true;
            }
            '{' | '[' => {
                line.push(character);
                depth = depth.saturating_add(1);
                next(&mut line, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                next(&mut line, depth);
                line.push(character);
            }
            ',' => {
                line.push(character);
                next(&mut line, depth);
            }
            ':' => line.push_str(": "),
            blank if blank.is_whitespace() => {}
            other => line.push(other),
        }
    }
    next(&mut line, 0);
    lines
}

/// The start of a line that is too long to be read.
fn cut(line: &str) -> String {
    let Some((end, _)) = line.char_indices().nth(CHARACTERS_MAX) else { return line.to_owned() };
    let (start, rest) = line.split_at(end);
    format!("{start}… and {} more characters", rest.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lines: &[Line]) -> Vec<String> {
        let sign = |line: &Line| match line.found {
            In::Both => ' ',
            In::This => '+',
            In::Other => '-',
        };
        lines.iter().map(|line| format!("{}{}", sign(line), line.text)).collect()
    }

    #[test]
    fn xml_is_laid_out_and_what_differs_is_marked() {
        let shown = shown("<a><b>1</b><c/></a>", Some("<a><b>2</b><c/></a>"));
        assert_eq!(texts(&shown.open), [" <a>", "-  <b>2</b>", "+  <b>1</b>", "   <c/>", " </a>"]);
        assert_eq!((shown.differing, shown.left_out), (2, 0));
    }

    #[test]
    fn what_a_replay_compared_keeps_its_marks() {
        let lines = [" <a>", "-é", "+", "é", ""].map(str::to_owned);
        let shown = of_replay(&lines);
        assert_eq!(texts(&shown.open), [" <a>", "-é", "+", " é", " "]);
        assert_eq!(shown.differing, 2);
    }

    #[test]
    fn json_keeps_its_numbers_and_texts() {
        let shown = shown(r#"{"a":10.00,"b":["x, {y}",{}]}"#, None);
        let expected = [
            " {",
            "   \"a\": 10.00,",
            "   \"b\": [",
            "     \"x, {y}\",",
            "     {",
            "     }",
            "   ]",
            " }",
        ];
        assert_eq!(texts(&shown.open), expected);
    }

    #[test]
    fn what_is_long_is_folded_and_cut() {
        let found = shown(&"<a/>".repeat(5_000), None);
        assert_eq!((found.open.len(), found.folded.len()), (LINES_OPEN, LINES_MAX - LINES_OPEN));
        assert_eq!(found.left_out, 1_000);
        assert!(shown(&"x".repeat(700), None).open[0].text.ends_with("… and 100 more characters"));
        assert!(shown("", None).open.is_empty());
    }

    #[test]
    fn what_is_alike_has_the_same_lines() {
        let one = "<a><b>1</b><c/></a>";
        let likeness = Likeness::to(one);
        assert_eq!(likeness.of(one), 1_000);
        assert!(likeness.of("<a><b>2</b><c/></a>") > likeness.of("<q/>"));
        assert_eq!(Likeness::to("").of(""), 0);
    }
}
