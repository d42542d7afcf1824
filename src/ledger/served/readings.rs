//! What operators look through, on any engine; what webhooks did not take.

use super::{Backend, Served, listed_accounts, listed_refunds, listed_sessions};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::refund_name::RefundName;
use crate::ledger::Reply;
use crate::ledger::books::BooksError;
use crate::ledger::engine::Engine;
use crate::ledger::reader::Reader;
use crate::ledger::readings::{
    AccountView, AccountsQuery, EntryView, FailedDelivery, Listed, ListedAdjustment, ListedInvoice,
    ListedPayment, ListedRefund, ListedSession, OpenRefund, Readings, RefundCounts, RefundsQuery,
    SessionHandle, SessionPlace, SessionsQuery, Span,
};
use crate::ledger::trail::Act;
use crate::ledger::work::sessions as work;

/// How many of the newest deliveries are looked at for a page of those that failed.
const DELIVERIES_MAX: i64 = 20_000;

impl<B: Backend> Readings for Served<B> {
    fn list_accounts(&self, query: AccountsQuery) -> Reply<Listed<AccountView>> {
        self.backend.read(move |reader| listed_accounts::page(reader, &query))
    }

    fn show_account(&self, key: ObjectKey) -> Reply<Option<AccountView>> {
        self.backend.read(move |reader| listed_accounts::one(reader, &key))
    }

    fn list_entries(&self, of: ObjectKey, span: Span) -> Reply<Option<Listed<EntryView>>> {
        self.backend.read(move |reader| listed_accounts::entries(reader, &of, span))
    }

    fn list_adjustments(
        &self,
        of: ObjectKey,
        span: Span,
    ) -> Reply<Option<Listed<ListedAdjustment>>> {
        self.backend.read(move |reader| listed_accounts::adjustments(reader, &of, span))
    }

    fn list_invoices(&self, of: ObjectKey, span: Span) -> Reply<Option<Listed<ListedInvoice>>> {
        self.backend.read(move |reader| listed_accounts::invoices(reader, &of, span))
    }

    fn list_payments(&self, of: ObjectKey, span: Span) -> Reply<Option<Listed<ListedPayment>>> {
        self.backend.read(move |reader| listed_accounts::payments(reader, &of, span))
    }

    fn list_refunds(&self, query: RefundsQuery) -> Reply<Listed<ListedRefund>> {
        self.backend.read(move |reader| listed_refunds::page(reader, &query))
    }

    fn show_refund(&self, name: RefundName) -> Reply<Option<ListedRefund>> {
        self.backend.read(move |reader| listed_refunds::one(reader, name))
    }

    fn count_refunds(&self) -> Reply<RefundCounts> {
        self.backend.read(listed_refunds::counts)
    }

    fn list_open(&self, span: Span) -> Reply<Listed<OpenRefund>> {
        self.backend.read(move |reader| listed_refunds::open(reader, span))
    }

    fn list_sessions(&self, query: SessionsQuery) -> Reply<Listed<ListedSession, SessionPlace>> {
        self.backend.read(move |reader| listed_sessions::page(reader, &query))
    }

    fn end_session(&self, handle: SessionHandle, act: Act) -> Reply<bool> {
        let found = self.backend.read(move |reader| listed_sessions::named(reader, handle));
        let writer = self.writer.later();
        Box::pin(async move {
            let Some(token) = found.await? else { return Ok(false) };
            writer
                .submit(move |engine: &mut B::Engine| {
                    engine.work(|unit| work::end(unit, token, &act))
                })
                .await
        })
    }

    fn list_failed_deliveries(&self, webhook: &str, span: Span) -> Reply<Listed<FailedDelivery>> {
        let webhook = webhook.to_owned();
        self.backend.read(move |reader| failed_deliveries(reader, &webhook, span))
    }
}

fn failed_deliveries(
    reader: &mut dyn Reader,
    webhook: &str,
    span: Span,
) -> Result<Listed<FailedDelivery>, BooksError> {
    let select = "select event.key, event.kind, event.refund, tried.attempts, tried.since_ms, \
         tried.next_ms, tried.last_error, tried.is_given_up from (\
             select delivery.event, delivery.attempts, delivery.since_ms, delivery.next_ms, \
             delivery.last_error, delivery.is_given_up from delivery \
             where delivery.webhook = ?1 and delivery.event < ?2 \
             order by delivery.event desc limit ?3) as tried \
         join event on event.key = tried.event \
         where tried.last_error is not null order by tried.event desc limit ?4";
    let values = [
        webhook.into(),
        span.from.unwrap_or(i64::MAX).into(),
        DELIVERIES_MAX.into(),
        listed_refunds::more_than(span).into(),
    ];
    let rows = reader.list(select, &values, |row| {
        Ok(FailedDelivery {
            sequence: row.get(0)?,
            kind: row.get(1)?,
            refund: row.get(2)?,
            attempts: row.get(3)?,
            since: row.get(4)?,
            next: row.get(5)?,
            last_error: row.get(6)?,
            is_given_up: row.get(7)?,
        })
    })?;
    Ok(listed_refunds::cut(rows, span, |delivery| delivery.sequence))
}
