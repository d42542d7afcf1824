//! The built-in sandbox gateway: deterministic, scripted by the seed, paying with play money.
//!
//! It decides in the order in which orders are committed, whenever each of them is sent, so that
//! the same calls have the same answers. It remembers what it decided about a refund until that has
//! ended, or the process has. After a restart it has heard of nothing, and an order that is sent
//! again gets the answer of the script again.

mod switches;

use super::{Answer, Inquiry, Processor, Reply, Report};
use crate::domain::id::RefundId;
use crate::domain::lifecycle::{Response, Verdict};
use crate::domain::script::{Script, ScriptedAnswer, ScriptedRule, Switches};
use crate::ledger::Order;
use crate::ledger::orders::Transcript;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use switches::Guard;

/// How many calls it takes at once.
const CALLS_MAX: usize = 256;
/// How many rules can be added to the script.
const ADDED_RULES_MAX: usize = 1_000;
/// How long the sandbox waits before it gives up a call that the script leaves without an answer.
const HANG: Duration = Duration::from_secs(30);

/// The sandbox.
pub struct Sandbox {
    state: Arc<Mutex<State>>,
}

struct State {
    /// Each rule, whose `times` are those orders that it may still match.
    rules: Vec<ScriptedRule>,
    /// How many of them, the first, were added to the script.
    added: usize,
    /// What will be answered to orders that are committed and not sent yet.
    lined_up: HashMap<RefundId, Decision>,
    /// What was decided, by the refund's id, of refunds that have not ended.
    book: HashMap<RefundId, Verdict>,
    /// What is refused where no rule matches.
    guard: Guard,
}

/// How an order will be answered.
struct Decision {
    answer: Answer,
    /// How long the answer takes.
    delay: Duration,
    /// What an inquiry finds afterwards; nothing if the order gets lost on its way.
    verdict: Option<Verdict>,
}

impl Sandbox {
    /// A sandbox that follows the rules of `script`, the first that matches, and approves what
    /// none matches, unless a switch is in the way.
    pub fn new(script: Script) -> Self {
        let Script { rules, switches } = script;
        let guard = Guard::new(switches);
        let state =
            State { rules, added: 0, lined_up: HashMap::new(), book: HashMap::new(), guard };
        Self { state: Arc::new(Mutex::new(state)) }
    }
}

impl Sandbox {
    /// Adds a rule after those that were added before, and before those of the script; false when
    /// there are too many.
    pub fn add_rule(&self, rule: ScriptedRule) -> bool {
        let mut state = self.state.lock();
        let has_room = state.added < ADDED_RULES_MAX;
        if has_room {
            let place = state.added;
            state.rules.insert(place, rule);
            state.added += 1;
        }
        has_room
    }

    /// Refuses by other switches from now on; what it paid it still knows.
    pub fn set_switches(&self, switches: Switches) {
        let mut state = self.state.lock();
        state.guard.set_switches(switches);
    }

    /// The rules in their order; `times` are those orders that each may still match.
    pub fn rules(&self) -> Vec<ScriptedRule> {
        self.state.lock().rules.clone()
    }

    /// Takes back what was added.
    pub fn clear_added_rules(&self) {
        let mut state = self.state.lock();
        let added = std::mem::take(&mut state.added);
        state.rules.drain(..added);
    }
}

impl State {
    /// The rule for `order`, with one use of it taken.
    fn take_rule(&mut self, order: &Order) -> Option<ScriptedRule> {
        let matches = |rule: &ScriptedRule| {
            let same_amount = |amount| order.currency.minor_units(amount) == Some(order.amount);
            rule.amount.is_none_or(same_amount)
                && rule.payment_method.as_ref().is_none_or(|id| *id == order.payment_method)
        };
        let found = self.rules.iter_mut().find(|rule| rule.times != Some(0) && matches(rule));
        let rule = found?;
        rule.times = rule.times.map(|count| count.saturating_sub(1));
        Some(rule.clone())
    }

    /// Decides `order`, unless that has been done, and keeps the decision until it is sent.
    fn line_up(&mut self, order: &Order) {
        let id = order.refund;
        if !self.lined_up.contains_key(&id) && !self.book.contains_key(&id) {
            let decision = self.decide(order);
            self.lined_up.insert(id, decision);
        }
    }

    /// Answers `order`. Asked again, the first decision stands.
    fn work(&mut self, order: &Order) -> (Answer, Duration) {
        if let Some(verdict) = self.book.get(&order.refund) {
            return (Answer::Certain(verdict.clone()), Duration::ZERO);
        }
        let decision = self.lined_up.remove(&order.refund);
        let Decision { answer, delay, verdict } = decision.unwrap_or_else(|| self.decide(order));
        if let Some(verdict) = verdict {
            self.book.insert(order.refund, verdict);
        }
        (answer, delay)
    }

    /// What the script says to `order`; what is paid is remembered, to know duplicates.
    fn decide(&mut self, order: &Order) -> Decision {
        let rule = self.take_rule(order);
        if rule.is_none()
            && let Some(response) = self.guard.refuse(order)
        {
            let verdict = Verdict::Declined { response };
            let answer = Answer::Certain(verdict.clone());
            return Decision { answer, delay: Duration::ZERO, verdict: Some(verdict) };
        }
        let delay = Duration::from_millis(rule.as_ref().map_or(0, |rule| rule.delay_ms));
        let scripted = rule.as_ref().map_or(ScriptedAnswer::Approve, |rule| rule.answer);
        let verdict = verdict(order, scripted, rule.as_ref());
        let arrives = scripted != ScriptedAnswer::DropBefore;
        if arrives && matches!(verdict, Verdict::Approved { .. }) {
            self.guard.note_paid(order);
        }
        let unknown = |why: &str| Answer::Unknown(why.to_owned());
        let (answer, delay) = match scripted {
            ScriptedAnswer::Approve | ScriptedAnswer::Decline => {
                (Answer::Certain(verdict.clone()), delay)
            }
            ScriptedAnswer::DropBefore => (unknown("the connection was reset"), delay),
            ScriptedAnswer::DropAfter => (unknown("the answer was lost"), delay),
            ScriptedAnswer::Garbage => (unknown("the answer cannot be read"), delay),
            ScriptedAnswer::Hang => (unknown("no answer came in time"), delay.max(HANG)),
        };
        Decision { answer, delay, verdict: arrives.then_some(verdict) }
    }
}

/// The documented defaults of a test gateway: `Approved` with code `OK`.
fn verdict(order: &Order, answer: ScriptedAnswer, rule: Option<&ScriptedRule>) -> Verdict {
    let report = |text: Option<&String>, default: &str| {
        text.map_or_else(|| default.to_owned(), String::clone)
    };
    let code = rule.and_then(|rule| rule.code.as_ref());
    let text = rule.and_then(|rule| rule.text.as_ref());
    if answer == ScriptedAnswer::Decline {
        let response = Response { code: report(code, "Declined"), text: report(text, "Declined") };
        return Verdict::Declined { response };
    }
    let response = Response { code: report(code, "OK"), text: report(text, "Approved") };
    Verdict::Approved {
        reference_id: format!("sandbox-{}", order.refund),
        second_reference_id: None,
        response,
    }
}

impl Processor for Sandbox {
    fn refund(&self, order: &Order) -> Reply<Answer> {
        let (state, order) = (Arc::clone(&self.state), order.clone());
        Box::pin(async move {
            let (answer, delay) = state.lock().work(&order);
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            Report { outcome: answer, transcript: Transcript::default() }
        })
    }

    fn inquire(&self, order: &Order) -> Reply<Inquiry> {
        let state = self.state.lock();
        let known = state.book.get(&order.refund).cloned();
        let outcome = known.map_or(Inquiry::NeverHeard { retention: None }, Inquiry::Certain);
        Box::pin(async move { Report { outcome, transcript: Transcript::default() } })
    }

    fn line_up(&self, order: &Order) {
        self.state.lock().line_up(order);
    }

    fn forget(&self, refund: RefundId) {
        let mut state = self.state.lock();
        state.lined_up.remove(&refund);
        state.book.remove(&refund);
    }

    fn key_retention(&self) -> Duration {
        Duration::MAX
    }

    fn calls_max(&self) -> usize {
        CALLS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{ObjectId, RefundNumber};
    use crate::domain::money::{Currency, MinorUnits};
    use rust_decimal::Decimal;

    fn order(number: i64, cents: i64) -> Order {
        Order {
            refund: RefundId::new(1, 1, RefundNumber::new(number).unwrap()),
            gateway: "sandbox".to_owned(),
            payment_method: ObjectId::parse("2c92c0f83dfa5201013dfa6656ff2b8b").unwrap(),
            original_payment: None,
            repaid: None,
            amount: MinorUnits::new(cents),
            currency: Currency::from_code("USD").unwrap(),
            options: Vec::new(),
            trace: None,
        }
    }

    fn sandbox(rules: Vec<ScriptedRule>) -> Sandbox {
        Sandbox::new(Script { rules, ..Script::default() })
    }

    fn rule(answer: ScriptedAnswer, amount: &str, times: Option<u32>) -> ScriptedRule {
        ScriptedRule {
            amount: Decimal::from_str_exact(amount).ok(),
            payment_method: None,
            times,
            answer,
            code: Some("54".to_owned()),
            text: None,
            delay_ms: 0,
        }
    }

    #[tokio::test]
    async fn the_first_matching_rule_decides_and_is_used_up() {
        let sandbox = sandbox(vec![rule(ScriptedAnswer::Decline, "13.00", Some(1))]);
        let declined = sandbox.refund(&order(1, 1300)).await.outcome;
        let Answer::Certain(Verdict::Declined { response }) = declined else {
            panic!("{declined:?} is no decline")
        };
        assert_eq!(response.code, "54");
        let approved = sandbox.refund(&order(2, 1300)).await.outcome;
        assert!(matches!(approved, Answer::Certain(Verdict::Approved { .. })));
    }

    #[tokio::test]
    async fn an_order_sent_twice_is_paid_once() {
        let sandbox = sandbox(vec![rule(ScriptedAnswer::DropAfter, "13.00", Some(1))]);
        assert!(matches!(sandbox.refund(&order(1, 1300)).await.outcome, Answer::Unknown(_)));
        let again = sandbox.refund(&order(1, 1300)).await.outcome;
        assert!(matches!(again, Answer::Certain(Verdict::Approved { .. })));
        assert!(matches!(sandbox.inquire(&order(1, 1300)).await.outcome, Inquiry::Certain(_)));
    }

    /// Regression: the orders of one call were sent in any order, and met the rules in that order.
    #[tokio::test]
    async fn orders_are_answered_as_they_were_lined_up() {
        let sandbox = sandbox(vec![rule(ScriptedAnswer::Decline, "13.00", Some(1))]);
        sandbox.line_up(&order(1, 1300));
        sandbox.line_up(&order(2, 1300));
        assert_eq!(sandbox.inquire(&order(1, 1300)).await.outcome, NEVER_HEARD, "nothing was sent");
        let second = sandbox.refund(&order(2, 1300)).await.outcome;
        assert!(matches!(second, Answer::Certain(Verdict::Approved { .. })), "{second:?}");
        let first = sandbox.refund(&order(1, 1300)).await.outcome;
        assert!(matches!(first, Answer::Certain(Verdict::Declined { .. })), "{first:?}");
        sandbox.forget(order(1, 1300).refund);
        sandbox.line_up(&order(3, 1300));
        sandbox.forget(order(3, 1300).refund);
        assert!(sandbox.state.lock().lined_up.is_empty());
    }

    const NEVER_HEARD: Inquiry = Inquiry::NeverHeard { retention: None };

    /// Regression: what was paid was remembered for as long as the process lived, however much it
    /// was.
    #[tokio::test]
    async fn a_refund_that_has_ended_is_forgotten() {
        let sandbox = sandbox(Vec::new());
        sandbox.refund(&order(1, 1300)).await;
        sandbox.refund(&order(2, 1300)).await;
        sandbox.forget(order(1, 1300).refund);
        assert_eq!(sandbox.inquire(&order(1, 1300)).await.outcome, NEVER_HEARD);
        assert!(matches!(sandbox.inquire(&order(2, 1300)).await.outcome, Inquiry::Certain(_)));
        assert_eq!(sandbox.state.lock().book.len(), 1);
    }

    #[tokio::test]
    async fn an_order_that_never_arrived_is_never_heard_of() {
        let sandbox = sandbox(vec![rule(ScriptedAnswer::DropBefore, "13.00", None)]);
        assert!(matches!(sandbox.refund(&order(1, 1300)).await.outcome, Answer::Unknown(_)));
        assert_eq!(sandbox.inquire(&order(1, 1300)).await.outcome, NEVER_HEARD);
    }
}
