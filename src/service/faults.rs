//! Faults to order: what a tester wants to be injected into the next calls.
//!
//! What must stay true: the first rule that matches a call and has none left to pass over decides,
//! and is used once; as long as no rule stands, a call pays for this with one look at a flag.

use crate::domain::error_code::ErrorCode;
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use parking_lot::{Mutex, MutexGuard};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How many rules may stand at once.
pub const RULES_MAX: usize = 1_000;

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing but the delay.
    None,
    /// Its rows of the rule's account fail so, and nothing is done for them.
    Rows(RowError),
    /// The call fails as a whole, and nothing is done.
    Fault {
        /// The code in the detail.
        code: ErrorCode,
        /// The text; without one, that of the real fault with this code, if there is just one.
        message: Option<String>,
    },
    /// The connection is closed without an answer.
    Reset {
        /// Whether the work is done first.
        after: bool,
    },
    /// The work is done, and the answer ends after so many bytes, as if that were all.
    Truncate {
        /// How many bytes are left of it.
        bytes: usize,
    },
    /// The work is done, the answer's head states its whole length, and the connection is closed
    /// after so many bytes.
    CutOff {
        /// How many bytes are sent of it.
        bytes: usize,
    },
    /// Nothing is done, and something else is answered.
    Body {
        /// The HTTP status.
        status: u16,
        /// The Content-Type.
        content_type: &'static str,
        /// The body.
        text: String,
    },
}

/// A header that was ordered for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    /// Matches calls of this operation; none matches all.
    pub operation: Option<String>,
    /// Matches calls that are about this account: by the AccountId of an object or of a query, or
    /// by the id of an object that is the account's or the account itself; none matches all.
    pub account: Option<ObjectId>,
    /// How many calls that match pass unharmed before the first that does not.
    pub skip: u32,
    /// Decides about only so many calls; none goes on until it is removed.
    pub times: Option<u32>,
    /// How long the call waits first.
    pub delay: Duration,
    /// What happens then.
    pub effect: Effect,
    /// The HTTP status of the answer, in the place of its own.
    pub status: Option<u16>,
    /// Headers of the answer, in the place of its own by those names.
    pub headers: Vec<OrderedHeader>,
}

impl FaultRule {
    fn matches(&self, operation: &str, accounts: &[ObjectId]) -> bool {
        self.operation.as_deref().is_none_or(|wanted| wanted == operation)
            && self.account.as_ref().is_none_or(|wanted| accounts.contains(wanted))
    }
}

/// A rule that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingRule {
    /// Its number, from 1.
    pub id: u64,
    /// The rule; its `skip` and `times` are what is left of them.
    pub rule: FaultRule,
}

/// The rules of a gateway.
#[derive(Debug, Default)]
pub struct Faults {
    any: AtomicBool,
    standing: Mutex<Standing>,
}

#[derive(Debug, Default)]
struct Standing {
    last_id: u64,
    rules: Vec<StandingRule>,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock()
    }

    /// Adds a rule after those that stand and gives its number; none when there are too many.
    pub fn add(&self, rule: FaultRule) -> Option<u64> {
        let mut standing = self.lock();
        if standing.rules.len() >= RULES_MAX {
            return None;
        }
        standing.last_id += 1;
        let id = standing.last_id;
        standing.rules.push(StandingRule { id, rule });
        self.any.store(true, Ordering::Release);
        Some(id)
    }

    /// The rules that stand, in their order.
    pub fn all(&self) -> Vec<StandingRule> {
        self.lock().rules.clone()
    }

    /// Removes a rule; false when there is none of this number.
    pub fn remove(&self, id: u64) -> bool {
        let mut standing = self.lock();
        let before = standing.rules.len();
        standing.rules.retain(|rule| rule.id != id);
        self.any.store(!standing.rules.is_empty(), Ordering::Release);
        standing.rules.len() < before
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.lock().rules.clear();
        self.any.store(false, Ordering::Release);
    }

    /// Whether any rule stands.
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// The rule for a call of `operation` that is about `accounts`, with one use of it taken. Rules
    /// before it that match and still let calls pass have one call less to pass.
    pub fn take(&self, operation: &str, accounts: &[ObjectId]) -> Option<FaultRule> {
        let mut standing = self.lock();
        let decides = |standing: &mut StandingRule| {
            let rule = &mut standing.rule;
            let matches = rule.matches(operation, accounts);
            let passes = matches && rule.skip > 0;
            rule.skip -= u32::from(passes);
            matches && !passes
        };
        let place = standing.rules.iter_mut().position(decides)?;
        let found = standing.rules.get_mut(place)?;
        let rule = found.rule.clone();
        if let Some(times) = &mut found.rule.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                standing.rules.remove(place);
                self.any.store(!standing.rules.is_empty(), Ordering::Release);
            }
        }
        Some(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(operation: Option<&str>, account: Option<&ObjectId>, times: Option<u32>) -> FaultRule {
        FaultRule {
            operation: operation.map(str::to_owned),
            account: account.cloned(),
            skip: 0,
            times,
            delay: Duration::ZERO,
            effect: Effect::None,
            status: None,
            headers: Vec::new(),
        }
    }

    #[test]
    fn the_first_rule_that_matches_is_used_up() {
        let account = ObjectId::parse("402892c72b9e3319012b9e34b88e0001").unwrap();
        let other = ObjectId::parse("402892c72b9e3319012b9e34b88e0002").unwrap();
        let faults = Faults::default();
        assert_eq!(faults.take("create", std::slice::from_ref(&account)), None);
        faults.add(rule(Some("query"), None, Some(2))).unwrap();
        let second = faults.add(rule(Some("create"), Some(&account), Some(1))).unwrap();
        assert_eq!(faults.take("create", std::slice::from_ref(&other)), None);
        assert!(faults.take("create", &[other.clone(), account.clone()]).is_some());
        assert_eq!(faults.take("create", std::slice::from_ref(&account)), None);
        assert!(!faults.remove(second));
        assert_eq!(faults.all()[0].rule.times, Some(2));
        assert!(faults.take("query", &[]).is_some() && faults.take("query", &[]).is_some());
        assert_eq!(faults.take("query", &[]), None);
    }

    #[test]
    fn calls_that_match_pass_as_often_as_was_said() {
        let faults = Faults::default();
        faults.add(FaultRule { skip: 2, ..rule(Some("create"), None, Some(1)) }).unwrap();
        faults.add(FaultRule { skip: 1, ..rule(None, None, Some(1)) }).unwrap();
        let taken = |operation| faults.take(operation, &[]).map(|rule| rule.operation);
        assert_eq!(taken("create"), None);
        assert_eq!(taken("create"), Some(None));
        assert_eq!(taken("query"), None);
        assert_eq!(taken("create"), Some(Some("create".to_owned())));
        assert_eq!(taken("create"), None);
        assert!(!faults.any());
    }

    #[test]
    fn a_rule_without_times_stands_until_it_is_removed() {
        let faults = Faults::default();
        let id = faults.add(rule(None, None, None)).unwrap();
        for _ in 0..3 {
            assert!(faults.take("login", &[]).is_some());
        }
        assert!(faults.remove(id));
        assert_eq!(faults.take("login", &[]), None);
    }
}
