//! When an account may be made, changed or deleted: each rule by a draft that meets it and one that
//! does not.

use super::settlement_tests::{asking, method};
use super::*;
use crate::domain::draft::account::AccountDraft;
use crate::domain::draft::change::Change;
use crate::domain::draft::fields::Draft as _;
use crate::domain::facts::{ExistingAccount, ParentAccount};
use crate::domain::permission::Permissions;
use crate::domain::vocabulary::{AccountStatus, MethodStatus};

const ID: (&str, &str) = ("Id", "402892c72b9e3319012b9e34b88e0001");
const METHOD: (&str, &str) = ("DefaultPaymentMethodId", "2c92c0f83dfa5201013dfa6656ff2b8b");
const PARENT: (&str, &str) = ("ParentId", "402892c72b9e3319012b9e34b88e0002");
const NEEDED: [(&str, &str); 2] = [("Name", "A"), ("Currency", "USD")];

fn draft(fields: &[(&str, &str)]) -> AccountDraft {
    let mut draft = AccountDraft::default();
    for (name, text) in fields {
        assert!(draft.set(name, text), "{name}");
    }
    draft
}

fn new(fields: &[(&'static str, &'static str)]) -> AccountDraft {
    draft(&[&NEEDED[..], fields].concat())
}

fn facts<'a>(tenant: &'a Tenant, gateways: &'a [Gateway]) -> AccountFacts<'a> {
    let method = Some(PaymentMethod { account: None, ..method() });
    let parent = Some(ParentAccount { key: AccountKey(2), is_below: false });
    AccountFacts { tenant, gateways, method, parent, is_number_taken: false }
}

fn existing() -> ExistingAccount {
    ExistingAccount {
        key: AccountKey(1),
        currency: Currency::from_code("USD").unwrap(),
        balance: MinorUnits::ZERO,
        has_history: false,
        is_parent: false,
    }
}

/// What is decided of a new account beside facts that `change` changes.
fn made(draft: &AccountDraft, change: impl FnOnce(&mut AccountFacts<'_>)) -> Result<(), RowError> {
    let (tenant, gateways) = (Tenant::default(), [Gateway::sandbox()]);
    let mut facts = facts(&tenant, &gateways);
    change(&mut facts);
    decide_account(draft, &facts, &asking(Permissions::all())).map(drop)
}

fn updated(
    draft: &AccountDraft,
    account: &ExistingAccount,
    change: impl FnOnce(&mut AccountFacts<'_>),
) -> Result<(), RowError> {
    let (tenant, gateways) = (Tenant::default(), [Gateway::sandbox()]);
    let mut facts = facts(&tenant, &gateways);
    change(&mut facts);
    decide_account_update(draft, Some(account), &facts, &asking(Permissions::all())).map(drop)
}

fn invalid(field: &str, value: &str) -> Result<(), RowError> {
    Err(RowError::invalid(field, value))
}

#[test]
fn a_new_account_is_what_its_draft_says() {
    let (tenant, gateways) = (Tenant::default(), [Gateway::sandbox()]);
    let facts = facts(&tenant, &gateways);
    let all = [METHOD, PARENT, ("PaymentGateway", "sandbox"), ("AccountNumber", "A-1")];
    let draft = new(&all);
    let account = decide_account(&draft, &facts, &asking(Permissions::all())).unwrap();
    assert_eq!((account.name, account.number), ("A", Some("A-1")));
    assert_eq!((account.currency.code(), account.status), ("USD", AccountStatus::Draft));
    assert_eq!(account.gateway, Some("sandbox"));
    assert_eq!(account.default_method, Some(MethodKey(1)));
    assert_eq!(account.parent, Some(AccountKey(2)));
    let plain = new(&[("Status", "Active")]);
    let account = decide_account(&plain, &facts, &asking(Permissions::all())).unwrap();
    assert_eq!((account.status, account.number), (AccountStatus::Active, None));
    assert_eq!((account.gateway, account.default_method, account.parent), (None, None, None));
}

#[test]
fn a_new_account_needs_a_name_and_a_currency_and_is_not_canceled() {
    assert_eq!(made(&draft(&NEEDED[1..]), |_| ()), Err(RowError::missing("Name")));
    assert_eq!(made(&draft(&NEEDED[..1]), |_| ()), Err(RowError::missing("Currency")));
    assert_eq!(made(&new(&[("Status", "Canceled")]), |_| ()), invalid("Status", "Canceled"));
    assert_eq!(made(&new(&[]), |_| ()), Ok(()));
}

#[test]
fn what_an_account_names_is_there_and_can_be_its_own() {
    let (method_id, parent_id) = (METHOD.1, PARENT.1);
    let wrong_method = invalid(METHOD.0, method_id);
    let with_method = new(&[METHOD]);
    assert_eq!(made(&with_method, |facts| facts.method = None), wrong_method);
    let owned = |facts: &mut AccountFacts<'_>| facts.method = Some(method());
    assert_eq!(made(&with_method, owned), wrong_method, "a new account owns no method");
    let close = |facts: &mut AccountFacts<'_>| {
        facts.method.as_mut().unwrap().status = MethodStatus::Closed;
    };
    assert_eq!(made(&with_method, close), wrong_method);
    let with_parent = new(&[PARENT]);
    assert_eq!(made(&with_parent, |facts| facts.parent = None), invalid(PARENT.0, parent_id));
    let below = |facts: &mut AccountFacts<'_>| facts.parent.as_mut().unwrap().is_below = true;
    assert_eq!(made(&with_parent, below), Err(RowError::account_below_itself()));
    let with_gateway = new(&[("PaymentGateway", "other")]);
    assert_eq!(made(&with_gateway, |_| ()), invalid("PaymentGateway", "other"));
    let taken = |facts: &mut AccountFacts<'_>| facts.is_number_taken = true;
    let number_taken = Err(RowError::account_number_taken("A-1"));
    assert_eq!(made(&new(&[("AccountNumber", "A-1")]), taken), number_taken);
    assert_eq!(made(&new(&[]), taken), Ok(()), "without a number there is none to be taken");
}

#[test]
fn an_update_changes_what_it_names_and_takes_away_what_it_says() {
    let (tenant, gateways) = (Tenant::default(), [Gateway::sandbox()]);
    let facts = facts(&tenant, &gateways);
    let (account, asking) = (existing(), asking(Permissions::all()));
    let draft_of_all = draft(&[
        ID,
        METHOD,
        PARENT,
        ("Currency", "USD"),
        ("Name", "B"),
        ("Status", "Active"),
        ("PaymentGateway", "sandbox"),
        ("AccountNumber", "A-2"),
    ]);
    let update = decide_account_update(&draft_of_all, Some(&account), &facts, &asking).unwrap();
    assert_eq!((update.name, update.number), (Some("B"), Some("A-2")));
    assert_eq!(update.status, Some(AccountStatus::Active));
    assert_eq!(update.gateway, Change::To("sandbox"));
    assert_eq!(update.default_method, Change::To(MethodKey(1)));
    assert_eq!(update.parent, Change::To(AccountKey(2)));
    let mut clearing = draft(&[ID]);
    assert!(clearing.clear("ParentId"));
    let update = decide_account_update(&clearing, Some(&account), &facts, &asking).unwrap();
    assert_eq!((update.parent, update.default_method), (Change::Clear, Change::Keep));
    assert_eq!((update.gateway, update.name, update.status), (Change::Keep, None, None));
}

#[test]
fn an_update_is_of_an_account_that_is_there_and_keeps_its_currency() {
    let (tenant, gateways) = (Tenant::default(), [Gateway::sandbox()]);
    let update = |draft: &AccountDraft, account: Option<&ExistingAccount>| {
        let facts = facts(&tenant, &gateways);
        decide_account_update(draft, account, &facts, &asking(Permissions::all())).map(drop)
    };
    let account = existing();
    assert_eq!(update(&draft(&[("Name", "B")]), Some(&account)), Err(RowError::missing("Id")));
    assert_eq!(update(&draft(&[ID]), None), invalid(ID.0, ID.1));
    let euros = draft(&[ID, ("Currency", "EUR")]);
    assert_eq!(update(&euros, Some(&account)), invalid("Currency", "EUR"));
    let own = |facts: &mut AccountFacts<'_>| facts.method = Some(method());
    let with_method = draft(&[ID, METHOD]);
    assert_eq!(updated(&with_method, &account, own), Ok(()), "its own method");
    let of_other = ExistingAccount { key: AccountKey(5), ..existing() };
    assert_eq!(updated(&with_method, &of_other, own), invalid(METHOD.0, METHOD.1));
}

#[test]
fn only_an_account_without_a_balance_is_canceled() {
    let owed = ExistingAccount { balance: MinorUnits::new(1), ..existing() };
    let cancel = draft(&[ID, ("Status", "Canceled")]);
    assert_eq!(updated(&cancel, &owed, |_| ()), Err(RowError::account_with_balance()));
    assert_eq!(updated(&cancel, &existing(), |_| ()), Ok(()));
    assert_eq!(updated(&draft(&[ID, ("Status", "Active")]), &owed, |_| ()), Ok(()));
}

#[test]
fn only_an_account_that_nothing_belongs_to_is_deleted() {
    let id = ObjectId::parse(ID.1).unwrap();
    let delete = |account: Option<ExistingAccount>, permissions| {
        decide_account_deletion(&id, account.as_ref(), &asking(permissions))
    };
    let all = Permissions::all();
    assert_eq!(delete(Some(existing()), all), Ok(()));
    assert_eq!(delete(None, all), invalid(ID.0, ID.1));
    let parent = ExistingAccount { is_parent: true, ..existing() };
    assert_eq!(delete(Some(parent), all), Err(RowError::account_is_parent()));
    let used = ExistingAccount { has_history: true, ..existing() };
    assert_eq!(delete(Some(used), all), Err(RowError::account_in_use()));
    assert!(delete(Some(existing()), Permissions::NONE).is_err());
}
