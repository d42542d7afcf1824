//! What a tester ordered happens to a call, in the place of what the caller asked for or after it.
//!
//! What must stay true: an ordered fault means, as any other, that nothing was done; what is done
//! first is done as always, so that nothing that is acknowledged or lost in an answer is lost in
//! the ledger.

use super::Soap;
use super::envelope::Dialect;
use super::fault::{Fault, Looks, encode_as};
use super::read::Request;
use crate::call::{Answer, Call, CallFacts, OperationName, Outcome, Reply};
use crate::domain::error_code::ErrorCode;
use crate::domain::id::ObjectId;
use crate::service::faults::{Effect, FaultRule};

impl Soap {
    /// Injects the fault that was ordered for a call; `accounts` are those of its rows. The answer
    /// then has the status and the headers that were ordered.
    pub(super) async fn inject(
        &self,
        (mut rule, accounts): (FaultRule, &[Option<ObjectId>]),
        call: Call,
        request: Request,
        dialect: &Dialect,
        facts: &mut CallFacts,
    ) -> Reply {
        let (status, headers) = (rule.status.take(), std::mem::take(&mut rule.headers));
        let reply = self.take_effect((rule, accounts), call, request, dialect, facts).await;
        reply.damaged(|answer| {
            answer.status = status.unwrap_or(answer.status);
            answer.ordered = headers;
        })
    }

    async fn take_effect(
        &self,
        (rule, accounts): (FaultRule, &[Option<ObjectId>]),
        call: Call,
        mut request: Request,
        dialect: &Dialect,
        facts: &mut CallFacts,
    ) -> Reply {
        let operation = request.operation.name();
        tracing::info!(%operation, ?rule, "a call suffers what was ordered");
        tokio::time::sleep(rule.delay).await;
        match rule.effect {
            Effect::None => self.perform_as_asked(call, request, dialect, facts).await,
            Effect::Rows(error) => {
                let is_meant =
                    |of_row: &Option<ObjectId>| rule.account.is_none() || *of_row == rule.account;
                let rows = accounts.iter().enumerate().filter(|(_, of_row)| is_meant(of_row));
                let rows: Vec<usize> = rows.map(|(row, _)| row).collect();
                request.operation.fail_rows(&rows, &error);
                self.perform_as_asked(call, request, dialect, facts).await
            }
            Effect::Fault { code, message } => {
                Reply::Answer(Answer::ordered_fault(code, message, operation, dialect))
            }
            Effect::Body { status, content_type, text } => Reply::Answer(Answer {
                status,
                content_type,
                body: text.into_bytes(),
                ..Answer::ordered(operation)
            }),
            Effect::Reset { after: false } => Reply::Reset(operation),
            Effect::Reset { after: true } => {
                // It is done, and the caller gets no answer.
                let _ = self.perform_as_asked(call, request, dialect, facts).await;
                Reply::Reset(operation)
            }
            Effect::Truncate { bytes } => {
                self.perform_as_asked(call, request, dialect, facts).await.damaged(|answer| {
                    answer.body.truncate(bytes);
                })
            }
            Effect::CutOff { bytes } => {
                self.perform_as_asked(call, request, dialect, facts).await.damaged(|answer| {
                    answer.cut_after = Some(bytes);
                })
            }
        }
    }
}

impl Reply {
    fn damaged(self, damage: impl FnOnce(&mut Answer)) -> Self {
        match self {
            Self::Abort(_) | Self::Reset(_) => self,
            Self::Answer(mut answer) => {
                damage(&mut answer);
                Self::Answer(answer)
            }
        }
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
        let own = || own.map(|text| dialect.wording.tell(&text));
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
