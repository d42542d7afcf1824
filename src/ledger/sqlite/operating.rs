//! What operators change, inside the open transaction: compare, write, and record it in the audit.

use super::SqliteLedger;
use super::rows;
use super::seeding::stable_id;
use super::store::Store;
use crate::domain::facts::{Gateway, SANDBOX_GATEWAY};
use crate::domain::permission::{Permission, Permissions};
use crate::domain::script::Script;
use crate::domain::toml_text::suggest;
use crate::ledger::Reply;
use crate::ledger::operator::{
    Change, ChangeRefusal, GatewaySetting, ListedGateway, ListedUser, Operators, UserChange,
};
use crate::ledger::trail::{Act, Touched};
use crate::ledger::work::trail::{self, Done};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

impl Operators for SqliteLedger {
    fn change(&self, change: Change, act: Act) -> Reply<Result<bool, ChangeRefusal>> {
        self.knowing_its_tenant(self.writer.submit(None, move |store| {
            let made = make(store, &change, &act)?;
            Ok((made, store.tenant().clone()))
        }))
    }

    fn users(&self) -> Reply<Vec<ListedUser>> {
        let is_test = self.is_test;
        self.readers.read(move |connection| users(connection, is_test))
    }

    fn all_gateways(&self) -> Reply<Vec<ListedGateway>> {
        self.writer.submit(None, |store| {
            let of_ledger = rows::gateways(store.connection())?.into_iter().map(|(one, script)| {
                ListedGateway { gateway: one, switches: Some(script.switches) }
            });
            let configured = store.configured_gateways().iter().cloned();
            let configured = configured.map(|gateway| ListedGateway { gateway, switches: None });
            Ok(of_ledger.chain(configured).collect())
        })
    }
}

type Outcome = rusqlite::Result<Result<bool, ChangeRefusal>>;

fn make(store: &mut Store, change: &Change, act: &Act) -> Outcome {
    match change {
        Change::CreateUser { username, password_hash, permissions } => {
            create_user(store, username, password_hash, *permissions, act)
        }
        Change::User { username, change } => change_user(store, username, change, act),
        Change::Tenant { key, value } => set_tenant(store, key, value, act),
        Change::Gateway { name, setting } => set_gateway(store, name, setting, act),
    }
}

fn users(connection: &Connection, is_test: bool) -> rusqlite::Result<Vec<ListedUser>> {
    let select = "select username, id, permissions, is_disabled from user order by username";
    let mut statement = connection.prepare_cached(select)?;
    let users = statement.query_map([], |row| {
        Ok(ListedUser {
            username: row.get(0)?,
            id: row.get(1)?,
            permissions: Permissions::from_bits(row.get(2)?).on_ledger(is_test),
            is_disabled: row.get(3)?,
        })
    })?;
    users.collect()
}

/// Records a change of one object.
fn record(
    store: &mut Store,
    act: &Act,
    operation: &'static str,
    (object, id): (&'static str, &str),
    facts: Value,
) -> rusqlite::Result<()> {
    let touched = Touched { object, id: id.to_owned(), facts };
    store.work_at_once(|unit| trail::keep(unit, act, Done::new(operation, object), &[touched]))
}

fn create_user(
    store: &mut Store,
    username: &str,
    password_hash: &str,
    permissions: Permissions,
    act: &Act,
) -> Outcome {
    let id = stable_id(&format!("user:{username}"));
    // A seed that names the user as well gives way in all of it.
    let insert = "insert into user (id, username, password_hash, permissions, permissions_said, \
                  permissions_by_operator) values (?1, ?2, ?3, ?4, ?5, ?5) on conflict do nothing";
    let values =
        params![id, username, password_hash, permissions.bits(), Permissions::all().bits()];
    if store.connection().prepare_cached(insert)?.execute(values)? == 0 {
        return Ok(Err(ChangeRefusal::UserExists(username.to_owned())));
    }
    let facts = json!({ "username": username, "permissions": permissions.names() });
    record(store, act, "create", ("User", &id), facts)?;
    Ok(Ok(true))
}

/// A user as it is before a change.
struct Found {
    key: i64,
    id: String,
    permissions: Permissions,
    is_disabled: bool,
}

fn change_user(store: &mut Store, username: &str, change: &UserChange, act: &Act) -> Outcome {
    let connection = store.connection();
    let select = "select key, id, permissions, is_disabled from user where username = ?1";
    let found = connection.prepare_cached(select)?.query_row(params![username], |row| {
        let permissions = Permissions::from_bits(row.get(2)?);
        Ok(Found { key: row.get(0)?, id: row.get(1)?, permissions, is_disabled: row.get(3)? })
    });
    let Some(user) = found.optional()? else {
        let known = users(connection, false)?;
        let nearest = suggest(username, known.iter().map(|user| user.username.as_str()));
        let (name, nearest) = (username.to_owned(), nearest.map(str::to_owned));
        return Ok(Err(ChangeRefusal::NoUser { name, nearest }));
    };
    let mut facts = json!({ "username": username });
    match change {
        UserChange::Grant(granted) => {
            let new = granted.without(user.permissions);
            if new == Permissions::NONE {
                return Ok(Ok(false));
            }
            let all = user.permissions.union(new);
            set_permissions(connection, user.key, all, new)?;
            tell(&mut facts, "granted", new, all);
        }
        UserChange::Revoke(revoked) => {
            let lost = revoked.only(user.permissions);
            let all = user.permissions.without(lost);
            let is_test = super::schema::is_test(connection)?;
            let stays = revoked.only(all.on_ledger(is_test));
            let stays = Permission::ALL.into_iter().find(|one| stays.allow(*one));
            if let Some(permission) = stays {
                return Ok(Err(ChangeRefusal::ComesWithAny(permission)));
            }
            if lost == Permissions::NONE {
                return Ok(Ok(false));
            }
            set_permissions(connection, user.key, all, lost)?;
            tell(&mut facts, "revoked", lost, all);
        }
        UserChange::Disable | UserChange::Enable => {
            let disable = *change == UserChange::Disable;
            if disable == user.is_disabled {
                return Ok(Ok(false));
            }
            let update = "update user set is_disabled = ?2 where key = ?1";
            connection.prepare_cached(update)?.execute(params![user.key, disable])?;
            end_sessions(connection, user.key)?;
        }
        UserChange::SetPassword(hash) => {
            let update = "update user set password_hash = ?2 where key = ?1";
            connection.prepare_cached(update)?.execute(params![user.key, hash])?;
            end_sessions(connection, user.key)?;
        }
    }
    record(store, act, change.operation(), ("User", &user.id), facts)?;
    Ok(Ok(true))
}

/// Adds to the facts of a change which permissions it moved, and what the user has now.
fn tell(facts: &mut Value, what: &str, moved: Permissions, all: Permissions) {
    if let Some(facts) = facts.as_object_mut() {
        facts.insert(what.to_owned(), json!(moved.names()));
        facts.insert("permissions".to_owned(), json!(all.names()));
    }
}

/// Writes what a user may do, and which of it an operator has decided just now.
fn set_permissions(
    connection: &Connection,
    user: i64,
    permissions: Permissions,
    decided: Permissions,
) -> rusqlite::Result<()> {
    let update = "update user set permissions = ?2, \
                  permissions_said = permissions_said | ?3, \
                  permissions_by_operator = permissions_by_operator | ?3 where key = ?1";
    let values = params![user, permissions.bits(), decided.bits()];
    connection.prepare_cached(update)?.execute(values).map(|_| ())
}

fn end_sessions(connection: &Connection, user: i64) -> rusqlite::Result<()> {
    let end = "delete from session where user = ?1";
    connection.prepare_cached(end)?.execute([user]).map(|_| ())
}

fn set_tenant(store: &mut Store, key: &'static str, value: &str, act: &Act) -> Outcome {
    if key == "default_gateway"
        && let Err(refusal) = known_gateway(store, value)
    {
        return Ok(Err(refusal));
    }
    let connection = store.connection();
    let select = "select value from tenant where key = ?1";
    let stored: Option<String> =
        connection.prepare_cached(select)?.query_row([key], |row| row.get(0)).optional()?;
    // One that was set to its default is set all the same: a seed gives way.
    if stored.as_deref() == Some(value) && is_by_operator(connection, TENANT, key)? {
        return Ok(Ok(false));
    }
    let insert = "insert into tenant (key, value) values (?1, ?2) \
                  on conflict (key) do update set value = excluded.value";
    connection.prepare_cached(insert)?.execute(params![key, value])?;
    mark_by_operator(connection, TENANT, key)?;
    let facts = json!({ "key": key, "before": stored, "after": value });
    record(store, act, "set", ("Tenant", key), facts)?;
    store.reload()?;
    Ok(Ok(true))
}

/// That there is a gateway of this name, in the ledger or in the configuration.
fn known_gateway(store: &Store, name: &str) -> Result<(), ChangeRefusal> {
    let mut known = store.gateways().iter().map(|gateway| gateway.name.as_str());
    if known.any(|known| known == name) {
        return Ok(());
    }
    Err(no_gateway(store, name))
}

fn no_gateway(store: &Store, name: &str) -> ChangeRefusal {
    let known = store.gateways().iter().map(|gateway| gateway.name.as_str());
    let nearest = suggest(name, known).map(str::to_owned);
    ChangeRefusal::NoGateway { name: name.to_owned(), nearest }
}

fn set_gateway(store: &mut Store, name: &str, setting: &GatewaySetting, act: &Act) -> Outcome {
    if store.configured_gateways().iter().any(|gateway| gateway.name == name) {
        return Ok(Err(ChangeRefusal::Configured(name.to_owned())));
    }
    let connection = store.connection();
    let stored = rows::gateways(connection)?.into_iter().find(|(one, _)| one.name == name);
    let Some((mut gateway, mut script)) = stored else {
        return Ok(Err(no_gateway(store, name)));
    };
    let (before, old) = (shown(&gateway, &script, setting), (gateway.clone(), script.switches));
    setting.apply(&mut gateway, &mut script.switches);
    let (object, key) = (of_gateway(name), setting.key());
    let is_same = old == (gateway.clone(), script.switches);
    if is_same && is_by_operator(connection, &object, key)? {
        return Ok(Ok(false));
    }
    write_gateway(connection, &gateway, &script)?;
    mark_by_operator(connection, &object, key)?;
    let facts = json!({ "key": key, "before": before, "after": shown(&gateway, &script, setting) });
    record(store, act, "set", ("Gateway", name), facts)?;
    store.reload()?;
    Ok(Ok(true))
}

/// Writes what a sandbox can do and refuses; the built-in one gets its row with that.
fn write_gateway(
    connection: &Connection,
    gateway: &Gateway,
    script: &Script,
) -> rusqlite::Result<()> {
    let types = gateway.method_types.as_ref().map(serde_json::to_string).transpose();
    let types = types.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    if gateway.name == SANDBOX_GATEWAY {
        let insert = "insert into gateway (name, active, non_referenced_refunds, rules) \
                      values (?1, 1, 1, '[]') on conflict do nothing";
        connection.prepare_cached(insert)?.execute([&gateway.name])?;
    }
    let update = "update gateway set active = ?2, non_referenced_refunds = ?3, method_types = ?4, \
                  refund_window_days = ?5, duplicate_window_s = ?6, require_settled = ?7 \
                  where name = ?1";
    let switches = script.switches;
    let values = params![
        gateway.name,
        gateway.active,
        gateway.non_referenced_refunds,
        types,
        switches.refund_window_days,
        switches.duplicate_window_s,
        switches.require_settled
    ];
    connection.prepare_cached(update)?.execute(values).map(|_| ())
}

/// The value of the setting's key as it is.
fn shown(gateway: &Gateway, script: &Script, setting: &GatewaySetting) -> Value {
    let switches = script.switches;
    match setting {
        GatewaySetting::Active(_) => json!(gateway.active),
        GatewaySetting::NonReferencedRefunds(_) => json!(gateway.non_referenced_refunds),
        GatewaySetting::MethodTypes(_) => json!(gateway.method_types),
        GatewaySetting::RefundWindowDays(_) => json!(switches.refund_window_days),
        GatewaySetting::DuplicateWindowS(_) => json!(switches.duplicate_window_s),
        GatewaySetting::RequireSettled(_) => json!(switches.require_settled),
    }
}

/// The object of the tenant's settings.
pub(super) const TENANT: &str = "tenant";

/// The object of a gateway's settings.
pub(super) fn of_gateway(name: &str) -> String {
    format!("gateway {name}")
}

/// Whether an operator has set this since a seed said it.
pub(super) fn is_by_operator(
    connection: &Connection,
    object: &str,
    key: &str,
) -> rusqlite::Result<bool> {
    let select = "select exists (select 1 from operator_value where object = ?1 and key = ?2)";
    connection.prepare_cached(select)?.query_row([object, key], |row| row.get(0))
}

fn mark_by_operator(connection: &Connection, object: &str, key: &str) -> rusqlite::Result<()> {
    let insert = "insert into operator_value (object, key) values (?1, ?2) on conflict do nothing";
    connection.prepare_cached(insert)?.execute([object, key]).map(|_| ())
}
