//! A list of the admin API as a table for people: columns as wide as what they hold, numbers to the
//! right, and what is absent as a dash.

use crate::cli::exit::Failure;
use crate::cli::terminal;
use serde_json::Value;

/// A list, and which keys of its rows are shown.
pub(super) struct Table<'t> {
    /// Its path in the admin API.
    pub(super) path: &'t str,
    /// The key of its rows.
    pub(super) name: &'static str,
    pub(super) columns: &'static [Column],
}

/// A column.
pub(super) struct Column {
    head: &'static str,
    key: &'static str,
    is_number: bool,
}

impl Column {
    /// A column of texts.
    pub(super) const fn text(head: &'static str, key: &'static str) -> Self {
        Self { head, key, is_number: false }
    }

    /// A column of numbers, which end below each other.
    pub(super) const fn number(head: &'static str, key: &'static str) -> Self {
        Self { head, key, is_number: true }
    }
}

impl Table<'_> {
    /// Prints a page to stdout, and to stderr how to go on.
    pub(super) fn print(&self, reported: &Value) -> Result<(), Failure> {
        for line in self.lines(reported) {
            if !terminal::data_is_read(&line)? {
                return Ok(());
            }
        }
        if let Some(next) = reported.get("next").and_then(Value::as_str) {
            terminal::note(&format!("there is more: --cursor {next}"));
        }
        Ok(())
    }

    /// The heads, and a line for each row.
    fn lines(&self, reported: &Value) -> Vec<String> {
        let rows = reported.get(self.name).and_then(Value::as_array).into_iter().flatten();
        let cells = |row: &Value| self.columns.iter().map(|of| cell(row.get(of.key))).collect();
        let heads = self.columns.iter().map(|column| column.head.to_owned()).collect();
        let lines: Vec<Vec<String>> = std::iter::once(heads).chain(rows.map(cells)).collect();
        let width = |place: usize| {
            let cells = lines.iter().filter_map(|line| line.get(place));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let padded = |line: &Vec<String>| {
            let columns = self.columns.iter().zip(&widths);
            let cells = line.iter().zip(columns).map(|(cell, (column, width))| {
                if column.is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        lines.iter().map(padded).collect()
    }
}

/// A value on one line: what a client wrote may have several, or characters that steer a terminal.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => {
            text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect()
        }
        Some(Value::Bool(is_so)) => if *is_so { "yes" } else { "no" }.to_owned(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_are_as_wide_as_what_they_hold_and_numbers_end_below_each_other() {
        const COLUMNS: &[Column] = &[Column::text("NAME", "name"), Column::number("N", "n")];
        let table = Table { path: "x", name: "rows", columns: COLUMNS };
        let rows = json!([{ "name": "a\u{1b}[2J", "n": 7 }, { "name": null, "n": "10.00" }]);
        let lines = table.lines(&json!({ "rows": rows }));
        assert_eq!(lines, ["NAME       N", "a [2J      7", "-      10.00"]);
        assert_eq!(table.lines(&json!({})), ["NAME  N"]);
    }
}
