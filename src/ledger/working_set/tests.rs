//! What the working set answers from what it has met, and what it asks its engine for.

use crate::domain::facts::AccountKey;
use crate::domain::id::ObjectId;
use crate::domain::money::MinorUnits;
use crate::ledger::UserKey;
use crate::ledger::books::BooksError;
use crate::ledger::engine::Engine;
use crate::ledger::memory::Memory;
use crate::ledger::record::{Field, Value};
use crate::ledger::records::{
    AccountRow, Balance, LOCATOR_BY_LAST_USE, Locator, SESSION_BY_LAST_USE, SESSION_BY_USER,
    SessionRow,
};
use crate::ledger::unit::{Unit, World};
use chrono::{DateTime, Utc};

/// A table whose keys are counted.
fn account(key: i64) -> AccountRow {
    let id = ObjectId::parse(&format!("{key:032x}")).unwrap();
    AccountRow::active(AccountKey(key), id, format!("A{key}"), MinorUnits::ZERO)
}

const fn account_key(key: i64) -> (AccountKey,) {
    (AccountKey(key),)
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// A table of which many rows have the same value: whose they are.
fn session(key: u8, user: i64) -> SessionRow {
    SessionRow { token_hash: [key; 32], user: UserKey(user), last_used_ms: at(i64::from(key)) }
}

const fn session_key(key: u8) -> ([u8; 32],) {
    ([key; 32],)
}

fn of_user(user: i64) -> [Value<'static>; 1] {
    [UserKey(user).stored().into_owned()]
}

fn give_to(user: i64) -> impl FnOnce(&mut SessionRow) {
    move |row| row.user = UserKey(user)
}

fn sessions_of(unit: &mut Unit<'_>, user: i64) -> Result<Vec<u8>, BooksError> {
    let rows = unit.all::<SessionRow>(&SESSION_BY_USER, &of_user(user))?;
    Ok(rows.iter().map(|row| row.token_hash[0]).collect())
}

fn first_of(unit: &mut Unit<'_>, user: i64) -> Result<Option<u8>, BooksError> {
    let row = unit.first::<SessionRow>(&SESSION_BY_USER, &of_user(user))?;
    Ok(row.map(|row| row.token_hash[0]))
}

/// Does work on a ledger that has an account and a session for each of these users, with keys from
/// 1 on. The work is handed a way to ask how often the engine was asked for something since then.
fn work(
    users: &[i64],
    work: impl FnOnce(&mut Unit<'_>, &dyn Fn() -> usize) -> Result<(), BooksError>,
) {
    let mut memory = Memory::new(World::default());
    memory.begin().unwrap();
    for (key, user) in (1_u8..).zip(users) {
        memory.work(|unit| unit.insert(account(i64::from(key)))).unwrap();
        memory.work(|unit| unit.insert(session(key, *user))).unwrap();
    }
    memory.flush().unwrap();
    memory.commit().unwrap();
    memory.begin().unwrap();
    let asked = memory.asked();
    asked.take();
    memory.work(|unit| work(unit, &|| asked.take().len())).unwrap();
}

#[test]
fn a_key_that_no_row_has_is_given_again_and_another_one_never() {
    work(&[1], |unit, asked| {
        assert_eq!(unit.next_key::<AccountRow>()?, 2);
        unit.write_out()?;
        assert_eq!(unit.next_key::<AccountRow>()?, 2);
        unit.insert(account(2))?;
        unit.write_out()?;
        asked();
        assert_eq!((unit.next_key::<AccountRow>()?, asked()), (3, 0));
        unit.insert(account(3))?;
        unit.write_out()?;
        unit.remove::<AccountRow>(&account_key(3))?;
        unit.write_out()?;
        assert_eq!(unit.next_key::<AccountRow>()?, 3);
        Ok(())
    });
}

#[test]
fn what_was_met_is_not_asked_for_again_until_it_is_forgotten() {
    work(&[1, 2], |unit, asked| {
        for _ in 0..2 {
            assert!(unit.get::<SessionRow>(&session_key(1))?.is_some());
            assert!(unit.get::<SessionRow>(&session_key(1))?.is_some());
            assert_eq!(asked(), 1);
            unit.write_out()?;
            assert_eq!(sessions_of(unit, 2)?, [2]);
            assert_eq!(sessions_of(unit, 2)?, [2]);
            assert_eq!(asked(), 1);
            unit.write_out()?;
        }
        unit.know_none::<SessionRow>(&SESSION_BY_USER, &of_user(3));
        assert_eq!((sessions_of(unit, 3)?, asked()), (vec![], 0));
        Ok(())
    });
}

/// An engine that is far away asks for all of it with the next exchange.
#[test]
fn what_is_wanted_is_said_to_the_engine_before_it_is_looked_up() {
    let mut memory = Memory::new(World::default());
    memory.begin().unwrap();
    let (asked, foreseen) = (memory.asked(), memory.foreseen());
    let want = |unit: &mut Unit<'_>| {
        for key in [2, 1, 2] {
            unit.see::<SessionRow>(&session_key(key)).unwrap_err();
        }
        unit.see_one::<SessionRow>(&SESSION_BY_USER, &of_user(1)).unwrap_err();
    };
    let said = ["find session by token_hash: 2", "find session by user: 1"];
    memory
        .work(|unit| {
            want(unit);
            unit.foresee()?;
            assert_eq!((foreseen.take(), asked.take()), (said.map(str::to_owned).to_vec(), vec![]));
            unit.load()?;
            assert_eq!((foreseen.take(), asked.take()), (vec![], vec![]), "it is wanted no more");
            want(unit);
            unit.load()?;
            assert_eq!(
                (foreseen.take(), asked.take().len()),
                (said.map(str::to_owned).to_vec(), 2)
            );
            unit.foresee()?;
            assert_eq!(foreseen.take(), Vec::<String>::new());
            Ok(())
        })
        .unwrap();
}

/// What is known of touched rows learns of what is touched later.
#[test]
fn a_row_is_found_by_what_it_was_changed_to_last() {
    work(&[1, 2], |unit, _| {
        unit.change::<SessionRow>(&session_key(1), give_to(3))?;
        assert_eq!(sessions_of(unit, 3)?, [1]);
        unit.change::<SessionRow>(&session_key(1), give_to(4))?;
        assert_eq!((sessions_of(unit, 3)?, first_of(unit, 3)?), (vec![], None));
        assert_eq!(sessions_of(unit, 4)?, [1]);
        unit.remove::<SessionRow>(&session_key(2))?;
        assert_eq!(sessions_of(unit, 5)?, [0_u8; 0]);
        unit.insert(session(2, 5))?;
        assert_eq!(sessions_of(unit, 5)?, [2]);
        unit.write_out()?;
        assert_eq!((sessions_of(unit, 4)?, sessions_of(unit, 5)?), (vec![1], vec![2]));
        Ok(())
    });
}

#[test]
fn the_first_row_is_of_the_engine_or_of_the_batch() {
    work(&[1, 2], |unit, _| {
        unit.insert(session(3, 1))?;
        assert_eq!(first_of(unit, 1)?, Some(1));
        unit.change::<SessionRow>(&session_key(2), give_to(1))?;
        unit.change::<SessionRow>(&session_key(1), give_to(3))?;
        assert_eq!((first_of(unit, 1)?, first_of(unit, 3)?), (Some(2), Some(1)));
        unit.change::<SessionRow>(&session_key(2), give_to(3))?;
        assert_eq!((first_of(unit, 1)?, first_of(unit, 2)?), (Some(3), None));
        Ok(())
    });
}

#[test]
fn what_is_wanted_is_looked_up_at_once_and_each_thing_once() {
    work(&[1, 1, 1, 2], |unit, asked| {
        let by = &SESSION_BY_USER;
        // Keys alone, values alone, and first rows alone.
        assert!(unit.see::<SessionRow>(&session_key(4)).is_err());
        assert!(unit.see::<SessionRow>(&session_key(4)).is_err());
        unit.load()?;
        let is_there = unit.see::<SessionRow>(&session_key(4)).unwrap().is_some();
        assert_eq!((is_there, asked()), (true, 1));
        for user in [2, 3, 2] {
            assert!(unit.see_one::<SessionRow>(by, &of_user(user)).is_err());
        }
        unit.load()?;
        let found = unit.see_one::<SessionRow>(by, &of_user(2)).unwrap().cloned();
        assert_eq!((found, asked()), (Some(session(4, 2)), 1));
        assert!(unit.see_any::<SessionRow>(by, &of_user(1)).is_err());
        assert!(unit.see_any::<SessionRow>(by, &of_user(4)).is_err());
        unit.load()?;
        let seen = [1, 2, 3, 4].map(|user| unit.see_any::<SessionRow>(by, &of_user(user)));
        assert_eq!(seen, [Ok(true), Ok(true), Ok(false), Ok(false)]);
        assert!(unit.any::<SessionRow>(by, &of_user(1))?);
        assert!(!unit.any::<SessionRow>(by, &of_user(4))?);
        unit.load()?;
        assert_eq!(asked(), 1);
        // The third row is not among those that were loaded.
        unit.remove::<SessionRow>(&session_key(1))?;
        unit.remove::<SessionRow>(&session_key(2))?;
        assert_eq!(first_of(unit, 1)?, Some(3));
        Ok(())
    });
}

#[test]
fn of_a_value_with_one_row_all_is_known_when_its_first_is() {
    work(&[1], |unit, asked| {
        assert!(unit.see_any::<SessionRow>(&SESSION_BY_USER, &of_user(1)).is_err());
        unit.load()?;
        unit.remove::<SessionRow>(&session_key(1))?;
        asked();
        assert_eq!((first_of(unit, 1)?, asked()), (None, 0));
        Ok(())
    });
}

/// Loading changes no answer, and what is wanted does not outlive the rows.
#[test]
fn what_was_changed_before_it_was_loaded_stays_changed() {
    work(&[1, 2, 3], |unit, asked| {
        for key in [1, 2, 3] {
            assert!(unit.see::<SessionRow>(&session_key(key)).is_err());
        }
        unit.change::<SessionRow>(&session_key(1), give_to(4))?;
        unit.load()?;
        let row = unit.see::<SessionRow>(&session_key(1)).unwrap();
        assert_eq!(row.map(|row| row.user), Some(UserKey(4)));
        assert!(unit.see::<SessionRow>(&session_key(5)).is_err());
        unit.write_out()?;
        asked();
        unit.load()?;
        assert_eq!(asked(), 0);
        Ok(())
    });
}

#[test]
fn rows_after_a_key_are_those_of_the_engine_as_the_batch_left_them() {
    work(&[1, 2, 3], |unit, _| {
        let after = |unit: &mut Unit<'_>, key: i64, most: usize| -> Result<Vec<_>, BooksError> {
            let rows = unit.after::<AccountRow>(key, most)?;
            Ok(rows.into_iter().map(|row| (row.key.0, row.number)).collect())
        };
        unit.insert(account(4))?;
        unit.change::<AccountRow>(&account_key(2), |row| "B".clone_into(&mut row.number))?;
        unit.remove::<AccountRow>(&account_key(3))?;
        let [first, second, fourth] =
            [(1, "A1"), (2, "B"), (4, "A4")].map(|(key, number)| (key, number.to_owned()));
        assert_eq!(after(unit, 1, 9)?, [second.clone(), fourth.clone()]);
        assert_eq!(after(unit, 2, 9)?, [fourth]);
        assert_eq!(after(unit, 4, 9)?, []);
        assert_eq!(after(unit, 0, 2)?, [first, second]);
        Ok(())
    });
}

#[test]
fn a_balance_is_compared_with_its_account_once() {
    work(&[1, 2], |unit, _| {
        for (key, units) in [(1, 0), (2, 5)] {
            let (account, units) = (AccountKey(key), MinorUnits::new(units));
            unit.insert(Balance { account, units, newest_entry: None, newest_refund: None })?;
        }
        assert_eq!(unit.balance(AccountKey(1))?.units, MinorUnits::ZERO);
        unit.change::<AccountRow>(&account_key(1), |row| row.opening = MinorUnits::new(7))?;
        assert_eq!(unit.balance(AccountKey(1))?.units, MinorUnits::ZERO);
        assert!(matches!(unit.balance(AccountKey(2)), Err(BooksError::Fault { .. })));
        Ok(())
    });
}

#[test]
fn old_rows_of_two_tables_go_each_by_their_own_age() {
    work(&[], |unit, _| {
        for key in [10, 20, 30] {
            unit.insert(session(key, 1))?;
            let (id, user, query, last_used_ms) =
                ([key; 16], UserKey(1), String::new(), at(i64::from(key)));
            unit.insert(Locator { id, user, query, newest: 0, size: 0, last_used_ms })?;
        }
        unit.remove_older(&SESSION_BY_LAST_USE, at(15), 9);
        unit.remove_older(&LOCATOR_BY_LAST_USE, at(25), 9);
        unit.remove_older(&LOCATOR_BY_LAST_USE, at(5), 9);
        unit.write_out()?;
        let mut left = Vec::new();
        for key in [10, 20, 30] {
            let has_session = unit.get::<SessionRow>(&session_key(key))?.is_some();
            left.push((has_session, unit.get::<Locator>(&([key; 16],))?.is_some()));
        }
        assert_eq!(left, [(false, false), (true, false), (true, true)]);
        Ok(())
    });
}

#[test]
#[should_panic(expected = "the credit balance is below zero")]
fn a_row_that_breaks_an_invariant_is_not_written() {
    work(&[1], |unit, _| {
        let (account, units) = (AccountKey(1), MinorUnits::new(-1));
        unit.insert(Balance { account, units, newest_entry: None, newest_refund: None })
    });
}
