//! Accepting an answer as the new capture.
//!
//! What must stay true: only files of the catalogue itself are written, never what one of them, or
//! a folder on the way to it, is a link to, which may be anything on this machine.

use super::catalogue::rewrite_status;
use super::compare::{Difference, Level, compare, usual_status};
use super::error::ReplayError;
use super::exchange::{Exchange, Files};
use super::rules::FILE_NAME;
use super::secret::{secrets_in, untold_answer};
use crate::client::Answer;
use std::path::Path;

/// Makes `answer` the capture of an exchange whose files these are. What still differs then, such
/// as a header or a text that a rule wants to match, is given back.
pub(super) fn accept(
    exchange: &Exchange,
    files: &Files,
    answer: &Answer,
    level: Level,
) -> Result<Vec<Difference>, ReplayError> {
    refuse_links(files)?;
    let secrets = [secrets_in(&exchange.request), secrets_in(&answer.body)].concat();
    let body = untold_answer(&answer.body, &secrets);
    let mut rules = (*exchange.rules).clone();
    let actual = answer.status.as_u16();
    let expected = rules.status.map_or_else(|| usual_status(&body), |status| status.0);
    if let Some(folder) = files.folder.as_deref().filter(|_| expected != actual) {
        let status = (usual_status(&body) != actual).then_some(actual);
        rewrite_status(folder, status)?;
        rules.status = Some(super::rules::Status(actual));
    }
    let file = &files.response;
    std::fs::write(file, &body).map_err(|error| ReplayError::capture(file, None, error))?;
    let answer = Answer { body: body.clone().into(), ..answer.clone() };
    Ok(compare(&body, &answer, &rules, level))
}

/// Refuses to write where a link stands in the place of a file of the catalogue.
fn refuse_links(files: &Files) -> Result<(), ReplayError> {
    let rules = files.folder.as_ref().map(|folder| folder.join(FILE_NAME));
    for file in [Some(files.response.clone()), rules].into_iter().flatten() {
        if std::fs::symlink_metadata(&file).is_ok_and(|about| about.is_symlink()) {
            let why = "it is a symbolic link, and --update writes only files of the catalogue \
                       itself; put a file in its place";
            return Err(ReplayError::capture(&file, None, why));
        }
    }
    match files.response.ancestors().skip(1).find(|folder| leads_out(folder)) {
        None => Ok(()),
        Some(folder) => {
            let why = "it is a symbolic link that leads out of the folder it is in, and --update \
                       writes only files of the catalogue itself; name the folder that it leads to";
            Err(ReplayError::capture(folder, None, why))
        }
    }
}

/// Whether a folder is a link to somewhere outside of the folder that it is in; also one whose end
/// cannot be seen.
fn leads_out(folder: &Path) -> bool {
    if !std::fs::symlink_metadata(folder).is_ok_and(|about| about.is_symlink()) {
        return false;
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty());
    let above = above.unwrap_or(Path::new(".")).canonicalize();
    match (folder.canonicalize(), above) {
        (Ok(end), Ok(above)) => !end.starts_with(above),
        _ => true,
    }
}
