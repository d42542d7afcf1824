//! Asking the admin API from within, as pages do, for typed answers.

use super::Console;
use super::trouble::Trouble;
use super::visitor::Visitor;
use crate::call::Method;
use crate::http::Inside;
use crate::ledger::trail::Act;
use serde::de::DeserializeOwned;
use serde_json::Value;

impl Console {
    /// What the admin API answers to the visitor at a path below `/api/v1/`, with a query and a
    /// body; what it refuses is the trouble of the page.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        visitor: &Visitor,
        (method, path, query): (Method, &str, &str),
        body: &Value,
    ) -> Result<T, Trouble> {
        asked(&self.inside, visitor.act(self), (method, path, query), body).await
    }
}

/// The same for what outlives the request of the visitor, in whose name it acts.
pub(super) async fn asked<T: DeserializeOwned>(
    inside: &Inside,
    act: Act,
    (method, path, query): (Method, &str, &str),
    body: &Value,
) -> Result<T, Trouble> {
    let answered = inside.operate(method, path, query, body, act).await;
    let answered = Trouble::unless_done(answered)?;
    serde_json::from_value(answered).map_err(|error| {
        tracing::error!(%error, path, "the console cannot read what the admin API says");
        Trouble::internal(format!("What there is of {path} could not be read."))
    })
}
