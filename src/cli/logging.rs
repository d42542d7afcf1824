//! Where the log goes: stderr, for people on a terminal and as JSON lines everywhere else.
//!
//! What must stay true: a log that cannot be written (a full disk, a reader that is gone or does
//! not read) costs lines and nothing else. So lines go through a bounded buffer to a thread of
//! their own.

mod format;
mod queue;

use super::exit::{Failure, FailureCode, OrFail};
use format::{ForPeople, JsonLines};
use queue::LastLines;
use std::env;
use std::io::{self, IsTerminal};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt;

/// The variables that say what is logged, the first that is set.
const VARIABLES: [&str; 2] = ["REFUND_GATEWAY_LOG", "RUST_LOG"];

/// Starts the log, which is written as long as the guard lives; what is logged is said by the
/// environment, else by `default`.
pub(super) fn start(default: &str) -> Result<LastLines, Failure> {
    let written = VARIABLES.iter().find_map(|name| Some((*name, env::var(name).ok()?)));
    let filter = match written.filter(|(_, value)| !value.is_empty()) {
        None => EnvFilter::new(with_quiet_migrations(default)),
        Some((name, value)) => {
            EnvFilter::try_new(with_quiet_migrations(&value)).map_err(|error| {
                let message =
                    format!("{name} is `{value}`, which says nothing about a log: {error}");
                Failure::with_hint(FailureCode::Configuration, message, "try `info` or `debug`")
            })?
        }
    };
    let started = queue::start(io::stderr());
    let (writer, guard) = started.or_fail(FailureCode::Runtime, "starting the log")?;
    let builder = fmt().with_env_filter(filter).with_writer(writer).log_internal_errors(false);
    let started = if io::stderr().is_terminal() {
        let coloured = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        builder.event_format(ForPeople { coloured }).try_init()
    } else {
        builder.event_format(JsonLines).try_init()
    };
    started.map_err(|error| Failure::new(FailureCode::Runtime, error))?;
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(|place| format!("{}:{}", short(place.file()), place.line()));
        let why = panic.payload_as_str().unwrap_or("it gave no reason");
        tracing::error!(at = at.unwrap_or_default(), why, "a panic");
    }));
    Ok(guard)
}

/// The filter, and that the migrations show their whole SQL only to who asks for everything.
fn with_quiet_migrations(filter: &str) -> String {
    if filter.contains("trace") || filter.contains("rusqlite_migration") {
        return filter.to_owned();
    }
    format!("{filter},rusqlite_migration=warn")
}

/// A source file without where it lay on the machine that built this program.
fn short(file: &str) -> &str {
    file.rsplit_once("/src/").map_or(file, |(_, file)| file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_quiet_unless_everything_is_asked_for() {
        assert_eq!(with_quiet_migrations("debug"), "debug,rusqlite_migration=warn");
        assert_eq!(with_quiet_migrations("trace"), "trace");
        assert_eq!(short("/home/x/.cargo/registry/src/y/hyper/src/proto/h1.rs"), "proto/h1.rs");
        assert_eq!(short("src/main.rs"), "src/main.rs");
    }
}
