//! The payment gateway of a simulation. It is a machine elsewhere: it outlives the processes that
//! ask it. It loses orders and answers, answers late, forgets and lies, but it pays once for an id
//! as long as it remembers that, and never forgets it within the time that it promises.
//!
//! What must stay true: no order for an original payment goes beyond what was collected with it; an
//! id always means the same order; and no id is paid twice.

use super::world::World;
use crate::domain::id::RefundId;
use crate::domain::lifecycle::{Response, Verdict};
use crate::ledger::Order;
use crate::ledger::orders::Transcript;
use crate::processor::{Answer, Inquiry, Processor, Reply, Report};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// The gateway's name.
pub(super) const BANK: &str = "bank";
/// How long it promises to know an id.
const PROMISED: Duration = Duration::from_hours(24);
/// How long it does: a clock that is wrong by minutes must not matter.
const REMEMBERED: TimeDelta = TimeDelta::hours(25);
/// How long it does where clocks jump: each start may take the ledger's age for an hour more, and
/// the pauses before it for half as long again.
const REMEMBERED_LONGER: TimeDelta = TimeDelta::hours(36);

/// What the gateway knows, whatever becomes of the process that asks it.
pub(super) struct Bank {
    world: Arc<World>,
    known: Mutex<Known>,
    /// Whether none of its answers comes back.
    is_silent: AtomicBool,
    /// What it collected, by the reference of the payment, in minor units.
    collected: BTreeMap<String, i64>,
}

#[derive(Default)]
struct Known {
    orders: BTreeMap<RefundId, Heard>,
    /// Orders that are on their way for a long time.
    late: Vec<Order>,
}

struct Heard {
    order: Order,
    since: DateTime<Utc>,
    pays: bool,
    paid: u32,
    said_approved: bool,
    said_declined: bool,
}

/// How a message fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Good,
    NeverLeft,
    LostOnItsWay,
    Late,
    AnswerLost,
    AnswerLate,
    Lie,
}

impl Bank {
    pub(super) fn new(world: &Arc<World>, collected: BTreeMap<String, i64>) -> Arc<Self> {
        let (known, is_silent) = (Mutex::default(), AtomicBool::new(false));
        Arc::new(Self { world: Arc::clone(world), known, is_silent, collected })
    }

    /// Whether none of its answers comes back from now on. Orders may arrive nevertheless.
    pub(super) fn be_silent(&self, is_silent: bool) {
        self.is_silent.store(is_silent, Ordering::Relaxed);
    }

    /// The connector of a process.
    pub(super) fn connector(self: &Arc<Self>) -> Arc<dyn Processor> {
        Arc::new(Line(Arc::clone(self)))
    }

    /// What was on its way arrives.
    pub(super) fn deliver_late(&self) {
        let late = std::mem::take(&mut self.known.lock().late);
        for order in late {
            self.hear(&order);
        }
    }

    /// Whether it ever said so of a refund: approved, and declined.
    pub(super) fn said(&self, refund: RefundId) -> (bool, bool) {
        let known = self.known.lock();
        let heard = known.orders.get(&refund);
        heard.map_or((false, false), |heard| (heard.said_approved, heard.said_declined))
    }

    /// Whether it paid a refund.
    pub(super) fn has_paid(&self, refund: RefundId) -> bool {
        self.known.lock().orders.get(&refund).is_some_and(|heard| heard.paid > 0)
    }

    /// The refunds that it was asked for.
    pub(super) fn heard_of(&self) -> Vec<RefundId> {
        self.known.lock().orders.keys().copied().collect()
    }

    /// An order arrives; it is paid once for its id.
    fn hear(&self, order: &Order) {
        let (now, remembered) = (self.world.real_now(), self.remembered());
        let pays = self.world.chance(700);
        let mut known = self.known.lock();
        let fresh = || Heard {
            order: order.clone(),
            since: now,
            pays,
            paid: u32::from(pays),
            said_approved: false,
            said_declined: false,
        };
        let mut wrong = Vec::new();
        known
            .orders
            .entry(order.refund)
            .and_modify(|heard| {
                if (&heard.order.amount, &heard.order.original_payment)
                    != (&order.amount, &order.original_payment)
                {
                    wrong.push(format!("{} is sent as two orders", order.refund));
                }
                if now - heard.since >= remembered {
                    heard.since = now;
                    heard.pays = pays;
                    heard.paid += u32::from(pays);
                }
                if heard.paid > 1 {
                    wrong.push(format!("{} is paid {} times", order.refund, heard.paid));
                }
            })
            .or_insert_with(fresh);
        wrong.extend(self.beyond_collected(&known, order));
        drop(known);
        wrong.into_iter().for_each(|why| self.world.fail(why));
    }

    fn remembered(&self) -> TimeDelta {
        if self.world.is_wild() { REMEMBERED_LONGER } else { REMEMBERED }
    }

    fn beyond_collected(&self, known: &Known, order: &Order) -> Option<String> {
        let original = order.original_payment.as_ref()?;
        let of_it = known.orders.values().filter(|heard| {
            heard.order.original_payment.as_ref() == Some(original) && !heard.said_declined
        });
        let sent: i64 = of_it.map(|heard| heard.order.amount.units()).sum();
        let collected = self.collected.get(original).copied().unwrap_or_default();
        (sent > collected).then(|| format!("{sent} of {collected} are asked for of {original}"))
    }

    /// What it says of an order that it knows.
    fn verdict(&self, refund: RefundId, lies: bool) -> Option<Verdict> {
        let (now, remembered) = (self.world.real_now(), self.remembered());
        let mut known = self.known.lock();
        let heard = known.orders.get_mut(&refund)?;
        if now - heard.since >= remembered {
            return None;
        }
        let approves = heard.pays != lies;
        heard.said_approved |= approves;
        heard.said_declined |= !approves;
        let response = Response { code: "0".to_owned(), text: "so it is".to_owned() };
        Some(match approves {
            true => Verdict::Approved {
                reference_id: refund.to_string(),
                second_reference_id: None,
                response,
            },
            false => Verdict::Declined { response },
        })
    }

    fn fate(&self) -> Fate {
        if self.world.is_calm() {
            return Fate::Good;
        }
        let is_silent = self.is_silent.load(Ordering::Relaxed);
        self.world.draw(|random| match random.below(100) {
            0..70 if is_silent => Fate::AnswerLost,
            _ if is_silent => Fate::LostOnItsWay,
            0..60 => Fate::Good,
            60..66 => Fate::NeverLeft,
            66..74 => Fate::LostOnItsWay,
            74..80 => Fate::Late,
            80..90 => Fate::AnswerLost,
            90..97 => Fate::AnswerLate,
            _ => Fate::Lie,
        })
    }

    async fn refund(&self, order: Order) -> Answer {
        self.world.passes().await;
        let fate = self.fate();
        let refund = order.refund;
        self.world.log(|| format!("bank: refund {refund} of {}: {fate:?}", order.amount.units()));
        let late = |why: &str| Answer::Unknown(why.to_owned());
        match fate {
            Fate::NeverLeft => return Answer::NotSent("no connection".to_owned()),
            Fate::LostOnItsWay => return late("no answer"),
            Fate::Late => {
                self.known.lock().late.push(order);
                return late("no answer");
            }
            Fate::Good | Fate::AnswerLost | Fate::AnswerLate | Fate::Lie => self.hear(&order),
        }
        if fate == Fate::AnswerLate {
            let seconds = self.world.draw(|random| random.below(30));
            sleep(Duration::from_secs(seconds)).await;
        }
        let answer = match fate {
            Fate::AnswerLost => late("no answer"),
            _ => self.verdict(refund, false).map_or_else(|| late("?"), Answer::Certain),
        };
        self.world.passes().await;
        answer
    }

    async fn inquire(&self, refund: RefundId) -> Inquiry {
        self.world.passes().await;
        if self.world.chance(300) {
            self.deliver_late();
        }
        let fate = self.fate();
        self.world.log(|| format!("bank: inquiry {refund}: {fate:?}"));
        let never_heard = Inquiry::NeverHeard { retention: None };
        let answer = match fate {
            Fate::NeverLeft | Fate::LostOnItsWay | Fate::AnswerLost => {
                Inquiry::Unknown("no answer".to_owned())
            }
            Fate::Late => never_heard,
            Fate::Lie => self.verdict(refund, true).map_or(never_heard, Inquiry::Certain),
            Fate::Good | Fate::AnswerLate => {
                self.verdict(refund, false).map_or(never_heard, Inquiry::Certain)
            }
        };
        self.world.passes().await;
        answer
    }
}

struct Line(Arc<Bank>);

fn report<T>(outcome: T) -> Report<T> {
    Report { outcome, transcript: Transcript::default() }
}

impl Processor for Line {
    fn refund(&self, order: &Order) -> Reply<Answer> {
        let (bank, order) = (Arc::clone(&self.0), order.clone());
        Box::pin(async move { report(bank.refund(order).await) })
    }

    fn inquire(&self, order: &Order) -> Reply<Inquiry> {
        let (bank, refund) = (Arc::clone(&self.0), order.refund);
        Box::pin(async move { report(bank.inquire(refund).await) })
    }

    fn key_retention(&self) -> Duration {
        PROMISED
    }

    fn calls_max(&self) -> usize {
        3
    }
}
