//! What operators change: compare, write, and record it in the audit.

use super::trail::{self, Done};
use super::{sessions, settings};
use crate::domain::permission::{Permission, Permissions};
use crate::domain::toml_text::suggest;
use crate::ledger::UserKey;
use crate::ledger::books::BooksError;
use crate::ledger::operator::{Change, ChangeRefusal, UserChange};
use crate::ledger::record::Field;
use crate::ledger::records::{Meta, USER_BY_NAME, USERS, UserRow};
use crate::ledger::seeding::stable_id;
use crate::ledger::trail::{Act, Touched};
use crate::ledger::unit::Unit;
use serde_json::{Value, json};

/// Whether something was changed, or why it was not.
pub type Outcome = Result<bool, ChangeRefusal>;

/// Makes a change; false when all is so already.
pub fn change(unit: &mut Unit<'_>, change: &Change, act: &Act) -> Result<Outcome, BooksError> {
    match change {
        Change::CreateUser { username, password_hash, permissions } => {
            create_user(unit, username, password_hash, *permissions, act)
        }
        Change::User { username, change } => change_user(unit, username, change, act),
        Change::Tenant { key, value } => settings::set_tenant(unit, key, value, act),
        Change::Gateway { name, setting } => settings::set_gateway(unit, name, setting, act),
    }
}

/// Records a change of one object.
pub(super) fn record(
    unit: &mut Unit<'_>,
    act: &Act,
    operation: &'static str,
    (object, id): (&'static str, &str),
    facts: Value,
) -> Result<(), BooksError> {
    let touched = Touched { object, id: id.to_owned(), facts };
    trail::keep(unit, act, Done::new(operation, object), &[touched])
}

/// The user of a name.
pub fn user(unit: &mut Unit<'_>, username: &str) -> Result<Option<UserRow>, BooksError> {
    unit.find(&USER_BY_NAME, &[username.to_owned().stored()])
}

fn create_user(
    unit: &mut Unit<'_>,
    username: &str,
    password_hash: &str,
    permissions: Permissions,
    act: &Act,
) -> Result<Outcome, BooksError> {
    if user(unit, username)?.is_some() {
        return Ok(Err(ChangeRefusal::UserExists(username.to_owned())));
    }
    let id = stable_id(&format!("user:{username}"));
    let key = UserKey(unit.next_key::<UserRow>()?);
    let facts = json!({ "username": username, "permissions": permissions.names() });
    unit.insert(UserRow {
        key,
        id: id.clone(),
        username: username.to_owned(),
        password_hash: password_hash.to_owned(),
        permissions,
        is_disabled: false,
        // A seed that names the user as well gives way in all of it.
        permissions_said: Permissions::all(),
        permissions_by_operator: Permissions::all(),
        orgs: None,
    })?;
    record(unit, act, "create", ("User", id.as_str()), facts)?;
    Ok(Ok(true))
}

fn change_user(
    unit: &mut Unit<'_>,
    username: &str,
    change: &UserChange,
    act: &Act,
) -> Result<Outcome, BooksError> {
    let Some(found) = user(unit, username)? else {
        let known: Vec<UserRow> = unit.all(&USERS, &[])?;
        let nearest = suggest(username, known.iter().map(|user| user.username.as_str()));
        let (name, nearest) = (username.to_owned(), nearest.map(str::to_owned));
        return Ok(Err(ChangeRefusal::NoUser { name, nearest }));
    };
    let mut facts = json!({ "username": username });
    match change {
        UserChange::Grant(granted) => {
            let new = granted.without(found.permissions);
            if new == Permissions::NONE {
                return Ok(Ok(false));
            }
            let all = found.permissions.union(new);
            set_permissions(unit, found.key, all, new)?;
            report(&mut facts, "granted", new, all);
        }
        UserChange::Revoke(revoked) => {
            let lost = revoked.only(found.permissions);
            let all = found.permissions.without(lost);
            let stays = revoked.only(all.on_ledger(is_test(unit)?));
            let stays = Permission::ALL.into_iter().find(|one| stays.allow(*one));
            if let Some(permission) = stays {
                return Ok(Err(ChangeRefusal::ComesWithAny(permission)));
            }
            if lost == Permissions::NONE {
                return Ok(Ok(false));
            }
            set_permissions(unit, found.key, all, lost)?;
            report(&mut facts, "revoked", lost, all);
        }
        UserChange::Disable | UserChange::Enable => {
            let disable = *change == UserChange::Disable;
            if disable == found.is_disabled {
                return Ok(Ok(false));
            }
            unit.change::<UserRow>(&(found.key,), |user| user.is_disabled = disable)?;
            sessions::end_all(unit, found.key)?;
        }
        UserChange::SetPassword(hash) => {
            let hash = hash.clone();
            unit.change::<UserRow>(&(found.key,), |user| user.password_hash = hash)?;
            sessions::end_all(unit, found.key)?;
        }
    }
    record(unit, act, change.operation(), ("User", found.id.as_str()), facts)?;
    Ok(Ok(true))
}

/// Whether the ledger is marked as one for testing.
fn is_test(unit: &mut Unit<'_>) -> Result<bool, BooksError> {
    let kind = unit.get::<Meta>(&("kind".to_owned(),))?;
    Ok(kind.is_some_and(|kind| kind.value == "test"))
}

/// Adds to the facts of a change which permissions it moved, and what the user has now.
fn report(facts: &mut Value, what: &str, moved: Permissions, all: Permissions) {
    if let Some(facts) = facts.as_object_mut() {
        facts.insert(what.to_owned(), json!(moved.names()));
        facts.insert("permissions".to_owned(), json!(all.names()));
    }
}

/// Writes what a user may do, and which of it an operator has decided just now.
fn set_permissions(
    unit: &mut Unit<'_>,
    user: UserKey,
    permissions: Permissions,
    decided: Permissions,
) -> Result<(), BooksError> {
    unit.change::<UserRow>(&(user,), |user| {
        user.permissions = permissions;
        user.permissions_said = user.permissions_said.union(decided);
        user.permissions_by_operator = user.permissions_by_operator.union(decided);
    })
}
