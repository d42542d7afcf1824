//! How a line of the log looks: JSON for machines, columns and colours for people.
//!
//! What must stay true: a line stays one line, also with a client's text in it, and a terminal is
//! sent no control character but this program's own colours; colour never says anything alone.

use chrono::{DateTime, Local, Utc};
use serde_json::Value;
use std::cell::RefCell;
use std::fmt::{self, Write as _};
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
        self.0.push((field.name(), decimals(value).parse().unwrap_or(value).into()));
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

/// One JSON object a line: the moment, the level, the message, the other fields in their order, and
/// where it comes from.
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
        #[expect(clippy::disallowed_methods, reason = "a log is about real time")]
        let now = Utc::now();
        // One piece for the writer, which is called by way of a table for each.
        let mut line = String::with_capacity(LINE_BYTES);
        write_moment(&mut line, now)?;
        line.extend(["\",\"level\":\"", metadata.level().as_str(), "\""]);
        let mut fields = JsonFields {
            message: None,
            others: String::with_capacity(LINE_BYTES),
            written: Ok(()),
        };
        event.record(&mut fields);
        let JsonFields { message, others, written } = fields;
        written?;
        line.extend([message.as_deref().unwrap_or_default(), &others, ",\"target\":\""]);
        Escaped(&mut line).write_str(metadata.target())?;
        line.push_str("\"}\n");
        writer.write_str(&line)
    }
}

/// What a line hardly ever exceeds, in bytes.
const LINE_BYTES: usize = 512;

/// Begins a line with its moment, up to the closing quote. What a second's lines have in common is
/// made once.
fn write_moment(line: &mut String, now: DateTime<Utc>) -> fmt::Result {
    thread_local! {
        static SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
    }
    SECOND.with_borrow_mut(|(second, text)| {
        if *second != now.timestamp() {
            *second = now.timestamp();
            *text = format!("{{\"time\":\"{}", now.format("%Y-%m-%dT%H:%M:%S"));
        }
        write!(line, "{text}.{:06}Z", now.timestamp_subsec_micros())
    })
}

/// The fields of an event as members of a JSON object, each behind a comma.
struct JsonFields {
    /// What is said in words, which comes before the others.
    message: Option<String>,
    others: String,
    written: fmt::Result,
}

impl JsonFields {
    fn member(&mut self, field: &Field, value: impl FnOnce(&mut String) -> fmt::Result) {
        if self.written.is_err() {
            return;
        }
        let members = match field.name() {
            "message" => self.message.get_or_insert_default(),
            _ => &mut self.others,
        };
        members.extend([",\"", field.name(), "\":"]);
        self.written = value(members);
    }

    fn text(&mut self, field: &Field, write: impl FnOnce(&mut Escaped<'_>) -> fmt::Result) {
        self.member(field, |line| {
            line.push('"');
            write(&mut Escaped(line))?;
            line.push('"');
            Ok(())
        });
    }
}

impl Visit for JsonFields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.member(field, |line| match value.is_finite() {
            true => line.write_str(&decimals(value)),
            false => line.write_str("null"),
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |line| line.write_str(itoa::Buffer::new().format(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |line| line.write_str(itoa::Buffer::new().format(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |line| write!(line, "{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, |text| text.write_str(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, |text| write!(text, "{value:?}"));
    }
}

/// A number to three decimals, without the noise that arithmetic leaves behind them.
fn decimals(value: f64) -> String {
    let mut text = format!("{value:.3}");
    let zeros = text.bytes().rev().take(2).take_while(|byte| *byte == b'0').count();
    text.truncate(text.len() - zeros);
    text
}

/// Writes what stands in a JSON text.
struct Escaped<'l>(&'l mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let is_special = |one: u8| matches!(one, b'"' | b'\\' | 0..=0x1f);
        let mut rest = text;
        while let Some(at) = rest.bytes().position(is_special) {
            let (plain, special) = rest.split_at(at);
            self.0.push_str(plain);
            let mut characters = special.chars();
            match characters.next() {
                Some('\n') => self.0.push_str("\\n"),
                Some('\r') => self.0.push_str("\\r"),
                Some('\t') => self.0.push_str("\\t"),
                Some(quoted @ ('"' | '\\')) => self.0.extend(['\\', quoted]),
                Some(control) => write!(self.0, "\\u{:04x}", u32::from(control))?,
                None => {}
            }
            rest = characters.as_str();
        }
        self.0.push_str(rest);
        Ok(())
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
    fn a_json_line_reads_back_as_what_was_logged() {
        let mut text = String::new();
        let odd = "a\"b\\c\nd\re\tf\u{1}\u{8}\u{202e}é";
        write_moment(&mut text, DateTime::UNIX_EPOCH).unwrap();
        text.push_str("\",\"odd\":\"");
        write!(Escaped(&mut text), "{odd}").unwrap();
        text.push_str("\"}");
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["time"], "1970-01-01T00:00:00.000000Z");
        assert_eq!(read["odd"], odd);
    }

    /// Regression: durations were logged as 0.30000000000000004.
    #[test]
    fn a_number_has_three_decimals_and_no_noise() {
        for (value, text) in [
            (0.300_000_000_000_000_04, "0.3"),
            (12.0, "12.0"),
            (0.25, "0.25"),
            (1_234.567_499_9, "1234.567"),
            (0.000_4, "0.0"),
        ] {
            assert_eq!(decimals(value), text);
        }
    }

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
