//! The tables of Refund and of what goes with it: names, types and lengths by the WSDL and the
//! objects' field descriptions.

use super::field::{day, decimal, fields, id, moment, parts, text};
use super::vocabulary::{
    GatewayState, MethodType, RefundStatus, RefundType, SourceType, TransferredToAccounting,
};

fields! {
    /// The fields of a Refund.
    RefundField {
        AccountId = id().created(),
        AccountingCode = text(),
        Amount = decimal().created(),
        CancelledOn = moment().since(32),
        Comment = text().max(255).created(),
        CreatedById = id().since(25),
        CreatedDate = moment().since(25),
        Gateway = text(),
        GatewayOptionData = parts("zns:GatewayOptionData").since(30).created(),
        GatewayResponse = text(),
        GatewayResponseCode = text(),
        GatewayState = text().since(30).of(GatewayState::NAMES),
        MarkedForSubmissionOn = moment().since(30),
        MethodType = text().of(MethodType::NAMES).created(),
        PaymentId = id().created().unqueried(),
        PaymentMethodId = id().since(30).created(),
        PaymentMethodSnapshotId = id().since(61),
        ReasonCode = text().since(45).max(32).written().clearable(),
        ReferenceID = text(),
        RefundDate = day().created(),
        RefundInvoicePaymentData = parts("zns:RefundInvoicePaymentData").since(64).created(),
        RefundNumber = text(),
        RefundTransactionTime = moment(),
        SecondRefundReferenceId = text().since(48),
        SettledOn = moment().since(30),
        SoftDescriptor = text().since(35).max(35).created(),
        SoftDescriptorPhone = text().since(35).max(20).created(),
        SourceType = text().since(27).of(SourceType::SENT_NAMES).created(),
        Status = text().of(RefundStatus::NAMES).updated(),
        SubmittedOn = moment().since(30),
        TransferredToAccounting =
            text().since(27).of(TransferredToAccounting::NAMES).updated().clearable(),
        Type = text().of(RefundType::NAMES).created(),
        UpdatedById = id().since(25),
        UpdatedDate = moment().since(25),
    }
}

fields! {
    /// The fields of a RefundInvoicePayment.
    RefundInvoicePaymentField {
        CreatedById = id().since(25),
        CreatedDate = moment().since(25),
        InvoiceId = id().since(64),
        InvoicePaymentId = id(),
        RefundAmount = decimal(),
        RefundId = id(),
        UpdatedById = id().since(25),
        UpdatedDate = moment().since(25),
    }
}

fields! {
    /// The fields of a RefundTransactionLog.
    RefundTransactionLogField {
        BatchId = text(),
        Gateway = text(),
        GatewayReasonCode = text(),
        GatewayReasonCodeDescription = text(),
        GatewayState = text().of(GatewayState::NAMES),
        GatewayTransactionType = text(),
        RefundId = id(),
        RequestString = text(),
        ResponseString = text(),
        TransactionDate = moment(),
        TransactionId = text(),
    }
}

fields! {
    /// The fields of a GatewayOption.
    #[allow(non_camel_case_types)]
    GatewayOptionField {
        name = text(),
        value = text(),
    }
}
