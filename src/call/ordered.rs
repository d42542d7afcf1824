//! What a tester ordered happens to a call, in the place of what the caller asked for or after it,
//! by whichever front door it came.
//!
//! What must stay true: an ordered fault means, as any other, that nothing was done; what is done
//! first is done as always, so that nothing that is acknowledged or lost in an answer is lost in
//! the ledger.

use super::{Answer, CallFacts, OperationName, Outcome, Reply};
use crate::domain::error_code::ErrorCode;
use crate::domain::row_error::RowError;
use crate::service::faults::{Effect, FaultRule};
use std::future::Future;

/// Lets a call suffer what `rule` orders. `fault` is the front door's answer to a call that fails
/// as a whole; `work` does what the caller asked for, the rows that are meant failing with the
/// error, if there is one.
pub async fn suffer<F: Future<Output = Reply>>(
    mut rule: FaultRule,
    operation: OperationName,
    fault: impl FnOnce(ErrorCode, Option<String>) -> Answer,
    work: impl FnOnce(Option<RowError>) -> F,
) -> Reply {
    tracing::info!(%operation, ?rule, "a call suffers what was ordered");
    tokio::time::sleep(rule.delay).await;
    let (status, headers) = (rule.status.take(), std::mem::take(&mut rule.headers));
    let reply = match rule.effect {
        Effect::None => work(None).await,
        Effect::Rows(error) => work(Some(error)).await,
        Effect::Fault { code, message } => Reply::Answer(fault(code, message)),
        Effect::Body { status, content_type, text } => {
            let body = (content_type, text.into_bytes());
            Reply::Answer(Answer::new(status, body, operation, Outcome::Ordered))
        }
        Effect::Reset { after } => {
            // It is done, and the caller gets no answer.
            let facts = if after { work(None).await.into_facts() } else { CallFacts::default() };
            Reply::Reset(operation, Box::new(facts))
        }
        Effect::Truncate { bytes } => {
            work(None).await.changed(|answer| answer.body.truncate(bytes))
        }
        Effect::CutOff { bytes } => {
            work(None).await.changed(|answer| answer.cut_after = Some(bytes))
        }
    };
    reply.changed(|answer| {
        answer.status = status.unwrap_or(answer.status);
        answer.ordered = headers;
    })
}

impl Reply {
    /// The reply with its answer, if it has one, changed.
    #[must_use]
    pub fn changed(self, change: impl FnOnce(&mut Answer)) -> Self {
        match self {
            Self::Abort(..) | Self::Reset(..) => self,
            Self::Answer(mut answer) => {
                change(&mut answer);
                Self::Answer(answer)
            }
        }
    }
}
