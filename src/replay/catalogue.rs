//! Exchanges in files of their own: the folders of a catalogue, pairs of a request and its answer,
//! and a request alone. Each is read when its turn comes.
//!
//! Pairs and lone requests must be SOAP; the folders of a catalogue may hold anything. An operation
//! without its envelope, as documents print it, gets one.

use super::error::ReplayError;
use super::exchange::{Exchange, Files};
use super::plain;
use super::rules::{FILE_NAME, Rules};
use crate::domain::number::saturated;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is sent.
pub(super) const REQUEST: &str = "request.xml";
/// What is expected.
pub(super) const RESPONSE: &str = "response.xml";
/// The same of a call of the REST API; without a body it is empty.
pub(super) const JSON_REQUEST: &str = "request.json";
pub(super) const JSON_RESPONSE: &str = "response.json";
/// The end of the name of a request that lies beside its answer.
pub(super) const PAIR_REQUEST: &str = ".request.xml";
/// The end of the name of such an answer.
pub(super) const PAIR_RESPONSE: &str = ".response.xml";
/// Describes the ledger before the first case.
pub(super) const SEED: &str = "seed.toml";
/// No file of a case may be larger.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// An exchange in files of its own.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// What it is called: the folder, or the file without its ending.
    place: PathBuf,
    kind: Kind,
    /// Its rules, those of the folders above included.
    pub(super) rules: Arc<Rules>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A folder of a catalogue.
    Folder,
    /// `x.request.xml`, and perhaps `x.response.xml`.
    Pair,
    /// A request under another name, and the answer that lies beside it.
    Named(PathBuf),
    /// A request alone.
    Request,
}

impl Case {
    /// A folder with a request in it.
    pub(super) fn of_folder(folder: &Path, rules: Arc<Rules>) -> Self {
        Self { place: folder.to_owned(), kind: Kind::Folder, rules }
    }

    /// A request whose name ends as that of a pair.
    pub(super) fn of_pair(request: &Path, rules: Arc<Rules>) -> Self {
        let name = request.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.strip_suffix(PAIR_REQUEST).unwrap_or(&name);
        Self { place: request.with_file_name(stem), kind: Kind::Pair, rules }
    }

    /// A request and its answer.
    pub(super) fn of_files(request: &Path, response: PathBuf, rules: Arc<Rules>) -> Self {
        Self { place: request.to_owned(), kind: Kind::Named(response), rules }
    }

    /// A request alone.
    pub(super) fn of_request(request: &Path, rules: Arc<Rules>) -> Self {
        Self { place: request.to_owned(), kind: Kind::Request, rules }
    }

    /// The name in reports.
    pub(super) fn name(&self) -> String {
        super::canonical::printable(&self.place.to_string_lossy())
    }

    /// Whether it can only be sent if it is SOAP, which is to be found out before anything is.
    pub(super) fn is_checked(&self) -> bool {
        self.kind != Kind::Folder
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.place.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        self.place.with_file_name(name)
    }

    /// Reads it. Without an answer it is an error, unless the answers are what is wanted.
    pub(super) fn read(&self, needs_answer: bool) -> Result<Exchange, ReplayError> {
        let (file, response, folder) = match &self.kind {
            Kind::Folder => {
                let folder = &self.place;
                let is_json = folder.join(JSON_REQUEST).is_file();
                let names =
                    if is_json { [JSON_REQUEST, JSON_RESPONSE] } else { [REQUEST, RESPONSE] };
                let [request, response] = names.map(|name| folder.join(name));
                (request, Some(response), Some(folder.clone()))
            }
            Kind::Pair => (self.beside(PAIR_REQUEST), Some(self.beside(PAIR_RESPONSE)), None),
            Kind::Named(response) => (self.place.clone(), Some(response.clone()), None),
            Kind::Request => (self.place.clone(), None, None),
        };
        let request =
            read(&file)?.ok_or_else(|| ReplayError::capture(&file, None, "it is gone"))?;
        let expected = response.as_deref().map(read).transpose()?.flatten();
        if let (Some(response), None, true) = (&response, &expected, needs_answer) {
            return Err(ReplayError::capture(response, None, "it is missing"));
        }
        let request = match self.kind {
            Kind::Folder if self.rules.is_rest() => request,
            Kind::Folder => plain::enveloped(request, expected.as_deref()),
            Kind::Pair | Kind::Named(_) | Kind::Request => {
                plain::soap(&file, request, expected.as_deref())?
            }
        };
        let files = response.map(|response| Files { response, folder });
        let rules = Arc::clone(&self.rules);
        Ok(Exchange { name: self.name(), request, expected, rules, caller: None, files })
    }
}

fn read(file: &Path) -> Result<Option<Vec<u8>>, ReplayError> {
    let unreadable = |error: &dyn std::fmt::Display| ReplayError::capture(file, None, error);
    match fs::metadata(file) {
        // Opening a pipe would wait for its other end.
        Ok(found) if !found.is_file() => return Err(unreadable(&"it is no file")),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Ok(_) | Err(_) => {}
    }
    let opened = fs::File::open(file).map_err(|error| unreadable(&error))?;
    let mut bytes = Vec::new();
    let limit = FILE_BYTES_MAX.saturating_add(1);
    let read = opened.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if saturated::<u64>(read) > FILE_BYTES_MAX {
        return Err(unreadable(&format_args!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(Some(bytes))
}

/// Makes `status` the expected one of a case, or takes the expectation away. Everything else in
/// the file stays as it is, comments too.
pub(super) fn rewrite_status(folder: &Path, status: Option<u16>) -> Result<(), ReplayError> {
    let file = folder.join(FILE_NAME);
    let text = String::from_utf8(read(&file)?.unwrap_or_default())
        .map_err(|error| ReplayError::capture(&file, None, error))?;
    let text = with_status(&text, status);
    let written = if text.is_empty() {
        match fs::remove_file(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    } else {
        fs::write(&file, text)
    };
    written.map_err(|error| ReplayError::capture(&file, None, error))
}

fn with_status(text: &str, status: Option<u16>) -> String {
    let is_status = |line: &str| {
        let key = line.split_once('=').map(|(key, _)| key.trim());
        matches!(key, Some("status" | "\"status\"" | "'status'"))
    };
    let mut in_table = false;
    let kept = text.split_inclusive('\n').filter(|line| {
        in_table |= line.trim_start().starts_with('[');
        in_table || !is_status(line)
    });
    let kept: String = kept.collect();
    match status {
        Some(status) if kept.is_empty() || kept.starts_with('\n') || !kept.starts_with('[') => {
            format!("status = {status}\n{kept}")
        }
        Some(status) => format!("status = {status}\n\n{kept}"),
        None => kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_rewritten_and_the_rest_stays() {
        let table = "[headers]\nstatus = 'x'\n";
        assert_eq!(with_status("", Some(400)), "status = 400\n");
        assert_eq!(
            with_status("# a\nstatus = 1\npath = '/'\n", Some(400)),
            "status = 400\n# a\npath = '/'\n"
        );
        assert_eq!(with_status(table, Some(400)), format!("status = 400\n\n{table}"));
        assert_eq!(with_status(&format!("status=1\n\n{table}"), None), format!("\n{table}"));
        assert_eq!(with_status("status = 1\n", None), "");
    }
}
