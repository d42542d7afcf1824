//! The test bench on PostgreSQL: all rows of a test ledger are replaced in one batch, so that
//! readers see either what was or what is.
//!
//! What must stay true: nothing here runs on a ledger that is not marked as test; what keeps rows
//! from being deleted is out of force inside one transaction alone, and its role must own the
//! tables for that.

use super::fault::{Kind, PostgresError};
use super::schema;
use super::snapshots;
use super::store::Store;
use super::summing;
use crate::domain::facts::Tenant;
use crate::domain::id::ObjectId;
use crate::ledger::LedgerError;
use crate::ledger::engine::{CommitError, Engine};
use crate::ledger::record::Record;
use crate::ledger::records::{Meta, UserRow, WHOLE};
use crate::ledger::seed::{SeedConflict, SeedPlan};
use crate::ledger::seeding;
use crate::ledger::test_bench::{KIND, OF_AN_ACCOUNT, SnapshotError, TEST_KIND, TestEngine};
use crate::ledger::work::{beginning, forgetting};

/// The tables whose rows are kept by triggers.
const KEPT: [&str; 7] =
    ["entry_row", "audit_row", "audit_object", "audit_source", "exchange", "sending", "collected"];
/// Sets users, sessions and tokens aside, and the counter behind seeded tokens.
const SET_ASIDE: &str = "
    create temp table kept_user on commit drop as table \"user\";
    create temp table kept_session on commit drop as table session;
    create temp table kept_token on commit drop as table oauth_token;
    create temp table kept_counter on commit drop as
        select * from meta where key = 'session_counter'
";
/// Brings them back: a user that a seed has too keeps what an operator made of it.
const BRING_BACK: &str = "
    insert into session (token_hash, \"user\", last_used_ms)
        select token_hash, \"user\".key, last_used_ms from kept_session
        join kept_user on kept_user.key = kept_session.\"user\"
        join \"user\" on \"user\".username = kept_user.username;
    insert into oauth_token
        select kept_token.* from kept_token
        join oauth_client on oauth_client.id = kept_token.client;
    insert into meta select * from kept_counter
        on conflict (key) do update set value = excluded.value
";

impl TestEngine for Store {
    fn tenant(&self) -> &Tenant {
        &self.world.tenant
    }

    fn begin_anew(
        &mut self,
        seeds: Vec<SeedPlan>,
        keep_sessions: bool,
    ) -> Result<Result<(), SeedConflict>, LedgerError> {
        self.replace(|store| {
            if keep_sessions {
                store.link()?.run(SET_ASIDE)?;
            }
            store.empty()?;
            store.link()?.run(schema::own_methods())?;
            let kind = Meta { key: KIND.to_owned(), value: TEST_KIND.to_owned() };
            store.work(|unit| unit.insert(kind))?;
            store.begin_to_serve()?;
            for seed in seeds {
                if let Err(conflict) = store.work(|unit| seeding::load(unit, seed))? {
                    return Ok(Err(conflict));
                }
            }
            store.flush()?;
            if keep_sessions {
                store.bring_back()?;
            }
            summing::sum_changed(store.link()?)?;
            Ok(Ok(()))
        })
    }

    fn put_back(&mut self, name: &str) -> Result<Result<(), SnapshotError>, LedgerError> {
        self.replace(|store| {
            let configured = store.world.configured.clone();
            let saved = match snapshots::find(store.link()?, name, &configured)? {
                Ok(saved) => saved,
                Err(unfit) => return Ok(Err(unfit)),
            };
            store.empty()?;
            let link = store.link()?;
            for whole in WHOLE {
                link.run(&snapshots::put_back(&saved, whole.table))?;
            }
            store.begin_to_serve()?;
            store.flush()?;
            Ok(Ok(()))
        })
    }

    fn forget_account(&mut self, id: &ObjectId) -> Result<bool, PostgresError> {
        let Some(account) = self.work(|unit| forgetting::begin(unit, id))? else {
            return Ok(false);
        };
        self.flush()?;
        let key = account.0.to_string();
        let deletes = OF_AN_ACCOUNT.iter().map(|delete| delete.replace("?1", &key));
        self.delete(&deletes.collect::<Vec<_>>().join("; "))?;
        summing::sum_changed(self.link()?)?;
        Ok(true)
    }
}

impl Store {
    /// Replaces what is there in a batch of its own, or leaves it as it was.
    fn replace<E>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<Result<(), E>, PostgresError>,
    ) -> Result<Result<(), E>, LedgerError> {
        let unavailable = |error: PostgresError| LedgerError::Unavailable(error.to_string());
        self.begin().map_err(unavailable)?;
        let salts = (self.world.salt, self.world.row_salt);
        let done = match work(self) {
            Ok(Ok(())) => self.flush().map_err(unavailable).and_then(|()| self.commit_replaced()),
            Ok(Err(refused)) => Ok(Err(refused)),
            Err(error) => Err(unavailable(error)),
        };
        if !matches!(done, Ok(Ok(())) | Err(LedgerError::Unknown(_))) {
            // The salts are not among what is read anew after a batch that was rolled back.
            (self.world.salt, self.world.row_salt) = salts;
            self.roll_back().map_err(unavailable)?;
        }
        done
    }

    fn commit_replaced<E>(&mut self) -> Result<Result<(), E>, LedgerError> {
        self.commit().map(Ok).map_err(|error| match error {
            CommitError::RolledBack(why) => LedgerError::Unavailable(why),
            CommitError::Unknown(why) => LedgerError::Unknown(why),
        })
    }

    /// Forgets every row that is in memory, and has every node do so after the open batch.
    fn forget_all(&mut self) {
        self.shelves.clear();
        if let Some(link) = &mut self.link {
            link.wrote_world = true;
        }
    }

    /// Settles with the rows that are there now what holds from now on, inside the open batch.
    fn begin_to_serve(&mut self) -> Result<(), PostgresError> {
        // Without a connection there is nothing to be asked.
        self.link()?;
        let Self { link, shelves, world, .. } = self;
        if let Some(link) = link {
            world.reload(shelves, link).map_err(|error| link.failure(error))?;
        }
        let (id_seed, keeps_events) = (self.world.id_seed, self.world.keeps_events);
        let begun = beginning::begin(self, id_seed, Some(keeps_events))?;
        (self.world.salt, self.world.row_salt) = (begun.salt, begun.row_salt);
        Ok(())
    }

    /// Takes out every row.
    fn empty(&mut self) -> Result<(), PostgresError> {
        let deletes = WHOLE.iter().map(|whole| format!("delete from \"{}\"", whole.table.name));
        self.delete(&deletes.collect::<Vec<_>>().join("; "))
    }

    /// Deletes what is kept otherwise. What refers to nothing then is found at once, because a
    /// table with checks that are still to come cannot get its triggers back.
    fn delete(&mut self, deletes: &str) -> Result<(), PostgresError> {
        let switch = |word: &str| {
            let tables = KEPT.map(|table| format!("alter table {table} {word} trigger user"));
            tables.join("; ")
        };
        let (off, on) = (switch("disable"), switch("enable"));
        let settle = "set constraints all immediate";
        self.link()?
            .run(&format!("{off}; {deletes}; {settle}; {on}; set constraints all deferred"))?;
        self.forget_all();
        Ok(())
    }

    fn bring_back(&mut self) -> Result<(), PostgresError> {
        let others = UserRow::TABLE.columns.get(UserRow::TABLE.key_columns..).unwrap_or_default();
        let named = |of: &str| {
            let named = others.iter().map(|column| format!("{of}\"{column}\""));
            named.collect::<Vec<_>>().join(", ")
        };
        let (columns, kept) = (named(""), named("kept_user."));
        self.link()?.run(&format!(
            "update \"user\" set ({columns}) = row ({kept}) from kept_user \
                 where kept_user.username = \"user\".username; \
             insert into \"user\" (key, {columns}) \
                 select (select coalesce(max(key), 0) from \"user\") \
                     + row_number() over (order by kept_user.key), {kept} \
                 from kept_user where not exists ( \
                     select from \"user\" where \"user\".username = kept_user.username); \
             {BRING_BACK}"
        ))?;
        self.forget_all();
        Ok(())
    }
}

/// The refusal of what only the owner of the tables may do.
pub(super) fn unusable(error: &PostgresError) -> SnapshotError {
    let what = match error.kind {
        Kind::Refused => format!("{error}; a test ledger wants a role that owns its schema"),
        _ => error.to_string(),
    };
    SnapshotError::Unusable(std::io::Error::other(what))
}
