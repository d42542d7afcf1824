//! What a tester ordered happens to a call, in the place of what the caller asked for or after it.
//!
//! What must stay true: an ordered fault means, as any other, that nothing was done; what is done
//! first is done as always, so that nothing that is acknowledged or lost in an answer is lost in
//! the ledger.

use super::envelope::Dialect;
use super::fault::encode_ordered;
use super::read::Request;
use super::{Soap, SoapAnswer, SoapCall, SoapReply};
use crate::domain::error_code::ErrorCode;
use crate::domain::id::ObjectId;
use crate::service::faults::{Effect, FaultRule};

/// How metrics and the journal call it.
const ORDERED: &str = "ordered";

impl Soap {
    /// Lets a call suffer what was ordered for it; `accounts` are those of its rows.
    pub(super) async fn suffer(
        &self,
        rule: FaultRule,
        accounts: &[Option<ObjectId>],
        call: SoapCall,
        mut request: Request,
        dialect: &Dialect,
    ) -> SoapReply {
        let operation = request.operation.name();
        tracing::info!(operation, ?rule, "a call suffers what was ordered");
        tokio::time::sleep(rule.delay).await;
        match rule.effect {
            Effect::None => self.perform_as_asked(call, request, dialect).await,
            Effect::Rows(error) => {
                let is_meant =
                    |of_row: &Option<ObjectId>| rule.account.is_none() || *of_row == rule.account;
                let rows = accounts.iter().enumerate().filter(|(_, of_row)| is_meant(of_row));
                let rows: Vec<usize> = rows.map(|(row, _)| row).collect();
                request.operation.fail_rows(&rows, &error);
                self.perform_as_asked(call, request, dialect).await
            }
            Effect::Fault { code, message } => {
                SoapReply::Answer(SoapAnswer::ordered_fault(code, &message, operation, dialect))
            }
            Effect::Body { status, content_type, text } => SoapReply::Answer(SoapAnswer {
                status,
                content_type,
                body: text.into_bytes(),
                ..SoapAnswer::ordered(operation)
            }),
            Effect::Reset { after: false } => SoapReply::Reset(operation),
            Effect::Reset { after: true } => {
                // It is done, and nobody is told.
                let _ = self.perform_as_asked(call, request, dialect).await;
                SoapReply::Reset(operation)
            }
            Effect::Truncate { bytes } => {
                self.perform_as_asked(call, request, dialect).await.damaged(|answer| {
                    answer.body.truncate(bytes);
                })
            }
            Effect::CutOff { bytes } => {
                self.perform_as_asked(call, request, dialect).await.damaged(|answer| {
                    answer.cut_after = Some(bytes);
                })
            }
            Effect::Status(status) => {
                self.perform_as_asked(call, request, dialect).await.damaged(|answer| {
                    answer.status = status;
                })
            }
        }
    }
}

impl SoapReply {
    fn damaged(self, damage: impl FnOnce(&mut SoapAnswer)) -> Self {
        match self {
            Self::Abort(_) | Self::Reset(_) => self,
            Self::Answer(mut answer) => {
                damage(&mut answer);
                Self::Answer(answer)
            }
        }
    }
}

impl SoapAnswer {
    fn ordered(operation: &'static str) -> Self {
        Self {
            status: 500,
            content_type: "text/xml",
            body: Vec::new(),
            cut_after: None,
            retry_after_s: None,
            replayed: false,
            operation,
            outcome: ORDERED,
            limit: None,
            row_errors: 0,
            refunds: 0,
            ignored_fields: 0,
        }
    }

    fn ordered_fault(
        code: ErrorCode,
        message: &str,
        operation: &'static str,
        dialect: &Dialect,
    ) -> Self {
        let body = encode_ordered(code, message, dialect);
        let content_type = dialect.soap.content_type();
        Self { body, content_type, ..Self::ordered(operation) }
    }
}
