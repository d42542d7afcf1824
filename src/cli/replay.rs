//! `replay`: sends captures to an endpoint, which is started if none is given, and reports where
//! the answers differ.

mod args;
mod publishing;
mod screen;

use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::in_process::InProcess;
use super::signals::Signals;
use super::terminal;
use crate::replay::{
    DraftedSeed, Html, Json, Junit, Listing, Options, Replay, ReplayError, Reporter, Summary,
    Target, Text,
};
use crate::service::clock::Clock;
use publishing::Publishing;
use screen::{Screen, UntilClosed, shows_colors};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Runtime;

pub(super) use args::Args;

/// How long what still runs at the end is waited for, such as the reading of a capture.
const LAST_TASKS: Duration = Duration::from_secs(2);

/// Replays, and says whether anything differed.
pub(super) fn run(args: Args) -> Result<ExitStatus, Failure> {
    args.roots.believe()?;
    let began = Clock::system().now();
    let mut reporters: Vec<Box<dyn Reporter>> = Vec::new();
    let mut publishing = None;
    if args.publish {
        let (begun, report) = Publishing::begin(&args.admin, &args.paths, began)?;
        publishing = Some(begun);
        reporters.push(Box::new(report));
    }
    let stdout = UntilClosed(io::stdout());
    if args.json {
        reporters.push(Box::new(Json::new(stdout)));
    } else {
        reporters.push(Box::new(Text::new(stdout, shows_colors())));
    }
    if let Some(path) = &args.junit {
        reporters.push(Box::new(Junit::new(created(path)?)));
    }
    if let Some(path) = &args.html {
        reporters.push(Box::new(Html::new(created(path)?, began)));
    }
    let mut screen = Screen::new(reporters);
    let (is_json, allow_unserved) = (args.json, args.allow_unserved);
    let draft = args.seed_draft.clone();
    draft.as_deref().map_or(Ok(()), refuse_to_replace)?;
    let replayed = replayed(args.into_options(), &mut screen)?.map_err(failure);
    screen.clear();
    let published = publishing.map_or(Ok(()), Publishing::publish);
    if let (Err(_), Err(unpublished)) = (&replayed, &published) {
        // What ended the replay is the failure of the command.
        terminal::note(&format!("{:#}", unpublished.error));
    }
    let summary = match replayed? {
        Replayed::Sent(summary) => summary,
        Replayed::Drafted(seed) => return write_draft(draft.as_deref(), &seed),
        Replayed::Listed(listing) => {
            let text = if is_json { listing.json() } else { listing.text() };
            terminal::data(text.trim_end())?;
            return Ok(ExitStatus::Done);
        }
    };
    terminal::note(&rate(&summary));
    if summary.total() == 0 {
        let message = "nothing was replayed: what was named holds no exchange";
        return Err(Failure::new(FailureCode::Input, message));
    }
    published?;
    Ok(if is_done(&summary, allow_unserved) { ExitStatus::Done } else { ExitStatus::Differed })
}

/// Replays until everything is done or a signal comes. A gateway that was started for it is gone,
/// with its ledger, before this returns.
fn replayed(
    options: Options,
    screen: &mut Screen,
) -> Result<Result<Replayed, ReplayError>, Failure> {
    let runtime = Runtime::new().or_fail(FailureCode::Runtime, "starting threads")?;
    let mut replay = Replay::new(options, screen);
    let (done, ledger) = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let mut started = None;
        let done = tokio::select! {
            done = sent(&mut replay, &mut started) => done,
            () = signals.next() => Err(ReplayError::Interrupted),
        };
        signals.end_at_the_next();
        let ledger = match started {
            Some(gateway) => Some(gateway.stop().await),
            None => None,
        };
        Ok::<_, Failure>((done, ledger))
    })?;
    runtime.shutdown_timeout(LAST_TASKS);
    // Its folder is removed now that nothing runs on it any more.
    drop(ledger);
    Ok(match done {
        Ok(Some(found)) => Ok(found),
        Ok(None) => replay.end(Ok(())).map(Replayed::Sent),
        Err(error) => replay.end(Err(error)).map(Replayed::Sent),
    })
}

/// Sends the captures to the endpoint that was given, or to one that is started for them; or only
/// lists them.
async fn sent(
    replay: &mut Replay<'_>,
    started: &mut Option<InProcess>,
) -> Result<Option<Replayed>, ReplayError> {
    let mut survey = replay.survey().await?;
    survey.notes.iter().for_each(|note| terminal::note(note));
    if let Some(listing) = survey.listing.take() {
        return Ok(Some(Replayed::Listed(listing)));
    }
    if let Some(draft) = survey.draft.take() {
        return Ok(Some(Replayed::Drafted(draft)));
    }
    let target = match &survey.endpoint {
        Some(endpoint) => Target { endpoint: endpoint.clone(), user: None, client: None },
        None => {
            let gateway = InProcess::start(survey.seed.as_ref(), survey.clock).await?;
            started.insert(gateway).target()?
        }
    };
    replay.send(survey, target).await?;
    Ok(None)
}

/// Whether all that was looked at is as it should be, and something was looked at.
fn is_done(summary: &Summary, allow_unserved: bool) -> bool {
    let is_all_skipped = summary.skipped > 0 && summary.skipped == summary.total();
    let is_served = summary.not_served == 0 || allow_unserved;
    summary.failed == 0 && is_served && !is_all_skipped
}

/// What came of it.
enum Replayed {
    /// Everything was sent that could be.
    Sent(Summary),
    /// Nothing was sent, because only the list was wanted.
    Listed(Listing),
    /// Nothing was sent, because only a seed was wanted.
    Drafted(DraftedSeed),
}

/// A draft that was looked over is not written over.
fn refuse_to_replace(path: &Path) -> Result<(), Failure> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        let message = format!("{} is there already: name a new file", path.display());
        return Err(Failure::new(FailureCode::Usage, message));
    }
    Ok(())
}

fn write_draft(path: Option<&Path>, seed: &DraftedSeed) -> Result<ExitStatus, Failure> {
    let path = path.unwrap_or(Path::new("seed.toml"));
    let written = std::fs::write(path, &seed.text);
    written.or_fail(FailureCode::Runtime, format_args!("writing `{}`", path.display()))?;
    terminal::note(&format!("{} has {}; look it over", path.display(), seed.in_short));
    Ok(ExitStatus::Done)
}

fn created(path: &Path) -> Result<File, Failure> {
    File::create(path).or_fail(FailureCode::Runtime, format_args!("writing `{}`", path.display()))
}

fn failure(error: ReplayError) -> Failure {
    let code = match &error {
        ReplayError::Usage(_) => FailureCode::Usage,
        ReplayError::Seed(_) => FailureCode::Configuration,
        ReplayError::Capture { .. } => FailureCode::Input,
        ReplayError::Runtime(_) | ReplayError::Interrupted => FailureCode::Runtime,
    };
    Failure { code, error: error.into() }
}

/// How fast it was, in whole cases.
fn rate(summary: &Summary) -> String {
    let millis = summary.took.as_millis().max(1);
    let total = summary.total();
    let per_second = u128::try_from(total).unwrap_or_default().saturating_mul(1_000) / millis;
    let (seconds, rest) = (millis / 1_000, millis % 1_000);
    format!("{total} cases in {seconds}.{rest:03} s, {per_second} per second")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::time::Duration;

    #[test]
    fn a_rate_is_told_even_of_nothing() {
        let took = Duration::from_millis(1_500);
        let summary = Summary { passed: 2, failed: 1, took, ..Summary::default() };
        assert_eq!(rate(&summary), "3 cases in 1.500 s, 2 per second");
        assert_eq!(rate(&Summary::default()), "0 cases in 0.001 s, 0 per second");
    }

    #[test]
    fn errors_have_the_exit_code_of_their_kind() {
        let code = |error| failure(error).code;
        assert_eq!(code(ReplayError::Usage(String::new())), FailureCode::Usage);
        assert_eq!(code(ReplayError::Seed(String::new())), FailureCode::Configuration);
        assert_eq!(code(ReplayError::Runtime(String::new())), FailureCode::Runtime);
        let (file, message) = (PathBuf::new(), String::new());
        let capture = ReplayError::Capture { file, line: None, message };
        assert_eq!(code(capture), FailureCode::Input);
    }
}
