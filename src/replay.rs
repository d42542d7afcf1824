//! Sends captured requests to an endpoint and compares the answers with the captured ones.
//!
//! What must stay true: secrets of a capture or of an answer never reach a report; nothing is sent
//! twice; an endpoint that is not on this machine gets nothing without being allowed to; and a
//! difference is never an error, nor an error a difference.
//!
//! Captures are the folders of a catalogue (see `fixtures/README.md`), pairs of files, HARs and
//! cassettes of VCR (see `docs/REPLAY.md`), read one exchange at a time, or SoapUI projects (see
//! `docs/SOAPUI.md`), which are judged by their own assertions. Without an endpoint a
//! gateway of its own is started and seeded for them.

mod canonical;
mod capture;
mod carried;
mod catalogue;
mod compare;
mod diff;
mod error;
mod exchange;
mod html;
mod in_process;
mod json;
mod junit;
mod live;
mod place;
mod placeholder;
mod plain;
mod raw;
mod record;
mod remote;
mod report;
mod rules;
mod run;
mod scrub;
mod secret;
mod session;
mod shape;
mod shown;
mod soapui;
mod text;
mod update;
mod walk;
mod worker;

pub use compare::{Difference, Level};
pub use error::ReplayError;
pub use html::Html;
pub use json::Json;
pub use junit::Junit;
pub use place::{NotAPlace, Place};
pub use record::{RecordError, Recorded, Recorder};
pub use report::{CaseReport, Failure, Outcome, Reporter, Summary};
pub use rules::Pattern;
pub use session::Credentials;
pub use soapui::{CheckReport, Exchange, StepReport, TestCaseReport, Verdict};
pub use text::Text;

use crate::client::ClientLimits;
use report::Tally;
use std::path::PathBuf;

/// What is replayed, where to, and how closely it is compared.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folders with captures in or below them, and files that are captures.
    pub paths: Vec<PathBuf>,
    /// The URL of the endpoint; without it a gateway is started.
    pub endpoint: Option<String>,
    /// The seed of that gateway, and whose users can log in; without it the nearest `seed.toml`
    /// beside or above the captures, or the built-in demo.
    pub seed: Option<PathBuf>,
    /// The user that `{{session}}` means; without it the first one of the seed.
    pub credentials: Option<Credentials>,
    /// How many requests are on their way at once. With more than one the order is not kept.
    pub concurrency: usize,
    /// How closely answers are compared.
    pub compare: Level,
    /// Places that are not compared in any case.
    pub ignore: Vec<Place>,
    /// Places whose text only has to match, in all cases.
    pub matches: Vec<(Place, Pattern)>,
    /// Whether answers that differ become the new captures.
    pub update: bool,
    /// Whether the endpoint may be on another machine.
    pub allow_remote: bool,
    /// Whether an endpoint on another machine may get requests that change something.
    pub allow_writes: bool,
    /// How long to wait and how much to read.
    pub limits: ClientLimits,
}

impl Options {
    /// A replay of `paths` with the default of every option.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            endpoint: None,
            seed: None,
            credentials: None,
            concurrency: 1,
            compare: Level::default(),
            ignore: Vec::new(),
            matches: Vec::new(),
            update: false,
            allow_remote: false,
            allow_writes: false,
            limits: ClientLimits::default(),
        }
    }
}

/// Replays, and tells the reporter case by case. Blocks until all is done, so it must not be called
/// from async code. What was done before an error is reported, too.
pub fn run(options: &Options, reporter: &mut dyn Reporter) -> Result<Summary, ReplayError> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| ReplayError::Runtime(format!("threads cannot be started: {error}")))?;
    let mut tally = Tally::new(reporter);
    let done = runtime.block_on(async {
        tokio::select! {
            done = soapui::replay_or(options, &mut tally) => done,
            Ok(()) = tokio::signal::ctrl_c() => Err(ReplayError::Interrupted),
        }
    });
    // A thread that is still reading a capture is not waited for.
    runtime.shutdown_background();
    tally.end(done)
}
