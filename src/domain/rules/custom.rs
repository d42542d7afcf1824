//! The tenant's own fields of an object: which must be there, and what values they may have.
//!
//! What must stay true: this is the only place that decides which of them an object shows.

use super::Asking;
use crate::domain::custom_field::CustomField;
use crate::domain::custom_value::{CustomDraft, CustomValues};
use crate::domain::facts::Tenant;
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::{CustomizedObject, SourceType};

/// The tenant's own fields of one object.
#[derive(Clone, Copy)]
pub(super) struct OwnFields<'t> {
    tenant: &'t Tenant,
    object: CustomizedObject,
    shows_advanced: bool,
}

impl<'t> OwnFields<'t> {
    /// Those of any object but Refund.
    pub(super) const fn of(tenant: &'t Tenant, object: CustomizedObject) -> Self {
        Self { tenant, object, shows_advanced: true }
    }

    /// Those of a refund; one of a credit balance shows no advanced ones ("Cancel and refund
    /// credit balances").
    pub(super) fn of_refund(tenant: &'t Tenant, source: SourceType) -> Self {
        let shows_advanced = source != SourceType::CreditBalance;
        Self { tenant, object: CustomizedObject::Refund, shows_advanced }
    }

    fn shown(self) -> impl Iterator<Item = &'t CustomField> {
        let fields = self.tenant.custom_fields.of(self.object);
        fields.filter(move |field| self.shows_advanced || !field.is_advanced)
    }

    /// Fails with the first that a new object needs and has not; reported after the fields that the
    /// object needs by itself.
    pub(super) fn check_present(self, draft: &CustomDraft) -> Result<(), RowError> {
        draft.check_present(self.shown())
    }

    /// The values to keep; fails with the first that is wrong, which is reported after the other
    /// fields' values.
    pub(super) fn checked(
        self,
        draft: &CustomDraft,
        asking: &Asking,
    ) -> Result<CustomValues, RowError> {
        draft.checked(self.shown(), asking.version, self.tenant.time_zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::custom_field::{CustomFields, CustomName, CustomType};
    use crate::domain::custom_value::CustomValue;
    use crate::domain::permission::Permissions;
    use crate::domain::rules::settlement_tests::asking;

    fn field(is_advanced: bool) -> CustomField {
        CustomField {
            object: CustomizedObject::Refund,
            name: CustomName::parse("Channel__c").unwrap(),
            custom_type: CustomType::Boolean,
            is_required: true,
            is_advanced,
        }
    }

    fn tenant(is_advanced: bool) -> Tenant {
        let custom_fields = CustomFields::new(vec![field(is_advanced)]);
        Tenant { custom_fields, ..Tenant::default() }
    }

    #[test]
    fn only_refunds_of_credit_balances_show_no_advanced_field() {
        for (is_advanced, source, is_shown) in [
            (true, SourceType::CreditBalance, false),
            (true, SourceType::Payment, true),
            (false, SourceType::CreditBalance, true),
        ] {
            let tenant = tenant(is_advanced);
            let present = OwnFields::of_refund(&tenant, source);
            let present = present.check_present(&CustomDraft::default());
            assert_eq!(present.is_err(), is_shown, "{source:?}");
        }
    }

    #[test]
    fn values_that_are_sent_are_kept() {
        let (tenant, mut draft) = (tenant(false), CustomDraft::default());
        draft.set(&field(false), "true");
        let fields = OwnFields::of(&tenant, CustomizedObject::Refund);
        assert_eq!(fields.check_present(&draft), Ok(()));
        let kept = fields.checked(&draft, &asking(Permissions::all())).unwrap();
        assert_eq!(kept.get("Channel__c"), Some(&Some(CustomValue::Boolean(true))));
    }
}
