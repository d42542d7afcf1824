//! What the rules need to know of the world: the tenant, its gateways, an account, a method.
//!
//! The ledger looks these up inside the transaction that will debit the account, so that a
//! decision never rests on stale facts.

use super::custom_field::CustomFields;
use super::money::{Currency, MinorUnits};
use super::vocabulary::{MethodStatus, MethodType};
use chrono_tz::Tz;

/// The name of the built-in gateway, which always exists.
pub const SANDBOX_GATEWAY: &str = "sandbox";

/// The switches and settings of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The Credit Balance feature.
    pub credit_balance: bool,
    /// Invoice Settlement, under which credit balances no longer exist.
    pub invoice_settlement: bool,
    /// Whether an external refund may be dated in the future.
    pub future_dated_adjustments: bool,
    /// The gateway where neither method nor account names one.
    pub default_gateway: String,
    /// The zone in which the tenant's days begin.
    pub time_zone: Tz,
    /// The reason codes that exist; the first is the default.
    pub reason_codes: Vec<String>,
    /// The fields that were declared for its objects.
    pub custom_fields: CustomFields,
}

impl Default for Tenant {
    fn default() -> Self {
        Self {
            credit_balance: true,
            invoice_settlement: false,
            future_dated_adjustments: false,
            default_gateway: SANDBOX_GATEWAY.to_owned(),
            time_zone: chrono_tz::America::Los_Angeles,
            reason_codes: ["Standard Refund", "Account Closure", "Customer Request", "Other"]
                .map(str::to_owned)
                .to_vec(),
            custom_fields: CustomFields::default(),
        }
    }
}

/// What a payment gateway can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Its name, unique in the tenant.
    pub name: String,
    /// Whether it takes orders at all.
    pub active: bool,
    /// Whether it can pay without a payment to refer to.
    pub non_referenced_refunds: bool,
    /// The types of payment method that it can pay to; none means all.
    pub method_types: Option<Vec<MethodType>>,
}

impl Gateway {
    /// The built-in sandbox as it is when nothing configures it.
    pub fn sandbox() -> Self {
        Self {
            name: SANDBOX_GATEWAY.to_owned(),
            active: true,
            non_referenced_refunds: true,
            method_types: None,
        }
    }

    /// Whether it can pay to a method of this type.
    pub fn supports(&self, method: MethodType) -> bool {
        self.method_types.as_ref().is_none_or(|types| types.contains(&method))
    }
}

/// The key of an account inside the ledger; clients never see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountKey(pub i64);

/// The key of a payment method inside the ledger; clients never see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MethodKey(pub i64);

/// One account, at the moment of the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its key in the ledger.
    pub key: AccountKey,
    /// The currency of its balance; a Refund has none of its own.
    pub currency: Currency,
    /// The credit balance, never negative; holds are already taken off.
    pub balance: MinorUnits,
    /// The default payment method.
    pub default_method: Option<PaymentMethod>,
    /// The account's own gateway.
    pub gateway: Option<String>,
}

/// One payment method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentMethod {
    /// Its key in the ledger.
    pub key: MethodKey,
    /// Whose it is; Cash, Check, WireTransfer and Other may belong to nobody and serve everyone.
    pub account: Option<AccountKey>,
    /// Its type.
    pub method_type: MethodType,
    /// Whether it may still be used.
    pub status: MethodStatus,
    /// The method's own gateway.
    pub gateway: Option<String>,
}
