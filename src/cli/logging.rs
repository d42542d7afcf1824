//! Where the log goes: stderr, for people on a terminal and as JSON lines everywhere else.

use super::exit::{Failure, FailureCode};
use std::env;
use std::io::{self, IsTerminal};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt;

/// The variables that say what is logged, the first that is set.
const VARIABLES: [&str; 2] = ["REFUND_GATEWAY_LOG", "RUST_LOG"];

/// Starts the log; what is logged is said by the environment, else by `default`.
pub(super) fn start(default: &str) -> Result<(), Failure> {
    let written = VARIABLES.iter().find_map(|name| Some((*name, env::var(name).ok()?)));
    let filter = match written.filter(|(_, value)| !value.is_empty()) {
        None => EnvFilter::new(default),
        Some((name, value)) => EnvFilter::try_new(&value).map_err(|error| {
            let message = format!("{name} is `{value}`, which says nothing about a log: {error}");
            Failure::with_hint(FailureCode::Configuration, message, "try `info` or `debug`")
        })?,
    };
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = if io::stderr().is_terminal() {
        builder.try_init()
    } else {
        builder.with_ansi(false).json().flatten_event(true).try_init()
    };
    started.map_err(|error| Failure::new(FailureCode::Runtime, error))
}
