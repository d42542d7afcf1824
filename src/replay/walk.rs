//! Finding captures below paths, in the order of their names, one at a time, so that their number
//! costs no memory to speak of.
//!
//! What a path is, is seen by looking at it: a folder is walked, a file is a HAR, a cassette, or
//! the XML of a request. In a folder only what is certainly a capture counts; a file that is named
//! must be one. Links to folders are not followed.

mod pairs;

use super::capture::{self, CaptureFile};
use super::catalogue::{
    Case, JSON_REQUEST, JSON_RESPONSE, PAIR_REQUEST, PAIR_RESPONSE, REQUEST, RESPONSE, SEED,
};
use super::error::ReplayError;
use super::place::Place;
use super::rules::{Pattern, Rules};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Something that holds exchanges.
pub(super) enum Capture {
    /// One exchange in files of its own.
    Case(Case),
    /// A file with many.
    File(CaptureFile),
}

/// The rules of the command line.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    pub(super) ignore: Vec<Place>,
    pub(super) matches: Vec<(Place, Pattern)>,
}

/// The rules of a folder: those that are inherited, and with the command line's added.
#[derive(Clone)]
struct Scope {
    inherited: Arc<Rules>,
    rules: Arc<Rules>,
}

/// Everything at or below some paths.
pub(super) struct Walk<'f> {
    given: &'f Given,
    found: &'f mut dyn FnMut(Capture) -> Result<(), ReplayError>,
    count: usize,
    /// Whether what is walked has a seed.
    has_seed: bool,
    /// Folders that have another one.
    left: Vec<PathBuf>,
}

/// Finds every capture at or below `paths`, and gives the folders that were left out because they
/// have a seed of their own.
pub(super) fn walk(
    paths: &[PathBuf],
    given: &Given,
    found: &mut dyn FnMut(Capture) -> Result<(), ReplayError>,
) -> Result<Vec<PathBuf>, ReplayError> {
    let has_seed = seed_of(paths).is_some();
    let mut walk = Walk { given, found, count: 0, has_seed, left: Vec::new() };
    for path in paths {
        let before = walk.count;
        let is_folder =
            fs::metadata(path).map_err(|error| ReplayError::capture(path, None, error))?.is_dir();
        let scope = walk.scope(rules_above(path)?);
        if is_folder {
            walk.folder(path, &scope)?;
        } else {
            let folder = path.parent().unwrap_or(Path::new("."));
            let scope = walk.below(folder, &scope)?;
            walk.named(path, &scope)?;
        }
        if walk.count == before {
            let message = format!(
                "expected a folder with a {REQUEST}, a *{PAIR_REQUEST}, a *.har or a VCR cassette \
                 in it or below it; SoapUI projects and lone requests are named themselves"
            );
            return Err(ReplayError::capture(path, None, message));
        }
    }
    Ok(walk.left)
}

impl Walk<'_> {
    fn scope(&self, inherited: Arc<Rules>) -> Scope {
        let Given { ignore, matches } = self.given;
        let rules = if ignore.is_empty() && matches.is_empty() {
            Arc::clone(&inherited)
        } else {
            Arc::new(Rules::clone(&inherited).and_given(ignore, matches))
        };
        Scope { inherited, rules }
    }

    /// The rules in a folder over those above it.
    fn below(&self, folder: &Path, above: &Scope) -> Result<Scope, ReplayError> {
        let rules = Rules::read(folder, &above.inherited)?;
        Ok(rules.map_or_else(|| above.clone(), |rules| self.scope(Arc::new(rules))))
    }

    fn report(&mut self, capture: Capture) -> Result<(), ReplayError> {
        self.count = self.count.saturating_add(1);
        (self.found)(capture)
    }

    fn folder(&mut self, folder: &Path, above: &Scope) -> Result<(), ReplayError> {
        let scope = self.below(folder, above)?;
        let names = names(folder)?;
        let has = |name: &str| names.iter().any(|(found, _)| found == name);
        if has(REQUEST) || has(JSON_REQUEST) {
            let case = Case::of_folder(folder, Arc::clone(&scope.rules));
            self.report(Capture::Case(case))?;
        } else if let Some((response, request)) =
            [(RESPONSE, REQUEST), (JSON_RESPONSE, JSON_REQUEST)].into_iter().find(|it| has(it.0))
        {
            let message = format!("there is a {response} but no {request}");
            return Err(ReplayError::capture(folder, None, message));
        }
        for (name, is_folder) in &names {
            let path = folder.join(name);
            if *is_folder && self.has_seed && path.join(SEED).is_file() {
                // It is about another ledger, and so a catalogue of its own.
                self.left.push(path);
            } else if *is_folder {
                self.folder(&path, &scope)?;
            } else {
                self.found_in_folder(&path, &scope)?;
            }
        }
        Ok(())
    }

    /// A file that was found and not named.
    fn found_in_folder(&mut self, file: &Path, scope: &Scope) -> Result<(), ReplayError> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(PAIR_REQUEST) {
            return self.report(Capture::Case(Case::of_pair(file, Arc::clone(&scope.rules))));
        }
        if let Some(stem) = name.strip_suffix(PAIR_RESPONSE) {
            let request = file.with_file_name(format!("{stem}{PAIR_REQUEST}"));
            if !request.exists() {
                let message = format!("there is no {stem}{PAIR_REQUEST} beside it");
                return Err(ReplayError::capture(file, None, message));
            }
        }
        if let Some(response) = pair(file)? {
            let case = Case::of_files(file, response, Arc::clone(&scope.rules));
            return self.report(Capture::Case(case));
        }
        match capture::found(file)? {
            Some(format) => {
                self.report(Capture::File(CaptureFile::new(file, format, Arc::clone(&scope.rules))))
            }
            None => Ok(()),
        }
    }

    /// A file that must be a capture, because the command line says so.
    fn named(&mut self, file: &Path, scope: &Scope) -> Result<(), ReplayError> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let rules = Arc::clone(&scope.rules);
        if name == REQUEST || name == JSON_REQUEST {
            let folder = file.parent().filter(|folder| *folder != Path::new(""));
            return self
                .report(Capture::Case(Case::of_folder(folder.unwrap_or(Path::new(".")), rules)));
        }
        if name.ends_with(PAIR_REQUEST) {
            return self.report(Capture::Case(Case::of_pair(file, rules)));
        }
        if let Some(response) = pair(file)? {
            return self.report(Capture::Case(Case::of_files(file, response, rules)));
        }
        let is_answer = [RESPONSE, JSON_RESPONSE].contains(&&*name);
        if is_answer || name.ends_with(PAIR_RESPONSE) || pairs::request_of(file).is_some() {
            let message = "this is an answer: name its request, or the folder of both";
            return Err(ReplayError::capture(file, None, message));
        }
        match capture::named(file)? {
            Some(format) => self.report(Capture::File(CaptureFile::new(file, format, rules))),
            None => self.report(Capture::Case(Case::of_request(file, rules))),
        }
    }
}

/// The answer beside a request whose name is one of a pair, but none of a catalogue's.
fn pair(file: &Path) -> Result<Option<PathBuf>, ReplayError> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    if name == REQUEST || name == JSON_REQUEST || name.ends_with(PAIR_REQUEST) {
        return Ok(None);
    }
    pairs::answer_of(file)
}

/// What is in a folder, in order, and whether it is a folder.
fn names(folder: &Path) -> Result<Vec<(OsString, bool)>, ReplayError> {
    let unreadable = |error: std::io::Error| ReplayError::capture(folder, None, error);
    let mut names = Vec::new();
    for found in fs::read_dir(folder).map_err(unreadable)? {
        let found = found.map_err(unreadable)?;
        let kind = found.file_type().map_err(unreadable)?;
        // A link that leads nowhere is looked at, too, so that nothing is missed without a word.
        let is_file =
            || kind.is_file() || fs::metadata(found.path()).map_or(true, |file| file.is_file());
        if kind.is_dir() || is_file() {
            names.push((found.file_name(), kind.is_dir()));
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The rules from the folder with the seed down to the one above `path`. Without a seed no one
/// knows where the catalogue begins, and only what is below `path` counts.
fn rules_above(path: &Path) -> Result<Arc<Rules>, ReplayError> {
    let path = fs::canonicalize(path).map_err(|error| ReplayError::capture(path, None, error))?;
    // The rules of the folder that a file is in are read with the file.
    let first = if path.is_dir() { 1 } else { 2 };
    let above: Vec<_> = path.ancestors().skip(1).collect();
    let Some(root) = path.ancestors().position(|folder| folder.join(SEED).is_file()) else {
        return Ok(Arc::default());
    };
    let mut rules = Rules::default();
    for folder in above.iter().take(root).skip(first - 1).rev() {
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

#[cfg(test)]
mod tests;
