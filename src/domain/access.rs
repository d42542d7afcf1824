//! Who may change what: the one table of everything that changes state.
//!
//! What must stay true: every operation on every object has a permission, and every rule and every
//! front door asks this table. `docs/PERMISSIONS.md` shows it and is checked against it.

use super::permission::{Permission, Permissions};
use super::vocabulary::{RefundType, SourceType};

/// What a call does to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Makes it.
    Create,
    /// Changes its fields, payments and methods being voided, cancelled or closed among it.
    Update,
    /// Sets an adjustment or a refund to Canceled.
    Cancel,
    /// Removes it.
    Delete,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 4] = [Self::Create, Self::Update, Self::Cancel, Self::Delete];
}

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// An Account.
    Account,
    /// A PaymentMethod.
    PaymentMethod,
    /// A Payment.
    Payment,
    /// A part of a payment that pays an invoice.
    InvoicePayment,
    /// A CreditBalanceAdjustment.
    CreditBalanceAdjustment,
    /// An InvoiceAdjustment.
    InvoiceAdjustment,
    /// An InvoiceItemAdjustment.
    InvoiceItemAdjustment,
    /// A credit memo, its applications among it.
    CreditMemo,
    /// A Refund.
    Refund(SourceType, RefundType),
}

impl Object {
    /// Every object.
    pub const ALL: [Self; 14] = [
        Self::Account,
        Self::PaymentMethod,
        Self::Payment,
        Self::InvoicePayment,
        Self::CreditBalanceAdjustment,
        Self::InvoiceAdjustment,
        Self::InvoiceItemAdjustment,
        Self::CreditMemo,
        Self::Refund(SourceType::Payment, RefundType::External),
        Self::Refund(SourceType::Payment, RefundType::Electronic),
        Self::Refund(SourceType::CreditBalance, RefundType::External),
        Self::Refund(SourceType::CreditBalance, RefundType::Electronic),
        Self::Refund(SourceType::CreditMemo, RefundType::External),
        Self::Refund(SourceType::CreditMemo, RefundType::Electronic),
    ];
}

/// What an operation asks of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// This permission.
    One(Permission),
    /// Any permission for refunds; this is the one for such a refund.
    AnyForRefunds(Permission),
}

/// The permissions for refunds, any of which lets a user change and delete refunds.
const FOR_REFUNDS: [Permission; 5] = [
    Permission::ExternalRefund,
    Permission::ElectronicRefund,
    Permission::CreditBalanceExternalRefund,
    Permission::CreditBalanceElectronicRefund,
    Permission::CreditMemoRefund,
];

impl Needs {
    /// What `operation` on `object` asks of a user. This is the table.
    pub const fn of(operation: Operation, object: Object) -> Self {
        match (operation, object) {
            (_, Object::Account) => Self::One(Permission::AccountWrite),
            (_, Object::PaymentMethod) => Self::One(Permission::PaymentMethodWrite),
            (_, Object::Payment | Object::InvoicePayment | Object::CreditMemo) => {
                Self::One(Permission::PaymentCreate)
            }
            (Operation::Cancel, Object::CreditBalanceAdjustment) => {
                Self::One(Permission::CancelCreditBalanceAdjustment)
            }
            (_, Object::CreditBalanceAdjustment) => Self::One(Permission::CreditBalanceAdjustment),
            (_, Object::InvoiceAdjustment | Object::InvoiceItemAdjustment) => {
                Self::One(Permission::InvoiceAdjustment)
            }
            (Operation::Create, Object::Refund(source, refund_type)) => {
                Self::One(for_refund(source, refund_type))
            }
            (_, Object::Refund(source, refund_type)) => {
                Self::AnyForRefunds(for_refund(source, refund_type))
            }
        }
    }

    /// Whether `permissions` are enough.
    pub fn are_met_by(self, permissions: Permissions) -> bool {
        match self {
            Self::One(permission) => permissions.allow(permission),
            Self::AnyForRefunds(_) => FOR_REFUNDS.into_iter().any(|one| permissions.allow(one)),
        }
    }

    /// The permission to name where they are not met.
    pub const fn named(self) -> Permission {
        match self {
            Self::One(permission) | Self::AnyForRefunds(permission) => permission,
        }
    }
}

const fn for_refund(source: SourceType, refund_type: RefundType) -> Permission {
    match (source, refund_type) {
        (SourceType::CreditBalance, RefundType::External) => {
            Permission::CreditBalanceExternalRefund
        }
        (SourceType::CreditBalance, RefundType::Electronic) => {
            Permission::CreditBalanceElectronicRefund
        }
        (SourceType::CreditMemo, _) => Permission::CreditMemoRefund,
        (SourceType::Payment, RefundType::External) => Permission::ExternalRefund,
        (SourceType::Payment, RefundType::Electronic) => Permission::ElectronicRefund,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_permission_nothing_changes_and_with_all_everything_does() {
        for object in Object::ALL {
            for operation in Operation::ALL {
                let needs = Needs::of(operation, object);
                assert!(!needs.are_met_by(Permissions::NONE), "{operation:?} {object:?}");
                assert!(needs.are_met_by(Permissions::all()), "{operation:?} {object:?}");
                assert!(needs.are_met_by([needs.named()].into_iter().collect()));
            }
        }
    }

    #[test]
    fn any_permission_for_refunds_changes_one_and_each_creates_its_own() {
        let refunds = || Object::ALL.into_iter().filter(|one| matches!(one, Object::Refund(..)));
        for permission in FOR_REFUNDS {
            let only: Permissions = [permission].into_iter().collect();
            let creates =
                refunds().filter(|one| Needs::of(Operation::Create, *one).are_met_by(only));
            // One permission is for credit memos, External and Electronic.
            let expected = if permission == Permission::CreditMemoRefund { 2 } else { 1 };
            assert_eq!(creates.count(), expected, "{permission:?}");
            for object in refunds() {
                for operation in [Operation::Update, Operation::Cancel, Operation::Delete] {
                    assert!(Needs::of(operation, object).are_met_by(only));
                }
            }
        }
    }
}
