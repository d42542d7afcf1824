//! `replay`: sends captures and tells where the answers differ.

use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::terminal;
use crate::replay::{
    self, CaseReport, Credentials, Html, Json, Junit, Level, Options, Pattern, Place, ReplayError,
    Reporter, Summary, TestCaseReport, Text,
};
use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// How the bar looks; what it shows is in words and numbers too.
const BAR: &str = "{bar:30} {pos}/{len}, {rate} per second, {eta} left";

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
    let mut screen = Screen { bar: ProgressBar::hidden(), reporters };
    let replayed = replay::run(&options(args), &mut screen);
    screen.bar.finish_and_clear();
    let summary = replayed.map_err(failure)?;
    terminal::note(&rate(&summary));
    if summary.total() == 0 {
        let message = "nothing was replayed: what was named holds no exchange";
        return Err(Failure::new(FailureCode::Input, message));
    }
    Ok(if is_done(&summary) { ExitStatus::Done } else { ExitStatus::Differed })
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

/// Colours are for terminals of people who did not turn them off.
fn shows_colors() -> bool {
    let is_off = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdout().is_terminal() && !is_off && !is_dumb
}

/// All reports, and on a terminal a bar below them.
struct Screen {
    bar: ProgressBar,
    reporters: Vec<Box<dyn Reporter>>,
}

impl Screen {
    fn tell(
        &mut self,
        mut tell: impl FnMut(&mut dyn Reporter) -> io::Result<()>,
    ) -> io::Result<()> {
        let Self { bar, reporters } = self;
        bar.suspend(|| reporters.iter_mut().try_for_each(|reporter| tell(reporter.as_mut())))
    }
}

impl Reporter for Screen {
    fn begin(&mut self, cases: usize) -> io::Result<()> {
        if io::stderr().is_terminal() {
            let style = ProgressStyle::with_template(BAR)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
                    // A rate that cannot be shown is left out.
                    let _ = write!(out, "{:.0}", state.per_sec());
                });
            self.bar = ProgressBar::with_draw_target(
                u64::try_from(cases).ok(),
                ProgressDrawTarget::stderr(),
            )
            .with_style(style);
        }
        self.tell(|reporter| reporter.begin(cases))
    }

    fn case(&mut self, report: &CaseReport) -> io::Result<()> {
        self.bar.inc(1);
        if matches!(report.outcome, replay::Outcome::Passed) {
            // Nothing is shown of it, so the bar can stay.
            return self.reporters.iter_mut().try_for_each(|reporter| reporter.case(report));
        }
        self.tell(|reporter| reporter.case(report))
    }

    fn test_case(&mut self, report: &TestCaseReport) -> io::Result<()> {
        self.bar.inc(1);
        self.tell(|reporter| reporter.test_case(report))
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        self.bar.finish_and_clear();
        self.tell(|reporter| reporter.end(summary))
    }

    fn broke_off(&mut self, summary: &Summary, why: &str) -> io::Result<()> {
        self.bar.finish_and_clear();
        self.tell(|reporter| reporter.broke_off(summary, why))
    }
}

/// A reader of stdout that goes away has seen enough; the replay goes on for the exit code.
struct UntilClosed<W>(W);

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
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
