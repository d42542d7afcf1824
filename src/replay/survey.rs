//! What is found out before anything is sent: how many exchanges there are, whether all can be
//! read, whether all may be sent, and what the endpoint has to be for them.
//!
//! What must stay true: everything that can be refused is refused here, so that a replay that is
//! refused has sent nothing. Nothing of the captures is kept.

use super::Options;
use super::blanks;
use super::capture::{CaptureFile, Stopped};
use super::catalogue::Case;
use super::compare::Level;
use super::draft::Draft;
use super::error::ReplayError;
use super::exchange::Piece;
use super::listing::Listing;
use super::remote::{given_endpoint, refuse_write};
use super::rules::Rules;
use super::seed_text::SeedText;
use super::selection::{Candidate, Matched};
use super::session::Users;
use super::soapui::{self, Projects};
use super::walk::{self, Capture, Given};
use crate::client::Endpoint;
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};

/// Captures that were looked at, and what they need.
pub struct Survey {
    /// The endpoint that the options name. Without one the caller starts one.
    pub endpoint: Option<Endpoint>,
    /// The seed of the endpoint that is started: the one that the options name, else the nearest
    /// `seed.toml` beside or above the captures.
    pub seed: Option<SeedText>,
    /// The moment at which the clock of the endpoint that is started stands still.
    pub clock: Option<DateTime<Utc>>,
    /// What would be replayed, if that is all that is asked for.
    pub listing: Option<Listing>,
    /// The seed that was drafted, if that is all that is asked for.
    pub draft: Option<DraftedSeed>,
    /// What there is to say beside.
    pub notes: Vec<String>,
    pub(super) work: Work,
}

/// A seed for the objects that captures take for granted.
#[derive(Debug)]
pub struct DraftedSeed {
    /// The seed, as TOML.
    pub text: String,
    /// What is in it, in words.
    pub in_short: String,
}

/// What is done at the endpoint.
pub(super) enum Work {
    /// Captures are sent, and the answers compared.
    Captures(Plan),
    /// SoapUI projects are run.
    Projects(Projects),
}

/// Captures, in short.
pub(super) struct Plan {
    pub(super) count: usize,
    pub(super) left_out: usize,
    pub(super) given: Given,
    pub(super) users: Users,
}

/// Looks at everything that the options name.
pub(super) async fn survey(options: &Options) -> Result<Survey, ReplayError> {
    options.paths.iter().try_for_each(|path| check_is_readable_twice(path))?;
    check(options)?;
    let projects = soapui::projects(options)?;
    let endpoint = given_endpoint(options)?;
    if endpoint.is_some() && options.clock.is_some() {
        let message = "--clock is for the gateway that replay starts, and --endpoint names another";
        return Err(ReplayError::Usage(message.to_owned()));
    }
    let seed = options.seed.clone().or_else(|| walk::seed_of(&options.paths));
    let seed = seed.map(|file| SeedText::read(&file)).transpose();
    if let Some(projects) = projects {
        if let Some(endpoint) = &endpoint {
            projects.check_writes(endpoint, options)?;
        }
        if options.draft {
            let message = "--seed-draft reads captures, and a SoapUI project is none".to_owned();
            return Err(ReplayError::Usage(message));
        }
        if projects.cases() == 0 && projects.left_out() > 0 {
            let message = "--only and --skip leave nothing to replay".to_owned();
            return Err(ReplayError::Usage(message));
        }
        let listing = options.list.then(|| projects.listing());
        let notes = match options.retries {
            0 => Vec::new(),
            _ => vec!["--retries is for captures: a SoapUI project is run once".to_owned()],
        };
        let (clock, work) = (options.clock, Work::Projects(projects));
        let seed = seed?;
        return Ok(Survey { endpoint, seed, clock, listing, draft: None, notes, work });
    }
    let given = Given { ignore: options.ignore.clone(), matches: options.matches.clone() };
    let look = looked_at(options, &given, endpoint.as_ref()).await?;
    let seed = seed?;
    let users = seed.as_ref().map(Users::of_seed).transpose()?.unwrap_or_default();
    let notes = look.notes();
    let Look { count, left_out, clocks, listing, draft, .. } = look;
    let draft = draft.map(Draft::written);
    let draft = draft.map(|(text, in_short)| DraftedSeed { text, in_short });
    let work = Work::Captures(Plan { count, left_out, given, users });
    let clock = clocks.agreed();
    Ok(Survey { endpoint, seed, clock, listing, draft, notes, work })
}

/// Captures are read twice, so a pipe, which would be waited for, is none.
fn check_is_readable_twice(path: &Path) -> Result<(), ReplayError> {
    let kind = std::fs::metadata(path).map_err(|error| ReplayError::capture(path, None, error))?;
    if kind.is_file() || kind.is_dir() {
        return Ok(());
    }
    Err(ReplayError::capture(path, None, "expected a file or a folder: it is read twice"))
}

fn check(options: &Options) -> Result<(), ReplayError> {
    let usage = |message: &str| Err(ReplayError::Usage(message.to_owned()));
    if options.concurrency == 0 {
        return usage("--concurrency must be at least 1");
    }
    let has_rules = !options.ignore.is_empty() || !options.matches.is_empty();
    if has_rules && options.compare != Level::Xml {
        return usage("--ignore and --match need --compare xml");
    }
    Ok(())
}

/// A look at all captures, on a thread of its own, so that it can be interrupted.
async fn looked_at(
    options: &Options,
    given: &Given,
    endpoint: Option<&Endpoint>,
) -> Result<Look, ReplayError> {
    let look = Look {
        options: options.clone(),
        endpoint: endpoint.cloned(),
        count: 0,
        left_out: 0,
        left: Vec::new(),
        clocks: Clocks { given: options.clock, first: None },
        matched: Matched::default(),
        listing: options.list.then(Listing::default),
        draft: options.draft.then(Draft::default),
    };
    let given = given.clone();
    let look = tokio::task::spawn_blocking(move || look.all(&given));
    look.await.map_err(|error| ReplayError::Runtime(error.to_string()))?
}

/// What is seen of all captures, one after the other.
struct Look {
    options: Options,
    endpoint: Option<Endpoint>,
    /// How many pieces are selected, and how many are not.
    count: usize,
    left_out: usize,
    /// Folders with a seed of their own.
    left: Vec<PathBuf>,
    clocks: Clocks,
    matched: Matched,
    listing: Option<Listing>,
    draft: Option<Draft>,
}

impl Look {
    fn all(mut self, given: &Given) -> Result<Self, ReplayError> {
        let paths = self.options.paths.clone();
        let left = walk::walk(&paths, given, &mut |capture| match capture {
            Capture::Case(case) => self.case(&case),
            Capture::File(file) => self.file(&file),
        })?;
        self.left = left;
        self.matched.check(&self.options.selection)?;
        if self.count == 0 && self.left_out > 0 {
            let message = "--only and --skip leave nothing to replay".to_owned();
            return Err(ReplayError::Usage(message));
        }
        if let Some(listing) = &mut self.listing {
            listing.left_out = self.left_out;
        }
        Ok(self)
    }

    /// A case is read only where something of it has to be known now.
    fn case(&mut self, case: &Case) -> Result<(), ReplayError> {
        let name = case.name();
        let selection = &self.options.selection;
        let by_name = selection.takes(&Candidate { name: &name, operations: None });
        let is_remote = self.endpoint.as_ref().is_some_and(|endpoint| !endpoint.is_loopback());
        let is_shown = self.listing.is_some() || self.draft.is_some();
        let is_asked = is_shown || selection.knows_operations();
        let is_read = is_remote || case.is_checked() || is_asked || by_name.is_none();
        if by_name == Some(false) || !is_read {
            self.matched.note(selection, &name, &[]);
            if by_name == Some(false) {
                self.left_out = self.left_out.saturating_add(1);
                return Ok(());
            }
            self.count = self.count.saturating_add(1);
            return self.clocks.add(|| name, &case.rules);
        }
        let exchange = case.read(!self.options.update)?;
        if self.piece(&Piece::Exchange(Box::new(exchange)))? {
            self.clocks.add(|| name, &case.rules)?;
        }
        Ok(())
    }

    fn file(&mut self, file: &CaptureFile) -> Result<(), ReplayError> {
        if self.options.update {
            let message = format!("{}: --update cannot change a HAR or a cassette", file.name());
            return Err(ReplayError::Usage(message));
        }
        let mut is_any = false;
        let outcome = file.read(&mut |piece| {
            is_any |= self.piece(&piece).map_err(Stopped::Unreadable)?;
            Ok(())
        });
        match outcome {
            Ok(()) | Err(Stopped::Enough) => {}
            Err(Stopped::Unreadable(error)) => return Err(error),
        }
        if is_any { self.clocks.add(|| file.name(), &file.rules) } else { Ok(()) }
    }

    /// Takes in what a capture holds at one place; whether it is selected.
    fn piece(&mut self, piece: &Piece) -> Result<bool, ReplayError> {
        let options = &self.options;
        self.matched.note_piece(&options.selection, piece);
        if !options.selection.takes_piece(piece) {
            self.left_out = self.left_out.saturating_add(1);
            return Ok(false);
        }
        self.count = self.count.saturating_add(1);
        if let Some(listing) = &mut self.listing {
            listing.add(piece, &options.values);
            return Ok(true);
        }
        if let Some(draft) = &mut self.draft {
            if let Piece::Exchange(exchange) = piece {
                let value = |name: &str| options.values.get(name).map(str::to_owned);
                let filled = blanks::filled(&exchange.request, value);
                let request = filled.as_deref().unwrap_or(&exchange.request);
                draft.learn(request, exchange.expected.as_deref());
            }
            return Ok(true);
        }
        if let (Some(endpoint), Piece::Exchange(exchange)) = (&self.endpoint, piece) {
            refuse_write(endpoint, &exchange.name, exchange.may_write(), options)?;
        }
        Ok(true)
    }

    /// What there is to say of what is left out, and of patterns that came to nothing.
    fn notes(&self) -> Vec<String> {
        let idle = self.matched.idle(&self.options.selection);
        let idle = idle.into_iter().map(|glob| format!("--skip {glob} matches nothing"));
        let left = self.left.iter().map(|folder| {
            let folder = folder.display();
            format!("{folder} has a seed of its own: name it to replay it")
        });
        left.chain(idle).collect()
    }
}

/// The clock that captures ask for. A gateway has one, so they have to agree, unless the options
/// say which it is.
struct Clocks {
    given: Option<DateTime<Utc>>,
    first: Option<(String, DateTime<Utc>)>,
}

impl Clocks {
    /// Takes the clock that the rules of a capture name, or says which other one it contradicts.
    fn add(&mut self, name: impl FnOnce() -> String, rules: &Rules) -> Result<(), ReplayError> {
        let Some(clock) = rules.clock().filter(|_| self.given.is_none()) else { return Ok(()) };
        let Some((other, first)) = &self.first else {
            self.first = Some((name(), clock));
            return Ok(());
        };
        if *first == clock {
            return Ok(());
        }
        let (name, first, clock) = (name(), first.to_rfc3339(), clock.to_rfc3339());
        Err(ReplayError::Usage(format!(
            "the clock of {other} stands at {first} and that of {name} at {clock}: replay each \
             alone, or say by --clock which holds for all"
        )))
    }

    /// The one that holds.
    fn agreed(self) -> Option<DateTime<Utc>> {
        self.given.or(self.first.map(|(_, clock)| clock))
    }
}
