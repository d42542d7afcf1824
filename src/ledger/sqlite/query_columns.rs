//! Which expression of the tables each field is: the one place where names meet SQL.
//!
//! What must stay true: all SQL of a query is put together from the literals of this file and of
//! `query_statement`; whatever comes from a caller is bound. A field that is not listed has no
//! value. An object more is a table more here.

use crate::domain::query::QueryObject;

/// Where the rows of an object are.
pub(super) struct Table {
    /// The key, which orders rows by their creation and never changes.
    pub(super) key: &'static str,
    /// Selects the newest key, which is null as long as there is no row.
    pub(super) newest: &'static str,
    /// The table with all that its columns refer to.
    pub(super) from: &'static str,
    /// Its columns.
    columns: &'static [Column],
}

/// A field that has values.
pub(super) struct Column {
    name: &'static str,
    /// The expression that is its value.
    pub(super) sql: &'static str,
    /// How the value is stored.
    pub(super) stored: Stored,
    /// A way to the rows of one value that reads no others.
    pub(super) shortcut: Option<Shortcut>,
}

/// How a value is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    /// As it is.
    Text,
    /// Minor units of `account.currency`.
    Amount,
    /// 0 or 1.
    Boolean,
    /// Unix milliseconds.
    Moment,
    /// A text like `2026-01-02`.
    Day,
}

/// A way to the rows of one value that reads no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shortcut {
    /// The id of a refund carries its number.
    Id,
    /// So does its RefundNumber.
    Number,
    /// Refunds are indexed by their account.
    Account,
    /// So are payment methods.
    MethodAccount,
}

impl Table {
    /// The table of an object.
    pub(super) const fn of(object: QueryObject) -> &'static Self {
        match object {
            QueryObject::Account => &ACCOUNT,
            QueryObject::PaymentMethod => &PAYMENT_METHOD,
            QueryObject::Refund => &REFUND,
        }
    }

    /// The column behind a field; none when the ledger holds no values for it.
    pub(super) fn column(&self, field: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == field)
    }
}

const fn column(name: &'static str, sql: &'static str, stored: Stored) -> Column {
    Column { name, sql, stored, shortcut: None }
}

const fn text(name: &'static str, sql: &'static str) -> Column {
    column(name, sql, Stored::Text)
}

const fn short(name: &'static str, sql: &'static str, shortcut: Shortcut) -> Column {
    Column { name, sql, stored: Stored::Text, shortcut: Some(shortcut) }
}

static ACCOUNT: Table = Table {
    key: "account.key",
    newest: "select max(account.key) from account",
    from: "account left join payment_method \
           on payment_method.key = account.default_payment_method",
    columns: &[
        text("Id", "account.id"),
        text("AccountNumber", "account.number"),
        // Nothing here is ever paid without being asked for.
        column("AutoPay", "0", Stored::Boolean),
        // There are no invoices that anything could be owed on.
        column("Balance", "0", Stored::Amount),
        column("CreditBalance", "account.balance", Stored::Amount),
        text("Currency", "account.currency"),
        text("DefaultPaymentMethodId", "payment_method.id"),
        text("Name", "account.name"),
        text("PaymentGateway", "account.gateway"),
        text("Status", "'Active'"),
        column("TotalInvoiceBalance", "0", Stored::Amount),
    ],
};

static PAYMENT_METHOD: Table = Table {
    key: "payment_method.key",
    newest: "select max(payment_method.key) from payment_method",
    from: "payment_method left join account on account.key = payment_method.account",
    columns: &[
        text("Id", "payment_method.id"),
        short("AccountId", "account.id", Shortcut::MethodAccount),
        // Documented to mean "loaded by the system": one that belongs to nobody.
        column("Active", "(payment_method.account is null)", Stored::Boolean),
        text("PaymentMethodStatus", "payment_method.status"),
        text("Type", "payment_method.type"),
    ],
};

static REFUND: Table = Table {
    key: "refund.number",
    newest: "select max(refund.number) from refund",
    from: "refund left join account on account.key = refund.account \
           left join payment_method on payment_method.key = refund.payment_method \
           left join user on user.key = refund.created_by",
    columns: &[
        short("Id", "refund_id(refund.created_ms, refund.salt, refund.number)", Shortcut::Id),
        short("AccountId", "account.id", Shortcut::Account),
        column("Amount", "refund.amount", Stored::Amount),
        text("Comment", "refund.comment"),
        text("CreatedById", "user.id"),
        column("CreatedDate", "refund.created_ms", Stored::Moment),
        text("Gateway", "refund.gateway"),
        text("GatewayResponse", "refund.gateway_response"),
        text("GatewayResponseCode", "refund.gateway_response_code"),
        text("GatewayState", "refund.gateway_state"),
        column(
            "MarkedForSubmissionOn",
            "iif(refund.type = 'Electronic', refund.created_ms, null)",
            Stored::Moment,
        ),
        text("MethodType", "refund.method_type"),
        text("PaymentMethodId", "payment_method.id"),
        text("ReasonCode", "refund.reason_code"),
        text("ReferenceID", "refund.reference_id"),
        column("RefundDate", "refund.refund_date", Stored::Day),
        short("RefundNumber", "refund_number(refund.number)", Shortcut::Number),
        column(
            "RefundTransactionTime",
            "iif(refund.type = 'External', refund.created_ms, refund.submitted_ms)",
            Stored::Moment,
        ),
        text("SecondRefundReferenceId", "refund.second_reference_id"),
        text("SoftDescriptor", "refund.soft_descriptor"),
        text("SoftDescriptorPhone", "refund.soft_descriptor_phone"),
        text("SourceType", "refund.source_type"),
        text("Status", "refund.status"),
        column("SubmittedOn", "refund.submitted_ms", Stored::Moment),
        text("Type", "refund.type"),
        // Only its gateway's verdict has changed it since, on behalf of the one who created it.
        text("UpdatedById", "user.id"),
        column("UpdatedDate", "coalesce(refund.updated_ms, refund.created_ms)", Stored::Moment),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_column_is_listed_twice() {
        for object in QueryObject::ALL {
            let table = Table::of(object);
            let mut names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
            names.sort_unstable();
            assert!(names.is_sorted_by(|one, next| one < next), "{}", object.name());
            assert!(table.column("Id").is_some());
        }
    }
}
