//! Which expression of the tables each field is, for the lines of invoices and the adjustments of
//! both. What must stay true is said in `tables`.

use super::billing::SYSTEM_USER;
use super::columns::{Shortcut, Stored, Table, amount, column, columns, moment, short, text};
use crate::catalogue::invoice::{InvoiceItemField, TaxationItemField};
use crate::catalogue::invoice_adjustment::{InvoiceAdjustmentField, InvoiceItemAdjustmentField};

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
    id: text("invoice_adjustment.id"),
    newest: "select max(invoice_adjustment.key) from invoice_adjustment",
    from: ADJUSTMENTS,
    only: Some("invoice_adjustment.line is null"),
    custom: Some("invoice_adjustment.custom"),
    columns: columns! {
        InvoiceAdjustmentField {
            AccountId = short("account.id", OF_ACCOUNT),
            AccountingCode = text("invoice_adjustment.accounting_code"),
            AdjustmentDate = column("invoice_adjustment.adjustment_date", Stored::Day),
            AdjustmentNumber = text("invoice_adjustment.number"),
            Amount = amount("invoice_adjustment.amount"),
            CancelledById = text("canceler.id"),
            CancelledOn = moment("invoice_adjustment.cancelled_ms"),
            Comments = text("invoice_adjustment.comment"),
            CreatedById = text("user.id"),
            CreatedDate = moment("invoice_adjustment.created_ms"),
            CustomerName = text("account.name"),
            CustomerNumber = text("account.number"),
            // What it does to the balance: below zero where it lowers it.
            ImpactAmount = amount(
                "case when invoice_adjustment.type = 'Charge' then invoice_adjustment.amount \
                 else -invoice_adjustment.amount end",
            ),
            InvoiceId = short("invoice.id", of_invoice!("invoice_adjustment.invoice")),
            InvoiceNumber = text("invoice.number"),
            ReasonCode = text("invoice_adjustment.reason_code"),
            ReferenceId = text("invoice_adjustment.reference_id"),
            Status = text("invoice_adjustment.status"),
            TransferredToAccounting = text("invoice_adjustment.transferred_to_accounting"),
            Type = text("invoice_adjustment.type"),
            UpdatedById = text("changer.id"),
            UpdatedDate = moment("invoice_adjustment.updated_ms"),
        }
    },
};

pub(super) static INVOICE_ITEM_ADJUSTMENT: Table = Table {
    key: "invoice_adjustment.key",
    id: text("invoice_adjustment.id"),
    newest: "select max(invoice_adjustment.key) from invoice_adjustment",
    from: ADJUSTMENTS,
    only: Some("invoice_adjustment.line is not null"),
    custom: Some("invoice_adjustment.custom"),
    columns: columns! {
        InvoiceItemAdjustmentField {
            AccountId = short("account.id", OF_ACCOUNT),
            AccountingCode = text("invoice_adjustment.accounting_code"),
            AdjustmentDate = column("invoice_adjustment.adjustment_date", Stored::Day),
            AdjustmentNumber = text("invoice_adjustment.number"),
            Amount = amount("invoice_adjustment.amount"),
            CancelledById = text("canceler.id"),
            CancelledDate = moment("invoice_adjustment.cancelled_ms"),
            Comment = text("invoice_adjustment.comment"),
            CreatedById = text("user.id"),
            CreatedDate = moment("invoice_adjustment.created_ms"),
            CustomerName = text("account.name"),
            CustomerNumber = text("account.number"),
            InvoiceId = short("invoice.id", of_invoice!("invoice_adjustment.invoice")),
            // A tax has the name of its charge.
            InvoiceItemName = text("line.name"),
            InvoiceNumber = text("invoice.number"),
            ReasonCode = text("invoice_adjustment.reason_code"),
            ReferenceId = text("invoice_adjustment.reference_id"),
            SourceId = short(
                "line.id",
                Shortcut::Through(&[
                    "invoice_adjustment.line = (select key from invoice_line where id = ",
                    ")",
                ]),
            ),
            SourceType = text("case when line.item is null then 'InvoiceDetail' else 'Tax' end"),
            Status = text("invoice_adjustment.status"),
            TransferredToAccounting = text("invoice_adjustment.transferred_to_accounting"),
            Type = text("invoice_adjustment.type"),
            UpdatedById = text("changer.id"),
            UpdatedDate = moment("invoice_adjustment.updated_ms"),
        }
        nothing {
            ServiceEndDate, ServiceStartDate,
        }
    },
};

/// What charges and taxes read from.
const LINES: &str = "invoice_line left join invoice on invoice.key = invoice_line.invoice \
     left join account on account.key = invoice.account \
     left join invoice_line as charge on charge.key = invoice_line.item";

pub(super) static INVOICE_ITEM: Table = Table {
    key: "invoice_line.key",
    id: text("invoice_line.id"),
    newest: "select max(invoice_line.key) from invoice_line",
    from: LINES,
    only: Some("invoice_line.item is null"),
    custom: None,
    columns: columns! {
        InvoiceItemField {
            ChargeAmount = amount("invoice_line.amount"),
            ChargeDate = moment("invoice_line.created_ms"),
            ChargeName = text("invoice_line.name"),
            CreatedById = text(SYSTEM_USER),
            CreatedDate = moment("invoice_line.created_ms"),
            InvoiceId = short("invoice.id", of_invoice!("invoice_line.invoice")),
            TaxAmount = amount(
                "(select cast(coalesce(sum(tax.amount), 0) as bigint) from invoice_line as tax \
                 where tax.item = invoice_line.key)",
            ),
            UpdatedById = text(SYSTEM_USER),
            UpdatedDate = moment("invoice_line.created_ms"),
        }
        nothing {
            AccountingCode, AppliedToInvoiceItemId, ChargeDescription, ChargeNumber,
            ProcessingType, ProductDescription, ProductId, ProductName, Quantity, RatePlanChargeId,
            RevRecCode, RevRecStartDate, RevRecTriggerCondition, ServiceEndDate, ServiceStartDate,
            SKU, SubscriptionId, SubscriptionNumber, TaxExemptAmount, UnitPrice, UOM,
        }
    },
};

pub(super) static TAXATION_ITEM: Table = Table {
    key: "invoice_line.key",
    id: text("invoice_line.id"),
    newest: "select max(invoice_line.key) from invoice_line",
    from: LINES,
    only: Some("invoice_line.item is not null"),
    custom: None,
    columns: columns! {
        TaxationItemField {
            CreatedById = text(SYSTEM_USER),
            CreatedDate = moment("invoice_line.created_ms"),
            InvoiceId = short("invoice.id", of_invoice!("invoice_line.invoice")),
            InvoiceItemId = short(
                "charge.id",
                Shortcut::Through(&[
                    "invoice_line.item = (select key from invoice_line where id = ",
                    ")",
                ]),
            ),
            TaxAmount = amount("invoice_line.amount"),
            UpdatedById = text(SYSTEM_USER),
            UpdatedDate = moment("invoice_line.created_ms"),
        }
        nothing {
            AccountingCode, ExemptAmount, Jurisdiction, LocationCode, Name, TaxCode,
            TaxCodeDescription, TaxDate, TaxRate, TaxRateDescription, TaxRateType,
        }
    },
};
