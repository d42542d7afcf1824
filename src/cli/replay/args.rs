//! The options of `replay`, and what becomes of them.

use super::super::admin::Place as AdminPlace;
use super::super::roots::RootsOption;
use super::super::values::Moment;
use crate::client::ClientLimits;
use crate::replay::{Credentials, Glob, Level, Options, Pattern, Place, Selection, Values};
use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use std::path::PathBuf;
use std::time::Duration;

/// Send captured requests and compare the answers
///
/// Captures are the folders of a catalogue, in each case folder a request.xml, a response.xml and
/// perhaps a replay.toml; pairs of x.request.xml and x.response.xml; HAR files; and VCR cassettes.
/// SoapUI projects are run as well, and judged by their own assertions (docs/SOAPUI.md).
/// Without --endpoint a gateway is started for them, on a temporary ledger.
/// Ids, sessions, ServerUrl and times are compared by their shape alone.
#[derive(clap::Args)]
pub(in crate::cli) struct Args {
    /// Folders with captures, or files: HAR, VCR cassettes, requests, SoapUI projects
    #[arg(value_name = "PATH", required = true)]
    pub(super) paths: Vec<PathBuf>,

    /// Where to send the requests, such as http://127.0.0.1:8080; a path in it is used for all
    #[arg(long, value_name = "URL", env = "REFUND_GATEWAY_ENDPOINT")]
    pub(super) endpoint: Option<String>,

    /// The moment at which the clock of the gateway that is started stands still
    #[arg(long, value_name = "RFC3339", env = "REFUND_GATEWAY_CLOCK")]
    pub(super) clock: Option<Moment>,

    /// The seed of the gateway that is started [default: the nearest seed.toml, or the demo]
    #[arg(long, value_name = "FILE.toml", env = "REFUND_GATEWAY_SEED")]
    pub(super) seed: Option<PathBuf>,

    /// The user whose session requests get [default: the first one of the seed]
    #[arg(long, value_name = "NAME", env = "REFUND_GATEWAY_USERNAME", requires = "password")]
    pub(super) username: Option<String>,

    /// Its password, better given in the environment
    #[arg(long, env = "REFUND_GATEWAY_PASSWORD", hide_env_values = true, requires = "username")]
    pub(super) password: Option<String>,

    /// How many captures are replayed at once; the order is kept inside a file, or with one
    #[arg(long, value_name = "N", env = "REFUND_GATEWAY_CONCURRENCY", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) concurrency: u16,

    /// How closely answers are compared
    #[arg(long, value_enum, env = "REFUND_GATEWAY_COMPARE", default_value_t = Compare::Xml)]
    pub(super) compare: Compare,

    /// A place that is not compared: `/a/b`, `//b` or `//a/b[2]`, names without prefixes
    #[arg(long, value_name = "XPATH", env = "REFUND_GATEWAY_IGNORE", value_parser = Place::parse)]
    pub(super) ignore: Vec<Place>,

    /// A place whose text only has to match a regular expression
    #[arg(long = "match", value_name = "XPATH=REGEX", env = "REFUND_GATEWAY_MATCH")]
    #[arg(value_parser = place_and_pattern)]
    pub(super) matches: Vec<(Place, Pattern)>,

    /// Write a report for CI servers
    #[arg(long, value_name = "FILE", env = "REFUND_GATEWAY_JUNIT")]
    pub(super) junit: Option<PathBuf>,

    /// Write a page with request, expected and actual answer of every difference
    #[arg(long, value_name = "FILE", env = "REFUND_GATEWAY_HTML")]
    pub(super) html: Option<PathBuf>,

    /// Hand the report to a running gateway on a test ledger, whose console shows it
    #[arg(long, env = "REFUND_GATEWAY_PUBLISH", value_name = "BOOL", default_value_t = false)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new(), conflicts_with_all = ["list", "seed_draft"])]
    pub(super) publish: bool,

    #[command(flatten)]
    pub(super) admin: AdminPlace,

    /// Print one JSON object a line instead of text
    #[arg(long, env = "REFUND_GATEWAY_JSON", value_name = "BOOL", default_value_t = false)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) json: bool,

    /// Make answers that differ the new captures
    #[arg(long, env = "REFUND_GATEWAY_UPDATE", value_name = "BOOL", default_value_t = false)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) update: bool,

    /// Send to an endpoint that is not on this machine
    #[arg(long, env = "REFUND_GATEWAY_ALLOW_REMOTE", value_name = "BOOL", default_value_t = false)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) allow_remote: bool,

    /// Send there what may change data, too
    #[arg(long, env = "REFUND_GATEWAY_ALLOW_WRITES", value_name = "BOOL", default_value_t = false)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) allow_writes: bool,

    /// Replay only what this matches: a name or a folder, with * ** and ?, or op:OPERATION
    #[arg(long, value_name = "GLOB", env = "REFUND_GATEWAY_ONLY", value_parser = Glob::parse)]
    pub(super) only: Vec<Glob>,

    /// Leave out what this matches, as for --only
    #[arg(long, value_name = "GLOB", env = "REFUND_GATEWAY_SKIP", value_parser = Glob::parse)]
    pub(super) skip: Vec<Glob>,

    /// Print what would be replayed, and send nothing
    #[arg(long, env = "REFUND_GATEWAY_LIST", value_name = "BOOL", default_value_t = false)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) list: bool,

    /// A value for a placeholder in captures, such as <ACCOUNT_ID>, {{name}}, ${name}
    #[arg(long, value_name = "NAME=VALUE", env = "REFUND_GATEWAY_SET", hide_env_values = true)]
    #[arg(value_parser = name_and_value)]
    pub(super) set: Vec<(String, String)>,

    /// Write a seed for what the captures take for granted into a new file, and send nothing
    #[arg(long, value_name = "FILE", env = "REFUND_GATEWAY_SEED_DRAFT", conflicts_with = "list")]
    pub(super) seed_draft: Option<PathBuf>,

    /// Let what the endpoint does not serve be no failure
    #[arg(
        long,
        env = "REFUND_GATEWAY_ALLOW_UNSERVED",
        value_name = "BOOL",
        default_value_t = false
    )]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) allow_unserved: bool,

    /// How often a request is sent again that nothing can be done twice by
    #[arg(long, value_name = "N", env = "REFUND_GATEWAY_RETRIES", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(super) retries: u32,

    #[command(flatten)]
    pub(super) roots: RootsOption,

    /// How many seconds an answer may take, such as 2 or 0.5
    #[arg(long, value_name = "S", env = "REFUND_GATEWAY_TIMEOUT", default_value = "30")]
    #[arg(value_parser = seconds)]
    pub(super) timeout: Duration,

    /// Send nothing more after the first difference
    #[arg(long, env = "REFUND_GATEWAY_FAIL_FAST", value_name = "BOOL", default_value_t = false)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) fail_fast: bool,
}

/// How closely answers are compared; the status always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Compare {
    /// Byte for byte, but for ids, sessions, times and the like
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

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let name = name.trim();
    if name.is_empty() {
        return Err("expected a name before the =".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Seconds with three decimals at most, from a thousandth of a second to an hour.
fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no number of seconds from 0.001 to 3600, such as 2 or 0.5");
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || part.len() > 3 {
        return Err(wrong());
    }
    let read = |digits: &str| digits.parse::<u64>().map_err(|_| wrong());
    let millis = read(whole)?.saturating_mul(1_000).saturating_add(read(&format!("{part:0<3}"))?);
    if (1..=3_600_000).contains(&millis) { Ok(Duration::from_millis(millis)) } else { Err(wrong()) }
}

impl Args {
    /// What is replayed, and how.
    pub(super) fn into_options(self) -> Options {
        let credentials = self.username.zip(self.password);
        let default = Options::new(self.paths);
        let connect = default.limits.connect.min(self.timeout);
        Options {
            endpoint: self.endpoint,
            clock: self.clock.map(|Moment(moment)| moment),
            seed: self.seed,
            credentials: credentials.map(|(username, password)| Credentials { username, password }),
            concurrency: usize::from(self.concurrency),
            compare: match self.compare {
                Compare::Bytes => Level::Bytes,
                Compare::Xml => Level::Xml,
                Compare::Status => Level::Status,
            },
            ignore: self.ignore,
            matches: self.matches,
            update: self.update,
            selection: Selection { only: self.only, skip: self.skip },
            values: Values::of(self.set),
            list: self.list,
            draft: self.seed_draft.is_some(),
            retries: self.retries,
            fail_fast: self.fail_fast,
            allow_remote: self.allow_remote,
            allow_writes: self.allow_writes,
            limits: ClientLimits { exchange: self.timeout, connect, ..default.limits },
            ..default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_value_is_all_that_follows_the_first_sign() {
        assert_eq!(name_and_value("A=b=c"), Ok(("A".to_owned(), "b=c".to_owned())));
        assert!(name_and_value("A").is_err() && name_and_value("=b").is_err());
    }

    #[test]
    fn seconds_have_three_decimals_at_most() {
        for (text, millis) in [("2", 2_000), ("0.5", 500), ("0.001", 1), ("3600", 3_600_000)] {
            assert_eq!(seconds(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["0", "", ".5", "1.", "-1", "1e3", "0.0001", "3601", "99999999999999999999"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
