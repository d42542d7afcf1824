//! Where the log goes: stderr, for people on a terminal and as JSON lines everywhere else.
//!
//! What must stay true: a log that cannot be written (a full disk, a reader that is gone or does
//! not read) costs lines and nothing else. So lines go through a bounded buffer to a thread of
//! their own.

mod format;
mod queue;

use super::exit::{Failure, FailureCode, OrFail};
use crate::domain::toml_text::slip;
use format::{ForPeople, JsonLines};
use queue::LastLines;
use std::env;
use std::io::{self, IsTerminal};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

/// The variables that say what is logged, the first that is set.
const VARIABLES: [&str; 2] = ["REFUND_GATEWAY_LOG", "RUST_LOG"];

/// Changes what is logged, while it is.
pub(super) struct Logged {
    default: &'static str,
    change: Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync>,
}

impl Logged {
    /// Logs what the configuration file says, or where it says nothing, the usual. What the
    /// environment says goes before both, and cannot change while the program runs.
    pub(super) fn become_as(&self, written: Option<&str>) -> Result<(), Failure> {
        if of_environment().is_some() {
            return Ok(());
        }
        let filter = filter_of("log", written.unwrap_or(self.default))?;
        (self.change)(filter).map_err(|error| Failure::new(FailureCode::Runtime, error))
    }
}

fn of_environment() -> Option<(&'static str, String)> {
    let written = VARIABLES.iter().find_map(|name| Some((*name, env::var(name).ok()?)));
    written.filter(|(_, value)| !value.is_empty())
}

fn filter_of(name: &str, value: &str) -> Result<EnvFilter, Failure> {
    if let Some(wrong) = wrong_level(value) {
        return Err(Failure::new(FailureCode::Configuration, format_args!("{name} {wrong}")));
    }
    EnvFilter::try_new(with_quiet_statements(value)).map_err(|error| {
        let message = format!("{name} is `{value}`, which says nothing about a log: {error}");
        Failure::with_hint(FailureCode::Configuration, message, "try `info` or `debug`")
    })
}

/// The levels of a log.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What is wrong with a word that is a level but for a slip, if one is there: it would be taken for
/// the name of a module, and nothing would be logged.
pub(super) fn wrong_level(value: &str) -> Option<String> {
    value.split(',').map(str::trim).find_map(|directive| {
        let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level);
        let is_known = LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level));
        let near = slip(level, LEVELS).filter(|_| !is_known)?;
        Some(format!("is `{value}`: there is no level `{level}`; did you mean `{near}`?"))
    })
}

/// Starts the log, which is written as long as the guard lives; what is logged is said by the
/// environment, else by `written`, else by `default`.
pub(super) fn start(
    default: &'static str,
    written: Option<&str>,
) -> Result<(LastLines, Logged), Failure> {
    let filter = match of_environment() {
        None => filter_of("log", written.unwrap_or(default))?,
        Some((name, value)) => filter_of(name, &value)?,
    };
    let started = queue::start(io::stderr());
    let (writer, guard) = started.or_fail(FailureCode::Runtime, "starting the log")?;
    let (filter, handle) = reload::Layer::new(filter);
    let coloured = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = fmt::layer().with_writer(writer).log_internal_errors(false);
    let started = if io::stderr().is_terminal() {
        let lines = lines.event_format(ForPeople { coloured });
        tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()
    } else {
        let lines = lines.event_format(JsonLines);
        tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()
    };
    started.map_err(|error| Failure::new(FailureCode::Runtime, error))?;
    let change = move |filter| handle.reload(filter).map_err(|error| error.to_string());
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(|place| format!("{}:{}", short(place.file()), place.line()));
        let why = panic.payload_as_str().unwrap_or("it gave no reason");
        tracing::error!(at = at.unwrap_or_default(), why, "a panic");
    }));
    Ok((guard, Logged { default, change: Box::new(change) }))
}

/// The filter, and that the migrations show their whole SQL only to who asks for everything. The
/// driver of PostgreSQL shows the values of statements, hashes of passwords and names among them,
/// and so nothing below a warning unless it is asked for by its name.
fn with_quiet_statements(filter: &str) -> String {
    let mut quiet = filter.to_owned();
    if !filter.contains("trace") && !filter.contains("rusqlite_migration") {
        quiet.push_str(",rusqlite_migration=warn");
    }
    if !filter.contains("tokio_postgres") {
        quiet.push_str(",tokio_postgres=warn");
    }
    quiet
}

/// A source file without where it lay on the machine that built this program.
fn short(file: &str) -> &str {
    file.rsplit_once("/src/").map_or(file, |(_, file)| file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_quiet_unless_everything_is_asked_for_and_statements_unless_they_are() {
        let quiet = "debug,rusqlite_migration=warn,tokio_postgres=warn";
        assert_eq!(with_quiet_statements("debug"), quiet);
        assert_eq!(with_quiet_statements("trace"), "trace,tokio_postgres=warn");
        let named = "info,tokio_postgres=debug";
        assert_eq!(with_quiet_statements(named), format!("{named},rusqlite_migration=warn"));
        for good in ["info", "WARN", "debug,hyper=trace", "refund_gateway::http=debug", "hyper"] {
            assert_eq!(wrong_level(good), None, "{good}");
        }
        for (bad, near) in [("debg", "debug"), ("hyper=trce", "trace"), ("info,wran", "warn")] {
            let failure = wrong_level(bad).unwrap();
            assert!(failure.ends_with(&format!("did you mean `{near}`?")), "{failure}");
        }
        assert_eq!(short("/home/x/.cargo/registry/src/y/hyper/src/proto/h1.rs"), "proto/h1.rs");
        assert_eq!(short("src/main.rs"), "src/main.rs");
    }
}
