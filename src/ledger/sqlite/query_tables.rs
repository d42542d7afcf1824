//! Which expression of the tables each field is, for refunds and what goes with them:
//! `query_billing` and `query_invoicing` have the rest. These are the places where names meet SQL.
//!
//! What must stay true: an amount has `account` among the tables beside it, whose currency it is
//! in; a join finds one row at most; and no statement reads more than it has to, which the tests
//! of `query_statement` hold. An object more is a table more here.

use super::query_billing::{ACCOUNT, INVOICE, INVOICE_PAYMENT, PAYMENT, PAYMENT_METHOD};
use super::query_columns::{Shortcut, Stored, Table, amount, column, moment, short, text};
use super::query_invoicing::{
    INVOICE_ADJUSTMENT, INVOICE_ITEM, INVOICE_ITEM_ADJUSTMENT, TAXATION_ITEM,
};
use crate::domain::id::IdKind;
use crate::domain::query::QueryObject;

/// The table of an object.
pub(super) const fn table_of(object: QueryObject) -> &'static Table {
    match object {
        QueryObject::Account => &ACCOUNT,
        QueryObject::CreditBalanceAdjustment => &ADJUSTMENT,
        QueryObject::Invoice => &INVOICE,
        QueryObject::InvoiceAdjustment => &INVOICE_ADJUSTMENT,
        QueryObject::InvoiceItem => &INVOICE_ITEM,
        QueryObject::InvoiceItemAdjustment => &INVOICE_ITEM_ADJUSTMENT,
        QueryObject::InvoicePayment => &INVOICE_PAYMENT,
        QueryObject::Payment => &PAYMENT,
        QueryObject::PaymentMethod => &PAYMENT_METHOD,
        QueryObject::Refund => &REFUND,
        QueryObject::RefundInvoicePayment => &REFUND_INVOICE_PAYMENT,
        QueryObject::RefundTransactionLog => &REFUND_TRANSACTION_LOG,
        QueryObject::TaxationItem => &TAXATION_ITEM,
    }
}

/// The id of a row whose table keeps none, as `Store::row_id` makes it.
macro_rules! row_id {
    ($function:literal, $created:literal, $key:literal) => {
        concat!(
            $function,
            "(",
            $created,
            ", (select cast(value as integer) from meta where meta.key = 'salt'), ",
            $key,
            ")"
        )
    };
}

/// The numbers of an account's refunds, of which each leads to the one before: what stands before
/// the account's id, which is bound, and what stands behind it.
macro_rules! refunds_of_account {
    (before) => {
        "(with recursive of_account (number) as ( \
             select newest_refund from balance where newest_refund is not null \
             and account = (select key from account_row where id = "
    };
    (behind) => {
        ") union all select later.previous from of_account \
             join refund_row as later on later.number = of_account.number \
             where later.previous is not null) select number from of_account)"
    };
}

/// The id of the refund that is joined; none where none is.
const REFUND_ID: &str = "iif(refund.number is null, null, \
                         refund_id(refund.created_ms, refund.salt, refund.number))";

/// An adjustment that a refund made is the refund's first entry; one that somebody asked for is
/// its row beside its first entry.
static ADJUSTMENT: Table = Table {
    key: "entry.key",
    newest: "select max(entry.key) from entry",
    from: "entry left join refund on refund.number = entry.refund \
           left join adjustment on adjustment.key = entry.adjustment \
           left join invoice on invoice.key = adjustment.invoice \
           left join payment on payment.key = adjustment.payment \
           left join entry_row as giving_back on giving_back.refund = entry.refund \
           and giving_back.kind in (2, 3) \
           left join account on account.key = entry.account \
           left join user on user.key = coalesce(adjustment.created_by, refund.created_by) \
           left join user as changer on changer.key = \
           coalesce(adjustment.updated_by, adjustment.created_by, refund.created_by)",
    only: Some("entry.kind in ('refund', 'hold', 'increase', 'decrease')"),
    custom: Some("json_extract(adjustment.custom, "),
    fields: &[
        short(
            "Id",
            row_id!("credit_balance_adjustment_id", "entry.at_ms", "entry.key"),
            Shortcut::Key(IdKind::CreditBalanceAdjustment, "entry.key"),
        ),
        short(
            "AccountId",
            "account.id",
            // Through what made the entries, which has an index by account; entries have none.
            Shortcut::Through(&[
                concat!(
                    "entry.key in (select made.entry from refund_row as made where made.number in ",
                    refunds_of_account!(before),
                ),
                concat!(
                    refunds_of_account!(behind),
                    " union all select (select min(first.key) from entry as first \
                 where first.adjustment = made.key) from adjustment as made \
                     where made.account = (select key from account where id = ",
                ),
                "))",
            ]),
        ),
        text("AccountingCode", "adjustment.accounting_code"),
        column(
            "AdjustmentDate",
            "coalesce(adjustment.adjustment_date, refund.refund_date)",
            Stored::Day,
        ),
        amount("Amount", "abs(entry.delta)"),
        moment("CancelledOn", "coalesce(adjustment.cancelled_ms, giving_back.at_ms)"),
        text("Comment", "adjustment.comment"),
        text("CreatedById", "user.id"),
        moment("CreatedDate", "entry.at_ms"),
        short("Number", "printf('CBA-%08d', entry.key)", Shortcut::Number("CBA-", "entry.key")),
        text("ReasonCode", "adjustment.reason_code"),
        text("ReferenceId", "adjustment.reference_id"),
        text(
            "SourceTransactionId",
            "iif(refund.number is null, coalesce(invoice.id, payment.id), \
             refund_id(refund.created_ms, refund.salt, refund.number))",
        ),
        text(
            "SourceTransactionNumber",
            "iif(refund.number is null, coalesce(invoice.number, payment.number), \
             refund_number(refund.number))",
        ),
        text(
            "SourceTransactionType",
            "iif(refund.number is not null, 'Refund', \
             iif(invoice.key is not null, 'Invoice', 'Payment'))",
        ),
        // What a refund took is no longer taken once it was given back.
        text(
            "Status",
            "coalesce(adjustment.status, iif(giving_back.key is null, 'Processed', 'Canceled'))",
        ),
        text("TransferredToAccounting", "adjustment.transferred_to_accounting"),
        text("Type", "iif(entry.delta < 0, 'Decrease', 'Increase')"),
        text("UpdatedById", "changer.id"),
        moment("UpdatedDate", "coalesce(adjustment.updated_ms, giving_back.at_ms, entry.at_ms)"),
    ],
};

static REFUND: Table = Table {
    key: "refund.number",
    newest: "select max(refund.number) from refund",
    from: "refund left join account on account.key = refund.account \
           left join payment_method on payment_method.key = refund.payment_method \
           left join user on user.key = refund.created_by \
           left join user as changer \
           on changer.key = coalesce(refund.updated_by, refund.created_by)",
    only: None,
    custom: Some("json_extract(refund.custom, "),
    fields: &[
        short(
            "Id",
            "refund_id(refund.created_ms, refund.salt, refund.number)",
            Shortcut::Key(IdKind::Refund, "refund.number"),
        ),
        short(
            "AccountId",
            "account.id",
            Shortcut::Through(&[
                concat!("refund.number in ", refunds_of_account!(before)),
                refunds_of_account!(behind),
            ]),
        ),
        amount("Amount", "refund.amount"),
        moment("CancelledOn", "refund.cancelled_ms"),
        text("Comment", "refund.comment"),
        text("CreatedById", "user.id"),
        moment("CreatedDate", "refund.created_ms"),
        text("Gateway", "refund.gateway"),
        text("GatewayResponse", "refund.gateway_response"),
        text("GatewayResponseCode", "refund.gateway_response_code"),
        // An external refund goes to no gateway, and is NotSubmitted. Documented.
        text("GatewayState", "coalesce(refund.gateway_state, 'NotSubmitted')"),
        moment("MarkedForSubmissionOn", "iif(refund.type = 'Electronic', refund.created_ms, null)"),
        text("MethodType", "refund.method_type"),
        text("PaymentMethodId", "payment_method.id"),
        text("ReasonCode", "refund.reason_code"),
        text("ReferenceID", "refund.reference_id"),
        column("RefundDate", "refund.refund_date", Stored::Day),
        short(
            "RefundNumber",
            "refund_number(refund.number)",
            Shortcut::Number("R-", "refund.number"),
        ),
        moment(
            "RefundTransactionTime",
            "iif(refund.type = 'External', refund.created_ms, refund.submitted_ms)",
        ),
        text("SecondRefundReferenceId", "refund.second_reference_id"),
        moment("SettledOn", "refund.settled_ms"),
        text("SoftDescriptor", "refund.soft_descriptor"),
        text("SoftDescriptorPhone", "refund.soft_descriptor_phone"),
        text("SourceType", "refund.source_type"),
        text("Status", "refund.status"),
        moment("SubmittedOn", "refund.submitted_ms"),
        text("TransferredToAccounting", "refund.transferred_to_accounting"),
        text("Type", "refund.type"),
        // A gateway's verdict changes it on behalf of the one who created it.
        text("UpdatedById", "changer.id"),
        moment("UpdatedDate", "coalesce(refund.updated_ms, refund.created_ms)"),
    ],
};

/// A refund that has taken its amount of its payment, and not given it back: what its parts show
/// adds up to the RefundAmount of their InvoicePayments and of the payment only while it has.
const TAKES: &str =
    "refund.status in ('Processed', 'Processing') and refund.compensated_ms is null";

static REFUND_INVOICE_PAYMENT: Table = Table {
    key: "part.key",
    newest: "select max(key) from refund_invoice_payment",
    from: "refund_invoice_payment as part left join refund on refund.number = part.refund \
           left join invoice_payment on invoice_payment.key = part.invoice_payment \
           left join invoice on invoice.key = invoice_payment.invoice \
           left join account on account.key = refund.account \
           left join user on user.key = refund.created_by \
           left join user as changer \
           on changer.key = coalesce(refund.updated_by, refund.created_by)",
    only: Some(TAKES),
    custom: None,
    fields: &[
        short(
            "Id",
            row_id!("refund_invoice_payment_id", "part.created_ms", "part.key"),
            Shortcut::Key(IdKind::RefundInvoicePayment, "part.key"),
        ),
        text("CreatedById", "user.id"),
        moment("CreatedDate", "part.created_ms"),
        short(
            "InvoiceId",
            "invoice.id",
            Shortcut::Through(&[
                "part.invoice_payment in (select paid.key from invoice_payment as paid \
                 where paid.invoice = (select key from invoice where id = ",
                "))",
            ]),
        ),
        short(
            "InvoicePaymentId",
            "invoice_payment.id",
            Shortcut::Through(&[
                "part.invoice_payment = (select key from invoice_payment where id = ",
                ")",
            ]),
        ),
        amount("RefundAmount", "part.amount"),
        short("RefundId", REFUND_ID, Shortcut::Key(IdKind::Refund, "part.refund")),
        text("UpdatedById", "changer.id"),
        moment("UpdatedDate", "part.updated_ms"),
    ],
};

static REFUND_TRANSACTION_LOG: Table = Table {
    key: "exchange.key",
    newest: "select max(exchange.key) from exchange",
    from: "exchange left join refund on refund.number = exchange.refund",
    only: None,
    custom: None,
    fields: &[
        short(
            "Id",
            row_id!("refund_transaction_log_id", "exchange.at_ms", "exchange.key"),
            Shortcut::Key(IdKind::RefundTransactionLog, "exchange.key"),
        ),
        text("Gateway", "exchange.gateway"),
        text("GatewayReasonCode", "exchange.reason_code"),
        text("GatewayReasonCodeDescription", "exchange.reason_text"),
        text("GatewayState", "exchange.gateway_state"),
        text(
            "GatewayTransactionType",
            "case exchange.kind when 'refund' then 'Refund' when 'inquiry' then 'Inquiry' \
             when 'settlement' then 'Settlement' else 'Operator' end",
        ),
        short("RefundId", REFUND_ID, Shortcut::Key(IdKind::Refund, "exchange.refund")),
        text("RequestString", "exchange.request"),
        text("ResponseString", "exchange.response"),
        moment("TransactionDate", "exchange.at_ms"),
        text("TransactionId", "exchange.reference_id"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_is_listed_twice() {
        for object in QueryObject::ALL {
            let mut names: Vec<_> =
                Table::of(object).fields.iter().map(|field| field.name).collect();
            assert!(names.contains(&"Id"));
            names.sort_unstable();
            assert!(names.is_sorted_by(|one, next| one < next), "{}", object.name());
        }
    }
}
