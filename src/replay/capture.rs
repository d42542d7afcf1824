//! Files that hold many exchanges: HAR, the cassettes of VCR, what WireMock and Hoverfly record.
//! They are read as streams, one exchange in memory at a time, however large they are.
//!
//! Of a captured URL only the path is used; its scheme and host are never contacted. Of the headers
//! only those are sent that mean something to SOAP. Bodies are sent as they were meant: chunks are
//! gone, gzip is inflated, and a text that says it is in another encoding than UTF-8 begins with a
//! byte order mark, which wins.

mod budget;
mod cassette;
mod har;
mod stub;
mod traffic;
mod yaml;

use super::error::ReplayError;
use super::exchange::Piece;
use super::rules::Rules;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much of a file is looked at to see what it is.
const LOOK_BYTES: u64 = 64 * 1024;
/// An exchange may take so much of its file.
const EXCHANGE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The keys of cassettes: vcrpy's and Ruby's.
const INTERACTIONS: [&str; 2] = ["interactions", "http_interactions"];

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A HAR, or a cassette in JSON.
    Json,
    /// A cassette in YAML.
    Yaml,
}

/// A file with exchanges.
#[derive(Debug, Clone)]
pub(super) struct CaptureFile {
    path: PathBuf,
    format: Format,
    /// The rules that hold for all of them.
    pub(super) rules: Arc<Rules>,
}

/// Why reading ended early.
pub(super) enum Stopped {
    /// The file cannot be read.
    Unreadable(ReplayError),
    /// The consumer has ended; nothing more is wanted.
    Enough,
}

/// Takes the pieces of a file as they come, or says that it is enough.
pub(super) type Sink<'s> = &'s mut dyn FnMut(Piece) -> Result<(), Stopped>;

impl CaptureFile {
    pub(super) fn new(path: &Path, format: Format, rules: Arc<Rules>) -> Self {
        Self { path: path.to_owned(), format, rules }
    }

    /// The name in reports, before the number of an exchange.
    pub(super) fn name(&self) -> String {
        super::canonical::printable(&self.path.to_string_lossy())
    }

    /// Reads everything in it, in order.
    pub(super) fn read(&self, sink: Sink<'_>) -> Result<(), Stopped> {
        let opened = File::open(&self.path).map_err(|error| self.unreadable(None, error))?;
        let reader = budget::Budget::new(opened, EXCHANGE_BYTES_MAX);
        match self.format {
            Format::Json => har::read(self, reader, sink),
            Format::Yaml => cassette::read(self, reader, sink),
        }
    }

    fn unreadable(&self, line: Option<usize>, message: impl std::fmt::Display) -> Stopped {
        Stopped::Unreadable(ReplayError::capture(&self.path, line, message))
    }
}

/// What a file is that was found in a folder, if it is certainly a capture.
pub(super) fn found(file: &Path) -> Result<Option<Format>, ReplayError> {
    if ends(file, "har") {
        return Ok(Some(Format::Json));
    }
    if ends(file, "json") {
        return Ok(is_json_capture(&start(file)?).then_some(Format::Json));
    }
    if file.extension().is_none() {
        // php-vcr names its cassettes as the test does.
        let start = start(file)?;
        let json = is_json_capture(&start).then_some(Format::Json);
        return Ok(json.or_else(|| is_cassette(&start).then_some(Format::Yaml)));
    }
    let is_cassette = (ends(file, "yml") || ends(file, "yaml")) && is_cassette(&start(file)?);
    Ok(is_cassette.then_some(Format::Yaml))
}

/// What a file is that the command line named; none is XML.
pub(super) fn named(file: &Path) -> Result<Option<Format>, ReplayError> {
    if let Some(format) = found(file)? {
        return Ok(Some(format));
    }
    let start = start(file)?;
    let text = start.trim_start_matches(['\u{feff}', '\u{fffd}', '\0']).trim_start();
    if text.starts_with('{') || (text.starts_with('[') && is_json_capture(&start)) {
        Ok(Some(Format::Json))
    } else if text.starts_with('<') || ends(file, "xml") {
        Ok(None)
    } else if ends(file, "yml") || ends(file, "yaml") || is_cassette(&start) {
        Ok(Some(Format::Yaml))
    } else {
        let message = "expected a HAR (JSON), a VCR cassette (YAML) or a request (XML)";
        Err(ReplayError::capture(file, Some(1), message))
    }
}

fn ends(file: &Path, ending: &str) -> bool {
    file.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

fn start(file: &Path) -> Result<String, ReplayError> {
    let unreadable = |error| ReplayError::capture(file, None, error);
    let opened = File::open(file).map_err(unreadable)?;
    let mut bytes = Vec::new();
    BufReader::new(opened).take(LOOK_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether JSON begins as a cassette, or as a HAR under another name.
fn is_json_capture(start: &str) -> bool {
    let is_har = start.contains("\"log\"") && start.contains("\"entries\"");
    let has = |keys: &[&str]| keys.iter().all(|key| start.contains(&format!("\"{key}\"")));
    let is_pair = has(&["request", "response"]);
    let is_stub = has(&["mappings", "request"])
        || has(&["requests", "responseDefinition"])
        || has(&["data", "pairs"])
        || (is_pair && start.contains("\"url"));
    let text = start.trim_start_matches('\u{feff}').trim_start();
    let is_cassette = INTERACTIONS.iter().any(|key| has(&[key]));
    (text.starts_with('[') && is_pair)
        || (text.starts_with('{') && (is_har || is_cassette || is_stub))
}

fn is_cassette(start: &str) -> bool {
    let is_key = |line: &str| {
        let key = line.split_once(':').map_or("", |(key, _)| key);
        INTERACTIONS.contains(&key.trim_matches('"'))
    };
    let text = start.trim_start_matches('\u{feff}').trim_start();
    let text = text.strip_prefix("---").unwrap_or(text).trim_start();
    let has = |key: &str| text.lines().any(|line| line.trim_start_matches([' ', '-']) == key);
    start.lines().any(is_key) || (text.starts_with('-') && has("request:") && has("response:"))
}
