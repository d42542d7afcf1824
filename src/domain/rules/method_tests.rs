//! When a payment method may be made, changed or deleted: each rule by a draft that meets it and
//! one that does not.

use super::settlement_tests::{account, asking};
use super::*;
use crate::domain::draft::fields::Draft as _;
use crate::domain::draft::payment_method::MethodDraft;
use crate::domain::facts::ExistingMethod;
use crate::domain::permission::Permissions;
use crate::domain::vocabulary::MethodStatus;

const ACCOUNT: (&str, &str) = ("AccountId", "402892c72b9e3319012b9e34b88e0001");
const ID: (&str, &str) = ("Id", "2c92c0f83dfa5201013dfa6656ff2b8b");
const CHECK: (&str, &str) = ("Type", "Check");
const PAYPAL: [(&str, &str); 3] = [ACCOUNT, ("Type", "PayPal"), ("PaypalEmail", "a@example.com")];

fn draft(fields: &[(&str, &str)]) -> MethodDraft {
    let mut draft = MethodDraft::default();
    for (name, text) in fields {
        assert!(draft.set(name, text), "{name}");
    }
    draft
}

fn made(fields: &[(&str, &str)], account: Option<&Account>) -> Result<(), RowError> {
    let all = asking(Permissions::all());
    decide_method(&draft(fields), account, &Tenant::default(), &all).map(drop)
}

fn existing() -> ExistingMethod {
    ExistingMethod {
        method_type: MethodType::PayPal,
        status: MethodStatus::Active,
        account_id: ObjectId::parse(ACCOUNT.1),
        is_default: false,
        is_used: false,
        is_built_in: false,
    }
}

fn updated(draft: &MethodDraft, method: &ExistingMethod) -> Result<bool, RowError> {
    let all = asking(Permissions::all());
    decide_method_update(draft, Some(method), &Tenant::default(), &all).map(|it| it.closes)
}

#[test]
fn a_new_method_has_what_its_type_needs() {
    let owner = account();
    let all = asking(Permissions::all());
    let drawn = draft(&PAYPAL);
    let method = decide_method(&drawn, Some(&owner), &Tenant::default(), &all).unwrap();
    assert_eq!((method.account, method.method_type), (Some(owner.key), MethodType::PayPal));
    assert!(method.kept.contains_key("PaypalEmail"));
    assert_eq!(made(&[CHECK], None), Ok(()), "what serves every account belongs to none");
    assert_eq!(made(&[ACCOUNT], Some(&owner)), Err(RowError::missing("Type")));
    let without_account = made(&PAYPAL[1..], None);
    assert_eq!(without_account, Err(RowError::missing("AccountId")));
    let without_address = made(&PAYPAL[..2], Some(&owner));
    assert_eq!(without_address, Err(RowError::missing("PaypalBaid")));
    let unknown = Err(RowError::invalid(ACCOUNT.0, ACCOUNT.1));
    assert_eq!(made(&[ACCOUNT, CHECK], None), unknown);
    let closed = made(&[CHECK, ("PaymentMethodStatus", "Closed")], None);
    assert_eq!(closed, Err(RowError::invalid("PaymentMethodStatus", "Closed")));
    assert_eq!(made(&[CHECK, ("PaymentMethodStatus", "Active")], None), Ok(()));
    let wrong_code = made(&[CHECK, ("CreditCardSecurityCode", "?")], None);
    assert!(wrong_code.is_err(), "a code that is none is no code that is left out");
}

#[test]
fn an_update_closes_a_method_and_never_opens_it() {
    let status = |text| draft(&[ID, ("PaymentMethodStatus", text)]);
    assert_eq!(updated(&status("Closed"), &existing()), Ok(true));
    assert_eq!(updated(&status("Active"), &existing()), Ok(false));
    assert_eq!(updated(&draft(&[ID]), &existing()), Ok(false));
    let closed = ExistingMethod { status: MethodStatus::Closed, ..existing() };
    let opens = Err(RowError::invalid("PaymentMethodStatus", "Active"));
    assert_eq!(updated(&status("Active"), &closed), opens);
    assert_eq!(updated(&status("Closed"), &closed), Ok(true));
    assert_eq!(updated(&draft(&[ID]), &closed), Ok(false));
}

#[test]
fn an_update_leaves_the_owner_the_type_and_what_it_needs() {
    assert_eq!(updated(&draft(&[CHECK]), &existing()), Err(RowError::missing("Id")));
    let same = draft(&[ID, ACCOUNT, ("Type", "PayPal")]);
    assert_eq!(updated(&same, &existing()), Ok(false));
    let other = ("AccountId", "402892c72b9e3319012b9e34b88e0009");
    let moved = Err(RowError::invalid(other.0, other.1));
    assert_eq!(updated(&draft(&[ID, other]), &existing()), moved);
    let retyped = Err(RowError::invalid("Type", "Check"));
    assert_eq!(updated(&draft(&[ID, CHECK]), &existing()), retyped);
    let mut clearing = draft(&[ID]);
    assert!(clearing.clear("PaypalEmail"));
    let taken = Err(RowError::invalid("fieldsToNull", "PaypalEmail"));
    assert_eq!(updated(&clearing, &existing()), taken);
    let check = ExistingMethod { method_type: MethodType::Check, ..existing() };
    assert_eq!(updated(&clearing, &check), Ok(false), "a check needs no address");
    let built_in = ExistingMethod { is_built_in: true, ..existing() };
    assert_eq!(updated(&draft(&[ID]), &built_in), Err(RowError::built_in_method()));
    let all = asking(Permissions::all());
    let unknown = decide_method_update(&same, None, &Tenant::default(), &all).map(drop);
    assert_eq!(unknown, Err(RowError::invalid(ID.0, ID.1)));
    assert!(updated(&draft(&[ID, ("CreditCardSecurityCode", "?")]), &existing()).is_err());
}

#[test]
fn only_a_method_that_nothing_needs_is_deleted() {
    let id = ObjectId::parse(ID.1).unwrap();
    let delete = |method: Option<ExistingMethod>, permissions| {
        decide_method_deletion(&id, method.as_ref(), &asking(permissions))
    };
    let all = Permissions::all();
    assert_eq!(delete(Some(existing()), all), Ok(()));
    assert_eq!(delete(None, all), Err(RowError::invalid(ID.0, ID.1)));
    for (method, why) in [
        (ExistingMethod { is_built_in: true, ..existing() }, RowError::built_in_method_stays()),
        (ExistingMethod { is_default: true, ..existing() }, RowError::default_method_stays()),
        (ExistingMethod { is_used: true, ..existing() }, RowError::method_in_use()),
    ] {
        assert_eq!(delete(Some(method), all), Err(why));
    }
    assert!(delete(Some(existing()), Permissions::NONE).is_err());
}
