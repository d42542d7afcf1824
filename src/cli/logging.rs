//! Where the log goes: stderr, for people on a terminal and as JSON lines everywhere else.
//!
//! What must stay true: a log that cannot be written (a full disk, a reader that is gone or does
//! not read) costs lines and nothing else. So lines go through a bounded queue to a thread of their
//! own.

use super::exit::{Failure, FailureCode};
use std::env;
use std::io::{self, IsTerminal};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt;

/// The variables that say what is logged, the first that is set.
const VARIABLES: [&str; 2] = ["REFUND_GATEWAY_LOG", "RUST_LOG"];

/// Starts the log, which is written as long as the guard lives; what is logged is said by the
/// environment, else by `default`.
pub(super) fn start(default: &str) -> Result<WorkerGuard, Failure> {
    let written = VARIABLES.iter().find_map(|name| Some((*name, env::var(name).ok()?)));
    let filter = match written.filter(|(_, value)| !value.is_empty()) {
        None => EnvFilter::new(default),
        Some((name, value)) => EnvFilter::try_new(&value).map_err(|error| {
            let message = format!("{name} is `{value}`, which says nothing about a log: {error}");
            Failure::with_hint(FailureCode::Configuration, message, "try `info` or `debug`")
        })?,
    };
    let (writer, guard) = tracing_appender::non_blocking(io::stderr());
    let builder = fmt().with_env_filter(filter).with_writer(writer).log_internal_errors(false);
    let started = if io::stderr().is_terminal() {
        builder.try_init()
    } else {
        builder.with_ansi(false).json().flatten_event(true).try_init()
    };
    started.map_err(|error| Failure::new(FailureCode::Runtime, error))?;
    Ok(guard)
}
