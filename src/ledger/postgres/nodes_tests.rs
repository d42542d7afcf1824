//! Nodes of one ledger, beside their batches: who has what, what each learns of the others, and
//! which programs may still write.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::address::Address;
use super::for_tests::{Server, store_at};
use super::schema::VERSION;
use super::sharing::Shared;
use super::starting::{self, Start};
use super::store::Store;
use super::tests::{add, is_there, meta, world};
use crate::domain::facts::Tenant;
use crate::domain::id::RefundNumber;
use crate::ledger::damage::Damage;
use crate::ledger::engine::Engine;
use crate::ledger::records::{TenantSetting, WHOLE};
use crate::ledger::sharing::{Claim, LoginFrom, Sharing};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::time::timeout;

const AT_ONCE: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(60);

fn order(number: i64) -> Claim {
    Claim::order(RefundNumber::new(number).unwrap())
}

/// A new ledger and two of its nodes.
fn two() -> Option<(&'static Server, String, Address, [Shared; 2])> {
    let server = Server::shared()?;
    let (schema, address) = server.new_schema();
    drop(store_at(address.clone(), world()));
    let node = |id| Shared::start(address.clone(), [id; 16], Damage::default()).unwrap();
    let nodes = [node(1), node(2)];
    Some((server, schema, address, nodes))
}

/// Awaits what a thread of a node answers.
fn run<F: Future>(awaited: F) -> F::Output {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(awaited)
}

/// As if nothing had been heard of a node for long: it stopped, or cannot reach the server.
fn silence(server: &Server, schema: &str, node: u8) {
    let id = format!("'\\x{}'", format!("{node:02x}").repeat(16));
    server.sql("postgres", &format!("update {schema}.node set ends_ms = 0 where id = {id}"));
}

#[test]
fn of_two_nodes_one_has_a_claim_until_it_gives_it_back() {
    let Some((_, _, _, [one, other])) = two() else { return };
    run(async {
        assert!(one.is_first() && !other.is_first());
        assert!(one.claim(order(1), AT_ONCE).await.unwrap());
        assert!(one.claim(order(1), AT_ONCE).await.unwrap(), "it is its own");
        assert!(!other.claim(order(1), AT_ONCE).await.unwrap());
        assert!(other.claim(order(2), AT_ONCE).await.unwrap());
        assert!(other.claim(Claim::webhook("1"), AT_ONCE).await.unwrap(), "it is another thing");
        one.give_back(order(1), false);
        // What follows is done after it.
        assert!(!one.claim(order(1), LONG).await.unwrap(), "it has not rested");
        assert!(!other.claim(order(1), LONG).await.unwrap());
        assert!(other.claim(order(1), AT_ONCE).await.unwrap());
        // Who does not have it cannot give it back.
        one.give_back(order(1), true);
        assert!(!one.claim(order(1), AT_ONCE).await.unwrap());
        other.give_back(order(1), true);
        assert!(other.claim(order(9), AT_ONCE).await.unwrap());
        assert!(one.claim(order(1), LONG).await.unwrap(), "it was over");
        drop(one);
        assert!(other.claim(order(1), AT_ONCE).await.unwrap(), "a node that ends has nothing");
    });
}

#[test]
fn what_a_silent_node_has_is_taken_over_and_it_takes_nothing_back() {
    let Some((server, schema, _, [one, other])) = two() else { return };
    run(async {
        assert!(one.claim(order(1), AT_ONCE).await.unwrap());
        assert!(one.claim(order(2), AT_ONCE).await.unwrap());
        silence(server, &schema, 1);
        assert!(other.claim(order(1), AT_ONCE).await.unwrap());
        // It wakes: first it takes nothing, then what is left to take.
        assert!(!one.claim(order(3), AT_ONCE).await.unwrap(), "it is not known to be there");
        assert!(one.claim(order(3), AT_ONCE).await.unwrap());
        assert!(!one.claim(order(1), AT_ONCE).await.unwrap(), "it is another's now");
        one.give_back(order(1), true);
        assert!(one.claim(order(2), AT_ONCE).await.unwrap(), "it was not taken over");
        assert!(!one.claim(order(1), AT_ONCE).await.unwrap());
    });
}

#[test]
fn many_that_want_the_same_at_once_get_it_one_at_a_time() {
    let Some((_, _, _, [one, other])) = two() else { return };
    run(async {
        for number in 1..=50 {
            let [first, second] = [&one, &other].map(|node| node.claim(order(number), AT_ONCE));
            let (first, second) = tokio::join!(first, second);
            assert!(first.unwrap() != second.unwrap(), "{number}");
        }
    });
}

#[test]
fn what_the_server_lost_is_said_again() {
    let Some((server, schema, _, [one, other])) = two() else { return };
    run(async {
        assert!(one.claim(order(1), AT_ONCE).await.unwrap());
        // As after a crash of the server, or on a standby that was promoted.
        server.sql("postgres", &format!("truncate {schema}.node, {schema}.lease"));
        assert!(!other.claim(order(1), AT_ONCE).await.unwrap(), "it is not known to be there");
        assert!(other.claim(order(1), AT_ONCE).await.unwrap());
    });
}

#[test]
fn wrong_passwords_count_wherever_they_came_in() {
    let Some((_, _, _, [one, other])) = two() else { return };
    run(async {
        let from = |name: u8, address: &str| LoginFrom {
            name: [name; 32],
            address: address.parse().unwrap(),
        };
        for (node, name, address) in
            [(&one, 1, "192.0.2.1"), (&other, 1, "192.0.2.1"), (&other, 2, "192.0.2.1")]
        {
            node.note_wrong_login(from(name, address), LONG).await.unwrap();
        }
        let count = async |node: &Shared, name, address, most| {
            let wrong = node.wrong_logins(from(name, address), LONG, most).await.unwrap();
            assert!(wrong.of_address.is_sorted_by(|one, next| one >= next), "{wrong:?}");
            (wrong.of_pair.len(), wrong.of_address.len())
        };
        assert_eq!(count(&one, 1, "192.0.2.1", (9, 9)).await, (2, 3));
        assert_eq!(count(&other, 2, "192.0.2.1", (9, 2)).await, (1, 2));
        assert_eq!(count(&other, 1, "192.0.2.2", (9, 9)).await, (0, 0));
    });
}

#[test]
fn a_change_of_what_nodes_keep_in_memory_is_known_to_all_of_them() {
    let Some((_, _, address, [one, other])) = two() else { return };
    let mut changes = [one.changes(), other.changes()];
    changes.iter_mut().for_each(watch::Receiver::mark_unchanged);
    let mut store = store_at(address, world());
    // A node that begins may bring other gateways and other words about events.
    for changes in &mut changes {
        run(async { timeout(LONG, changes.changed()).await }).unwrap().unwrap();
        changes.mark_unchanged();
    }
    add(&mut store, "of no one's memory");
    let before = [*changes[0].borrow(), *changes[1].borrow()];
    store.begin().unwrap();
    let (key, value) = ("time_zone".to_owned(), "Asia/Tokyo".to_owned());
    store.work(|unit| unit.insert(TenantSetting { key, value })).unwrap();
    store.flush().unwrap();
    store.commit().unwrap();
    for (changes, before) in changes.iter_mut().zip(before) {
        run(async { timeout(LONG, changes.changed()).await }).unwrap().unwrap();
        assert_eq!(*changes.borrow(), before + 1);
    }
    assert_ne!(Tenant::default().time_zone.to_string(), "Asia/Tokyo");
}

fn open(address: &Address, is_test: bool) -> Result<Store, String> {
    let start = Start { is_test: Some(is_test), is_made: true, is_alone: true, ..Start::default() };
    let opened = starting::open(address.clone(), start).map_err(|error| error.to_string())?;
    Ok(opened.store)
}

#[test]
fn a_ledger_has_any_number_of_nodes_and_a_test_ledger_one() {
    let Some(server) = Server::shared() else { return };
    let (_, address) = server.new_schema();
    let mut nodes = [(); 3].map(|()| open(&address, false).unwrap());
    for (place, store) in nodes.iter_mut().enumerate() {
        add(store, &format!("by {place}"));
    }
    assert!(nodes.iter_mut().all(|store| is_there(store, "by 2")));
    let (_, address) = server.new_schema();
    let first = open(&address, true).unwrap();
    let why = open(&address, true).err().unwrap();
    assert!(why.contains("another node serves this test ledger"), "{why}");
    drop(first);
    assert!(open(&address, true).is_ok());
}

/// The schema as a newer program leaves it, whose oldest companions know `oldest`.
fn bring_further(server: &Server, schema: &str, oldest: i64) {
    let further = VERSION + 1;
    server.sql(
        "postgres",
        &format!(
            "alter table {schema}.meta add column of_a_newer_program boolean default true; \
             insert into {schema}.schema_version values ({further}); \
             update {schema}.turn set oldest = {oldest}"
        ),
    );
}

#[test]
fn nodes_of_two_programs_serve_one_schema_until_the_newer_one_says_otherwise() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    let mut serving = open(&address, false).unwrap();
    add(&mut serving, "before");
    bring_further(server, &schema, VERSION);
    // The one that serves goes on, over another connection as well, and one can be started.
    add(&mut serving, "after");
    serving.drop_connection();
    let mut started = open(&address, false).unwrap();
    add(&mut started, "by an older program");
    assert!(is_there(&mut serving, "by an older program"));
    // From now on older programs may not write: the next batch knows.
    serving.begin().unwrap();
    serving.work(|unit| unit.insert(meta("in time"))).unwrap();
    serving.flush().unwrap();
    serving.commit().unwrap();
    let further = VERSION + 1;
    server.sql("postgres", &format!("update {schema}.turn set oldest = {further}"));
    let said = format!("takes programs that know version {further} or newer");
    for store in [&mut serving, &mut started] {
        let why = store.begin().unwrap_err().to_string();
        assert!(why.contains(&said), "{why}");
    }
    let why = open(&address, false).err().unwrap();
    assert!(why.contains(&said), "{why}");
    let kept = server.sql("postgres", &format!("select count(*) from {schema}.meta"));
    assert!(kept.parse::<u32>().unwrap() > 3, "nothing of it was touched");
}

#[test]
fn a_program_that_is_too_new_for_its_role_says_so() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    drop(open(&address, false).unwrap());
    // As an older program left it.
    let without_sums =
        WHOLE.iter().map(|whole| format!("alter table \"{}\" drop column sum", whole.table.name));
    let without_sums = without_sums.collect::<Vec<_>>().join("; ");
    server.sql(
        "postgres",
        &format!(
            "set search_path = {schema}; delete from schema_version where version > 2; \
             drop function ledger_without_sum cascade; drop table unsummed; {without_sums}; \
             create role late_{schema} login password 'secret'; \
             grant usage on schema {schema} to late_{schema}; \
             grant select, insert, update, delete on all tables in schema {schema} to late_{schema}"
        ),
    );
    let url = server.url("postgres", &format!("options=-csearch_path%3D{schema}"));
    let url = url.replace("postgres:secret@", &format!("late_{schema}:secret@"));
    let late = Address::parse(&url, &Default::default()).unwrap();
    let why = open(&late, false).err().unwrap();
    assert!(
        why.contains("has version 2, this program needs 3, and cannot bring it there"),
        "{why}"
    );
    assert!(why.contains("refund-gateway ledger migrate URL"), "{why}");
    // Its owner's program takes the step, and what was there stays.
    let mut store = open(&address, false).unwrap();
    add(&mut store, "after the step");
    drop(open(&late, false).err());
}
