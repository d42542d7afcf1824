//! The tenant, as rules and front doors have to know it.

use super::SANDBOX_GATEWAY;
use crate::domain::custom_field::CustomFields;
use crate::domain::money::Currency;
use chrono_tz::Tz;

/// The reason codes that every tenant begins with, of refunds of credit.
const CREDIT_REASONS: [&str; 4] =
    ["Standard Refund", "Account Closure", "Customer Request", "Other"];
/// Those of refunds of payments.
const PAYMENT_REASONS: [&str; 6] = [
    "Standard Refund",
    "Customer Satisfaction",
    "Chargeback",
    "Payment Rejection",
    "Payment Reversal",
    "Other",
];

/// The switches and settings of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The Credit Balance feature.
    pub credit_balance: bool,
    /// Invoice Settlement, under which credit balances no longer exist.
    pub invoice_settlement: bool,
    /// Whether items of credit memos can be refunded one by one (Invoice Item Settlement).
    pub invoice_item_settlement: bool,
    /// The currency in which the tenant keeps its books.
    pub home_currency: Option<Currency>,
    /// The currency in which the tenant reports.
    pub reporting_currency: Option<Currency>,
    /// The Fx data feature.
    pub fx_data: bool,
    /// Whether exports of data sources carry what currencies were converted to.
    pub currency_conversion_exports: bool,
    /// What a call of the v1 operations means that names no version; none: the newest.
    pub zuora_version: Option<String>,
    /// The entities that a call may name in Zuora-Entity-Ids; empty without Multi-entity.
    pub entities: Vec<String>,
    /// Whether credit may come and go on a day that is yet to come.
    pub future_dated_adjustments: bool,
    /// The gateway where neither method nor account names one.
    pub default_gateway: String,
    /// The zone in which the tenant's days begin.
    pub time_zone: Tz,
    /// The reason codes of refunds; the first is the default.
    pub reason_codes: Vec<String>,
    /// The reason codes of payment refunds by the v1 operations; the first is the default.
    pub payment_reason_codes: Vec<String>,
    /// The reason codes of credit memos and of their refunds; the first is the default.
    pub credit_memo_reason_codes: Vec<String>,
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
            invoice_item_settlement: false,
            home_currency: None,
            reporting_currency: None,
            fx_data: false,
            currency_conversion_exports: false,
            zuora_version: None,
            entities: Vec::new(),
            future_dated_adjustments: false,
            default_gateway: SANDBOX_GATEWAY.to_owned(),
            time_zone: chrono_tz::America::Los_Angeles,
            reason_codes: CREDIT_REASONS.map(str::to_owned).to_vec(),
            payment_reason_codes: PAYMENT_REASONS.map(str::to_owned).to_vec(),
            credit_memo_reason_codes: CREDIT_REASONS.map(str::to_owned).to_vec(),
            adjustment_reason_codes: ["Standard Adjustment", "Cancellation"]
                .map(str::to_owned)
                .to_vec(),
            custom_fields: CustomFields::default(),
        }
    }
}
