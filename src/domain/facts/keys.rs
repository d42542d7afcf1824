//! The keys of rows in the ledger, by which facts refer to each other; no client sees them.

/// The key of an account inside the ledger; clients never see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey(pub i64);

/// The key of a payment method inside the ledger; clients never see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodKey(pub i64);

/// The key of a payment inside the ledger; clients never see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentKey(pub i64);

/// The key of an invoice inside the ledger; clients never see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvoiceKey(pub i64);

/// The key of a part of a payment (an InvoicePayment) inside the ledger; clients never see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartKey(pub i64);

/// The key of an adjustment inside the ledger; clients never see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdjustmentKey(pub i64);
