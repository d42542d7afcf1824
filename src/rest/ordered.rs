//! What a tester ordered, as the REST API does it, and the turn of a call before a tester who
//! replaces the ledger below it.

use super::answer::{Manner, Response};
use super::asked::{self, Asked};
use super::error::{Reason, Resource, Wrong};
use super::failing;
use super::paths::Found;
use super::{Rest, twins};
use crate::call::ordered::suffer;
use crate::call::{Answer, Call, CallFacts, OperationName, Outcome, Reply};
use crate::domain::error_code::ErrorCode;
use crate::domain::row_error::RowError;
use crate::domain::text::Text;
use crate::service::refusal::Refusal;
use std::collections::BTreeMap;

impl Rest {
    /// Does what is asked, unless a tester ordered something else, or replaces the ledger below it.
    pub(super) async fn perform(&self, call: &Call, found: Found<'_>, manner: &Manner) -> Reply {
        let Found::Operation(operation, template, keys) = &found else {
            return self.perform_as_asked(call, found, manner, BTreeMap::new()).await;
        };
        let (operation, template) = (operation.name(), *template);
        if self.service.ledger().test_bench().is_none() {
            return self.perform_as_asked(call, found, manner, BTreeMap::new()).await;
        }
        let asked = Asked::new((operation, template), *keys, &call.body);
        let rows = asked.rows(&self.service).await;
        if let Some(notes) = &call.notes {
            asked.note(notes, call.head.idempotency_key.as_deref(), &rows);
        }
        let accounts: Vec<_> = rows.iter().flatten().cloned().collect();
        let faults = self.service.faults();
        let named = accounts.clone();
        let work = async {
            let taken = || faults.take(operation.name(), &named);
            let Some(rule) = faults.any().then(taken).flatten() else {
                return self.perform_as_asked(call, found, manner, BTreeMap::new()).await;
            };
            let account = rule.account.clone();
            let fault = |code, message| ordered_fault(code, message, (operation, template), manner);
            let work = |error: Option<RowError>| {
                let ordered = asked::failing(&rows, account.as_ref(), error);
                self.perform_as_asked(call, found, manner, ordered)
            };
            suffer(rule, operation, fault, work).await
        };
        let reply = self.service.perform(operation.name(), accounts, Box::pin(work)).await;
        reply.unwrap_or_else(|| Reply::Abort(operation, Box::default()))
    }
}

/// A fault in the form of the operation, with the status of the real one of its code.
fn ordered_fault(
    code: ErrorCode,
    message: Option<String>,
    (operation, template): (OperationName, &'static str),
    manner: &Manner,
) -> Answer {
    let text = Text::verbatim(message.unwrap_or_else(|| format!("{} was ordered.", code.name())));
    let of_v1 = |wrong, text| manner.refuse(&Reason::of_request(wrong, text));
    let mut response: Response = match code {
        ErrorCode::InvalidSession => failing::unauthenticated(manner, template, text),
        ErrorCode::RequestExceededLimit | ErrorCode::RequestExceededRate => {
            let refused = of_v1(Wrong::TooMany, text);
            Response { retry_after_s: Refusal::TooManyRequests.retry_after_s(), ..refused }
        }
        _ if template.starts_with("/v1/action/") => twins::ordered_fault(code, &text, true, manner),
        _ if template.starts_with("/v1/object/") => {
            twins::ordered_fault(code, &text, false, manner)
        }
        _ => manner.refuse(&Reason::of_row(&RowError::new(code, text), Resource::Request)),
    };
    response.outcome = Outcome::Ordered;
    response.into_answer(operation, CallFacts::default())
}
