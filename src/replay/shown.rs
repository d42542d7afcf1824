//! A body for people: one element a line, no secrets, and not too much of it.

use super::canonical::printable;
use super::diff::cut;
use super::secret::text_without_secrets;
use crate::xml::laid_out;

/// How many lines of a request or an answer a report gets.
const LINES_MAX: usize = 400;
/// A body as a report shows it. Secrets known by their elements are hidden; other secrets are not.
pub(super) fn shown(body: &[u8]) -> String {
    let text = text_without_secrets(body);
    let mut lines = laid_out(&text);
    let mut shown = String::new();
    for line in lines.by_ref().take(LINES_MAX) {
        shown.push_str(&cut(&printable(&line)));
        shown.push('\n');
    }
    let left_out = lines.count();
    if left_out > 0 {
        shown.push_str(&format!("... and {left_out} more lines\n"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_one_line_is_laid_out() {
        let body = b"<?xml version='1.0'?><a x='>'><b>1</b><c/><d><password>s</password></d>text\
                     </a>";
        let expected = "<?xml version='1.0'?>\n<a x='>'>\n  <b>1</b>\n  <c/>\n  <d>\n    \
                        <password><!-- hidden --></password>\n  </d>text</a>\n";
        assert_eq!(shown(body), expected);
    }

    #[test]
    fn what_is_laid_out_stays_so() {
        let body = "<a>\n   <b><c/></b>\n</a>\n";
        assert_eq!(shown(body.as_bytes()), "<a>\n   <b>\n<c/>\n</b>\n</a>\n");
    }

    #[test]
    fn what_is_long_is_cut() {
        let many = shown("<a/>\n".repeat(401).as_bytes());
        assert!(many.ends_with("<a/>\n... and 1 more lines\n"), "{many}");
        assert_eq!(shown(b"\x1b[31m\0"), "\\u{1b}[31m\\u{0}\n");
    }
}
