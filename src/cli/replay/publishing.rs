//! Handing the report of a replay to a running gateway, whose console shows it.
//!
//! What must stay true: where to and by which token is known before anything is sent; a report that
//! could not be handed over is a failure of its own, whatever the replay came to.

use super::super::admin::{Api, Place};
use super::super::exit::{Failure, FailureCode};
use super::super::terminal;
use crate::client::Method;
use crate::replay::Document;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

/// What the failure begins with.
const UNPUBLISHED: &str = "the replay is over, but its report was not published";

/// A report that will be handed over.
pub(super) struct Publishing {
    url: String,
    api: Api,
    document: Receiver<Value>,
}

impl Publishing {
    /// The report of a replay of `paths` for the gateway at `place`, and what hands it over at the
    /// end.
    pub(super) fn begin(
        place: &Place,
        paths: &[PathBuf],
        began: DateTime<Utc>,
    ) -> Result<(Self, Document), Failure> {
        let api = place.api()?;
        let paths = paths.iter().map(|path| path.display().to_string()).collect();
        let (report, document) = Document::new(began, paths);
        let url = place.admin.trim_end_matches('/').to_owned();
        Ok((Self { url, api, document }, report))
    }

    /// Hands over what there is, and says where it can be seen.
    pub(super) fn publish(self) -> Result<(), Failure> {
        let Ok(document) = self.document.try_recv() else { return Ok(()) };
        self.api.end_at_a_signal()?;
        let taken = self.api.call(Method::POST, "reports", &document);
        let taken = taken.map_err(|failure| Failure {
            code: FailureCode::Runtime,
            error: failure.error.context(UNPUBLISHED),
        })?;
        let id = taken.get("id").map_or_else(String::new, Value::to_string);
        terminal::note(&format!("the report is at {}/bench/reports/{id}", self.url));
        Ok(())
    }
}
