//! What a user's role allows, by the names that the seed uses.

use serde::Deserialize;

/// The permissions: name in Rust, name in a seed and in texts, stored bit, what it allows.
///
/// A bit that was given is never given another meaning, because ledgers hold it.
macro_rules! permissions {
    ($($variant:ident $name:literal $bit:literal $doc:literal;)+) => {
        /// One permission of a role.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
        pub enum Permission {
            $(#[doc = $doc] #[serde(rename = $name)] $variant,)+
        }

        impl Permission {
            /// Every permission, in the order of their bits.
            pub const ALL: [Self; [$($bit),+].len()] = [$(Self::$variant),+];

            /// The name in a seed file, on the command line and in texts.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            const fn bit(self) -> u32 {
                match self { $(Self::$variant => $bit,)+ }
            }
        }
    };
}

permissions! {
    ExternalRefund "external-refund" 0x1
        "Record refunds of payments that were paid outside the gateway.";
    ElectronicRefund "electronic-refund" 0x2
        "Pay refunds of payments through a gateway.";
    CreditBalanceExternalRefund "credit-balance-external-refund" 0x4
        "Record refunds of a credit balance that were paid outside the gateway.";
    CreditBalanceElectronicRefund "credit-balance-electronic-refund" 0x8
        "Pay refunds of a credit balance through a gateway (non-referenced refunds).";
    CreditBalanceAdjustment "credit-balance-adjustment" 0x10
        "Raise and lower credit balances by adjustments.";
    CancelCreditBalanceAdjustment "cancel-credit-balance-adjustment" 0x20
        "Cancel such adjustments.";
    PaymentCreate "payment-create" 0x40
        "Create payments and credit memos, apply them, and change them.";
    PaymentMethodWrite "payment-method-write" 0x80
        "Create, change and delete payment methods.";
    AccountWrite "account-write" 0x100
        "Create, change and delete accounts.";
    InvoiceAdjustment "invoice-adjustment" 0x200
        "Adjust invoices and their items.";
    CreditMemoRefund "credit-memo-refund" 0x400
        "Refund credit memos (Invoice Settlement).";
    ConsoleRead "console-read" 0x800
        "Read the console.";
    ConsoleOperate "console-operate" 0x1000
        "Operate the gateway through the console.";
}

impl Permission {
    /// The permission of this name, letter for letter.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// The permissions of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    /// No permission at all.
    pub const NONE: Self = Self(0);
    /// What comes with any other permission on a test ledger: a test sets its own stage.
    const OF_TESTERS: [Permission; 3] =
        [Permission::PaymentCreate, Permission::PaymentMethodWrite, Permission::AccountWrite];

    /// Every permission that there is.
    pub fn all() -> Self {
        Permission::ALL.into_iter().collect()
    }

    /// What a user has whose seed names no permissions.
    pub fn by_default() -> Self {
        [
            Permission::ExternalRefund,
            Permission::ElectronicRefund,
            Permission::CreditBalanceExternalRefund,
            Permission::CreditMemoRefund,
        ]
        .into_iter()
        .collect()
    }

    /// What a user with these permissions may do on a ledger of this kind: on one for tests, with
    /// any permission at all, also make payments, payment methods and accounts.
    #[must_use]
    pub fn on_ledger(self, is_test: bool) -> Self {
        if is_test && self != Self::NONE {
            self.union(Self::OF_TESTERS.into_iter().collect())
        } else {
            self
        }
    }

    /// Whether `permission` is among them.
    pub const fn allow(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// These and those.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of them that are among those as well.
    #[must_use]
    pub const fn only(self, those: Self) -> Self {
        Self(self.0 & those.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The stored form: one bit each, as [`Permission::ALL`] orders them.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Reads the stored form; unknown bits are dropped, so that they never allow anything.
    pub fn from_bits(bits: i64) -> Self {
        Permission::ALL
            .into_iter()
            .filter(|permission| bits & i64::from(permission.bit()) != 0)
            .collect()
    }

    /// The names, in the order of [`Permission::ALL`], for messages.
    pub fn names(self) -> Vec<&'static str> {
        Permission::ALL.into_iter().filter(|one| self.allow(*one)).map(Permission::name).collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, one| bits | one.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_survive_the_store_and_unknown_ones_allow_nothing() {
        for (permission, place) in Permission::ALL.into_iter().zip(0..) {
            let only = Permissions::from_iter([permission]);
            assert_eq!(only.bits(), 1 << place, "{}", permission.name());
            assert_eq!(Permissions::from_bits(i64::from(only.bits())), only);
            assert_eq!(only.names(), [permission.name()]);
            assert_eq!(Permission::from_name(permission.name()), Some(permission));
        }
        assert_eq!(Permissions::from_bits(0x2000 | 0x4000 | i64::MIN), Permissions::NONE);
        assert!(!Permissions::by_default().allow(Permission::CreditBalanceElectronicRefund));
    }

    #[test]
    fn whoever_may_anything_on_a_test_ledger_sets_its_stage() {
        let testers = ["payment-create", "payment-method-write", "account-write"];
        for permission in Permission::ALL {
            let only = Permissions::from_iter([permission]);
            let names = only.on_ledger(true).names();
            assert!(testers.iter().all(|name| names.contains(name)), "{names:?}");
            assert_eq!(only.on_ledger(false), only);
        }
        assert_eq!(Permissions::NONE.on_ledger(true), Permissions::NONE);
    }
}
