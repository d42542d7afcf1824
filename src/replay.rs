//! Sends captured requests to an endpoint and compares the answers with the captured ones.
//!
//! What must stay true: secrets of a capture or of an answer never reach a report; nothing is sent
//! twice; an endpoint that is not on this machine gets nothing without being allowed to; and a
//! difference is never an error, nor an error a difference.
//!
//! Captures are the folders of a catalogue (see `fixtures/README.md`), pairs of files, HARs and
//! cassettes of VCR (see `docs/REPLAY.md`), read one exchange at a time, or SoapUI projects (see
//! `docs/SOAPUI.md`), which are judged by their own assertions. This room knows no server: it is
//! handed an endpoint, which is running or was started by the caller for what [`Survey`] asks for.

mod blanks;
mod byte_diff;
mod caller;
mod canonical;
mod capture;
mod carried;
mod catalogue;
mod compare;
mod diff;
mod difference;
mod document;
mod draft;
mod error;
mod exchange;
mod html;
mod json;
mod json_lines;
mod junit;
mod listing;
mod live;
mod live_rest;
mod place;
mod placeholder;
mod plain;
mod raw;
mod record;
mod references;
mod remote;
mod report;
mod rest;
mod retry;
mod rules;
mod run;
mod scrub;
mod secret;
mod seed_text;
mod selection;
mod served;
mod session;
mod shape;
mod shown;
mod soapui;
mod subject;
mod survey;
mod text;
mod unknown;
mod update;
mod walk;
mod worker;

pub use blanks::Values;
pub use compare::{Difference, Level};
pub use document::Document;
pub use error::ReplayError;
pub use html::Html;
pub use json::Json;
pub use junit::Junit;
pub use listing::Listing;
pub use place::{NotAPlace, Place};
pub use record::{Call, RecordError, Recorded, Recorder};
pub use report::{CaseReport, Failure, Outcome, Reporter, Start, Summary};
pub use rules::Pattern;
pub use run::Target;
pub use seed_text::SeedText;
pub use selection::{Glob, Selection};
pub use session::{Credentials, OauthClient};
pub use soapui::{CheckReport, Exchange, StepReport, TestCaseReport, Verdict};
pub use survey::{DraftedSeed, Survey};
pub use text::Text;

use crate::client::ClientLimits;
use chrono::{DateTime, Utc};
use report::Tally;
use std::path::PathBuf;
use survey::Work;

/// What is replayed, where to, and how closely it is compared.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folders with captures in or below them, and files that are captures.
    pub paths: Vec<PathBuf>,
    /// The URL of a running endpoint; without it the caller starts one.
    pub endpoint: Option<String>,
    /// The moment at which the clock of an endpoint that is started stands still; without it the
    /// one that the rules of the captures name, or the machine's clock.
    pub clock: Option<DateTime<Utc>>,
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
    /// Which captures are replayed.
    pub selection: Selection,
    /// Values for the blanks of captures.
    pub values: Values,
    /// Whether captures are only listed.
    pub list: bool,
    /// Whether a seed is drafted from the captures, and nothing is sent.
    pub draft: bool,
    /// How often a request is sent again that got no answer, where nothing can be done twice by it.
    pub retries: u32,
    /// Whether nothing is sent after the first difference.
    pub fail_fast: bool,
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
            clock: None,
            seed: None,
            credentials: None,
            concurrency: 1,
            compare: Level::default(),
            ignore: Vec::new(),
            matches: Vec::new(),
            update: false,
            selection: Selection::default(),
            values: Values::default(),
            list: false,
            draft: false,
            retries: 0,
            fail_fast: false,
            allow_remote: false,
            allow_writes: false,
            limits: ClientLimits::default(),
        }
    }
}

/// A replay, from the look at its captures to the end of its reports.
pub struct Replay<'r> {
    options: Options,
    tally: Tally<'r>,
}

impl<'r> Replay<'r> {
    /// A replay that reports to `reporter`.
    pub fn new(options: Options, reporter: &'r mut dyn Reporter) -> Self {
        Self { options, tally: Tally::new(reporter) }
    }

    /// Looks at all captures, and refuses what cannot be read or may not be sent.
    pub async fn survey(&self) -> Result<Survey, ReplayError> {
        survey::survey(&self.options).await
    }

    /// Sends what was looked at, and reports case by case.
    pub async fn send(&mut self, survey: Survey, target: Target) -> Result<(), ReplayError> {
        let Self { options, tally } = self;
        match survey.work {
            Work::Captures(plan) => run::send_all(target, plan, options, tally).await,
            Work::Projects(projects) => {
                soapui::run_at(target.endpoint, &projects, options, tally).await
            }
        }
    }

    /// Ends the reports as the replay ended; what was done before an error is in them, too.
    pub fn end(self, done: Result<(), ReplayError>) -> Result<Summary, ReplayError> {
        self.tally.end(done)
    }
}
