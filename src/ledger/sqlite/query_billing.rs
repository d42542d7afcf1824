//! Which expression of the tables each field is, for accounts and what they were billed and paid.
//! What must stay true is said in `query_tables`.

use super::query_columns::{
    Shortcut, Stored, Table, amount, column, moment, of_account, short, text,
};

/// The id of a user whose row, if any, has this alias. What a seed made was made by nobody: for it
/// stands an id that no user has.
macro_rules! user_id {
    ($user:literal) => {
        concat!("coalesce(", $user, ".id, 'bbc5e661e106c6dcd8dc6dd186454c2f')")
    };
}

/// The same where only a seed makes rows.
const SYSTEM_USER: &str = "'bbc5e661e106c6dcd8dc6dd186454c2f'";

/// What the invoices of an account add up to; those that owe the customer count against it.
const INVOICES: &str = "(select coalesce(sum(invoice.balance), 0) from invoice \
                        where invoice.account = account.key)";

pub(super) static ACCOUNT: Table = Table {
    key: "account.key",
    newest: "select max(account.key) from account",
    from: "account left join payment_method \
           on payment_method.key = account.default_payment_method \
           left join account as parent on parent.key = account.parent \
           left join user on user.key = account.created_by \
           left join user as changer on changer.key = account.updated_by",
    only: None,
    custom: Some("json_extract(account.custom, "),
    fields: &[
        text("Id", "account.id"),
        text("AccountNumber", "account.number"),
        // Nothing here is ever paid without being asked for, unless a client says so.
        column("AutoPay", "coalesce(json_extract(account.kept, '$.AutoPay'), 0)", Stored::Boolean),
        amount("Balance", INVOICES),
        // The defaults of an account that says nothing else, as recorded.
        text("Batch", "coalesce(json_extract(account.kept, '$.Batch'), 'Batch1')"),
        column(
            "BillCycleDay",
            "coalesce(json_extract(account.kept, '$.BillCycleDay'), '1')",
            Stored::Decimal,
        ),
        text("CreatedById", user_id!("user")),
        moment("CreatedDate", "account.created_ms"),
        amount("CreditBalance", "account.balance"),
        text("Currency", "account.currency"),
        text("DefaultPaymentMethodId", "payment_method.id"),
        text("Name", "account.name"),
        text("ParentId", "parent.id"),
        text("PaymentGateway", "account.gateway"),
        text(
            "PaymentTerm",
            "coalesce(json_extract(account.kept, '$.PaymentTerm'), 'Due Upon Receipt')",
        ),
        text("Status", "account.status"),
        amount("TotalInvoiceBalance", INVOICES),
        text("UpdatedById", user_id!("changer")),
        moment("UpdatedDate", "account.updated_ms"),
    ],
};

pub(super) static INVOICE: Table = Table {
    key: "invoice.key",
    newest: "select max(invoice.key) from invoice",
    from: "invoice left join account on account.key = invoice.account",
    only: None,
    custom: Some("json_extract(invoice.custom, "),
    fields: &[
        text("Id", "invoice.id"),
        short("AccountId", "account.id", of_account!("invoice.account")),
        amount(
            "AdjustmentAmount",
            "(select coalesce(sum(iif(made.type = 'Charge', made.amount, -made.amount)), 0) \
             from invoice_adjustment as made \
             where made.invoice = invoice.key and made.status = 'Processed')",
        ),
        amount("Amount", "invoice.amount"),
        amount("Balance", "invoice.balance"),
        text("CreatedById", SYSTEM_USER),
        moment("CreatedDate", "invoice.created_ms"),
        column("InvoiceDate", "invoice.date", Stored::Day),
        text("InvoiceNumber", "invoice.number"),
        // A draft pays nothing yet, and one that was taken back nothing any more.
        amount(
            "PaymentAmount",
            "(select coalesce(sum(part.amount), 0) from invoice_payment as part \
             join payment on payment.key = part.payment \
             where part.invoice = invoice.key and payment.status = 'Processed')",
        ),
        amount(
            "RefundAmount",
            "(select coalesce(sum(part.refunded), 0) from invoice_payment as part \
             where part.invoice = invoice.key)",
        ),
        text("Status", "'Posted'"),
        // Of an invoice without items only the whole amount is known.
        amount(
            "TaxAmount",
            "(select sum(iif(line.item is null, 0, line.amount)) from invoice_line as line \
             where line.invoice = invoice.key)",
        ),
        text("UpdatedById", SYSTEM_USER),
        moment("UpdatedDate", "invoice.updated_ms"),
    ],
};

pub(super) static INVOICE_PAYMENT: Table = Table {
    key: "invoice_payment.key",
    newest: "select max(invoice_payment.key) from invoice_payment",
    from: "invoice_payment left join invoice on invoice.key = invoice_payment.invoice \
           left join payment on payment.key = invoice_payment.payment \
           left join account on account.key = invoice.account \
           left join user on user.key = invoice_payment.created_by",
    only: None,
    custom: Some("json_extract(invoice_payment.custom, "),
    fields: &[
        text("Id", "invoice_payment.id"),
        amount("Amount", "invoice_payment.amount"),
        text("CreatedById", user_id!("user")),
        moment("CreatedDate", "invoice_payment.created_ms"),
        short(
            "InvoiceId",
            "invoice.id",
            Shortcut::Through(&[
                "invoice_payment.invoice = (select key from invoice where id = ",
                ")",
            ]),
        ),
        short(
            "PaymentId",
            "payment.id",
            Shortcut::Through(&[
                "invoice_payment.payment = (select key from payment where id = ",
                ")",
            ]),
        ),
        amount("RefundAmount", "invoice_payment.refunded"),
        // Only refunds have changed it since.
        text("UpdatedById", user_id!("user")),
        moment("UpdatedDate", "invoice_payment.updated_ms"),
    ],
};

pub(super) static PAYMENT: Table = Table {
    key: "payment.key",
    newest: "select max(payment.key) from payment",
    from: "payment left join account on account.key = payment.account \
           left join payment_method on payment_method.key = payment.payment_method \
           left join user on user.key = payment.created_by \
           left join user as changer \
           on changer.key = coalesce(payment.updated_by, payment.created_by)",
    only: None,
    custom: Some("json_extract(payment.custom, "),
    fields: &[
        text("Id", "payment.id"),
        short("AccountId", "account.id", of_account!("payment.account")),
        amount("Amount", "payment.amount"),
        amount("AppliedCreditBalanceAmount", "payment.to_credit_balance + payment.draft_credit"),
        text("Comment", "payment.comment"),
        text("CreatedById", user_id!("user")),
        moment("CreatedDate", "payment.created_ms"),
        column("EffectiveDate", "payment.effective_date", Stored::Day),
        text("Gateway", "payment.gateway"),
        // An electronic payment that is Canceled was a draft.
        text(
            "GatewayState",
            "iif(payment.type = 'External', null, \
             iif(payment.status in ('Draft', 'Canceled'), 'NotSubmitted', \
             iif(payment.is_settled, 'Settled', 'Submitted')))",
        ),
        text("PaymentMethodId", "payment_method.id"),
        text("PaymentNumber", "payment.number"),
        text("ReferenceId", "payment.reference_id"),
        amount("RefundAmount", "payment.refunded"),
        text("Status", "payment.status"),
        text("Type", "payment.type"),
        text("UpdatedById", user_id!("changer")),
        moment("UpdatedDate", "payment.updated_ms"),
    ],
};

pub(super) static PAYMENT_METHOD: Table = Table {
    key: "payment_method.key",
    newest: "select max(payment_method.key) from payment_method",
    from: "payment_method left join account on account.key = payment_method.account \
           left join user on user.key = payment_method.created_by \
           left join user as changer on changer.key = payment_method.updated_by",
    only: None,
    custom: Some("json_extract(payment_method.custom, "),
    fields: &[
        text("Id", "payment_method.id"),
        short("AccountId", "account.id", of_account!("payment_method.account")),
        // Documented to mean "loaded by the system": one that belongs to nobody.
        column("Active", "(payment_method.account is null)", Stored::Boolean),
        text("CreatedById", user_id!("user")),
        moment("CreatedDate", "payment_method.created_ms"),
        text("PaymentMethodStatus", "payment_method.status"),
        text("Type", "payment_method.type"),
        text("UpdatedById", user_id!("changer")),
        moment("UpdatedDate", "payment_method.updated_ms"),
    ],
};
