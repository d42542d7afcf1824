//! What each connection says of itself to the server, and what the server must be.

use super::fault::{Kind, PostgresError};
use std::time::Duration;
use tokio_postgres::Row;

/// The oldest server that is taken.
const SERVER_MIN: i64 = 150_000;
/// How long one exchange with the server may take before the connection counts as lost.
pub(super) const EXCHANGE_MAX: Duration = Duration::from_secs(40);

/// How long the longest reading may take, which adds up everything.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Said once a connection is made: a statement and a lock end by themselves, a node that stopped in
/// mid-batch gives the turn back, and so does one that the network took away. A commit is durable
/// when it is acknowledged, whatever the role has as its default.
pub(super) const SESSION: &str = "
    set statement_timeout = '30s';
    set lock_timeout = '10s';
    set idle_in_transaction_session_timeout = '20s';
    set tcp_keepalives_idle = 10;
    set tcp_keepalives_interval = 5;
    set tcp_keepalives_count = 3;
    set tcp_user_timeout = 15000;
    set client_min_messages = warning;
    set standard_conforming_strings = on;
    select set_config('synchronous_commit', 'on', false)
        where current_setting('synchronous_commit') in ('off', 'local', 'remote_write');
";

/// Said by a writer as well: only ways by an index are taken, because the planner knows nothing of
/// a ledger that has just grown.
pub(super) const WRITING: &str = "
    set enable_seqscan = off;
    set enable_hashjoin = off;
    set enable_mergejoin = off;
    set jit = off;
    set plan_cache_mode = force_generic_plan;
";

/// Said by a reader as well: its statements are planned for their values.
pub(super) const READING: &str = "
    set default_transaction_read_only = on;
    set plan_cache_mode = force_custom_plan;
    set jit = off;
";

/// Said by what nodes share as well: nothing of it has to last, and none of it may wait for long.
pub(super) const SHARING: &str = "
    set synchronous_commit = off;
    set statement_timeout = '5s';
    set lock_timeout = '2s';
    set jit = off;
";
/// How long one exchange about what nodes share may take.
pub(super) const SHARING_MAX: Duration = Duration::from_secs(8);

/// Said by every writer: what has to have the ledger for itself (a copy, a test ledger's node)
/// waits for it and makes it wait. One database may hold several ledgers, each in a schema of its
/// own.
pub(super) const JOIN: &str = "
    select pg_advisory_lock_shared(1380337495,
        (current_schema()::regnamespace::oid::bigint % 2147483647)::int)
";

/// Said by the node of a test ledger, once it is sure that another's connection is gone.
pub(super) const BE_ALONE: &str = "
    select pg_advisory_lock(1380337495,
        (current_schema()::regnamespace::oid::bigint % 2147483647)::int)
";

/// Said by what moves a ledger: it may take as long as it does, and waits only until the server has
/// noticed that a node is gone.
pub(super) const MOVING: &str = "
    set statement_timeout = 0;
    set idle_in_transaction_session_timeout = 0;
    set jit = off;
    set lock_timeout = '2s';
    select pg_advisory_lock(1380337495,
        (current_schema()::regnamespace::oid::bigint % 2147483647)::int);
    set lock_timeout = '10s';
";

/// Asks a server what it is.
pub(super) const ABOUT: &str = "
    select current_setting('server_version_num')::bigint,
        current_setting('server_encoding'),
        current_setting('fsync') = 'on' and current_setting('full_page_writes') = 'on',
        current_schema() is not null,
        (select datlocprovider::text || ' ' || datcollate from pg_catalog.pg_database
            where datname = current_database())
";

/// Asks a server what it may lose, or change, without a sign of it. Backups read as standbys do.
pub(super) const CAUTIONS: &str = "
    select current_setting('data_checksums') = 'on',
        current_setting('synchronous_standby_names') = '' and exists (
            select from pg_catalog.pg_stat_replication
            where coalesce(application_name, '') not in ('pg_basebackup', 'pg_receivewal'))
";

/// Sentences about that, each with what to do.
pub(super) fn cautions(found: &Row) -> Result<Vec<&'static str>, PostgresError> {
    let (has_checksums, is_asynchronous): (bool, bool) = (found.try_get(0)?, found.try_get(1)?);
    let cautions = [
        (
            !has_checksums,
            "the server's pages have no checksums, so that a damaged one may go unnoticed: turn \
             them on with pg_checksums while the server is stopped, or make clusters with \
             initdb --data-checksums",
        ),
        (
            is_asynchronous,
            "a standby replicates asynchronously, so that a failover could lose refunds that were \
             acknowledged: name it in synchronous_standby_names",
        ),
    ];
    Ok(cautions.into_iter().filter_map(|(is_so, caution)| is_so.then_some(caution)).collect())
}

/// Whether a server can keep a ledger.
pub(super) fn check(about: &Row) -> Result<(), PostgresError> {
    let refused = |what: String| Err(PostgresError::new(Kind::Refused, what));
    let version: i64 = about.try_get(0)?;
    if version < SERVER_MIN {
        return refused(format!("PostgreSQL {} is too old: 15 or newer", version / 10_000));
    }
    let encoding: String = about.try_get(1)?;
    if encoding != "UTF8" {
        return refused(format!("the database's encoding is {encoding}: create it with UTF8"));
    }
    let is_durable: bool = about.try_get(2)?;
    if !is_durable {
        let lost = "fsync or full_page_writes is off: the server may lose what it acknowledges";
        return refused(lost.to_owned());
    }
    let has_schema: bool = about.try_get(3)?;
    if !has_schema {
        return refused("no schema of the role's search_path is there".to_owned());
    }
    let collation: String = about.try_get(4)?;
    let (provider, name) = collation.split_once(' ').unwrap_or_default();
    let is_by_bytes = ["C", "POSIX", "C.UTF-8", "C.utf8"].contains(&name) && provider != "i";
    if !is_by_bytes {
        return refused(format!(
            "the database compares texts as {name}: create it from template0 with locale 'C'"
        ));
    }
    Ok(())
}
