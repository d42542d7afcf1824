//! Which expression of the tables each field is, for refunds and what goes with them:
//! `billing` and `invoicing` have the rest. These are the places where names meet SQL.
//!
//! What must stay true: each field of the catalogue is listed once, with its column or as one that
//! the ledger has no values for, or it does not compile; an amount has `account` among the tables
//! beside it, whose currency it is in; a join finds one row at most; and no statement reads more
//! than it has to, which the tests of `statement` hold. An object more is a table more here.

use super::billing::{ACCOUNT, INVOICE, INVOICE_PAYMENT, PAYMENT, PAYMENT_METHOD};
use super::columns::{
    Shortcut, Stored, Table, amount, column, columns, follows, moment, short, text,
};
use super::invoicing::{INVOICE_ADJUSTMENT, INVOICE_ITEM, INVOICE_ITEM_ADJUSTMENT, TAXATION_ITEM};
use crate::catalogue::credit_balance_adjustment::CreditBalanceAdjustmentField;
use crate::catalogue::refund::{RefundField, RefundInvoicePaymentField, RefundTransactionLogField};
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

/// The id of a row whose table keeps none, as `Unit::row_id` makes it.
macro_rules! row_id {
    ($function:literal, $created:literal, $key:literal) => {
        concat!(
            $function,
            "(",
            $created,
            ", (select cast(value as bigint) from meta where meta.key = 'salt'), ",
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
const REFUND_ID: &str = "case when refund.number is null then null \
                         else refund_id(refund.created_ms, refund.salt, refund.number) end";

/// An adjustment that a refund made is the refund's first entry; one that a client asked for is
/// its row beside its first entry.
static ADJUSTMENT: Table = Table {
    key: "entry.key",
    id: short(
        row_id!("credit_balance_adjustment_id", "entry.at_ms", "entry.key"),
        Shortcut::Key(IdKind::CreditBalanceAdjustment, "entry.key"),
    ),
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
    custom: Some("adjustment.custom"),
    columns: columns! {
        CreditBalanceAdjustmentField {
            AccountId = short(
                "account.id",
                // Through what made the entries, which has an index by account; entries have none.
                Shortcut::Through(&[
                    concat!(
                        "entry.key in (select made.entry from refund_row as made \
                         where made.number in ",
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
            AccountingCode = text("adjustment.accounting_code"),
            AdjustmentDate = column(
                "coalesce(adjustment.adjustment_date, refund.refund_date)",
                Stored::Day,
            ),
            Amount = amount("abs(entry.delta)"),
            CancelledOn = moment("coalesce(adjustment.cancelled_ms, giving_back.at_ms)"),
            Comment = text("adjustment.comment"),
            CreatedById = text("user.id"),
            CreatedDate = moment("entry.at_ms"),
            Number = short("adjustment_number(entry.key)", Shortcut::Number("CBA-", "entry.key")),
            ReasonCode = text("adjustment.reason_code"),
            ReferenceId = text("adjustment.reference_id"),
            SourceTransactionId = text(
                "case when refund.number is null then coalesce(invoice.id, payment.id) \
                 else refund_id(refund.created_ms, refund.salt, refund.number) end",
            ),
            SourceTransactionNumber = text(
                "case when refund.number is null then coalesce(invoice.number, payment.number) \
                 else refund_number(refund.number) end",
            ),
            SourceTransactionType = text(
                "case when refund.number is not null then 'Refund' \
                 when invoice.key is not null then 'Invoice' else 'Payment' end",
            ),
            // What a refund took is no longer taken once it was given back.
            Status = text(
                "coalesce(adjustment.status, \
                 case when giving_back.key is null then 'Processed' else 'Canceled' end)",
            ),
            TransferredToAccounting = text("adjustment.transferred_to_accounting"),
            Type = text("case when entry.delta < 0 then 'Decrease' else 'Increase' end"),
            UpdatedById = text("changer.id"),
            UpdatedDate = moment("coalesce(adjustment.updated_ms, giving_back.at_ms, entry.at_ms)"),
        }
    },
};

static REFUND: Table = Table {
    key: "refund.number",
    id: follows(
        "refund_id(refund.created_ms, refund.salt, refund.number)",
        Stored::RefundId,
        Shortcut::Key(IdKind::Refund, "refund.number"),
    ),
    newest: "select max(refund.number) from refund",
    from: "refund left join account on account.key = refund.account \
           left join payment_method on payment_method.key = refund.payment_method \
           left join user on user.key = refund.created_by \
           left join user as changer \
           on changer.key = coalesce(refund.updated_by, refund.created_by)",
    only: None,
    custom: Some("refund.custom"),
    columns: columns! {
        RefundField {
            AccountId = short(
                "account.id",
                Shortcut::Through(&[
                    concat!("refund.number in ", refunds_of_account!(before)),
                    refunds_of_account!(behind),
                ]),
            ),
            Amount = amount("refund.amount"),
            CancelledOn = moment("refund.cancelled_ms"),
            Comment = text("refund.comment"),
            CreatedById = text("user.id"),
            CreatedDate = moment("refund.created_ms"),
            Gateway = text("refund.gateway"),
            GatewayResponse = text("refund.gateway_response"),
            GatewayResponseCode = text("refund.gateway_response_code"),
            // An external refund goes to no gateway, and is NotSubmitted. Documented.
            GatewayState = text("coalesce(refund.gateway_state, 'NotSubmitted')"),
            MarkedForSubmissionOn = moment(
                "case when refund.type = 'Electronic' then refund.created_ms else null end",
            ),
            MethodType = text("refund.method_type"),
            PaymentMethodId = text("payment_method.id"),
            ReasonCode = text("refund.reason_code"),
            ReferenceID = text("refund.reference_id"),
            RefundDate = column("refund.refund_date", Stored::Day),
            RefundNumber = follows(
                "refund_number(refund.number)",
                Stored::RefundNumber,
                Shortcut::Number("R-", "refund.number"),
            ),
            RefundTransactionTime = moment(
                "case when refund.type = 'External' then refund.created_ms \
                 else refund.submitted_ms end",
            ),
            SecondRefundReferenceId = text("refund.second_reference_id"),
            SettledOn = moment("refund.settled_ms"),
            SoftDescriptor = text("refund.soft_descriptor"),
            SoftDescriptorPhone = text("refund.soft_descriptor_phone"),
            SourceType = text("refund.source_type"),
            Status = text("refund.status"),
            SubmittedOn = moment("refund.submitted_ms"),
            TransferredToAccounting = text("refund.transferred_to_accounting"),
            Type = text("refund.type"),
            // A gateway's verdict changes it on behalf of the one who created it.
            UpdatedById = text("changer.id"),
            UpdatedDate = moment("coalesce(refund.updated_ms, refund.created_ms)"),
        }
        nothing {
            AccountingCode, GatewayOptionData, PaymentId, PaymentMethodSnapshotId,
            RefundInvoicePaymentData,
        }
    },
};

/// A refund that has taken its amount of its payment, and not given it back: what its parts show
/// adds up to the RefundAmount of their InvoicePayments and of the payment only while it has.
const TAKES: &str =
    "refund.status in ('Processed', 'Processing') and refund.compensated_ms is null";

static REFUND_INVOICE_PAYMENT: Table = Table {
    key: "part.key",
    id: short(
        row_id!("refund_invoice_payment_id", "part.created_ms", "part.key"),
        Shortcut::Key(IdKind::RefundInvoicePayment, "part.key"),
    ),
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
    columns: columns! {
        RefundInvoicePaymentField {
            CreatedById = text("user.id"),
            CreatedDate = moment("part.created_ms"),
            InvoiceId = short(
                "invoice.id",
                Shortcut::Through(&[
                    "part.invoice_payment in (select paid.key from invoice_payment as paid \
                     where paid.invoice = (select key from invoice where id = ",
                    "))",
                ]),
            ),
            InvoicePaymentId = short(
                "invoice_payment.id",
                Shortcut::Through(&[
                    "part.invoice_payment = (select key from invoice_payment where id = ",
                    ")",
                ]),
            ),
            RefundAmount = amount("part.amount"),
            RefundId = short(REFUND_ID, Shortcut::Key(IdKind::Refund, "part.refund")),
            UpdatedById = text("changer.id"),
            UpdatedDate = moment("part.updated_ms"),
        }
    },
};

static REFUND_TRANSACTION_LOG: Table = Table {
    key: "exchange.key",
    id: short(
        row_id!("refund_transaction_log_id", "exchange.at_ms", "exchange.key"),
        Shortcut::Key(IdKind::RefundTransactionLog, "exchange.key"),
    ),
    newest: "select max(exchange.key) from exchange",
    from: "exchange left join refund on refund.number = exchange.refund",
    only: None,
    custom: None,
    columns: columns! {
        RefundTransactionLogField {
            Gateway = text("exchange.gateway"),
            GatewayReasonCode = text("exchange.reason_code"),
            GatewayReasonCodeDescription = text("exchange.reason_text"),
            GatewayState = text("exchange.gateway_state"),
            GatewayTransactionType = text(
                "case exchange.kind when 'refund' then 'Refund' when 'inquiry' then 'Inquiry' \
                 when 'settlement' then 'Settlement' else 'Operator' end",
            ),
            RefundId = short(REFUND_ID, Shortcut::Key(IdKind::Refund, "exchange.refund")),
            RequestString = text("exchange.request"),
            ResponseString = text("exchange.response"),
            TransactionDate = moment("exchange.at_ms"),
            TransactionId = text("exchange.reference_id"),
        }
        nothing {
            BatchId,
        }
    },
};
