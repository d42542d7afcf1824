//! A ledger in a real PostgreSQL: what it takes and finds, what it refuses, and what becomes of
//! batches when servers, connections and other nodes get in between.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::address::{Address, Secrets};
use super::for_tests::{AS_A_NODE, Server, store_at, store_for_tests};
use super::starting::{self, Start};
use super::store::Store;
use crate::domain::facts::{AccountKey, Gateway};
use crate::domain::id::ObjectId;
use crate::domain::money::MinorUnits;
use crate::ledger::LedgerError;
use crate::ledger::books::BooksError;
use crate::ledger::engine::{CommitError, Engine};
use crate::ledger::record::Value;
use crate::ledger::records::{
    ACCOUNT_BY_NUMBER, Account, AccountRow, GATEWAY_IDENTITIES, GatewayIdentity, Meta,
    TenantSetting, WHOLE, WholeRecord,
};
use crate::ledger::sqlite::columns_for_tests;
use crate::ledger::test_bench::TestEngine;
use crate::ledger::unit::World;
use std::collections::BTreeSet;
use std::net::TcpListener;

pub(super) fn world() -> World {
    let gateways = vec![Gateway::sandbox()];
    World { gateways, keeps_events: true, salt: 7, row_salt: 7, ..World::default() }
}

pub(super) fn account(key: i64) -> AccountRow {
    let id = ObjectId::parse(&format!("4028e6a0000a{key:020}")).unwrap();
    AccountRow {
        name: "Ünïcøde 名".to_owned(),
        parent: (key > 1).then(|| AccountKey(key - 1)),
        ..AccountRow::active(AccountKey(key), id, format!("A{key}"), MinorUnits::new(100))
    }
}

fn commit(store: &mut Store) {
    store.flush().unwrap();
    store.commit().unwrap();
}

pub(super) fn meta(key: &str) -> Meta {
    Meta { key: key.to_owned(), value: "v".to_owned() }
}

/// Adds a row in a batch of its own.
pub(super) fn add(store: &mut Store, key: &str) {
    store.begin().unwrap();
    store.work(|unit| unit.insert(meta(key))).unwrap();
    commit(store);
}

/// Whether the row is there.
pub(super) fn is_there(store: &mut Store, key: &str) -> bool {
    store.begin().unwrap();
    let found = store.work(|unit| unit.get::<Meta>(&(key.to_owned(),)).map(|row| row.is_some()));
    store.roll_back().unwrap();
    found.unwrap()
}

#[test]
fn the_schema_has_every_column_that_a_ledger_in_a_file_has() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    drop(store_at(address, world()));
    let columns = server.sql(
        "postgres",
        &format!(
            "select relname || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' \
             || coalesce(collname, '') \
             from pg_attribute join pg_class on attrelid = pg_class.oid \
             left join pg_collation on attcollation = pg_collation.oid \
             where relkind = 'r' and attnum > 0 and relnamespace = '{schema}'::regnamespace"
        ),
    );
    let own =
        ["schema_version ", "turn ", "batches ", "node ", "lease ", "wrong_login ", "unsummed "];
    let columns = columns.lines().filter(|line| !own.iter().any(|own| line.starts_with(own)));
    let found: BTreeSet<String> = columns.map(|line| line.trim_end().to_owned()).collect();
    let expected = columns_for_tests().into_iter().map(|(table, column, kind)| match &*kind {
        "integer" => format!("{table} {column} bigint"),
        "text" => format!("{table} {column} text C"),
        "blob" => format!("{table} {column} bytea"),
        other => panic!("{table}.{column} is {other}"),
    });
    let expected: BTreeSet<String> = expected.collect();
    assert_eq!(found.difference(&expected).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(expected.difference(&found).collect::<Vec<_>>(), Vec::<&String>::new());
    for WholeRecord { table, .. } in WHOLE {
        for column in table.columns {
            let begins = format!("{} {column} ", table.name);
            assert!(found.iter().any(|found| found.starts_with(&begins)), "{begins}");
        }
    }
}

#[test]
fn many_rows_are_written_found_and_removed_by_one_statement_each() {
    const ROWS: i64 = 5_000;
    let Some(mut store) = store_for_tests(world(), &[], 0) else { return };
    store.begin().unwrap();
    // A row refers to one that comes after it in the same statement.
    store.work(|unit| (1..=ROWS).rev().try_for_each(|key| unit.insert(account(key)))).unwrap();
    commit(&mut store);
    store.begin().unwrap();
    let found =
        store.work(|unit| unit.all::<Account>(&ACCOUNT_BY_NUMBER, &[Value::Text("A7".into())]));
    assert_eq!(found.unwrap(), [Account::from(&account(7))]);
    let found =
        store.work(|unit| Ok((unit.newest_key::<AccountRow>()?, unit.after::<AccountRow>(10, 3)?)));
    assert_eq!(found.unwrap(), (ROWS, vec![account(11), account(12), account(13)]));
    let changed = store.work(|unit| {
        for key in 1..=ROWS {
            let number = format!("A{}", ROWS + 1 - key);
            unit.change::<AccountRow>(&(AccountKey(key),), |row| row.number = number)?;
        }
        unit.flush()?;
        let first = unit.peek::<AccountRow>(&(AccountKey(1),))?.unwrap();
        for key in 2..=ROWS {
            unit.remove::<AccountRow>(&(AccountKey(key),))?;
        }
        Ok(first.number)
    });
    assert_eq!(changed.unwrap(), format!("A{ROWS}"));
    commit(&mut store);
    store.begin().unwrap();
    let left = store.work(|unit| unit.after::<AccountRow>(0, 10)).unwrap();
    assert_eq!(left.len(), 1);
}

#[test]
fn texts_come_in_the_order_of_their_bytes_and_what_cannot_be_kept_is_refused() {
    let Some(mut store) = store_for_tests(world(), &[], 0) else { return };
    let names = ["B", "a", "b", "Ä", "ä", "名", "sandbox"];
    store.begin().unwrap();
    let insert = |name: &&str| GatewayIdentity {
        name: (*name).to_owned(),
        id: ObjectId::of_digest(&[name.bytes().map(usize::from).sum::<usize>() as u8; 32]),
        number: format!("PG-{name}"),
    };
    let others = names.iter().filter(|name| **name != "sandbox").map(insert);
    store.work(|unit| others.into_iter().try_for_each(|row| unit.insert(row))).unwrap();
    commit(&mut store);
    store.begin().unwrap();
    let found = store.work(|unit| unit.all::<GatewayIdentity>(&GATEWAY_IDENTITIES, &[])).unwrap();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(found.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), expected);
    // No row can have a text with U+0000.
    let none = store.work(|unit| unit.get::<Meta>(&("a\0".to_owned(),)).map(|row| row.is_none()));
    assert!(none.unwrap());
    store.work(|unit| unit.insert(meta("a\0"))).unwrap();
    let refused = store.flush().unwrap_err();
    assert!(refused.to_string().contains("U+0000"), "{refused}");
    store.roll_back().unwrap();
    add(&mut store, "next");
    assert!(is_there(&mut store, "next"));
}

#[test]
fn a_value_that_is_not_known_and_a_column_of_another_type_are_never_guessed() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    let mut store = store_at(address.clone(), world());
    store.begin().unwrap();
    store.work(|unit| unit.insert(account(1))).unwrap();
    commit(&mut store);
    let update = format!("{AS_A_NODE}update {schema}.account_row set currency = 'XXZ'");
    server.sql("postgres", &update);
    store.begin().unwrap();
    let get = |store: &mut Store| {
        store.work(|unit| unit.get::<AccountRow>(&(AccountKey(1),)).map(Option::<&_>::cloned))
    };
    let unknown = get(&mut store).unwrap_err();
    let expected = BooksError::Unknown { table: "account_row", column: "currency" };
    assert_eq!(unknown.to_string(), expected.to_string());
    assert!(Store::is_damage(&unknown));
    store.roll_back().unwrap();
    server.sql("postgres", &format!("alter table {schema}.meta alter value type varchar(9)"));
    let why = refusal(address);
    assert!(why.contains("meta.value has the type character varying(9)"), "{why}");
}

/// Commits a batch of which nothing is to stay, and says why.
fn rolled_back(store: &mut Store) -> String {
    store.flush().unwrap();
    match store.commit() {
        Err(CommitError::RolledBack(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn store_at_or_why(address: Address) -> Result<Store, String> {
    let start = Start { is_test: Some(true), is_made: true, ..Start::default() };
    let opened = starting::open(address, start).map_err(|error| error.to_string())?;
    Ok(opened.store)
}

fn refusal(address: Address) -> String {
    match store_at_or_why(address) {
        Ok(_) => panic!("it opens"),
        Err(why) => why,
    }
}

#[test]
fn a_schema_that_is_newer_or_another_programs_is_left_alone() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    server.sql("postgres", &format!("create table {schema}.theirs (x int)"));
    let why = refusal(address.clone());
    assert!(why.contains("holds what is no ledger (theirs)"), "{why}");
    server.sql("postgres", &format!("drop table {schema}.theirs"));
    let mut store = store_at(address.clone(), world());
    let newer = "insert into {schema}.schema_version values (99); \
                 update {schema}.turn set oldest = 99";
    server.sql("postgres", &newer.replace("{schema}", &schema));
    let why = refusal(address);
    assert!(why.contains("takes programs that know version 99 or newer"), "{why}");
    // A node that is open notices it with its next connection.
    store.drop_connection();
    let why = store.begin().unwrap_err();
    assert!(why.to_string().contains("version 99"), "{why}");
}

#[test]
fn a_ledger_is_marked_for_what_it_is_for() {
    let Some(server) = Server::shared() else { return };
    let (_, address) = server.new_schema();
    drop(store_at(address.clone(), world()));
    let start = |is_test| Start { is_test, is_made: false, ..Start::default() };
    let real = starting::open(address.clone(), start(Some(false))).map(|_| ()).unwrap_err();
    assert!(real.to_string().contains("marked as test"), "{real}");
    assert!(starting::open(address, start(None)).unwrap().is_test);
    let (_, empty) = server.new_schema();
    let none = starting::open(empty, start(None)).map(|_| ()).unwrap_err();
    assert!(none.to_string().contains("there is no ledger"), "{none}");
}

#[test]
fn what_cannot_be_reached_is_said_in_a_sentence_with_what_to_do() {
    let Some(server) = Server::shared() else { return };
    server.sql("postgres", "create role standby login password 'secret'");
    server.sql("postgres", "alter role standby set default_transaction_read_only = on");
    server.sql("postgres", "create role guest login password 'secret'");
    server.sql("postgres", "create role crowded login password 'secret' connection limit 0");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = server.url("postgres", "");
    for (url, said) in [
        (url.replace(":secret@", ":wrong@"), "check the password"),
        (server.url("nowhere", ""), "create the database"),
        (url.replace("postgres:secret@", "standby:secret@"), "a standby or read-only"),
        (url.replace("postgres:secret@", "guest:secret@"), "docs/POSTGRES.md"),
        (url.replace("postgres:secret@", "crowded:secret@"), "raise max_connections"),
        (format!("postgres://u:p@127.0.0.1:{free}/l"), "Connection refused"),
        (format!("postgres://u:p@127.0.0.1:{free}/l"), "listen_addresses"),
        (
            "postgres://u:p@no-such-host.invalid/l?sslmode=verify-full".to_owned(),
            "correct the host's name in the URL",
        ),
        (format!("postgres://u:p@127.0.0.1:{}/l?sslmode=verify-full", server.port()), "TLS"),
    ] {
        let address = Address::parse(&url, &Secrets::default()).unwrap();
        let why = refusal(address);
        assert!(why.contains(said), "{url}: {why}");
        assert!(!why.contains("secret"), "{why}");
    }
}

/// Regression: only the last host's reason was said.
#[test]
fn of_several_hosts_that_cannot_be_used_each_has_its_reason() {
    let Some(server) = Server::shared() else { return };
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let hosts = format!("localhost:{free},127.0.0.1:{}", server.port());
    let url = format!("postgres://postgres:wrong@{hosts}/postgres");
    let address = Address::parse(&url, &Secrets::default()).unwrap();
    let start = Start { is_made: true, ..Start::default() };
    let why = starting::open(address, start).map(|_| ()).unwrap_err().to_string();
    for part in
        [&format!("localhost:{free}/postgres: "), "Connection refused", "check the password"]
    {
        assert!(why.contains(part), "{part}: {why}");
    }
}

/// Regression: a server that takes connections and says nothing, as one that was stopped does, kept
/// nodes from the next host for good.
#[test]
fn a_host_that_takes_connections_and_says_nothing_keeps_no_other_from_being_used() {
    let Some(server) = Server::shared() else { return };
    let (schema, _) = server.new_schema();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hosts = format!("{},127.0.0.1:{}", silent.local_addr().unwrap(), server.port());
    let options = format!("connect_timeout=1&options=-csearch_path%3D{schema}");
    let url = format!("postgres://postgres:secret@{hosts}/postgres?{options}");
    let mut store = store_at(Address::parse(&url, &Secrets::default()).unwrap(), world());
    add(&mut store, "here");
    assert!(is_there(&mut store, "here"));
}

#[test]
fn of_several_hosts_the_one_that_answers_and_takes_writes_is_used() {
    let Some(server) = Server::shared() else { return };
    let (schema, _) = server.new_schema();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let hosts = format!("127.0.0.1:{free},127.0.0.1:{}", server.port());
    let options = format!("options=-csearch_path%3D{schema}");
    let url = format!("postgres://postgres:secret@{hosts}/postgres?{options}");
    let mut store = store_at(Address::parse(&url, &Secrets::default()).unwrap(), world());
    add(&mut store, "here");
    assert!(is_there(&mut store, "here"));
}

#[test]
fn a_server_that_is_killed_in_mid_batch_has_nothing_of_it_and_the_batch_can_be_done_again() {
    let Some(server) = Server::start() else { return };
    let (_, address) = server.new_schema();
    let mut store = store_at(address, world());
    add(&mut store, "before");
    // Before anything was flushed, and after.
    for is_flushed in [false, true] {
        store.begin().unwrap();
        store.work(|unit| unit.insert(meta("lost"))).unwrap();
        if is_flushed {
            store.flush().unwrap();
        }
        server.kill_and_start();
        let why = rolled_back(&mut store);
        assert!(store.is_passing(), "{why}");
        store.roll_back().unwrap();
        assert!(!is_there(&mut store, "lost"));
        assert!(is_there(&mut store, "before"));
    }
    add(&mut store, "lost");
    server.kill_and_start();
    assert!(is_there(&mut store, "lost"));
}

/// After an error of the server in what is sent with COMMIT, nothing of the batch is committed.
#[test]
fn what_is_sent_with_commit_is_there_as_a_whole_or_not_at_all() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    let mut store = store_at(address, world());
    store.begin().unwrap();
    store.work(|unit| unit.insert(account(1))).unwrap();
    commit(&mut store);
    let change = |store: &mut Store| {
        store.begin().unwrap();
        store
            .work(|unit| {
                unit.insert(meta("beside"))?;
                unit.change::<AccountRow>(&(AccountKey(1),), |row| row.number = "B".to_owned())
            })
            .unwrap();
    };
    // A row that is gone when it is to be changed.
    change(&mut store);
    server.sql("postgres", &format!("delete from {schema}.account_row"));
    let why = rolled_back(&mut store);
    assert!(!store.is_passing() && why.contains("account_row"), "{why}");
    store.roll_back().unwrap();
    assert!(!is_there(&mut store, "beside"));
    // A transaction that has failed before, of which no statement but COMMIT is left.
    store.begin().unwrap();
    store.work(|unit| unit.insert(meta("beside"))).unwrap();
    store.flush().unwrap();
    let link = store.link().unwrap();
    link.send().unwrap();
    link.run("select 1 / 0").unwrap_err();
    let why = rolled_back(&mut store);
    assert!(why.contains("25P02"), "{why}");
    store.roll_back().unwrap();
    assert!(!is_there(&mut store, "beside"));
    add(&mut store, "beside");
}

/// Regression: a reset whose commit failed left its transaction open and the salts that it drew.
#[test]
fn a_reset_that_cannot_be_committed_changes_nothing() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    let mut store = store_at(address, world());
    add(&mut store, "kept");
    let salts = (store.world.salt, store.world.row_salt);
    let refusing = format!(
        "set search_path = {schema};
         create function refuse() returns trigger language plpgsql
             as $$ begin raise exception 'not now'; end $$;
         create constraint trigger refuse after insert on meta deferrable initially deferred
             for each row execute function refuse()"
    );
    server.sql("postgres", &refusing);
    let reset = store.begin_anew(Vec::new(), false);
    assert!(
        matches!(&reset, Err(LedgerError::Unavailable(why)) if why.contains("not now")),
        "{reset:?}"
    );
    server.sql("postgres", &format!("drop trigger refuse on {schema}.meta"));
    assert_eq!((store.world.salt, store.world.row_salt), salts);
    assert!(is_there(&mut store, "kept"));
    add(&mut store, "after it");
}

/// Regression: a start whose first batch had no room was taken for a mistake in its configuration.
#[test]
fn a_start_that_fails_of_the_servers_disk_is_no_mistake_of_the_configuration() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    let options = format!("options=-csearch_path%3D{schema}");
    starting::migrate(&server.url("postgres", &options)).unwrap();
    let full = format!(
        "set search_path = {schema};
         create function refuse() returns trigger language plpgsql
             as $$ begin raise exception 'no room' using errcode = 'disk_full'; end $$;
         create constraint trigger refuse after insert on meta deferrable initially deferred
             for each row execute function refuse()"
    );
    server.sql("postgres", &full);
    let start = Start { is_test: Some(true), is_made: true, ..Start::default() };
    let why = starting::open(address, start).map(|_| ()).unwrap_err();
    assert!(why.to_string().contains("give the server's disk room"), "{why}");
    assert!(!why.is_refusal() && !why.is_damage(), "{why}");
}

#[test]
fn a_batch_that_is_not_the_successor_of_what_it_saw_is_never_committed() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    let mut store = store_at(address, world());
    store.begin().unwrap();
    store.work(|unit| unit.insert(meta("late"))).unwrap();
    store.pretend_to_have_begun_earlier();
    let why = rolled_back(&mut store);
    assert!(store.is_passing() && why.contains("another node committed in between"), "{why}");
    store.roll_back().unwrap();
    assert!(!is_there(&mut store, "late"));
    // A ledger that is behind what was acknowledged takes nothing more.
    add(&mut store, "acknowledged");
    server.sql("postgres", &format!("update {schema}.turn set number = number - 1"));
    let behind = store.begin().unwrap_err();
    assert!(Store::is_damage(&behind), "{behind}");
    assert!(Store::is_damage(&store.begin().unwrap_err()));
}

#[test]
fn what_one_node_says_of_the_tenant_holds_for_the_next_batch_of_another() {
    let Some(server) = Server::shared() else { return };
    let (_, address) = server.new_schema();
    let (mut one, mut other) = (store_at(address.clone(), world()), store_at(address, world()));
    let zone = |store: &mut Store| {
        store.begin().unwrap();
        let zone = store.work(|unit| Ok(unit.world.tenant.time_zone)).unwrap();
        store.roll_back().unwrap();
        zone.to_string()
    };
    assert_eq!(zone(&mut other), zone(&mut one));
    one.begin().unwrap();
    let (key, value) = ("time_zone".to_owned(), "Asia/Tokyo".to_owned());
    one.work(|unit| unit.insert(TenantSetting { key, value })).unwrap();
    commit(&mut one);
    assert_eq!(zone(&mut other), "Asia/Tokyo");
    // Counted keys follow as well.
    for (key, is_first) in (1..).zip([true, false, true, true]) {
        let store = if is_first { &mut one } else { &mut other };
        store.begin().unwrap();
        let next = store.work(|unit| {
            let next = unit.next_key::<AccountRow>()?;
            unit.insert(AccountRow { parent: None, ..account(next) })?;
            Ok(next)
        });
        assert_eq!(next.unwrap(), key);
        commit(store);
    }
}

#[test]
fn what_was_written_is_never_changed_by_any_role() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    let mut store = store_at(address, world());
    for table in ["entry_row", "audit_row", "audit_object", "audit_source", "exchange", "sending"] {
        for statement in [
            format!("update {schema}.{table} set key = key"),
            format!("delete from {schema}.{table}"),
            format!("truncate {schema}.{table} cascade"),
        ] {
            let attempt = format!(
                "do $$ begin {statement}; raise 'done'; \
                 exception when restrict_violation then null; end $$"
            );
            server.sql("postgres", &attempt);
        }
    }
    add(&mut store, "after");
}

/// What the page about PostgreSQL says of a role with the least rights.
const PAGE: &str = include_str!("../../../docs/POSTGRES.md");

#[test]
fn the_role_that_the_page_describes_serves_and_changes_nothing_that_was_written() {
    let Some(server) = Server::shared() else { return };
    let (schema, address) = server.new_schema();
    drop(store_at(address, world()));
    let (_, granted) = PAGE.split_once("\n\\c refunds refund_owner\n").unwrap();
    let (granted, _) = granted.split_once("```").unwrap();
    let granted = granted.replace("schema public", &format!("schema {schema}"));
    server.sql("postgres", "create role refund_node login password 'secret'");
    server.sql("postgres", &format!("set search_path = {schema}; {granted}"));
    let url = server.url("postgres", &format!("options=-csearch_path%3D{schema}"));
    let url = url.replace("postgres:secret@", "refund_node:secret@");
    let mut store = store_at(Address::parse(&url, &Secrets::default()).unwrap(), world());
    store.begin().unwrap();
    store.work(|unit| unit.insert(account(1))).unwrap();
    commit(&mut store);
    add(&mut store, "written");
    for statement in [
        "delete from entry_row",
        "update audit_row set key = key",
        "alter table entry_row disable trigger all",
        "delete from turn",
        "delete from schema_version",
    ] {
        let attempt = format!(
            "set search_path = {schema}; set role refund_node; do $$ begin {statement}; \
             raise 'done'; exception when insufficient_privilege then null; end $$"
        );
        server.sql("postgres", &attempt);
    }
}
