//! The statements about what nodes share. Each stands for itself, may be done twice, and knows no
//! time but the server's.

/// A statement that has the server's moment in milliseconds where it says `now()`.
macro_rules! timed {
    ($($part:literal),+) => {
        concat!(
            "with clock as (select (extract(epoch from clock_timestamp()) * 1000)::bigint as now) ",
            $($part),+
        )
    };
}

pub(super) const OTHERS: &str =
    timed!("select count(*) from node, clock where id <> $1 and ends_ms > now");
pub(super) const BE_THERE: &str = timed!(
    "insert into node (id, name, schema, ends_ms) select $1::bytea, $2::text, $3::bigint, ",
    "now + $4::bigint from clock on conflict (id) do update set ends_ms = excluded.ends_ms"
);
pub(super) const LOOK: &str = timed!("select world, oldest, now from turn, clock");
pub(super) const CLAIM: &str = timed!(
    "insert into lease (kind, name, owner) select $2::text, $3::text, $1::bytea ",
    "where exists (select from node, clock where id = $1 and ends_ms > now) ",
    "on conflict (kind, name) do update set owner = excluded.owner, free_since_ms = null ",
    "where case when lease.free_since_ms is null then lease.owner = excluded.owner ",
    "or not exists (select from node, clock where node.id = lease.owner and ends_ms > now) ",
    "else lease.free_since_ms <= (select now from clock) - $4::bigint end returning 1"
);
pub(super) const FREE: &str = timed!(
    "update lease set free_since_ms = now from clock, unnest($2::text[], $3::text[]) as w (k, n) ",
    "where kind = k and name = n and owner = $1::bytea"
);
pub(super) const END: &str = "delete from lease using unnest($2::text[], $3::text[]) as w (k, n) \
                   where kind = k and name = n and owner = $1::bytea";
pub(super) const TIDY_LEASES: &str = timed!(
    "delete from lease using clock where free_since_ms < now - 120000 or not exists ",
    "(select from node where node.id = lease.owner and ends_ms > now)"
);
pub(super) const TIDY_NODES: &str =
    timed!("delete from node using clock where ends_ms < now - 3600000");
pub(super) const LEAVE_LEASES: &str = "delete from lease where owner = $1::bytea";
pub(super) const LEAVE: &str = "delete from node where id = $1::bytea";
pub(super) const WRONG_OF_PAIR: &str = timed!(
    "select now - at_ms from wrong_login, clock where name = $1 and address = $2 ",
    "and at_ms > now - $3::bigint order by at_ms desc limit $4"
);
pub(super) const WRONG_OF_ADDRESS: &str = timed!(
    "select now - at_ms from wrong_login, clock where address = $1 and at_ms > now - 60000 ",
    "order by at_ms desc limit $2"
);
pub(super) const NOTE_WRONG: &str = timed!(
    "insert into wrong_login (name, address, at_ms) select $1::bytea, $2::text, now from clock"
);
pub(super) const FORGET_WRONG: &str =
    timed!("delete from wrong_login using clock where at_ms < now - greatest($1::bigint, 60000)");
