//! What must be true of the ledger after each transaction, and at the end of a schedule.

use super::Simulation;
use super::book::{Call, Counts, Taking, comment};
use super::linear::{Effect, Step, is_linearizable};
use crate::domain::id::RefundId;
use crate::ledger::sqlite::FoundRefund;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};

/// What was seen of the ledger so far.
#[derive(Default)]
pub(super) struct Seen {
    refunds: BTreeMap<RefundId, String>,
    /// Refunds that gave back what they held, and between which events.
    released: BTreeMap<RefundId, (u64, u64)>,
    /// When the ledger was looked at last.
    at: u64,
}

pub(super) type SeenSoFar = Mutex<Seen>;

/// How many refunds and adjustments have a comment.
type Tags = BTreeMap<String, usize>;

impl Simulation {
    /// Looks at what is committed, and ends the schedule where something is wrong.
    pub(super) fn look(&self) {
        if let Err(why) = self.look_for_wrong() {
            self.world.fail(why);
        }
    }

    fn look_for_wrong(&self) -> Result<(), String> {
        for account in self.disk.accounts() {
            if account.balance < 0 || account.balance != account.sum {
                return Err(format!("{account:?}"));
            }
        }
        for source in self.disk.sources() {
            let is_beyond = source.collected.is_some_and(|(amount, sent)| sent > amount);
            if source.left < 0 || is_beyond {
                return Err(format!("{source:?}"));
            }
        }
        let found: BTreeMap<RefundId, FoundRefund> =
            self.disk.refunds().into_iter().map(|refund| (refund.id, refund)).collect();
        self.compare_with_before(&found)?;
        self.check_arrivals()?;
        let may_be_gone = self.book.lock().may_be_gone();
        let book = self.book.lock();
        let lost = book.acknowledged().find(|(id, _, row)| {
            !may_be_gone.contains(id) && found.get(id).is_none_or(|it| it.amount != row.amount)
        });
        lost.map_or(Ok(()), |lost| Err(format!("{lost:?} was acknowledged and is not there")))
    }

    /// A refund ends once, as its gateway said, and is taken back only where a caller asked for it.
    fn compare_with_before(&self, found: &BTreeMap<RefundId, FoundRefund>) -> Result<(), String> {
        let (mut seen, now) = (self.seen.lock(), self.world.event());
        let (book, since) = (self.book.lock(), seen.at);
        let asked = |id: &RefundId, how| {
            book.taken_back.iter().any(|one| one.refund == *id && one.how == how)
        };
        if let Some(id) =
            seen.refunds.keys().find(|id| !found.contains_key(id) && !asked(id, Taking::Delete))
        {
            return Err(format!("{id} is gone"));
        }
        for (id, refund) in found {
            let before = seen.refunds.insert(*id, refund.status.clone());
            if before.as_ref() == Some(&refund.status) {
                continue;
            }
            let (said_approved, said_declined) = self.bank.said(*id);
            let by_operator = book.settled.get(id);
            let may_be = match (before.as_deref(), refund.status.as_str()) {
                (None, "Processing") => refund.is_electronic,
                (None | Some("Processing"), "Processed") if refund.is_electronic => {
                    said_approved || by_operator == Some(&true)
                }
                (None, "Processed") => true,
                (None | Some("Processing"), "Error") => {
                    said_declined || by_operator == Some(&false)
                }
                (_, "Canceled") => asked(id, Taking::Cancel),
                _ => false,
            };
            if !may_be {
                return Err(format!("{id} was {before:?} and is {}", refund.status));
            }
            if refund.status == "Error" {
                seen.released.insert(*id, (since, now));
            }
        }
        seen.at = now;
        Ok(())
    }

    /// Everything that must be true once nothing is under way any more.
    pub(super) fn check_the_end(&self) -> Result<Counts, String> {
        self.look_for_wrong()?;
        if let Some(problem) = self.disk.problems().first() {
            return Err(format!("check: {problem}"));
        }
        if !self.have_all_arrived() {
            return Err("an event never arrived".to_owned());
        }
        let refunds = self.disk.refunds();
        if let Some(open) = refunds.iter().find(|refund| refund.status == "Processing") {
            return Err(format!("{} has no end", open.id));
        }
        let seen = self.seen.lock();
        let never_there =
            self.bank.heard_of().into_iter().find(|id| !seen.refunds.contains_key(id));
        if let Some(id) = never_there {
            return Err(format!("the gateway was asked for {id}, which is not there"));
        }
        drop(seen);
        let mut tags = Tags::new();
        let comments = refunds.iter().map(|refund| refund.comment.clone());
        for tag in comments.chain(self.disk.adjustments()) {
            *tags.entry(tag).or_default() += 1;
        }
        self.compare_with_answers(&tags)?;
        let mut counts = self.book.lock().counts;
        counts.declined = u64::try_from(self.seen.lock().released.len()).unwrap();
        counts.steps_in_order = self.check_order(&tags)?;
        Ok(counts)
    }

    /// Each call was done as often as it was answered: once, not at all, or whole or not at all
    /// where its outcome is unknown.
    fn compare_with_answers(&self, tags: &Tags) -> Result<(), String> {
        let book = self.book.lock();
        let may_be_gone: BTreeSet<String> = book
            .acknowledged()
            .filter(|(id, ..)| {
                book.taken_back.iter().any(|one| one.refund == *id && one.how == Taking::Delete)
            })
            .map(|(id, ..)| id.to_string())
            .collect();
        let mut known = 0;
        for (place, call) in book.calls.iter().enumerate() {
            let there = |row: usize| tags.get(&comment(place, row)).copied().unwrap_or(0);
            let counts: Vec<usize> = (0..call.rows.len()).map(there).collect();
            known += counts.iter().filter(|count| **count > 0).count();
            let is_right = match &call.answer {
                Some(answer) => answer.rows.iter().zip(&counts).all(|(row, count)| match row {
                    Ok(id) if may_be_gone.contains(id) => *count <= 1,
                    Ok(_) => *count == 1,
                    Err(_) => *count == 0,
                }),
                None if call.is_lost => {
                    let is_part = counts.contains(&0) && counts.contains(&1);
                    counts.iter().all(|count| *count <= 1) && !(call.is_single && is_part)
                }
                None => counts.iter().all(|count| *count == 0),
            };
            let twin = call.twin.map(|twin| &book.calls[twin]);
            let both = twin.is_some_and(|twin| {
                let place = book.calls.iter().position(|one| std::ptr::eq(one, twin)).unwrap();
                (0..twin.rows.len()).any(|row| tags.contains_key(&comment(place, row)))
            }) && counts.iter().any(|count| *count > 0);
            if !is_right || both {
                return Err(format!("call {place} is there {counts:?} times: {call:?}"));
            }
        }
        if known == tags.len() {
            return Ok(());
        }
        Err(format!("{} rows are there, and {known} were asked for: {tags:?}", tags.len()))
    }

    /// What callers saw of each pot can be put in one order.
    fn check_order(&self, tags: &Tags) -> Result<u64, String> {
        let balances = self.disk.accounts().into_iter().map(|one| (one.id, one.balance));
        let sources = self.disk.sources().into_iter().map(|one| (one.id, one.left));
        let ends: BTreeMap<String, i64> = balances.chain(sources).collect();
        let mut count = 0;
        for (place, pot) in self.tenant.pots().iter().enumerate() {
            let steps = self.steps_of(place, tags);
            count += u64::try_from(steps.len()).unwrap();
            let end = ends[pot.id];
            if !is_linearizable(pot.amount, &steps, end) {
                return Err(format!("no order leads {pot:?} to {end}: {steps:?}"));
            }
        }
        Ok(count)
    }

    fn steps_of(&self, pot: usize, tags: &Tags) -> Vec<Step> {
        let (book, seen) = (self.book.lock(), self.seen.lock());
        let mut steps = Vec::new();
        for (place, call) in book.calls.iter().enumerate() {
            for (row, wanted) in call.rows.iter().enumerate() {
                if wanted.pot != pot {
                    continue;
                }
                let is_there = tags.contains_key(&comment(place, row));
                let to = call.answer.as_ref().map_or(u64::MAX, |answer| answer.at);
                let outcome = call.answer.as_ref().map(|answer| &answer.rows[row]);
                let effect = match outcome {
                    Some(Ok(_)) => Some(Effect::Move(wanted.effect())),
                    Some(Err(why)) => {
                        is_refusal(call, why).then_some(Effect::Refused(wanted.amount))
                    }
                    None => is_there.then_some(Effect::Move(wanted.effect())),
                };
                steps.extend(effect.map(|effect| Step { from: call.from, to, effect }));
            }
        }
        let of_pot = |comment: &str| {
            let mut words = comment.split(' ').skip(1).step_by(2).map(str::parse::<usize>);
            let (Some(Ok(call)), Some(Ok(row))) = (words.next(), words.next()) else { return None };
            let row = book.calls[call].rows[row];
            (row.pot == pot).then_some(row.amount)
        };
        for refund in self.disk.refunds() {
            if let (Some((from, to)), Some(amount)) =
                (seen.released.get(&refund.id), of_pot(&refund.comment))
            {
                steps.push(Step { from: *from, to: *to, effect: Effect::Move(amount) });
            }
        }
        let statuses: BTreeMap<RefundId, String> =
            self.disk.refunds().into_iter().map(|refund| (refund.id, refund.status)).collect();
        for one in book.taken_back.iter().filter(|one| one.pot == pot) {
            let status = statuses.get(&one.refund).map(String::as_str);
            let is_done = match one.answer {
                Some((_, is_done)) => is_done,
                None => matches!(status, None | Some("Canceled")),
            };
            if is_done {
                let to = one.answer.map_or(u64::MAX, |(at, _)| at);
                steps.push(Step { from: one.from, to, effect: Effect::Move(one.amount) });
            }
        }
        steps
    }
}

/// Whether a row failed because its pot held less. In a single transaction it may have held more
/// before and after, because the rows before it were taken back.
fn is_refusal(call: &Call, why: &str) -> bool {
    let words = [
        "greater than the credit balance",
        "greater than the refundable amount",
        "greater than the unapplied amount",
    ];
    !call.is_single && words.iter().any(|words| why.contains(words))
}
