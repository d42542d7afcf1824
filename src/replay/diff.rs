//! Two lists of lines, side by side as a line diff that stays readable and bounded.

use super::canonical::Line;
use similar::{Algorithm, ChangeTag, capture_diff_slices_deadline, group_diff_ops};
use std::time::{Duration, Instant};

/// How many equal lines are shown around a difference.
const CONTEXT: usize = 3;
/// How many lines a diff has at most.
const LINES_MAX: usize = 200;
/// How much of a line is shown.
const CHARACTERS_MAX: usize = 1_000;
/// After so long a coarser diff has to do.
const PATIENCE: Duration = Duration::from_millis(500);

/// What differs.
pub(super) struct Found {
    /// The path of the first line that differs, if any does.
    pub(super) first: Option<String>,
    /// The diff.
    pub(super) lines: Vec<String>,
}

/// Compares two lists of lines.
pub(super) fn lines(expected: &[Line], actual: &[Line]) -> Found {
    if expected == actual {
        return Found { first: None, lines: Vec::new() };
    }
    let deadline = Some(Instant::now() + PATIENCE);
    let operations = capture_diff_slices_deadline(Algorithm::Myers, expected, actual, deadline);
    let mut first = None;
    let mut shown = Vec::new();
    let mut left_out = 0_usize;
    for (number, group) in group_diff_ops(operations, CONTEXT).iter().enumerate() {
        if number > 0 && shown.len() < LINES_MAX {
            shown.push("  ...".to_owned());
        }
        for change in group.iter().flat_map(|operation| operation.iter_changes(expected, actual)) {
            let line: Line = change.value();
            let mark = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            if mark != ' ' && first.is_none() {
                first = Some(line.path.clone());
            }
            if shown.len() < LINES_MAX {
                shown.push(format!("{mark}{}", cut(&line.shown)));
            } else {
                left_out = left_out.saturating_add(1);
            }
        }
    }
    if left_out > 0 {
        shown.push(format!("  ... and {left_out} more lines"));
    }
    Found { first, lines: shown }
}

/// The start of a line that is too long to be read.
pub(super) fn cut(line: &str) -> String {
    let Some((end, _)) = line.char_indices().nth(CHARACTERS_MAX) else { return line.to_owned() };
    let (shown, rest) = line.split_at(end);
    format!("{shown}... and {} more characters", rest.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(lines: &[&str]) -> Vec<Line> {
        lines.iter().map(|line| Line::plain((*line).to_owned())).collect()
    }

    fn diff(expected: &[&str], actual: &[&str]) -> Vec<String> {
        lines(&plain(expected), &plain(actual)).lines
    }

    #[test]
    fn equal_lines_are_no_difference() {
        assert_eq!(diff(&["a", "b"], &["a", "b"]), [""; 0]);
        assert!(lines(&plain(&["a"]), &plain(&["a"])).first.is_none());
        assert!(lines(&plain(&["a"]), &plain(&[])).first.is_some());
    }

    #[test]
    fn differences_stand_among_their_neighbours() {
        let expected = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];
        let mut actual = expected;
        (actual[0], actual[10]) = ("one", "eleven");
        let shown =
            ["-1", "+one", " 2", " 3", " 4", "  ...", " 8", " 9", " 10", "-11", "+eleven", " 12"];
        assert_eq!(diff(&expected, &actual), shown);
    }

    #[test]
    fn a_diff_is_bounded() {
        let many: Vec<_> = (0..10_000).map(|number| Line::plain(number.to_string())).collect();
        let found = lines(&many, &[]);
        assert_eq!(found.lines.len(), LINES_MAX + 1);
        assert_eq!(found.lines[LINES_MAX], "  ... and 9800 more lines");
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let shown = diff(&["é".repeat(1_001).as_str()], &[]);
        assert_eq!(shown, [format!("-{}... and 1 more characters", "é".repeat(1_000))]);
        assert_eq!(cut(&"é".repeat(1_000)), "é".repeat(1_000));
    }
}
