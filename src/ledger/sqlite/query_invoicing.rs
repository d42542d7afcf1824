//! Which expression of the tables each field is, for the lines of invoices and the adjustments of
//! both. What must stay true is said in `query_tables`.

use super::query_columns::{Shortcut, Stored, Table, amount, column, moment, short, text};

/// The invoice of a row, by the invoice's id.
macro_rules! of_invoice {
    ($column:literal) => {
        Shortcut::Through(&[concat!($column, " = (select key from invoice where id = "), ")"])
    };
}

/// What both adjustments read from: their invoice, their line and the charge that it is or is on.
const ADJUSTMENTS: &str = "invoice_adjustment \
     left join invoice on invoice.key = invoice_adjustment.invoice \
     left join account on account.key = invoice.account \
     left join invoice_line as line on line.key = invoice_adjustment.line \
     left join user on user.key = invoice_adjustment.created_by \
     left join user as changer on changer.key = invoice_adjustment.updated_by \
     left join user as canceler on canceler.key = invoice_adjustment.cancelled_by";

/// The adjustments of an account, through its invoices, which have an index by account.
const OF_ACCOUNT: Shortcut = Shortcut::Through(&[
    "invoice_adjustment.invoice in (select owed.key from invoice as owed \
     where owed.account = (select key from account where id = ",
    "))",
]);

pub(super) static INVOICE_ADJUSTMENT: Table = Table {
    key: "invoice_adjustment.key",
    newest: "select max(invoice_adjustment.key) from invoice_adjustment",
    from: ADJUSTMENTS,
    only: Some("invoice_adjustment.line is null"),
    custom: Some("json_extract(invoice_adjustment.custom, "),
    fields: &[
        text("Id", "invoice_adjustment.id"),
        short("AccountId", "account.id", OF_ACCOUNT),
        text("AccountingCode", "invoice_adjustment.accounting_code"),
        column("AdjustmentDate", "invoice_adjustment.adjustment_date", Stored::Day),
        text("AdjustmentNumber", "invoice_adjustment.number"),
        amount("Amount", "invoice_adjustment.amount"),
        text("CancelledById", "canceler.id"),
        moment("CancelledOn", "invoice_adjustment.cancelled_ms"),
        text("Comments", "invoice_adjustment.comment"),
        text("CreatedById", "user.id"),
        moment("CreatedDate", "invoice_adjustment.created_ms"),
        text("CustomerName", "account.name"),
        text("CustomerNumber", "account.number"),
        // What it does to the balance: below zero where it lowers it.
        amount(
            "ImpactAmount",
            "iif(invoice_adjustment.type = 'Charge', invoice_adjustment.amount, \
             -invoice_adjustment.amount)",
        ),
        short("InvoiceId", "invoice.id", of_invoice!("invoice_adjustment.invoice")),
        text("InvoiceNumber", "invoice.number"),
        text("ReasonCode", "invoice_adjustment.reason_code"),
        text("ReferenceId", "invoice_adjustment.reference_id"),
        text("Status", "invoice_adjustment.status"),
        text("TransferredToAccounting", "invoice_adjustment.transferred_to_accounting"),
        text("Type", "invoice_adjustment.type"),
        text("UpdatedById", "changer.id"),
        moment("UpdatedDate", "invoice_adjustment.updated_ms"),
    ],
};

pub(super) static INVOICE_ITEM_ADJUSTMENT: Table = Table {
    key: "invoice_adjustment.key",
    newest: "select max(invoice_adjustment.key) from invoice_adjustment",
    from: ADJUSTMENTS,
    only: Some("invoice_adjustment.line is not null"),
    custom: Some("json_extract(invoice_adjustment.custom, "),
    fields: &[
        text("Id", "invoice_adjustment.id"),
        short("AccountId", "account.id", OF_ACCOUNT),
        text("AccountingCode", "invoice_adjustment.accounting_code"),
        column("AdjustmentDate", "invoice_adjustment.adjustment_date", Stored::Day),
        text("AdjustmentNumber", "invoice_adjustment.number"),
        amount("Amount", "invoice_adjustment.amount"),
        text("CancelledById", "canceler.id"),
        moment("CancelledDate", "invoice_adjustment.cancelled_ms"),
        text("Comment", "invoice_adjustment.comment"),
        text("CreatedById", "user.id"),
        moment("CreatedDate", "invoice_adjustment.created_ms"),
        text("CustomerName", "account.name"),
        text("CustomerNumber", "account.number"),
        short("InvoiceId", "invoice.id", of_invoice!("invoice_adjustment.invoice")),
        // A tax has the name of its charge.
        text("InvoiceItemName", "line.name"),
        text("InvoiceNumber", "invoice.number"),
        text("ReasonCode", "invoice_adjustment.reason_code"),
        text("ReferenceId", "invoice_adjustment.reference_id"),
        short(
            "SourceId",
            "line.id",
            Shortcut::Through(&[
                "invoice_adjustment.line = (select key from invoice_line where id = ",
                ")",
            ]),
        ),
        text("SourceType", "iif(line.item is null, 'InvoiceDetail', 'Tax')"),
        text("Status", "invoice_adjustment.status"),
        text("TransferredToAccounting", "invoice_adjustment.transferred_to_accounting"),
        text("Type", "invoice_adjustment.type"),
        text("UpdatedById", "changer.id"),
        moment("UpdatedDate", "invoice_adjustment.updated_ms"),
    ],
};

/// What charges and taxes read from.
const LINES: &str = "invoice_line left join invoice on invoice.key = invoice_line.invoice \
     left join account on account.key = invoice.account \
     left join invoice_line as charge on charge.key = invoice_line.item";

pub(super) static INVOICE_ITEM: Table = Table {
    key: "invoice_line.key",
    newest: "select max(invoice_line.key) from invoice_line",
    from: LINES,
    only: Some("invoice_line.item is null"),
    custom: None,
    fields: &[
        text("Id", "invoice_line.id"),
        amount("ChargeAmount", "invoice_line.amount"),
        moment("ChargeDate", "invoice_line.created_ms"),
        text("ChargeName", "invoice_line.name"),
        moment("CreatedDate", "invoice_line.created_ms"),
        short("InvoiceId", "invoice.id", of_invoice!("invoice_line.invoice")),
        amount(
            "TaxAmount",
            "(select coalesce(sum(tax.amount), 0) from invoice_line as tax \
             where tax.item = invoice_line.key)",
        ),
        moment("UpdatedDate", "invoice_line.created_ms"),
    ],
};

pub(super) static TAXATION_ITEM: Table = Table {
    key: "invoice_line.key",
    newest: "select max(invoice_line.key) from invoice_line",
    from: LINES,
    only: Some("invoice_line.item is not null"),
    custom: None,
    fields: &[
        text("Id", "invoice_line.id"),
        moment("CreatedDate", "invoice_line.created_ms"),
        short("InvoiceId", "invoice.id", of_invoice!("invoice_line.invoice")),
        short(
            "InvoiceItemId",
            "charge.id",
            Shortcut::Through(&[
                "invoice_line.item = (select key from invoice_line where id = ",
                ")",
            ]),
        ),
        amount("TaxAmount", "invoice_line.amount"),
        moment("UpdatedDate", "invoice_line.created_ms"),
    ],
};
