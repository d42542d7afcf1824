//! A query by Id among a million refunds, beside the same among ten thousand, in one run.
//!
//! `cargo bench --bench query_by_id` fills two ledgers in a temporary folder, opens each as the
//! gateway does, and asks both in turn for refunds by Id, with every field that a refund has. The
//! Ids are spread over the whole ledger and each is asked for once, so that nothing is found
//! because it was just read. Machines differ and change from minute to minute, so only the ratio
//! of neighbouring rounds means anything; its median should be at most 1.5.
//!
//! BENCH_REFUNDS (1,000,000) and BENCH_ROUNDS (9) change the shape of the run; TMPDIR decides on
//! which disk the ledgers are (the larger one takes a few hundred MB).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark is a program of its own: it may fail loudly and it prints"
)]

use chrono::{DateTime, Utc};
use refund_gateway::catalogue::Object;
use refund_gateway::domain::id::{RefundId, RefundNumber};
use refund_gateway::domain::query::{Condition, QueryObject, Test, TypedQuery};
use refund_gateway::domain::version::ApiVersion;
use refund_gateway::domain::zoql::Comparator;
use refund_gateway::ledger::query::{Find, Start};
use refund_gateway::ledger::sqlite::{LedgerSettings, OpenMode, OpenOptions, SqliteLedger};
use refund_gateway::ledger::{Ledger, UserKey};
use std::path::Path;
use std::time::{Duration, Instant};

/// The refunds of the smaller ledger.
const FEW: i64 = 10_000;
/// The refunds that each round asks for.
const ASKED: i64 = 1_000;
const CREATED_MS: i64 = 1_790_000_000_000;
const SALT: u32 = 7;

fn main() {
    let many = setting("BENCH_REFUNDS", 1_000_000);
    let rounds = setting("BENCH_ROUNDS", 9);
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let [few, many] = [FEW, many].map(|count| {
        let path = folder.path().join(format!("{count}.db"));
        let began = Instant::now();
        fill(&path, count);
        println!("{count} refunds were written in {:?}", began.elapsed());
        (SqliteLedger::open(&path, &options()).unwrap(), count)
    });
    let mut ratios = Vec::new();
    for round in 0..=rounds {
        let (one, other) = runtime.block_on(async {
            let one = ask(&few, round).await;
            (one, ask(&many, round).await)
        });
        // The first opens the connections.
        if round == 0 {
            continue;
        }
        let ratio = other.as_secs_f64() / one.as_secs_f64();
        println!("round {round}: {one:?} among {FEW}, {other:?} among {}: {ratio:.3}", many.1);
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let (low, high) = (ratios[0], ratios[ratios.len() - 1]);
    println!("ratio: median {:.3} [{low:.3} to {high:.3}]", ratios[ratios.len() / 2]);
}

fn setting(name: &str, default: i64) -> i64 {
    std::env::var(name).ok().map_or(default, |value| value.parse().expect(name))
}

fn options() -> OpenOptions {
    let mode = OpenMode::CreateOrOpen { test: true };
    OpenOptions { mode, id_seed: Some(1), settings: LedgerSettings::default() }
}

/// Writes refunds as the gateway would, but all at once.
fn fill(path: &Path, count: i64) {
    drop(SqliteLedger::open(path, &options()).unwrap());
    let file = rusqlite::Connection::open(path).unwrap();
    file.execute_batch(
        "begin;
         insert into user (id, username, password_hash, permissions)
             values (hex(zeroblob(16)), 'u', 'h', 0);",
    )
    .unwrap();
    let accounts = "with recursive n (n) as (select 1 union all select n + 1 from n where n < 1000)
        insert into account (id, number, name, currency, opening, balance)
        select printf('%032x', n), printf('A%d', n), 'An account', 'USD', 1000000, 1000000 from n";
    file.execute(accounts, []).unwrap();
    let refunds = "with recursive n (n) as (select 1 union all select n + 1 from n where n < ?1)
        insert into refund (number, created_ms, salt, account, amount, type, source_type,
            method_type, status, refund_date, comment, reason_code, created_by, entry)
        select n, ?2 + n, ?3, 1 + n % 1000, 1, 'External', 'CreditBalance', 'Check', 'Processed',
            '2026-01-02', printf('Refund of order %d', n), 'Standard Refund', 1, n from n";
    file.execute(refunds, (count, CREATED_MS, SALT)).unwrap();
    let entries = "insert into entry (key, account, kind, delta, balance, refund, at_ms)
        select number, account, 'refund', -1, 1, number, created_ms from refund";
    file.execute(entries, []).unwrap();
    file.execute_batch("commit").unwrap();
}

/// The time that a round takes. No round asks for a refund that another asks for.
async fn ask((ledger, count): &(SqliteLedger, i64), round: i64) -> Duration {
    let fields = Object::Refund.fields_in(ApiVersion::major(91));
    let fields: Vec<String> =
        fields.filter(|field| field.is_queried).map(|field| field.name.to_owned()).collect();
    let mut queries = Vec::new();
    for asked in 0..ASKED {
        // A prime step visits every number once before it comes back to one.
        let number = 1 + (round * ASKED + asked) * 7_919 % count;
        let id = RefundId::new(CREATED_MS + number, SALT, RefundNumber::new(number).unwrap());
        let test = Test::Id(Comparator::Equal, id.to_string());
        queries.push(TypedQuery {
            object: QueryObject::Refund,
            fields: fields.clone(),
            conditions: vec![vec![Condition { field: "Id".to_owned(), test }]],
            case_sensitive: false,
        });
    }
    let began = Instant::now();
    for query in queries {
        let page = ledger.find(request(query)).await.unwrap().unwrap();
        assert_eq!((page.rows.len(), page.size), (1, 1));
    }
    began.elapsed()
}

fn request(query: TypedQuery) -> Find {
    let at: DateTime<Utc> = DateTime::from_timestamp_millis(CREATED_MS).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    Find { user: UserKey(1), start: Start::Query(query), rows_max: 2000, at, deadline }
}
