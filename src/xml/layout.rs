//! XML for people: an element a line.
//!
//! What must stay true: it takes any text, also one that is cut or is no XML at all, and changes
//! nothing but white space between tags.

use crate::domain::secret::HIDDEN;

/// How deep lines are indented at most.
const DEPTH_MAX: usize = 32;

/// The lines of a text, each tag on one of its own and indented; a text that has several lines
/// already is left as it is but for that.
pub fn laid_out(text: &str) -> impl Iterator<Item = String> {
    let is_laid_out = text.trim().lines().count() > 2;
    let text = text.replace("><", ">\n<");
    let text = text.replace(&format!(">\n{HIDDEN}\n<"), &format!(">{HIDDEN}<"));
    let mut depth = 0_usize;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("</") {
            depth = depth.saturating_sub(1);
        }
        let indent = if is_laid_out { 0 } else { depth.min(DEPTH_MAX) };
        lines.push(format!("{}{line}", "  ".repeat(indent)));
        if opens(line) {
            depth = depth.saturating_add(1);
        }
    }
    lines.into_iter()
}

/// Whether a line is a start tag whose end tag is on a later one.
fn opens(line: &str) -> bool {
    let is_tag = line.starts_with('<') && line.ends_with('>');
    let is_other = ["</", "<?", "<!"].iter().any(|start| line.starts_with(start));
    is_tag && !is_other && !line.ends_with("/>") && !line.contains("</")
}
