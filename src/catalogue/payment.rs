//! The tables of Payment and of InvoicePayment, the part of one that pays an invoice.
//!
//! Names, types and lengths by the WSDL and the objects' field descriptions. Refunded amounts,
//! numbers and what a gateway answered are the server's.

use super::field::{day, decimal, fields, id, moment, parts, text};
use super::vocabulary::{GatewayState, PaymentStatus, PaymentType, TransferredToAccounting};

fields! {
    /// The fields of a Payment.
    PaymentField {
        AccountId = id().created(),
        AccountingCode = text().max(100).kept(),
        Amount = decimal().created(),
        AppliedCreditBalanceAmount = decimal().since(22).of_credit().created(),
        AppliedInvoiceAmount = decimal().created().unqueried(),
        AuthTransactionId = text(),
        BankIdentificationNumber = text(),
        CancelledOn = moment(),
        Comment = text().max(255).written().clearable(),
        CreatedById = id(),
        CreatedDate = moment(),
        EffectiveDate = day().created(),
        Gateway = text(),
        GatewayOptionData = parts("zns:GatewayOptionData").since(30),
        GatewayOrderId = text(),
        GatewayResponse = text(),
        GatewayResponseCode = text(),
        GatewayState = text().of(GatewayState::NAMES),
        InvoiceId = id().created().unqueried(),
        InvoiceNumber = text().max(255).created().unqueried(),
        InvoicePaymentData = parts("zns:InvoicePaymentData").since(39),
        MarkedForSubmissionOn = moment(),
        PaymentMethodId = id().created(),
        PaymentMethodSnapshotId = id().since(61),
        PaymentNumber = text(),
        ReferenceId = text().max(60).written().clearable(),
        RefundAmount = decimal(),
        SecondPaymentReferenceId = text(),
        SettledOn = moment(),
        SoftDescriptor = text().max(35).kept(),
        SoftDescriptorPhone = text().max(20).kept(),
        Source = text(),
        SourceName = text(),
        Status = text().of(PaymentStatus::NAMES).written(),
        SubmittedOn = moment(),
        TransferredToAccounting = text().since(27).of(TransferredToAccounting::NAMES),
        Type = text().of(PaymentType::NAMES).created(),
        UpdatedById = id(),
        UpdatedDate = moment(),
    }
}

fields! {
    /// The fields of an InvoicePayment.
    InvoicePaymentField {
        Amount = decimal().created(),
        CreatedById = id(),
        CreatedDate = moment(),
        InvoiceId = id().created(),
        PaymentId = id().created(),
        RefundAmount = decimal(),
        UpdatedById = id(),
        UpdatedDate = moment(),
    }
}
