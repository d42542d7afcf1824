//! The tenant, as rules and front doors have to know it.

use super::SANDBOX_GATEWAY;
use crate::domain::custom_field::CustomFields;
use chrono_tz::Tz;

/// The switches and settings of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The Credit Balance feature.
    pub credit_balance: bool,
    /// Invoice Settlement, under which credit balances no longer exist.
    pub invoice_settlement: bool,
    /// Whether credit may come and go on a day that is yet to come.
    pub future_dated_adjustments: bool,
    /// The gateway where neither method nor account names one.
    pub default_gateway: String,
    /// The zone in which the tenant's days begin.
    pub time_zone: Tz,
    /// The reason codes of refunds; the first is the default.
    pub reason_codes: Vec<String>,
    /// The reason codes of adjustments; the first is the default of those of invoices.
    pub adjustment_reason_codes: Vec<String>,
    /// The fields that were declared for its objects.
    pub custom_fields: CustomFields,
}

impl Tenant {
    /// Whether there are credit balances at all. What only they have is left out of the tenant's
    /// WSDL and its answers where there are none.
    pub const fn has_credit_balances(&self) -> bool {
        self.credit_balance && !self.invoice_settlement
    }
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
            adjustment_reason_codes: ["Standard Adjustment", "Cancellation"]
                .map(str::to_owned)
                .to_vec(),
            custom_fields: CustomFields::default(),
        }
    }
}
