//! `--list`: what would be replayed, without anything being sent.

use super::exchange::{Exchange, Piece};
use super::subject::Subject;
use super::{blanks, blanks::Values};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What would be replayed.
#[derive(Debug, Default)]
pub struct Listing {
    entries: Vec<Entry>,
    pub(super) left_out: usize,
}

#[derive(Debug)]
struct Entry {
    name: String,
    subject: Option<Subject>,
    /// Why it would not be sent.
    skipped: Option<String>,
}

impl Listing {
    /// Adds what a capture holds at one place.
    pub(super) fn add(&mut self, piece: &Piece, values: &Values) {
        self.entries.push(match piece {
            Piece::Exchange(exchange) => Entry {
                name: exchange.name.clone(),
                subject: Some(exchange.subject()),
                skipped: lacking(exchange, values),
            },
            Piece::Skipped { name, why } => {
                Entry { name: name.clone(), subject: None, skipped: Some(why.clone()) }
            }
        });
    }

    /// Adds a case of a SoapUI project.
    pub(super) fn add_named(&mut self, name: String) {
        self.entries.push(Entry { name, subject: None, skipped: None });
    }

    fn counts(&self) -> (usize, usize) {
        let skipped = self.entries.iter().filter(|entry| entry.skipped.is_some()).count();
        (self.entries.len().saturating_sub(skipped), skipped)
    }

    /// A line for each, and one with the counts.
    pub fn text(&self) -> String {
        let mut lines = String::new();
        // Writing into a String cannot fail.
        for Entry { name, subject, skipped } in &self.entries {
            let _ = match (skipped, subject) {
                (Some(why), _) => writeln!(lines, "SKIPPED {name}: {why}"),
                (None, Some(subject)) => writeln!(lines, "{name} ({subject})"),
                (None, None) => writeln!(lines, "{name}"),
            };
        }
        let (sent, skipped) = self.counts();
        let _ =
            writeln!(lines, "{sent} would be sent, {skipped} skipped, {} left out", self.left_out);
        lines
    }

    /// The same as JSON, an object a line.
    pub fn json(&self) -> String {
        let mut lines = String::new();
        let entry = |Entry { name, subject, skipped }: &Entry| {
            let would = if skipped.is_some() { "skip" } else { "send" };
            let mut entry = json!({ "case": name, "would": would });
            if let Some(entry) = entry.as_object_mut() {
                if let Some(subject) = subject {
                    entry.insert("operation".to_owned(), json!(subject.operation));
                    entry.insert("objects".to_owned(), json!(subject.objects));
                }
                entry.extend(
                    skipped.iter().map(|why| ("why".to_owned(), Value::from(why.as_str()))),
                );
            }
            entry
        };
        for reported in self.entries.iter().map(entry) {
            let _ = writeln!(lines, "{reported}");
        }
        let (sent, skipped) = self.counts();
        let counts = json!({ "send": sent, "skip": skipped, "left_out": self.left_out });
        let _ = writeln!(lines, "{}", json!({ "summary": counts }));
        lines
    }
}

/// Why an exchange would not be sent, as far as that is known before anything is. What is in an
/// element with a secret is swapped when it is sent.
fn lacking(exchange: &Exchange, values: &Values) -> Option<String> {
    let names = blanks::names_outside_secrets(&exchange.request);
    let missing: Vec<_> = names.into_iter().filter(|name| values.get(name).is_none()).collect();
    (!missing.is_empty()).then(|| blanks::missing(&missing))
}
