//! A credit balance seen from a day on: what is there on that day and on every later one.

use crate::domain::money::MinorUnits;
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// What moves a credit balance after the day that is asked about; the balance has it already.
///
/// Documented with future-dated credit balance adjustments: what takes from a balance must find
/// enough on its own day. What is recorded for a day that is past must find it there as well.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ahead {
    moves: BTreeMap<NaiveDate, MinorUnits>,
    first_day: Option<NaiveDate>,
}

impl Ahead {
    /// Nothing yet, on a balance that begins with `first_day`.
    pub fn since(first_day: NaiveDate) -> Self {
        Self { first_day: Some(first_day), ..Self::default() }
    }

    /// The day with which the balance begins, where it was looked up.
    pub const fn first_day(&self) -> Option<NaiveDate> {
        self.first_day
    }

    /// Adds what moves the balance on a day.
    pub fn add(&mut self, day: NaiveDate, delta: MinorUnits) {
        let on_the_day = self.moves.entry(day).or_insert(MinorUnits::ZERO);
        *on_the_day = MinorUnits::new(on_the_day.units().saturating_add(delta.units()));
    }

    /// Whether anything comes, so that less may be there before than at last.
    pub fn has_increase(&self) -> bool {
        self.moves.values().any(|delta| *delta > MinorUnits::ZERO)
    }

    /// The least that there is of `balance` on `day` or any later day.
    pub fn least_from(&self, balance: MinorUnits, day: NaiveDate) -> MinorUnits {
        let later = self.moves.iter().rev().take_while(|(later, _)| **later > day);
        let before_each = later.scan(balance.units(), |left, (_, delta)| {
            *left = left.saturating_sub(delta.units());
            Some(*left)
        });
        MinorUnits::new(before_each.fold(balance.units(), i64::min))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Days;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_least_is_that_of_the_poorest_day(
            opening in 0_i64..50,
            moves in prop::collection::vec((1_u64..8, -20_i64..20), 0..8),
            asked in 0_u64..9,
        ) {
            let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
            let day = |after| first + Days::new(after);
            let mut ahead = Ahead::default();
            for (after, delta) in &moves {
                ahead.add(day(*after), MinorUnits::new(*delta));
            }
            let on = |after: u64| {
                let past = moves.iter().filter(|(moved, _)| *moved <= after);
                opening + past.map(|(_, delta)| delta).sum::<i64>()
            };
            let expected = (asked..=9).map(on).min().unwrap();
            let least = ahead.least_from(MinorUnits::new(on(9)), day(asked));
            prop_assert_eq!(least, MinorUnits::new(expected));
        }
    }
}
