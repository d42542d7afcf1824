//! A caller: creates, sends again with the same key and sometimes with another body, takes refunds
//! back, asks about them, and hangs up.

use super::book::{Call, TakeBack, Taking, comment, shown};
use super::stage::{Kind, Row, Tenant, Way};
use super::{Simulation, random::Random};
use crate::domain::draft::change::RefundChange;
use crate::domain::draft::fields::Draft as _;
use crate::domain::draft::settlement_refunds::RefundUpdateDraft;
use crate::domain::id::{ObjectId, RefundId};
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::permission::Permissions;
use crate::domain::version::ApiVersion;
use crate::ledger::change::{ChangeResult, Changes, Deletable};
use crate::ledger::views::View;
use crate::ledger::{Batch, LedgerError, Render, RowResult, UserKey};
use crate::service::create::{CreateAnswer, CreateError};
use crate::service::idempotency::{IdempotencyKey, KeyScope, Once};
use crate::service::{CallContext, Caller, Service};
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// For how long a key is good, less what clocks may be wrong by.
const RETRIED_FOR: TimeDelta = TimeDelta::hours(22);
/// The same where clocks jump: things get old half as fast again, and an hour older at each start.
const RETRIED_WHERE_CLOCKS_JUMP: TimeDelta = TimeDelta::hours(12);

/// What a caller does next.
enum Next {
    Send(usize),
    TakeBack(usize),
    Ask(RefundId),
}

/// Calls until nothing is left to do, in the process of `service`.
pub(super) async fn call(simulation: Arc<Simulation>, service: Arc<Service>) {
    while let Some(next) = simulation.next() {
        simulation.use_session(&service).await;
        match next {
            // Hours may have passed since it was chosen.
            Next::Send(place) if !simulation.may_be_sent(place) => {}
            Next::Send(place) => simulation.send(&service, place).await,
            Next::TakeBack(place) => simulation.take_back(&service, place).await,
            Next::Ask(refund) => {
                let until = Instant::now() + Duration::from_secs(3);
                service.ask_about(refund, until).await;
            }
        }
        let wait = simulation.world.draw(|random| random.below(400));
        sleep(Duration::from_millis(wait)).await;
    }
}

impl Simulation {
    /// What is done next, as long as there is something to do.
    fn next(&self) -> Option<Next> {
        let mut left = self.left.lock();
        *left = left.checked_sub(1)?;
        drop(left);
        let what = self.world.draw(|random| random.below(100));
        let next = match what {
            0..30 => self.known_call().map(Next::Send),
            30..36 => self.other_body().map(Next::Send),
            36..48 => self.refund_to_take_back().map(Next::TakeBack),
            48..55 => self.any_refund().map(Next::Ask),
            _ => None,
        };
        Some(next.unwrap_or_else(|| Next::Send(self.new_call())))
    }

    /// Whether a call has no key, or one that is still good.
    fn is_good(&self, call: &Call) -> bool {
        let wild = self.world.is_wild();
        let good_for = if wild { RETRIED_WHERE_CLOCKS_JUMP } else { RETRIED_FOR };
        call.key.is_none() || self.world.real_now() - call.since < good_for
    }

    fn may_be_sent(&self, place: usize) -> bool {
        self.is_good(&self.book.lock().calls[place])
    }

    /// A call with a key that is sent again.
    fn known_call(&self) -> Option<usize> {
        let book = self.book.lock();
        let is_known = |call: &Call| call.key.is_some() && self.is_good(call);
        let calls = book.calls.iter().enumerate().filter(|(_, call)| is_known(call));
        let places: Vec<usize> = calls.map(|(place, _)| place).collect();
        (!places.is_empty()).then(|| self.world.draw(|random| *random.pick(&places)))
    }

    /// A call with the key of another.
    fn other_body(&self) -> Option<usize> {
        let first = self.known_call()?;
        let mut book = self.book.lock();
        if book.calls[first].twin.is_some() {
            return None;
        }
        let mut call = self.drawn_call();
        call.key.clone_from(&book.calls[first].key);
        call.since = book.calls[first].since;
        call.twin = Some(first);
        let place = book.calls.len();
        book.calls[first].twin = Some(place);
        book.calls.push(call);
        Some(place)
    }

    fn new_call(&self) -> usize {
        let mut call = self.drawn_call();
        let mut book = self.book.lock();
        let place = book.calls.len();
        if self.world.chance(600) {
            call.key = Some(format!("key-{place}"));
        }
        book.calls.push(call);
        place
    }

    fn drawn_call(&self) -> Call {
        let (tenant, world) = (self.tenant, &self.world);
        let (rows, is_single) = world.draw(|random| (rows(tenant, random), random.chance(300)));
        Call {
            rows,
            is_single: is_single && tenant == Tenant::CreditBalance,
            key: None,
            twin: None,
            since: world.real_now(),
            from: world.event(),
            in_flight: 0,
            is_lost: false,
            answer: None,
        }
    }

    /// A refund that has ended and that no call took back yet, as a call to do so.
    fn refund_to_take_back(&self) -> Option<usize> {
        let mut book = self.book.lock();
        let is_new = |id: RefundId| book.taken_back.iter().all(|one| one.refund != id);
        // What a credit balance gave is final.
        let can_be = |row: Row| self.tenant.pots()[row.pot].kind != Kind::Balance;
        let known = book.acknowledged().filter(|(id, _, row)| can_be(*row) && is_new(*id));
        let known: Vec<_> = known.collect();
        if known.is_empty() {
            return None;
        }
        let (refund, _, row) = self.world.draw(|random| *random.pick(&known));
        let may_be_deleted = self.tenant == Tenant::CreditBalance && row.way == Way::External;
        let deletes = may_be_deleted && self.world.chance(400);
        let how = if deletes { Taking::Delete } else { Taking::Cancel };
        let (pot, amount, from) = (row.pot, row.amount, self.world.event());
        book.taken_back.push(TakeBack { refund, pot, amount, how, from, answer: None });
        Some(book.taken_back.len() - 1)
    }

    fn any_refund(&self) -> Option<RefundId> {
        let known: Vec<_> = self.book.lock().acknowledged().map(|(id, ..)| id).collect();
        (!known.is_empty()).then(|| self.world.draw(|random| *random.pick(&known)))
    }

    fn context(&self) -> CallContext {
        let patience = self.world.draw(|random| match random.below(10) {
            0..2 => random.below(60),
            2..4 => random.below(3_000),
            _ => 20_000,
        });
        CallContext {
            caller: Caller {
                user: UserKey(1),
                user_id: ObjectId::parse(&format!("{:032x}", 1)).unwrap(),
                username: "one@example.com".into(),
                permissions: Permissions::all(),
                orgs: None,
                origin: Origin::of(FrontDoor::Soap),
            },
            version: ApiVersion::major(91),
            deadline: (Instant::now() + Duration::from_millis(patience)).into(),
        }
    }

    fn once(&self, key: &str) -> Once {
        let (scope, render) = match self.tenant {
            Tenant::CreditBalance => (KeyScope::Create, Render::Rows(Box::new(shown_rows))),
            Tenant::Settlement => {
                (KeyScope::V1, Render::Views(Arc::new(|rows| Some(shown_views(rows)))))
            }
        };
        let key = IdempotencyKey::parse(key).unwrap();
        Once { key, scope, shape: "simulated".to_owned(), render }
    }

    /// Sends a call, and notes what comes of it.
    pub(super) async fn send(&self, service: &Arc<Service>, place: usize) {
        let (drafts, is_single, once) = {
            let mut book = self.book.lock();
            book.is_sent(place);
            let call = &book.calls[place];
            let drafts = self.tenant.drafts(&call.rows, |row| comment(place, row));
            (drafts, call.is_single, call.key.as_deref().map(|key| self.once(key)))
        };
        self.world.log(|| format!("call {place}: {:?}", self.book.lock().calls[place]));
        let batch = Batch { drafts, ordered: BTreeMap::new(), is_single };
        let patience = match self.world.chance(60) {
            true => self.world.draw(|random| random.below(200)),
            false => 600_000,
        };
        let work = service.create(self.context(), batch, once);
        let answer = timeout(Duration::from_millis(patience), work).await;
        let is_answer_lost = !self.world.is_calm() && self.world.chance(40);
        self.on_the_way_back().await;
        let mut book = self.book.lock();
        let at = self.world.event();
        self.world.log(|| format!("call {place}: {answer:?}"));
        let heard = if is_answer_lost { None } else { answer.ok() };
        let noted = match heard {
            None | Some(Err(CreateError::Ledger(LedgerError::Unknown(_)))) => {
                book.is_lost(place);
                Ok(())
            }
            Some(Ok(CreateAnswer::Stored { bytes, .. })) => book.is_answered(place, bytes, at),
            Some(Ok(CreateAnswer::Rows(rows))) => book.is_answered(place, shown_rows(&rows), at),
            Some(Err(CreateError::KeyReused)) => book.key_is_reused(place),
            Some(Err(error)) => {
                book.nothing_was_done(place);
                let is_panic = error.to_string().contains("panic");
                if is_panic { Err(error.to_string()) } else { Ok(()) }
            }
        };
        drop(book);
        noted.unwrap_or_else(|why| self.world.fail(why));
    }

    /// Sends once more what has an unknown outcome, as long as keys are good.
    pub(super) async fn send_again(&self, service: &Arc<Service>) {
        let unknown: Vec<usize> = {
            let book = self.book.lock();
            let is_unknown = |call: &Call| call.key.is_some() && call.answer.is_none();
            let calls = book.calls.iter().enumerate().filter(|(_, call)| is_unknown(call));
            calls.map(|(place, _)| place).collect()
        };
        for place in unknown {
            if self.may_be_sent(place) {
                self.send(service, place).await;
            }
        }
    }

    /// Nothing comes back from a process that has crashed.
    async fn on_the_way_back(&self) {
        if self.world.is_crashed() {
            pending::<()>().await;
        }
        self.world.passes().await;
    }

    async fn take_back(&self, service: &Arc<Service>, place: usize) {
        let (refund, how) = {
            let book = self.book.lock();
            (book.taken_back[place].refund, book.taken_back[place].how)
        };
        self.world.log(|| format!("{how:?} {refund}"));
        let call = self.context();
        let id: ObjectId = refund.into();
        let done = match how {
            Taking::Cancel => {
                service.update(&call, cancel(self.tenant, &id), BTreeMap::new()).await
            }
            Taking::Delete => service.delete_of(&call, Deletable::Refund, vec![Ok(id)]).await,
        };
        self.on_the_way_back().await;
        self.world.log(|| format!("{how:?} {refund}: {done:?}"));
        let at = self.world.event();
        let mut book = self.book.lock();
        let is_done = |rows: Vec<ChangeResult>| rows.first().is_some_and(Result::is_ok);
        book.taken_back[place].answer = match done {
            Ok(rows) => Some((at, is_done(rows))),
            Err(LedgerError::Unknown(_)) => None,
            Err(_) => Some((at, false)),
        };
        book.counts.taken_back += u64::from(book.taken_back[place].answer.is_some_and(|it| it.1));
    }
}

fn cancel(tenant: Tenant, id: &ObjectId) -> Changes {
    match tenant {
        Tenant::CreditBalance => {
            let mut change = RefundChange::default();
            change.set("Id", id.as_str());
            change.set("Status", "Canceled");
            Changes::Refunds(vec![change])
        }
        Tenant::Settlement => {
            Changes::SettlementRefunds(vec![RefundUpdateDraft::cancelling(id.as_str())])
        }
    }
}

fn shown_rows(rows: &[RowResult]) -> Vec<u8> {
    shown(rows.iter().map(|row| match row {
        Ok(saved) => Ok(saved.id.to_string()),
        Err(error) => Err(error.to_string()),
    }))
}

fn shown_views(rows: &[RowResult]) -> Vec<u8> {
    shown(rows.iter().map(|row| match row.as_ref().map(|saved| &saved.view) {
        Ok(Some(View::Refund(refund))) => Ok(format!("{} {}", refund.id, refund.status.name())),
        Ok(_) => Err("it is no refund".to_owned()),
        Err(error) => Err(error.to_string()),
    }))
}

/// The rows of a call, all of one kind of draft.
fn rows(tenant: Tenant, random: &mut Random) -> Vec<Row> {
    let count = match random.below(10) {
        0..6 => 1,
        6..9 => 2,
        _ => 3,
    };
    let amount = |random: &mut Random| {
        let most = *random.pick(&[500, 2_000, 7_000]);
        i64::try_from(1 + random.below(most)).unwrap()
    };
    let payout = |random: &mut Random| *random.pick(&[Way::External, Way::Electronic]);
    if tenant == Tenant::CreditBalance && random.chance(150) {
        let way = *random.pick(&[Way::Increase, Way::Decrease]);
        let pot = usize::try_from(random.below(2)).unwrap();
        return vec![Row { pot, way, amount: amount(random) }];
    }
    if tenant == Tenant::Settlement {
        let pot = usize::try_from(random.below(4)).unwrap();
        return vec![Row { pot, way: payout(random), amount: amount(random) }];
    }
    let row = |random: &mut Random| Row {
        pot: usize::try_from(random.below(4)).unwrap(),
        way: payout(random),
        amount: amount(random),
    };
    (0..count).map(|_| row(random)).collect()
}
