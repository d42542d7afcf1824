//! Loading the accounts of a seed, and which payment methods are their defaults.

use super::{Loader, Refusal, dangling, differs, or_none, unfit};
use crate::domain::facts::AccountKey;
use crate::domain::vocabulary::AccountStatus;
use crate::ledger::record::{ByName, DayText, Field};
use crate::ledger::records::{
    ACCOUNT_BY_ID, ACCOUNT_BY_NUMBER, Account, AccountRow, Balance, METHOD_BY_ID, Method,
};
use crate::ledger::seed::packed::Packed;
use crate::ledger::seed::{SeedAccount, SeedDefault};

impl Loader<'_, '_> {
    /// Adds an account without its default method, which is put among `defaults` if it is new.
    pub(super) fn account(
        &mut self,
        account: SeedAccount,
        defaults: &mut Packed<SeedDefault>,
    ) -> Result<(), Refusal> {
        if account.gateway.is_some() {
            let object = format!("account `{}`", account.id);
            self.check_gateway(&object, "gateway", account.gateway.as_deref())?;
        }
        // A seed names each account once, so a ledger that had none has none that is the same.
        if self.had_accounts {
            let stored: Option<Account> = self.unit.find(&ACCOUNT_BY_ID, &[account.id.stored()])?;
            if let Some(stored) = stored {
                let stored = self.unit.existing(&(stored.key,))?;
                return self.known_account(&account, stored);
            }
            let number = [account.number.stored()];
            if let Some(other) = self.unit.find::<Account>(&ACCOUNT_BY_NUMBER, &number)? {
                let object = format!("account number `{}`", account.number);
                return Err(differs(&object, ("id", other.id.to_string(), account.id.to_string())));
            }
        }
        if let Some(opened) = account.opened.filter(|day| *day > self.today()) {
            let object = format!("account `{}`", account.id);
            return Err(unfit(&object, "opened", &opened.to_string(), "is a day to come"));
        }
        if let Some(method) = account.default_payment_method {
            defaults.push(&SeedDefault { account: account.id.clone(), method });
        }
        let key = AccountKey(self.unit.next_key::<AccountRow>()?);
        self.unit.insert(AccountRow {
            key,
            id: account.id,
            number: account.number,
            name: account.name,
            currency: account.currency,
            opening: account.opening,
            opened: account.opened.map(DayText),
            default_payment_method: None,
            gateway: account.gateway,
            parent: None,
            status: ByName(AccountStatus::Active),
            kept: "{}".to_owned(),
            created_by: None,
            created_ms: Some(self.at),
            updated_by: None,
            updated_ms: Some(self.at),
            custom: None,
        })?;
        let units = account.opening;
        self.unit.insert(Balance {
            account: key,
            units,
            newest_entry: None,
            newest_refund: None,
        })?;
        self.add();
        Ok(())
    }

    /// Compares an account that is there. Its default method is what an update changes, so it may
    /// be another by now.
    fn known_account(&mut self, account: &SeedAccount, stored: AccountRow) -> Result<(), Refusal> {
        let opening = |units| account.currency.format(units);
        let stored_opened = stored.opened.map(|day| day.0);
        let pairs = [
            ("number", stored.number, account.number.clone()),
            ("name", stored.name, account.name.clone()),
            ("currency", stored.currency.code().to_owned(), account.currency.code().to_owned()),
            ("credit_balance", opening(stored.opening), opening(account.opening)),
            ("opened", or_none(stored_opened), or_none(account.opened)),
            ("gateway", or_none(stored.gateway), or_none(account.gateway.clone())),
        ];
        self.compare(&format!("account `{}`", account.id), pairs)
    }

    /// Gives a new account its default method, which has to be its own or that of no account.
    pub(super) fn default_method(&mut self, default: &SeedDefault) -> Result<(), Refusal> {
        let object = format!("account `{}`", default.account);
        let key = "default_payment_method";
        let method: Option<Method> = self.unit.find(&METHOD_BY_ID, &[default.method.stored()])?;
        let method = method.ok_or_else(|| dangling(&object, key, default.method.as_str()))?;
        let account = self.owner(&object, &default.account)?;
        if method.account.is_some_and(|owner| owner != account.key) {
            let why = "belongs to another account";
            return Err(unfit(&object, key, default.method.as_str(), why));
        }
        self.unit.change::<AccountRow>(&(account.key,), |account| {
            account.default_payment_method = Some(method.key);
        })?;
        Ok(())
    }
}
