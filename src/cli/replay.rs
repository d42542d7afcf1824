//! `replay`: sends captures to an endpoint, which is started if none is given, and reports where
//! the answers differ.

mod screen;

use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::in_process::InProcess;
use super::signals::Signals;
use super::terminal;
use super::values::Moment;
use crate::replay::{
    Credentials, Html, Json, Junit, Level, Options, Pattern, Place, Replay, ReplayError, Reporter,
    Summary, Target, Text,
};
use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use screen::{Screen, UntilClosed, shows_colors};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long what still runs at the end is waited for, such as the reading of a capture.
const LAST_TASKS: Duration = Duration::from_secs(2);

/// Send captured requests and compare the answers
///
/// Captures are the folders of a catalogue, in each case folder a request.xml, a response.xml and
/// perhaps a replay.toml; pairs of x.request.xml and x.response.xml; HAR files; and VCR cassettes.
/// SoapUI projects are run as well, and judged by their own assertions (docs/SOAPUI.md).
/// Without --endpoint a gateway is started for them, on a temporary ledger.
/// Ids, sessions, ServerUrl and times are compared by their shape alone.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Folders with captures, or files: HAR, VCR cassettes, requests, SoapUI projects
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// Where to send the requests, such as http://127.0.0.1:8080; a path in it is used for all
    #[arg(long, value_name = "URL", env = "REFUND_GATEWAY_ENDPOINT")]
    endpoint: Option<String>,

    /// The moment at which the clock of the gateway that is started stands still
    #[arg(long, value_name = "RFC3339", env = "REFUND_GATEWAY_CLOCK")]
    clock: Option<Moment>,

    /// The seed of the gateway that is started [default: the nearest seed.toml, or the demo]
    #[arg(long, value_name = "FILE.toml", env = "REFUND_GATEWAY_SEED")]
    seed: Option<PathBuf>,

    /// The user whose session requests get [default: the first one of the seed]
    #[arg(long, value_name = "NAME", env = "REFUND_GATEWAY_USERNAME", requires = "password")]
    username: Option<String>,

    /// Its password, better given in the environment
    #[arg(long, env = "REFUND_GATEWAY_PASSWORD", hide_env_values = true, requires = "username")]
    password: Option<String>,

    /// How many captures are replayed at once; the order is kept inside a file, or with one
    #[arg(long, value_name = "N", env = "REFUND_GATEWAY_CONCURRENCY", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,

    /// How closely answers are compared
    #[arg(long, value_enum, env = "REFUND_GATEWAY_COMPARE", default_value_t = Compare::Xml)]
    compare: Compare,

    /// A place that is not compared: `/a/b`, `//b` or `//a/b[2]`, names without prefixes
    #[arg(long, value_name = "XPATH", env = "REFUND_GATEWAY_IGNORE", value_parser = Place::parse)]
    ignore: Vec<Place>,

    /// A place whose text only has to match a regular expression
    #[arg(long = "match", value_name = "XPATH=REGEX", env = "REFUND_GATEWAY_MATCH")]
    #[arg(value_parser = place_and_pattern)]
    matches: Vec<(Place, Pattern)>,

    /// Write a report for CI servers
    #[arg(long, value_name = "FILE", env = "REFUND_GATEWAY_JUNIT")]
    junit: Option<PathBuf>,

    /// Write a page with request, expected and actual answer of every difference
    #[arg(long, value_name = "FILE", env = "REFUND_GATEWAY_HTML")]
    html: Option<PathBuf>,

    /// Print one JSON object a line instead of text
    #[arg(long, env = "REFUND_GATEWAY_JSON", value_name = "BOOL", default_value_t = false)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    json: bool,

    /// Make answers that differ the new captures
    #[arg(long, env = "REFUND_GATEWAY_UPDATE", value_name = "BOOL", default_value_t = false)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    update: bool,

    /// Send to an endpoint that is not on this machine
    #[arg(long, env = "REFUND_GATEWAY_ALLOW_REMOTE", value_name = "BOOL", default_value_t = false)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    allow_remote: bool,

    /// Send there what may change data, too
    #[arg(long, env = "REFUND_GATEWAY_ALLOW_WRITES", value_name = "BOOL", default_value_t = false)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    allow_writes: bool,
}

/// How closely answers are compared; the status always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Compare {
    /// Byte for byte
    Bytes,
    /// As XML: prefixes, attribute order and white space between elements do not matter
    Xml,
    /// Only the HTTP status
    Status,
}

fn place_and_pattern(text: &str) -> Result<(Place, Pattern), String> {
    let (place, pattern) = text.split_once('=').ok_or("expected XPATH=REGEX")?;
    let place = Place::parse(place).map_err(|error| error.to_string())?;
    Ok((place, Pattern::parse(pattern)?))
}

/// Replays, and says whether anything differed.
pub(super) fn run(args: Args) -> Result<ExitStatus, Failure> {
    let mut reporters: Vec<Box<dyn Reporter>> = Vec::new();
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
        reporters.push(Box::new(Html::new(created(path)?)));
    }
    let mut screen = Screen::new(reporters);
    let replayed = replayed(options(args), &mut screen)?;
    screen.clear();
    let summary = replayed.map_err(failure)?;
    terminal::note(&rate(&summary));
    if summary.total() == 0 {
        let message = "nothing was replayed: what was named holds no exchange";
        return Err(Failure::new(FailureCode::Input, message));
    }
    Ok(if is_done(&summary) { ExitStatus::Done } else { ExitStatus::Differed })
}

/// Replays until everything is done or a signal comes. A gateway that was started for it is gone,
/// with its ledger, before this returns.
fn replayed(
    options: Options,
    screen: &mut Screen,
) -> Result<Result<Summary, ReplayError>, Failure> {
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
    Ok(replay.end(done))
}

/// Sends the captures to the endpoint that was given, or to one that is started for them.
async fn sent(replay: &mut Replay<'_>, started: &mut Option<InProcess>) -> Result<(), ReplayError> {
    let survey = replay.survey().await?;
    let target = match &survey.endpoint {
        Some(endpoint) => Target { endpoint: endpoint.clone(), user: None },
        None => {
            let gateway = InProcess::start(survey.seed.as_ref(), survey.clock).await?;
            started.insert(gateway).target()?
        }
    };
    replay.send(survey, target).await
}

/// Whether all that was looked at is as it should be, and something was looked at.
fn is_done(summary: &Summary) -> bool {
    let is_all_skipped = summary.skipped > 0 && summary.skipped == summary.total();
    summary.failed == 0 && !is_all_skipped
}

fn options(args: Args) -> Options {
    let credentials = args.username.zip(args.password);
    Options {
        endpoint: args.endpoint,
        clock: args.clock.map(|Moment(moment)| moment),
        seed: args.seed,
        credentials: credentials.map(|(username, password)| Credentials { username, password }),
        concurrency: usize::from(args.concurrency),
        compare: match args.compare {
            Compare::Bytes => Level::Bytes,
            Compare::Xml => Level::Xml,
            Compare::Status => Level::Status,
        },
        ignore: args.ignore,
        matches: args.matches,
        update: args.update,
        allow_remote: args.allow_remote,
        allow_writes: args.allow_writes,
        ..Options::new(args.paths)
    }
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
    use std::time::Duration;

    #[test]
    fn a_rate_is_told_even_of_nothing() {
        let took = Duration::from_millis(1_500);
        let summary = Summary { passed: 2, failed: 1, took, ..Summary::default() };
        assert_eq!(rate(&summary), "3 cases in 1.500 s, 2 per second");
        assert_eq!(rate(&Summary::default()), "0 cases in 0.001 s, 0 per second");
    }

    #[test]
    fn a_match_is_a_place_and_a_pattern() {
        let (place, pattern) = place_and_pattern("//a=^b=c$").unwrap();
        assert_eq!(
            (place.to_string(), format!("{pattern:?}")),
            ("//a".to_owned(), "Pattern(Regex(\"^b=c$\"))".to_owned())
        );
        for text in ["//a", "a=b", "//a=("] {
            assert!(place_and_pattern(text).is_err(), "{text}");
        }
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
