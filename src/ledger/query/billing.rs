//! Which expression of the tables each field is, for accounts and what they were billed and paid.
//! What must stay true is said in `tables`.

use super::columns::{
    Shortcut, Stored, Table, amount, column, columns, kept_or, moment, of_account, short, text,
};
use crate::catalogue::account::AccountField;
use crate::catalogue::invoice::InvoiceField;
use crate::catalogue::payment::{InvoicePaymentField, PaymentField};
use crate::catalogue::payment_method::PaymentMethodField;

/// The id of a user whose row, if any, has this alias. What a seed made was made by no user: for it
/// stands an id that no user has.
macro_rules! user_id {
    ($user:literal) => {
        concat!("coalesce(", $user, ".id, 'bbc5e661e106c6dcd8dc6dd186454c2f')")
    };
}

/// The same where only a seed makes rows.
pub(super) const SYSTEM_USER: &str = "'bbc5e661e106c6dcd8dc6dd186454c2f'";

/// What the invoices of an account add up to; those that owe the customer count against it.
const INVOICES: &str = "(select cast(coalesce(sum(invoice.balance), 0) as bigint) from invoice \
                        where invoice.account = account.key)";

pub(super) static ACCOUNT: Table = Table {
    key: "account.key",
    id: text("account.id"),
    newest: "select max(account.key) from account",
    from: "account left join payment_method \
           on payment_method.key = account.default_payment_method \
           left join account as parent on parent.key = account.parent \
           left join user on user.key = account.created_by \
           left join user as changer on changer.key = account.updated_by",
    only: None,
    custom: Some("account.custom"),
    columns: columns! {
        AccountField {
            AccountNumber = text("account.number"),
            // Nothing here is ever paid without being asked for, unless a client says so.
            AutoPay = kept_or("account.kept", "AutoPay", Stored::Boolean, "0"),
            Balance = amount(INVOICES),
            // The defaults of an account that says nothing else, as recorded.
            Batch = kept_or("account.kept", "Batch", Stored::Text, "'Batch1'"),
            BillCycleDay = kept_or("account.kept", "BillCycleDay", Stored::Decimal, "'1'"),
            CreatedById = text(user_id!("user")),
            CreatedDate = moment("account.created_ms"),
            CreditBalance = amount("account.balance"),
            Currency = text("account.currency"),
            DefaultPaymentMethodId = text("payment_method.id"),
            Name = text("account.name"),
            ParentId = text("parent.id"),
            PaymentGateway = text("account.gateway"),
            PaymentTerm =
                kept_or("account.kept", "PaymentTerm", Stored::Text, "'Due Upon Receipt'"),
            Status = text("account.status"),
            TotalInvoiceBalance = amount(INVOICES),
            UpdatedById = text(user_id!("changer")),
            UpdatedDate = moment("account.updated_ms"),
        }
        kept in "account.kept" {
            AdditionalEmailAddresses, AllowInvoiceEdit, BcdSettingOption, BillToId,
            CommunicationProfileId, CrmId, CustomerServiceRepName, InvoiceDeliveryPrefsEmail,
            InvoiceDeliveryPrefsPrint, InvoiceTemplateId, Notes, PurchaseOrderNumber, SalesRepName,
            SoldToId, TaxCompanyCode, TaxExemptCertificateID, TaxExemptCertificateType,
            TaxExemptDescription, TaxExemptIssuingJurisdiction, TaxExemptStatus, VATId,
        }
        nothing {
            LastInvoiceDate, TaxExemptEffectiveDate, TaxExemptExpirationDate,
        }
    },
};

pub(super) static INVOICE: Table = Table {
    key: "invoice.key",
    id: text("invoice.id"),
    newest: "select max(invoice.key) from invoice",
    from: "invoice left join account on account.key = invoice.account",
    only: None,
    custom: Some("invoice.custom"),
    columns: columns! {
        InvoiceField {
            AccountId = short("account.id", of_account!("invoice.account")),
            AdjustmentAmount = amount(
                "(select cast(coalesce(sum(case when made.type = 'Charge' then made.amount \
                 else -made.amount end), 0) as bigint) \
                 from invoice_adjustment as made \
                 where made.invoice = invoice.key and made.status = 'Processed')",
            ),
            Amount = amount("invoice.amount"),
            Balance = amount("invoice.balance"),
            CreatedById = text(SYSTEM_USER),
            CreatedDate = moment("invoice.created_ms"),
            InvoiceDate = column("invoice.date", Stored::Day),
            InvoiceNumber = text("invoice.number"),
            // A draft pays nothing yet, and one that was taken back nothing any more.
            PaymentAmount = amount(
                "(select cast(coalesce(sum(part.amount), 0) as bigint) \
                 from invoice_payment as part \
                 join payment on payment.key = part.payment \
                 where part.invoice = invoice.key and payment.status = 'Processed')",
            ),
            RefundAmount = amount(
                "(select cast(coalesce(sum(part.refunded), 0) as bigint) \
                 from invoice_payment as part \
                 where part.invoice = invoice.key)",
            ),
            Status = text("'Posted'"),
            // Of an invoice without items only the whole amount is known.
            TaxAmount = amount(
                "(select cast(sum(case when line.item is null then 0 else line.amount end) \
                 as bigint) \
                 from invoice_line as line \
                 where line.invoice = invoice.key)",
            ),
            UpdatedById = text(SYSTEM_USER),
            UpdatedDate = moment("invoice.updated_ms"),
        }
        nothing {
            AmountWithoutTax, Body, Comments, CreditBalanceAdjustmentAmount, DueDate,
            IncludesOneTime, IncludesRecurring, IncludesUsage, LastEmailSentDate, PostedBy,
            PostedDate, RegenerateInvoicePDF, TargetDate, TaxExemptAmount, TransferredToAccounting,
        }
    },
};

pub(super) static INVOICE_PAYMENT: Table = Table {
    key: "invoice_payment.key",
    id: text("invoice_payment.id"),
    newest: "select max(invoice_payment.key) from invoice_payment",
    from: "invoice_payment left join invoice on invoice.key = invoice_payment.invoice \
           left join payment on payment.key = invoice_payment.payment \
           left join account on account.key = invoice.account \
           left join user on user.key = invoice_payment.created_by",
    // One that was unapplied as a whole pays nothing.
    only: Some("invoice_payment.amount > 0"),
    custom: Some("invoice_payment.custom"),
    columns: columns! {
        InvoicePaymentField {
            Amount = amount("invoice_payment.amount"),
            CreatedById = text(user_id!("user")),
            CreatedDate = moment("invoice_payment.created_ms"),
            InvoiceId = short(
                "invoice.id",
                Shortcut::Through(&[
                    "invoice_payment.invoice = (select key from invoice where id = ",
                    ")",
                ]),
            ),
            PaymentId = short(
                "payment.id",
                Shortcut::Through(&[
                    "invoice_payment.payment = (select key from payment where id = ",
                    ")",
                ]),
            ),
            RefundAmount = amount("invoice_payment.refunded"),
            // Only refunds have changed it since.
            UpdatedById = text(user_id!("user")),
            UpdatedDate = moment("invoice_payment.updated_ms"),
        }
    },
};

pub(super) static PAYMENT: Table = Table {
    key: "payment.key",
    id: text("payment.id"),
    newest: "select max(payment.key) from payment",
    from: "payment left join account on account.key = payment.account \
           left join payment_method on payment_method.key = payment.payment_method \
           left join user on user.key = payment.created_by \
           left join user as changer \
           on changer.key = coalesce(payment.updated_by, payment.created_by)",
    only: None,
    custom: Some("payment.custom"),
    columns: columns! {
        PaymentField {
            AccountId = short("account.id", of_account!("payment.account")),
            Amount = amount("payment.amount"),
            AppliedCreditBalanceAmount = amount("payment.to_credit_balance + payment.draft_credit"),
            Comment = text("payment.comment"),
            CreatedById = text(user_id!("user")),
            CreatedDate = moment("payment.created_ms"),
            EffectiveDate = column("payment.effective_date", Stored::Day),
            Gateway = text("payment.gateway"),
            // An electronic payment that is Canceled was a draft.
            GatewayState = text(
                "case when payment.type = 'External' then null \
                 when payment.status in ('Draft', 'Canceled') then 'NotSubmitted' \
                 when payment.is_settled = 1 then 'Settled' else 'Submitted' end",
            ),
            PaymentMethodId = text("payment_method.id"),
            PaymentNumber = text("payment.number"),
            ReferenceId = text("payment.reference_id"),
            RefundAmount = amount("payment.refunded"),
            Status = text("payment.status"),
            Type = text("payment.type"),
            UpdatedById = text(user_id!("changer")),
            UpdatedDate = moment("payment.updated_ms"),
        }
        kept in "payment.kept" {
            AccountingCode, SoftDescriptor, SoftDescriptorPhone,
        }
        nothing {
            AppliedInvoiceAmount, AuthTransactionId, BankIdentificationNumber, CancelledOn,
            GatewayOptionData, GatewayOrderId, GatewayResponse, GatewayResponseCode, InvoiceId,
            InvoiceNumber, InvoicePaymentData, MarkedForSubmissionOn, PaymentMethodSnapshotId,
            SecondPaymentReferenceId, SettledOn, Source, SourceName, SubmittedOn,
            TransferredToAccounting,
        }
    },
};

pub(super) static PAYMENT_METHOD: Table = Table {
    key: "payment_method.key",
    id: text("payment_method.id"),
    newest: "select max(payment_method.key) from payment_method",
    from: "payment_method left join account on account.key = payment_method.account \
           left join user on user.key = payment_method.created_by \
           left join user as changer on changer.key = payment_method.updated_by",
    only: None,
    custom: Some("payment_method.custom"),
    columns: columns! {
        PaymentMethodField {
            AccountId = short("account.id", of_account!("payment_method.account")),
            // Documented to mean "loaded by the system": one that is no user's.
            Active = column("(payment_method.account is null)", Stored::Boolean),
            CreatedById = text(user_id!("user")),
            CreatedDate = moment("payment_method.created_ms"),
            PaymentMethodStatus = text("payment_method.status"),
            Type = text("payment_method.type"),
            UpdatedById = text(user_id!("changer")),
            UpdatedDate = moment("payment_method.updated_ms"),
        }
        kept in "payment_method.kept" {
            AchAbaCode, AchAccountName, AchAccountNumberMask, AchAccountType, AchAddress1,
            AchAddress2, AchBankName, BankBranchCode, BankCheckDigit, BankCity, BankCode, BankName,
            BankPostalCode, BankStreetName, BankStreetNumber, BankTransferAccountName,
            BankTransferAccountNumberMask, BankTransferAccountType, BankTransferType,
            BusinessIdentificationCode, City, Country, CreditCardAddress1, CreditCardAddress2,
            CreditCardCity, CreditCardCountry, CreditCardExpirationMonth, CreditCardExpirationYear,
            CreditCardHolderName, CreditCardMaskNumber, CreditCardPostalCode, CreditCardState,
            CreditCardType, DeviceSessionId, Email, ExistingMandate, FirstName, IPAddress,
            LastName, MandateID, MandateReceived, MaxConsecutivePaymentFailures, Name,
            PaymentRetryWindow, PaypalBaid, PaypalEmail, PaypalPreapprovalKey, PaypalType, Phone,
            PostalCode, SecondTokenId, State, StreetName, StreetNumber, TokenId,
            UseDefaultRetryRule,
        }
        nothing {
            AchAccountNumber, BankIdentificationNumber, BankTransferAccountNumber,
            CreditCardNumber, CreditCardSecurityCode, GatewayOptionData, IBAN,
            LastFailedSaleTransactionDate, LastTransactionDateTime, LastTransactionStatus,
            MandateCreationDate, MandateUpdateDate, NumConsecutiveFailures, SkipValidation,
            TotalNumberOfErrorPayments, TotalNumberOfProcessedPayments,
        }
    },
};
