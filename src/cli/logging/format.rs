//! How a line of the log looks: JSON for machines, columns and colours for people.
//!
//! What must stay true: a line is one line whatever a client wrote into it, and a terminal is sent
//! no control character but this program's own colours; colour never says anything alone.

use chrono::{Local, SecondsFormat, Utc};
use serde_json::{Map, Value};
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The fields of an event by their names, in their order.
#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn of(event: &Event<'_>) -> Self {
        let mut fields = Self::default();
        event.record(&mut fields);
        fields
    }

    /// Takes out what is said in words.
    fn take_message(&mut self) -> Option<Value> {
        let place = self.0.iter().position(|(name, _)| *name == "message")?;
        Some(self.0.remove(place).1)
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), value.into()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.push((field.name(), value.into()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.into()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}").into()));
    }
}

/// One JSON object a line.
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let mut fields = Fields::of(event);
        let mut line = Map::new();
        #[expect(clippy::disallowed_methods, reason = "a log is about real time")]
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        line.insert("time".to_owned(), now.into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.extend(fields.take_message().map(|message| ("message".to_owned(), message)));
        line.extend(fields.0.into_iter().map(|(name, value)| (name.to_owned(), value)));
        line.insert("target".to_owned(), metadata.target().into());
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// A line for people; coloured, or not where that is not wanted.
pub(super) struct ForPeople {
    pub(super) coloured: bool,
}

const RESET: &str = "\u{1b}[0m";
const DIM: &str = "\u{1b}[2m";

impl ForPeople {
    fn paint(&self, colour: &str, text: &str) -> String {
        if self.coloured { format!("{colour}{text}{RESET}") } else { text.to_owned() }
    }

    const fn colour(level: &Level) -> &'static str {
        match *level {
            Level::ERROR => "\u{1b}[31m",
            Level::WARN => "\u{1b}[33m",
            Level::INFO => "\u{1b}[32m",
            _ => DIM,
        }
    }
}

impl<S, N> FormatEvent<S, N> for ForPeople
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = event.metadata().level();
        let mut fields = Fields::of(event);
        #[expect(clippy::disallowed_methods, reason = "a log is about real time")]
        let time = Local::now().format("%H:%M:%S%.3f").to_string();
        let shown_level = self.paint(Self::colour(level), &format!("{:<5}", level.as_str()));
        let message = fields.take_message().as_ref().map(plain).unwrap_or_default();
        write!(writer, "{} {shown_level} {message}", self.paint(DIM, &time))?;
        for (name, value) in &fields.0 {
            let text = plain(value);
            if !text.is_empty() {
                write!(writer, " {}{text}", self.paint(DIM, &format!("{name}=")))?;
            }
        }
        writeln!(writer)
    }
}

/// A value as one word or some, without control characters; quoted where it holds blanks.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let is_odd = |one: char| one.is_control() || is_invisible(one);
    if !text.contains(is_odd) {
        return text;
    }
    let escape = |one: char| -> String {
        if is_odd(one) { one.escape_unicode().collect() } else { one.into() }
    };
    text.chars().map(escape).collect()
}

/// Characters that change the direction or the place of others and show nothing themselves.
const fn is_invisible(one: char) -> bool {
    let is_mark = matches!(one, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}');
    is_mark || matches!(one, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_client_writes_ends_a_line_or_steers_a_terminal() {
        let hostile = "a\n2026 INFO request\r\u{1b}[31m\u{9b}1m\u{202e}\u{7}b";
        let shown = plain(&Value::from(hostile));
        assert!(!shown.contains(|one: char| one.is_control() || one == '\u{202e}'), "{shown}");
        assert!(shown.starts_with("a\\u{a}2026") && shown.ends_with('b'), "{shown}");
        assert_eq!(plain(&Value::from("plain é")), "plain é");
        assert_eq!(plain(&Value::from(7)), "7");
    }
}
