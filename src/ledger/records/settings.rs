//! What seeds and operators say of the tenant: settings, gateways, and fields of its own.

use crate::ledger::record::{Lookup, Record, record};

record! {
    /// A setting of the tenant, by the key of the seed file. What is not there has its default.
    TenantSetting in "tenant" [
        /// The key.
        key: String,
    ] {
        /// The value in its stored form.
        value: String,
    }
}

/// Every setting.
pub static TENANT_SETTINGS: Lookup = Lookup::new(TenantSetting::TABLE, &[]);

record! {
    /// A gateway of the ledger, which is a sandbox. The built-in one may have no row.
    GatewayRow in "gateway" [
        /// Its name.
        name: String,
    ] {
        /// Whether it takes orders at all.
        active: bool,
        /// Whether it pays without a payment to refer to.
        non_referenced_refunds: bool,
        /// The types of payment method that it can pay to, a JSON array; none: all.
        method_types: Option<String>,
        /// The rules of its script, a JSON array.
        rules: String,
        /// For how many seconds the same order is a duplicate.
        duplicate_window_s: Option<u32>,
        /// Whether it gives back settled payments alone.
        require_settled: bool,
        /// For how many days it gives a payment back.
        refund_window_days: Option<u32>,
    }
}

/// Every gateway that has a row.
pub static GATEWAYS: Lookup = Lookup::new(GatewayRow::TABLE, &[]);

record! {
    /// A field that the tenant declared for an object.
    CustomFieldRow in "custom_field" [
        /// The object.
        object: String,
        /// The field's name.
        name: String,
    ] {
        /// The type of its values.
        custom_type as "type": String,
        /// The longest value, of a text.
        length: Option<u32>,
        /// Whether every new object must have a value.
        is_required: bool,
        /// Whether it was made as an advanced one.
        is_advanced: bool,
    }
}

/// Every declared field.
pub static CUSTOM_FIELDS: Lookup = Lookup::new(CustomFieldRow::TABLE, &[]);

record! {
    /// What an operator set since a seed said it: there, a seed gives way.
    OperatorValue in "operator_value" [
        /// `tenant` or `gateway NAME`.
        object: String,
        /// The key of the seed file.
        key: String,
    ] {}
}
