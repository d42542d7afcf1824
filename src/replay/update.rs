//! Accepting an answer as the new capture.

use super::catalogue::rewrite_status;
use super::compare::{Difference, Level, compare, usual_status};
use super::error::ReplayError;
use super::exchange::{Exchange, Files};
use super::secret::{secrets_in, untold_answer};
use crate::client::Answer;

/// Makes `answer` the capture of an exchange whose files these are. What still differs then, such
/// as a header or a text that a rule wants to match, is given back.
pub(super) fn accept(
    exchange: &Exchange,
    files: &Files,
    answer: &Answer,
    level: Level,
) -> Result<Vec<Difference>, ReplayError> {
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
