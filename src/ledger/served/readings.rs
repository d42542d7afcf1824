//! What operators look through, on any engine; sessions and what webhooks did not take.

use super::{Backend, Served, listed_accounts, listed_refunds};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::number::saturated;
use crate::domain::refund_name::RefundName;
use crate::ledger::books::BooksError;
use crate::ledger::engine::Engine;
use crate::ledger::reader::Reader;
use crate::ledger::readings::{
    AccountView, AccountsQuery, EntryView, FailedDelivery, Listed, ListedAdjustment, ListedInvoice,
    ListedPayment, ListedRefund, ListedSession, OpenRefund, ROWS_MAX, Readings, RefundCounts,
    RefundsQuery, SessionHandle, SessionPlace, SessionsQuery, Span,
};
use crate::ledger::record::{Field, Value};
use crate::ledger::trail::Act;
use crate::ledger::work::sessions as work;
use crate::ledger::{Reply, TokenHash};

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
        self.backend.read(move |reader| sessions(reader, &query))
    }

    fn end_session(&self, handle: SessionHandle, act: Act) -> Reply<bool> {
        let found = self.backend.read(move |reader| {
            let (least, greatest) = handle.hashes();
            let select = "select token_hash from session where token_hash between ?1 and ?2";
            reader
                .first(select, &[least.stored(), greatest.stored()], |row| row.get::<TokenHash>(0))
        });
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

fn sessions(
    reader: &mut dyn Reader,
    query: &SessionsQuery,
) -> Result<Listed<ListedSession, SessionPlace>, BooksError> {
    let most = i64::from(query.rows_max.clamp(1, ROWS_MAX));
    // Those that were used at one moment follow each other by their hashes.
    let (at, hash) =
        query.from.map_or((i64::MAX, [0; 32]), |from| (from.last_used_ms, from.handle.hashes().1));
    let select = "select session.token_hash, user.username, session.last_used_ms \
         from session join user on user.key = session.user \
         where session.last_used_ms >= ?1 and session.last_used_ms <= ?2 \
         and (session.last_used_ms < ?2 or session.token_hash > ?3) \
         and user.username = coalesce(?4, user.username) \
         order by session.last_used_ms desc, session.token_hash limit ?5";
    let username = query.username.clone().map_or(Value::Null, Value::from);
    let values = [query.used_since.stored(), at.into(), hash.stored(), username, (most + 1).into()];
    let mut rows = reader.list(select, &values, |row| {
        let handle = SessionHandle::of(&row.get(0)?);
        Ok(ListedSession { handle, username: row.get(1)?, last_used: row.get(2)? })
    })?;
    let most: usize = saturated(most);
    let has_more = rows.len() > most;
    rows.truncate(most);
    let place = |row: &ListedSession| SessionPlace {
        last_used_ms: row.last_used.timestamp_millis(),
        handle: row.handle,
    };
    let next = rows.last().filter(|_| has_more).map(place);
    Ok(Listed { rows, next })
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
