//! How often passwords may be guessed: by the pair of a user name and an address, and by an address
//! over all names; never by a name alone, so that a stranger cannot lock out an integration.
//!
//! Where several nodes serve a ledger, what came to any of them counts at each; the rules are the
//! same, applied to what the ledger has kept of it.
//!
//! What must stay true: a name that no user has is treated as one that a user has; attempts that
//! are being looked at count as if they were wrong, and others wait for them; time is what passes
//! in this process; what is kept is bounded.

use super::ServiceSettings;
use crate::ledger::sharing::{LoginFrom, WrongLogins};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::{Mutex, MutexGuard};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// So many pairs and addresses are known before those that say nothing any more are forgotten, and
/// all of them where that does not suffice.
const KNOWN_MAX: usize = 50_000;

/// The bits of an IPv6 address that are one customer's.
const IPV6_NETWORK: u128 = !(u64::MAX as u128);

type Name = [u8; 32];
type Moment = DateTime<Utc>;

/// Too many wrong passwords came; the next is looked at after so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) seconds: i64,
}

/// The limits, and what they go by.
#[derive(Debug)]
pub(super) struct LoginGuard {
    limits: Limits,
    known: Mutex<Known>,
    /// Whose passwords are being looked at.
    under_way: Mutex<Vec<(Name, IpAddr)>>,
    /// One of them has been.
    ended: Notify,
}

/// A password that is being looked at, until this is dropped.
#[derive(Debug)]
pub(super) struct Attempt<'g> {
    guard: &'g LoginGuard,
    key: (Name, IpAddr),
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut under_way = self.guard.under_way.lock();
        if let Some(place) = under_way.iter().position(|key| *key == self.key) {
            under_way.swap_remove(place);
        }
        drop(under_way);
        self.guard.ended.notify_waiters();
    }
}

/// How many more passwords may be wrong before logins are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    of_pair: usize,
    of_address: usize,
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    wrong_max: usize,
    window: TimeDelta,
    refused: TimeDelta,
    per_minute_max: usize,
}

#[derive(Debug, Default)]
struct Known {
    /// The newest moment that was seen: a clock that was set back counts as standing still.
    newest: Moment,
    pairs: HashMap<(Name, IpAddr), Pair>,
    addresses: HashMap<IpAddr, VecDeque<Moment>>,
}

#[derive(Debug, Default)]
struct Pair {
    wrong: VecDeque<Moment>,
    refused_until: Option<Moment>,
}

impl LoginGuard {
    pub(super) fn new(settings: &ServiceSettings) -> Self {
        let limits = Limits {
            wrong_max: settings.login_wrong_max,
            window: TimeDelta::minutes(settings.login_wrong_minutes.into()),
            refused: TimeDelta::seconds(settings.login_refused_s.into()),
            per_minute_max: settings.login_wrong_per_minute_max,
        };
        Self { limits, known: Mutex::default(), under_way: Mutex::default(), ended: Notify::new() }
    }

    /// Begins to look at a password, unless those that are being looked at might all be wrong and
    /// leave no place for it.
    pub(super) fn begin(&self, name: &str, from: IpAddr, left: Left) -> Option<Attempt<'_>> {
        let key = key(name, from);
        let mut under_way = self.under_way.lock();
        let of_pair = under_way.iter().filter(|other| **other == key).count();
        let of_address = under_way.iter().filter(|other| other.1 == key.1).count();
        if of_pair >= left.of_pair || of_address >= left.of_address {
            return None;
        }
        under_way.push(key);
        Some(Attempt { guard: self, key })
    }

    /// Waits until a password has been looked at, from when this is called.
    pub(super) fn ended(&self) -> Notified<'_> {
        self.ended.notified()
    }

    /// Refuses a login that may not even be looked at now.
    pub(super) fn check(&self, name: &str, from: IpAddr, now: Moment) -> Result<Left, Refused> {
        self.at(now).check(key(name, from), self.limits)
    }

    /// Notes a wrong password; whether the pair is refused from now on.
    pub(super) fn note_wrong(&self, name: &str, from: IpAddr, now: Moment) -> bool {
        let (key, mut known) = (key(name, from), self.at(now));
        let now = known.newest;
        known.make_room(self.limits);
        known.note_address(key.1, now, self.limits);
        known.note_pair(key, now, self.limits)
    }

    /// What wrong passwords there were says about another attempt, wherever they came in.
    pub(super) fn check_all(
        &self,
        name: &str,
        from: IpAddr,
        wrong: &WrongLogins,
        now: Moment,
    ) -> Result<Left, Refused> {
        let ago =
            |age: &Duration| TimeDelta::from_std(*age).map_or(Moment::MIN_UTC, |age| now - age);
        let (key, mut known) = (key(name, from), Known { newest: now, ..Known::default() });
        for age in &wrong.of_address {
            known.note_address(key.1, ago(age), self.limits);
        }
        for age in &wrong.of_pair {
            known.note_pair(key, ago(age), self.limits);
        }
        known.check(key, self.limits)
    }

    /// How many of the last wrong passwords count: of a pair, and of an address.
    pub(super) const fn most(&self) -> (usize, usize) {
        (self.limits.wrong_max, self.limits.per_minute_max)
    }

    /// For how long one counts against its pair.
    pub(super) fn window(&self) -> Duration {
        self.limits.window.to_std().unwrap_or_default()
    }

    /// By what attempts are counted.
    pub(super) fn counted_by(name: &str, from: IpAddr) -> LoginFrom {
        let (name, address) = key(name, from);
        LoginFrom { name, address }
    }

    /// Forgets everything, because the users are others now.
    pub(super) fn forget(&self) {
        *self.known.lock() = Known::default();
    }

    fn at(&self, now: Moment) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock();
        known.newest = known.newest.max(now);
        known
    }
}

impl Known {
    fn check(&mut self, pair: (Name, IpAddr), limits: Limits) -> Result<Left, Refused> {
        let now = self.newest;
        let until = self.pairs.get(&pair).and_then(|pair| pair.refused_until);
        let limit = limits.per_minute_max;
        let of_address = self.addresses.get_mut(&pair.1).and_then(|wrong| {
            forget_before(wrong, now - TimeDelta::minutes(1));
            let first = wrong.front().filter(|_| limit > 0 && wrong.len() >= limit)?;
            Some(*first + TimeDelta::minutes(1))
        });
        match until.max(of_address).filter(|until| *until > now) {
            Some(until) => Err(Refused { seconds: (until - now).num_seconds().max(1) }),
            None => Ok(self.left(pair, limits)),
        }
    }

    /// How many more may be wrong by now. After a refusal that is over, one more is enough.
    fn left(&mut self, pair: (Name, IpAddr), limits: Limits) -> Left {
        let since = self.newest - limits.window;
        let of_pair = self.pairs.get_mut(&pair).map_or(0, |pair| {
            forget_before(&mut pair.wrong, since);
            pair.wrong.len()
        });
        let of_address = self.addresses.get(&pair.1).map_or(0, VecDeque::len);
        let left = |max: usize, wrong: usize| match max {
            0 => usize::MAX,
            max => max.saturating_sub(wrong).max(1),
        };
        Left {
            of_pair: left(limits.wrong_max, of_pair),
            of_address: left(limits.per_minute_max, of_address),
        }
    }

    fn note_address(&mut self, address: IpAddr, at: Moment, limits: Limits) {
        let wrong = self.addresses.entry(address).or_default();
        wrong.push_back(at);
        if wrong.len() > limits.per_minute_max {
            wrong.pop_front();
        }
    }

    /// Whether the pair is refused from now on.
    fn note_pair(&mut self, key: (Name, IpAddr), at: Moment, limits: Limits) -> bool {
        let pair = self.pairs.entry(key).or_default();
        forget_before(&mut pair.wrong, at - limits.window);
        pair.wrong.push_back(at);
        if pair.wrong.len() > limits.wrong_max {
            pair.wrong.pop_front();
        }
        let is_refused = limits.wrong_max > 0 && pair.wrong.len() >= limits.wrong_max;
        if is_refused {
            pair.refused_until = Some(at + limits.refused);
        }
        is_refused
    }

    fn make_room(&mut self, limits: Limits) {
        if self.pairs.len() < KNOWN_MAX && self.addresses.len() < KNOWN_MAX {
            return;
        }
        let (now, since) = (self.newest, self.newest - limits.window);
        self.pairs.retain(|_, pair| {
            let is_refused = pair.refused_until.is_some_and(|until| until > now);
            is_refused || pair.wrong.back().is_some_and(|last| *last > since)
        });
        let minute = now - TimeDelta::minutes(1);
        self.addresses.retain(|_, wrong| wrong.back().is_some_and(|last| *last > minute));
        if self.pairs.len() >= KNOWN_MAX {
            self.pairs.clear();
        }
        if self.addresses.len() >= KNOWN_MAX {
            self.addresses.clear();
        }
    }
}

fn forget_before(moments: &mut VecDeque<Moment>, since: Moment) {
    while moments.front().is_some_and(|first| *first <= since) {
        moments.pop_front();
    }
}

fn key(name: &str, from: IpAddr) -> (Name, IpAddr) {
    let from = match from.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & IPV6_NETWORK).into(),
        address => address,
    };
    (Sha256::digest(name.as_bytes()).into(), from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Moment {
        DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    impl LoginGuard {
        fn lets(&self, name: &str, from: IpAddr, now: Moment) -> Result<(), Refused> {
            self.check(name, from, now).map(|_| ())
        }
    }

    fn guard() -> LoginGuard {
        LoginGuard::new(&ServiceSettings::default())
    }

    /// Regression: passwords could be guessed for ever, 86 a second.
    #[test]
    fn ten_wrong_passwords_close_the_pair_for_a_minute_and_nobody_else() {
        let (guard, here) = (guard(), ip("192.0.2.1"));
        for second in 0..9 {
            assert!(!guard.note_wrong("a", here, at(second)));
            assert_eq!(guard.lets("a", here, at(second)), Ok(()));
        }
        assert!(guard.note_wrong("a", here, at(9)));
        assert_eq!(guard.lets("a", here, at(9)), Err(Refused { seconds: 60 }));
        assert_eq!(guard.lets("a", here, at(68)), Err(Refused { seconds: 1 }));
        assert_eq!(guard.lets("a", here, at(69)), Ok(()));
        for (name, from) in [("b", "192.0.2.1"), ("a", "192.0.2.2")] {
            assert_eq!(guard.lets(name, ip(from), at(10)), Ok(()));
        }
        // The next wrong one within the window closes it again.
        assert!(guard.note_wrong("a", here, at(70)));
        assert!(guard.lets("a", here, at(71)).is_err());
        assert!(!guard.note_wrong("a", here, at(70 + 900)));
        guard.forget();
        assert_eq!(guard.lets("a", here, at(71)), Ok(()));
    }

    #[test]
    fn what_came_to_other_nodes_counts_by_the_same_rules() {
        let (guard, here, now) = (guard(), ip("192.0.2.1"), at(0));
        let ages = |ages: Vec<u64>| ages.into_iter().map(Duration::from_secs).collect::<Vec<_>>();
        let check = |of_pair, of_address| {
            let wrong = WrongLogins { of_pair: ages(of_pair), of_address: ages(of_address) };
            guard.check_all("a", here, &wrong, now).map(|_| ())
        };
        let ten = |last: u64| (last..last + 10).rev().collect::<Vec<_>>();
        assert_eq!(check(ten(0), vec![]), Err(Refused { seconds: 60 }));
        assert_eq!(check(ten(59), vec![]), Err(Refused { seconds: 1 }));
        assert_eq!(check(ten(60), vec![]), Ok(()));
        assert_eq!(check((0..9).rev().collect(), vec![]), Ok(()));
        // Nine of them are older than the window of the last.
        assert_eq!(check([ten(901), vec![0]].concat(), vec![]), Ok(()));
        assert!(check(vec![], (0..50).chain(0..50).map(|age| 49 - age % 50).collect()).is_err());
        assert_eq!(check(vec![], vec![1; 99]), Ok(()));
        assert_eq!(guard.lets("a", here, now), Ok(()), "nothing of it is kept here");
    }

    #[test]
    fn an_address_may_be_wrong_a_hundred_times_a_minute() {
        let (guard, here) = (guard(), ip("::ffff:192.0.2.1"));
        for number in 0..100 {
            let name = format!("user {number}");
            assert_eq!(guard.lets(&name, here, at(number / 10)), Ok(()));
            guard.note_wrong(&name, here, at(number / 10));
        }
        assert!(guard.lets("another", ip("192.0.2.1"), at(10)).is_err());
        assert_eq!(guard.lets("another", ip("192.0.2.2"), at(10)), Ok(()));
        assert!(guard.lets("another", here, at(59)).is_err());
        assert_eq!(guard.lets("another", here, at(60)), Ok(()));
    }

    /// Regression: more than ten wrong passwords passed where they came at the same moment.
    #[test]
    fn what_is_being_looked_at_counts_as_wrong_until_it_was() {
        let (guard, here, there) = (guard(), ip("192.0.2.1"), ip("192.0.2.2"));
        let begin = |name: &str, from| {
            let left = guard.check(name, from, at(0)).unwrap();
            guard.begin(name, from, left)
        };
        let ten: Vec<_> = (0..10).map(|_| begin("a", here).unwrap()).collect();
        assert!(begin("a", here).is_none());
        assert!(begin("a", there).is_some() && begin("b", here).is_some());
        drop(ten);
        (0..9).for_each(|_| assert!(!guard.note_wrong("a", here, at(0))));
        let last = begin("a", here);
        assert!(last.is_some() && begin("a", here).is_none());
        assert!(guard.note_wrong("a", here, at(0)) && guard.check("a", here, at(0)).is_err());
        let left = guard.check("a", here, at(60)).unwrap();
        assert_eq!(left.of_pair, 1, "one more after the refusal");
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let guard = guard();
        for number in 0..10 {
            guard.note_wrong("a", ip(&format!("2001:db8::{number}")), at(0));
        }
        assert!(guard.lets("a", ip("2001:db8::ffff"), at(0)).is_err());
        assert_eq!(guard.lets("a", ip("2001:db8:0:1::1"), at(0)), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_opens_nothing() {
        let (guard, here) = (guard(), ip("192.0.2.1"));
        for _ in 0..10 {
            guard.note_wrong("a", here, at(1000));
        }
        assert!(guard.lets("a", here, at(0)).is_err());
        assert!(guard.lets("a", here, at(1059)).is_err());
    }

    #[test]
    fn what_is_switched_off_refuses_nothing_and_what_is_kept_is_bounded() {
        let settings = ServiceSettings {
            login_wrong_max: 0,
            login_wrong_per_minute_max: 0,
            ..ServiceSettings::default()
        };
        let guard = LoginGuard::new(&settings);
        for number in 0..KNOWN_MAX + 10 {
            let name = format!("user {number}");
            assert!(!guard.note_wrong(&name, ip("192.0.2.1"), at(0)));
        }
        assert_eq!(guard.lets("user 1", ip("192.0.2.1"), at(0)), Ok(()));
        assert!(guard.known.lock().pairs.len() <= KNOWN_MAX);
    }
}
