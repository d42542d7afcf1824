//! What a user's role allows, by the names that the seed uses.

use serde::Deserialize;

/// One permission of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Record refunds of payments that were paid outside the gateway.
    ExternalRefund,
    /// Pay refunds of payments through a gateway.
    ElectronicRefund,
    /// Record refunds of a credit balance that were paid outside the gateway.
    CreditBalanceExternalRefund,
    /// Pay refunds of a credit balance through a gateway ("Credit Balance Electronic Refund").
    CreditBalanceElectronicRefund,
    /// Raise and lower credit balances by adjustments.
    CreditBalanceAdjustment,
    /// Cancel such adjustments.
    CancelCreditBalanceAdjustment,
    /// Adjust invoices and their items.
    InvoiceAdjustment,
}

impl Permission {
    /// Every permission, in the order of their bits.
    pub const ALL: [Self; 7] = [
        Self::ExternalRefund,
        Self::ElectronicRefund,
        Self::CreditBalanceExternalRefund,
        Self::CreditBalanceElectronicRefund,
        Self::CreditBalanceAdjustment,
        Self::CancelCreditBalanceAdjustment,
        Self::InvoiceAdjustment,
    ];

    /// The name in a seed file and in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExternalRefund => "external-refund",
            Self::ElectronicRefund => "electronic-refund",
            Self::CreditBalanceExternalRefund => "credit-balance-external-refund",
            Self::CreditBalanceElectronicRefund => "credit-balance-electronic-refund",
            Self::CreditBalanceAdjustment => "credit-balance-adjustment",
            Self::CancelCreditBalanceAdjustment => "cancel-credit-balance-adjustment",
            Self::InvoiceAdjustment => "invoice-adjustment",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::ExternalRefund => 1,
            Self::ElectronicRefund => 2,
            Self::CreditBalanceExternalRefund => 4,
            Self::CreditBalanceElectronicRefund => 8,
            Self::CreditBalanceAdjustment => 16,
            Self::CancelCreditBalanceAdjustment => 32,
            Self::InvoiceAdjustment => 64,
        }
    }
}

/// The permissions of one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions(u8);

impl Permissions {
    /// What a user has whose seed names no permissions.
    pub fn by_default() -> Self {
        [
            Permission::ExternalRefund,
            Permission::ElectronicRefund,
            Permission::CreditBalanceExternalRefund,
        ]
        .into_iter()
        .collect()
    }

    /// Whether `permission` is among them.
    pub const fn allow(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// The stored form: one bit each, as [`Permission::ALL`] orders them.
    pub const fn bits(self) -> u8 {
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
        for permission in Permission::ALL {
            let only = Permissions::from_iter([permission]);
            assert_eq!(Permissions::from_bits(i64::from(only.bits())), only);
            assert_eq!(only.names(), [permission.name()]);
        }
        assert_eq!(Permissions::from_bits(64 | 128 | 256).bits(), 0);
        assert!(!Permissions::by_default().allow(Permission::CreditBalanceElectronicRefund));
    }
}
