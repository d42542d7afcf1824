//! Whether what callers saw of an amount can be put in one order (Wing and Gong's search).
//!
//! Each step has to take effect at one moment between its call and its answer. A draw succeeds
//! where the amount covers it and is refused where it does not; in the end the amount is what is
//! found. Sets of steps that were tried are not tried again, because they say what the amount is.

use std::collections::HashSet;

/// What a step does to an amount, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is so much more afterwards; it never goes below zero.
    Move(i64),
    /// So much was refused, because there was less.
    Refused(i64),
}

/// A step, and between which events it took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) effect: Effect,
}

/// The most steps that can be put in order.
const STEPS_MAX: usize = 127;

/// Whether the steps lead from `start` to `end` in some order.
pub(super) fn is_linearizable(start: i64, steps: &[Step], end: i64) -> bool {
    assert!(steps.len() <= STEPS_MAX, "{} steps", steps.len());
    Search { steps, end, tried: HashSet::new() }.goes_on(0, start)
}

struct Search<'s> {
    steps: &'s [Step],
    end: i64,
    tried: HashSet<u128>,
}

impl Search<'_> {
    fn goes_on(&mut self, mut done: u128, amount: i64) -> bool {
        // What is refused changes nothing, so that it is done as soon as it can be.
        while let Some(place) = self.next(done).find(|place| self.is_refused(*place, amount)) {
            done |= 1 << place;
        }
        if !self.tried.insert(done) {
            return false;
        }
        if done.count_ones() == u32::try_from(self.steps.len()).unwrap() {
            return amount == self.end;
        }
        let next: Vec<usize> = self.next(done).collect();
        next.into_iter().any(|place| match self.steps[place].effect {
            Effect::Move(delta) if amount + delta >= 0 => {
                self.goes_on(done | 1 << place, amount + delta)
            }
            Effect::Move(_) | Effect::Refused(_) => false,
        })
    }

    /// The steps that may come next: none began after another one had ended.
    fn next(&self, done: u128) -> impl Iterator<Item = usize> {
        let left = move |place: &usize| done & (1 << place) == 0;
        let first_end = (0..self.steps.len()).filter(left).map(|place| self.steps[place].to).min();
        let may_begin =
            move |place: &usize| first_end.is_some_and(|end| self.steps[*place].from <= end);
        (0..self.steps.len()).filter(left).filter(may_begin)
    }

    fn is_refused(&self, place: usize, amount: i64) -> bool {
        matches!(self.steps[place].effect, Effect::Refused(wanted) if amount < wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from: u64, to: u64, effect: Effect) -> Step {
        Step { from, to, effect }
    }

    #[test]
    fn what_overlaps_is_put_in_order_and_what_does_not_stays() {
        use Effect::{Move, Refused};
        let draw = |from, to, amount: i64| step(from, to, Move(-amount));
        assert!(is_linearizable(100, &[draw(1, 2, 60), draw(3, 4, 40)], 0));
        assert!(!is_linearizable(100, &[draw(1, 2, 60), draw(3, 4, 60)], -20));
        assert!(!is_linearizable(100, &[draw(1, 2, 60)], 100));
        let refused_later = [draw(1, 2, 60), step(3, 4, Refused(50))];
        assert!(is_linearizable(100, &refused_later, 40));
        let refused_before = [draw(3, 4, 60), step(1, 2, Refused(50))];
        assert!(!is_linearizable(100, &refused_before, 40));
        let at_once = [draw(1, 4, 60), step(2, 3, Refused(50))];
        assert!(is_linearizable(100, &at_once, 40));
        let given_back = [draw(1, 2, 100), step(3, 9, Move(100)), draw(4, 5, 80)];
        assert!(is_linearizable(100, &given_back, 20));
    }
}
