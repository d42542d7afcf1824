//! Why an object or an operation that the WSDL of a version lacks is refused: it is the original's
//! and not served, it is one of a later version, or it is a typo.
//!
//! What must stay true: what our own WSDL of a version has is never looked up here; the list of
//! operations holds every name that any published WSDL had (objects: `catalogue/vendor.rs`).

use super::fault::{Fault, shown};
use super::wsdl;
use crate::catalogue::vendor::{object_named, object_not_kept};
use crate::domain::query::QueryObject;
use crate::domain::toml_text::suggest;
use crate::domain::version::ApiVersion;

/// The operations that only some tenants' WSDLs have, or had once.
pub(super) const OPERATIONS: [&str; 3] =
    ["billingPreview", "calculateChargeMetrics", "subscribeWithExistingAccount"];

/// The original's operation of this name that no version of our WSDL has.
pub(super) fn operation_not_served(name: &str) -> Option<&'static str> {
    OPERATIONS.into_iter().find(|operation| *operation == name)
}

/// Why a type that the WSDL of `api` lacks is refused in create, update and delete. What is not
/// kept is not kept in other letters either.
pub(super) fn unknown_type(name: &str, api: ApiVersion) -> Fault {
    if let Some(object) = object_not_kept(name) {
        return Fault::TypeNotKept(object.to_owned());
    }
    match suggest(name, wsdl::object_types(api)) {
        Some(near) => Fault::TypeMisspelt(shown(name), near.to_owned()),
        None => Fault::TypeUnknown(shown(name)),
    }
}

/// Why an object that nothing can be found of in `api` is refused in a query.
pub(super) fn unknown_object(name: &str, api: ApiVersion) -> Fault {
    if let Some(object) = object_not_kept(name) {
        return Fault::QueryTypeNotKept(object.to_owned());
    }
    let there = wsdl::object_types(api);
    let queried = QueryObject::ALL.into_iter().map(QueryObject::name);
    // One that is there in a later version only is spelt right.
    let near = if QueryObject::from_name(name).is_some() || object_named(name).is_some() {
        None
    } else {
        suggest(name, queried.filter(|object| there.contains(object)))
    };
    match near {
        Some(near) => Fault::QueryTypeMisspelt(shown(name), near.to_owned()),
        None => Fault::QueryType(shown(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: ApiVersion = ApiVersion::LAST;

    #[test]
    fn every_type_of_our_own_wsdl_is_one_of_the_originals() {
        for object in wsdl::object_types(NEWEST) {
            assert_eq!((object_named(object), object_not_kept(object)), (Some(object), None));
        }
        for operation in OPERATIONS {
            assert_eq!(wsdl::operation(NEWEST, operation), None);
        }
    }

    #[test]
    fn an_object_of_the_original_is_no_typo() {
        for object in ["Contact", "Product", "Subscription", "BillRun", "RatePlan", "Usage"] {
            assert_eq!(unknown_type(object, NEWEST), Fault::TypeNotKept(object.to_owned()));
            let lower = object.to_lowercase();
            assert_eq!(unknown_type(&lower, NEWEST), Fault::TypeNotKept(object.to_owned()));
            let not_kept = Fault::QueryTypeNotKept(object.to_owned());
            assert_eq!(unknown_object(&lower, NEWEST), not_kept);
        }
    }

    #[test]
    fn a_typo_is_answered_with_what_was_meant() {
        let misspelt = |name: &str, near: &str| Fault::TypeMisspelt(name.into(), near.into());
        for (name, near) in
            [("Refnd", "Refund"), ("refund", "Refund"), ("PaymentMehtod", "PaymentMethod")]
        {
            assert_eq!(unknown_type(name, NEWEST), misspelt(name, near));
        }
        assert_eq!(unknown_type("Xyz", NEWEST), Fault::TypeUnknown("Xyz".to_owned()));
        let query = Fault::QueryTypeMisspelt("Refnd".to_owned(), "Refund".to_owned());
        assert_eq!(unknown_object("Refnd", NEWEST), query);
        assert_eq!(unknown_object("Xyz", NEWEST), Fault::QueryType("Xyz".to_owned()));
    }

    #[test]
    fn an_object_of_a_later_version_is_neither() {
        let (name, old) = ("CreditBalanceAdjustment", ApiVersion::FIRST);
        assert_eq!(unknown_type(name, old), Fault::TypeUnknown(name.to_owned()));
        assert_eq!(unknown_object(name, old), Fault::QueryType(name.to_owned()));
    }
}
