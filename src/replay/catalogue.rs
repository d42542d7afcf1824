//! Finding the cases below a folder, in the order of their paths, and reading one when its turn
//! comes, so that the number of cases costs no memory to speak of.
//!
//! A case is a folder with a `request.xml`. Links to folders are not followed.

use super::error::ReplayError;
use super::rules::{FILE_NAME, Rules};
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is sent.
const REQUEST: &str = "request.xml";
/// What is expected.
pub(super) const RESPONSE: &str = "response.xml";
/// Describes the ledger before the first case.
const SEED: &str = "seed.toml";
/// No file of a case may be larger.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Where a case is, and its rules.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its folder, which is also its name.
    pub(super) folder: PathBuf,
    /// Its rules, those of the folders above included.
    pub(super) rules: Arc<Rules>,
}

impl Entry {
    /// The name in reports.
    pub(super) fn name(&self) -> String {
        super::canonical::printable(&self.folder.to_string_lossy())
    }

    /// The body to send.
    pub(super) fn request(&self) -> Result<Vec<u8>, ReplayError> {
        read(&self.folder.join(REQUEST))?
            .ok_or_else(|| ReplayError::capture(&self.folder.join(REQUEST), None, "it is gone"))
    }

    /// The body that is expected, if there is one yet.
    pub(super) fn response(&self) -> Result<Option<Vec<u8>>, ReplayError> {
        read(&self.folder.join(RESPONSE))
    }
}

fn read(file: &Path) -> Result<Option<Vec<u8>>, ReplayError> {
    let unreadable = |error: &dyn std::fmt::Display| ReplayError::capture(file, None, error);
    let opened = match fs::File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&error)),
    };
    let mut bytes = Vec::new();
    let limit = FILE_BYTES_MAX.saturating_add(1);
    let read = opened.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(unreadable(&format_args!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(Some(bytes))
}

/// Every case at or below `paths`.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<Entry>, ReplayError> {
    let mut entries = Vec::new();
    for path in paths {
        let before = entries.len();
        let is_folder =
            fs::metadata(path).map_err(|error| ReplayError::capture(path, None, error))?.is_dir();
        if !is_folder {
            return Err(ReplayError::capture(path, None, "expected a folder of a catalogue"));
        }
        walk(path, &rules_above(path)?, &mut entries)?;
        if entries.len() == before {
            let message = format!("expected a folder with a {REQUEST} in it or below it");
            return Err(ReplayError::capture(path, None, message));
        }
    }
    Ok(entries)
}

fn walk(folder: &Path, above: &Arc<Rules>, entries: &mut Vec<Entry>) -> Result<(), ReplayError> {
    let unreadable = |error: std::io::Error| ReplayError::capture(folder, None, error);
    let rules = Rules::read(folder, above)?.map_or_else(|| Arc::clone(above), Arc::new);
    let (mut folders, mut has_request, mut has_response) = (Vec::new(), false, false);
    for found in fs::read_dir(folder).map_err(unreadable)? {
        let found = found.map_err(unreadable)?;
        if found.file_type().map_err(unreadable)?.is_dir() {
            folders.push(found.path());
        }
        has_request |= found.file_name() == REQUEST;
        has_response |= found.file_name() == RESPONSE;
    }
    if has_request {
        entries.push(Entry { folder: folder.to_owned(), rules: Arc::clone(&rules) });
    } else if has_response {
        let message = format!("there is a {RESPONSE} but no {REQUEST}");
        return Err(ReplayError::capture(folder, None, message));
    }
    folders.sort_unstable();
    folders.iter().try_for_each(|below| walk(below, &rules, entries))
}

/// The rules from the folder with the seed down to the one above `path`. Without a seed nobody
/// knows where the catalogue begins, and only what is below `path` counts.
fn rules_above(path: &Path) -> Result<Arc<Rules>, ReplayError> {
    let path = fs::canonicalize(path).map_err(|error| ReplayError::capture(path, None, error))?;
    let above: Vec<_> = path.ancestors().skip(1).collect();
    let Some(root) = path.ancestors().position(|folder| folder.join(SEED).is_file()) else {
        return Ok(Arc::default());
    };
    let mut rules = Rules::default();
    for folder in above.iter().take(root).rev() {
        rules = Rules::read(folder, &rules)?.unwrap_or(rules);
    }
    Ok(Arc::new(rules))
}

/// The nearest seed beside or above the captures.
pub(super) fn seed_of(paths: &[PathBuf]) -> Option<PathBuf> {
    paths.iter().find_map(|path| {
        let path = fs::canonicalize(path).ok()?;
        path.ancestors().map(|folder| folder.join(SEED)).find(|seed| seed.is_file())
    })
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

    /// A tree of files, each with its content.
    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (file, content) in files {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        root
    }

    fn names(root: &Path, entries: &[Entry]) -> Vec<String> {
        let relative =
            |entry: &Entry| entry.folder.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        entries.iter().map(relative).collect()
    }

    #[test]
    fn cases_come_in_the_order_of_their_paths() {
        let root = tree(&[
            ("b/2/request.xml", ""),
            ("b/10/request.xml", ""),
            ("a/z/request.xml", ""),
            ("a/notes.txt", ""),
        ]);
        let entries = find(&[root.path().to_owned()]).unwrap();
        assert_eq!(names(root.path(), &entries), ["a/z", "b/10", "b/2"]);
    }

    #[test]
    fn rules_of_folders_above_hold_from_the_seed_down() {
        let root = tree(&[
            ("replay.toml", "path = '/outside'"),
            ("catalogue/seed.toml", ""),
            ("catalogue/replay.toml", "path = '/root'\nstatus = 400"),
            ("catalogue/a/replay.toml", "path = '/a'"),
            ("catalogue/a/one/request.xml", ""),
            ("catalogue/a/two/request.xml", ""),
            ("catalogue/a/two/replay.toml", "path = '/two'"),
            ("catalogue/b/request.xml", ""),
        ]);
        let path = |below: &str| {
            let entries = find(&[root.path().join(below)]).unwrap();
            let paths = entries.iter().map(|entry| entry.rules.path().to_owned());
            (paths.collect::<Vec<_>>(), entries[0].rules.status.map(|status| status.0))
        };
        let all = ["/a", "/two", "/root"].map(str::to_owned).to_vec();
        assert_eq!(path("catalogue"), (all, Some(400)));
        assert_eq!(path("catalogue/a/one"), (vec!["/a".to_owned()], Some(400)));
        assert_eq!(path("catalogue/b"), (vec!["/root".to_owned()], Some(400)));
    }

    #[test]
    fn the_nearest_seed_counts() {
        let root = tree(&[("seed.toml", ""), ("a/seed.toml", ""), ("a/b/x", ""), ("c/x", "")]);
        let seed = |below: &str| seed_of(&[root.path().join(below)]).unwrap();
        let real = fs::canonicalize(root.path()).unwrap();
        assert_eq!(seed("a/b"), real.join("a/seed.toml"));
        assert_eq!(seed("c"), real.join("seed.toml"));
    }

    #[test]
    fn what_is_no_catalogue_is_said_with_its_path() {
        let root = tree(&[("empty/x", ""), ("half/response.xml", "")]);
        for (below, expected) in [
            ("gone", "No such file"),
            ("empty/x", "expected a folder of a catalogue"),
            ("empty", "expected a folder with a request.xml"),
            ("half", "there is a response.xml but no request.xml"),
        ] {
            let path = root.path().join(below);
            let error = find(std::slice::from_ref(&path)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(error.contains(&path.display().to_string()), "{error}");
        }
    }

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
