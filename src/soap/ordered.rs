//! What a tester ordered, as SOAP does it: rows that fail, and faults that look like the real ones.

use super::envelope::Dialect;
use super::fault::{Fault, Looks, encode_as};
use super::{Asked, Soap};
use crate::call::ordered::suffer;
use crate::call::{Answer, CallFacts, OperationName, Outcome, Reply};
use crate::domain::error_code::ErrorCode;
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::service::faults::FaultRule;

impl Soap {
    /// Lets a call suffer what was ordered for it; `accounts` are those of its rows.
    pub(super) async fn inject(
        &self,
        (rule, accounts): (FaultRule, &[Option<ObjectId>]),
        mut asked: Box<Asked>,
        dialect: &Dialect,
        facts: &mut CallFacts,
    ) -> Reply {
        let (operation, account) = (asked.request.operation.name(), rule.account.clone());
        let is_meant = |of_row: &Option<ObjectId>| account.is_none() || *of_row == account;
        let rows = accounts.iter().enumerate().filter(|(_, of_row)| is_meant(of_row));
        let rows: Vec<usize> = rows.map(|(row, _)| row).collect();
        let fault = |code, message| Answer::ordered_fault(code, message, operation, dialect);
        let work = |error: Option<RowError>| {
            if let Some(error) = error {
                asked.request.operation.fail_rows(&rows, &error);
            }
            self.perform_as_asked(asked, dialect, facts)
        };
        suffer(rule, operation, fault, work).await
    }
}

impl Answer {
    fn ordered(operation: OperationName) -> Self {
        Self::new(500, ("text/xml", Vec::new()), operation, Outcome::Ordered)
    }

    /// A fault that looks like the real one with this code that the operation can meet.
    fn ordered_fault(
        code: ErrorCode,
        message: Option<String>,
        operation: OperationName,
        dialect: &Dialect,
    ) -> Self {
        let mut real = Fault::of_code(code, operation.name());
        let (like, other) = (real.next(), real.next());
        // Where several faults have the code, or one repeats what a caller sent, no text is theirs.
        let only = like.as_ref().filter(|_| other.is_none()).map(Fault::text);
        let own = only.filter(|text| !text.template().contains('<'));
        let own = || own.map(|text| dialect.wording.report(&text));
        let text = message.or_else(own).unwrap_or_else(|| format!("{} was ordered.", code.name()));
        let looks = like.as_ref().map_or(Looks::PLAIN, Looks::of);
        let plain = Self::ordered(operation);
        Self {
            status: like.as_ref().map_or(plain.status, Fault::status),
            retry_after_s: like.as_ref().and_then(Fault::retry_after_s),
            content_type: dialect.soap.content_type(),
            body: encode_as(looks, code, &text, dialect),
            ..plain
        }
    }
}
