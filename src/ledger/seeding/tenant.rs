//! Loading the tenant's settings of a seed, its users, and its own fields.

use super::{Loader, Refusal, dangling, or_none, stable_id};
use crate::domain::custom_field::CustomField;
use crate::domain::permission::Permissions;
use crate::ledger::UserKey;
use crate::ledger::books::BooksError;
use crate::ledger::records::{CUSTOM_FIELDS, ClientRow, CustomFieldRow, TenantSetting, UserRow};
use crate::ledger::seed::{SeedClient, SeedConflict, SeedUser};
use crate::ledger::work::operating;
use crate::ledger::work::settings::{TENANT, is_by_operator};
use crate::ledger::world::json;

/// The orgs of a user in their stored form.
fn stored_orgs(user: &SeedUser) -> Result<Option<String>, BooksError> {
    user.orgs.as_ref().map(json).transpose()
}

impl Loader<'_, '_> {
    pub(super) fn tenant(&mut self, key: &'static str, value: &str) -> Result<(), Refusal> {
        if key == "default_gateway" {
            self.check_gateway("tenant", key, Some(value))?;
        }
        let row = (key.to_owned(),);
        let stored = self.unit.get::<TenantSetting>(&row)?.map(|setting| setting.value.clone());
        match stored {
            Some(stored) => {
                let by_operator = is_by_operator(self.unit, TENANT, key)?;
                let seeded = if by_operator { stored.clone() } else { value.to_owned() };
                self.compare("tenant", [(key, stored, seeded)])
            }
            None => {
                self.unit.insert(TenantSetting { key: row.0, value: value.to_owned() })?;
                self.add();
                Ok(())
            }
        }
    }

    pub(super) fn user(&mut self, user: &SeedUser) -> Result<(), Refusal> {
        if let Some(stored) = operating::user(self.unit, &user.username)? {
            return self.known_user(user, &stored);
        }
        let username = user.username.clone();
        let Some(password_hash) = user.password_hash.clone() else {
            return Err(Refusal::Conflict(SeedConflict::NoPassword { username }));
        };
        let key = UserKey(self.unit.next_key::<UserRow>()?);
        self.unit.insert(UserRow {
            key,
            id: stable_id(&format!("user:{username}")),
            username,
            password_hash,
            permissions: user.permissions,
            is_disabled: false,
            permissions_said: Permissions::all(),
            permissions_by_operator: Permissions::NONE,
            orgs: stored_orgs(user)?,
        })?;
        self.add();
        Ok(())
    }

    pub(super) fn client(&mut self, client: &SeedClient) -> Result<(), Refusal> {
        let object = format!("oauth_client `{}`", client.id);
        let Some(user) = operating::user(self.unit, &client.username)? else {
            return Err(dangling(&object, "user", &client.username));
        };
        if let Some(stored) = self.unit.get::<ClientRow>(&(client.id.clone(),))?.cloned() {
            let stored: UserRow = self.unit.existing(&(stored.user,))?;
            let pair = ("user", stored.username, client.username.clone());
            return self.compare(&object, [pair]);
        }
        let Some(secret_hash) = client.secret_hash.clone() else {
            let username = client.id.clone();
            return Err(Refusal::Conflict(SeedConflict::NoPassword { username }));
        };
        self.unit.insert(ClientRow { id: client.id.clone(), secret_hash, user: user.key })?;
        self.add();
        Ok(())
    }

    /// A user that the ledger has, with its permissions, those that were asked about, and those
    /// that an operator has changed: there the operator's word holds, and of what was never asked
    /// about, the seed's.
    fn known_user(&mut self, user: &SeedUser, stored: &UserRow) -> Result<(), Refusal> {
        let (by_operator, permissions) = (stored.permissions_by_operator, stored.permissions);
        let open = Permissions::all().without(stored.permissions_said).without(by_operator);
        let seeded = user.permissions.without(by_operator).union(permissions.only(by_operator));
        let merged = permissions.without(open).union(seeded.only(open));
        let list = |permissions: Permissions| permissions.names().join(", ");
        let pair = ("permissions", list(merged), list(seeded));
        // A user that an operator made stays as it was made.
        let said = stored_orgs(user)?.filter(|_| by_operator != Permissions::all());
        let orgs = stored.orgs.clone().or_else(|| said.clone());
        let seeded = said.or_else(|| orgs.clone());
        let of_orgs = ("orgs", or_none(orgs.clone()), or_none(seeded));
        self.compare(&format!("user `{}`", user.username), [pair, of_orgs])?;
        self.unit.change::<UserRow>(&(stored.key,), |user| {
            (user.permissions, user.permissions_said) = (merged, Permissions::all());
            user.orgs = orgs;
        })?;
        Ok(())
    }

    pub(super) fn custom_field(&mut self, field: &CustomField) -> Result<(), Refusal> {
        let seeded = CustomFieldRow {
            object: field.object.name().to_owned(),
            name: field.name.as_str().to_owned(),
            custom_type: field.custom_type.name().to_owned(),
            length: field.custom_type.length(),
            is_required: field.is_required,
            is_advanced: field.is_advanced,
        };
        // Queries find fields in whatever case.
        let all: Vec<CustomFieldRow> = self.unit.all(&CUSTOM_FIELDS, &[])?;
        let is_it = |row: &CustomFieldRow| {
            row.object == seeded.object && row.name.eq_ignore_ascii_case(&seeded.name)
        };
        let Some(stored) = all.into_iter().find(is_it) else {
            self.unit.insert(seeded)?;
            self.add();
            return Ok(());
        };
        let object = format!("custom field `{}.{}`", seeded.object, seeded.name);
        let pairs = [
            ("name", stored.name, seeded.name),
            ("type", stored.custom_type, seeded.custom_type),
            ("length", or_none(stored.length), or_none(seeded.length)),
            ("required", stored.is_required.to_string(), seeded.is_required.to_string()),
            ("advanced", stored.is_advanced.to_string(), seeded.is_advanced.to_string()),
        ];
        self.compare(&object, pairs)
    }
}
