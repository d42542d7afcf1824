//! The tables of Invoice and of its lines, InvoiceItem and TaxationItem: a seed makes them, and no
//! caller sets a field of theirs.

use super::field::{boolean, day, decimal, fields, id, moment, text};
use super::vocabulary::TransferredToAccounting;

fields! {
    /// The fields of an Invoice.
    InvoiceField {
        AccountId = id(),
        AdjustmentAmount = decimal(),
        Amount = decimal(),
        AmountWithoutTax = decimal(),
        Balance = decimal(),
        Body = text(),
        Comments = text(),
        CreatedById = id(),
        CreatedDate = moment(),
        CreditBalanceAdjustmentAmount = decimal().since(22).of_credit(),
        DueDate = day(),
        IncludesOneTime = boolean(),
        IncludesRecurring = boolean(),
        IncludesUsage = boolean(),
        InvoiceDate = day(),
        InvoiceNumber = text(),
        LastEmailSentDate = moment(),
        PaymentAmount = decimal(),
        PostedBy = text(),
        PostedDate = moment(),
        RefundAmount = decimal(),
        RegenerateInvoicePDF = boolean().unqueried(),
        Status = text(),
        TargetDate = day(),
        TaxAmount = decimal(),
        TaxExemptAmount = decimal(),
        TransferredToAccounting = text().since(27).of(TransferredToAccounting::NAMES),
        UpdatedById = id(),
        UpdatedDate = moment(),
    }
}

fields! {
    /// The fields of an InvoiceItem.
    InvoiceItemField {
        AccountingCode = text(),
        AppliedToInvoiceItemId = id(),
        ChargeAmount = decimal(),
        ChargeDate = moment(),
        ChargeDescription = text(),
        ChargeName = text(),
        ChargeNumber = text(),
        CreatedById = id(),
        CreatedDate = moment(),
        InvoiceId = id(),
        ProcessingType = text(),
        ProductDescription = text(),
        ProductId = id(),
        ProductName = text(),
        Quantity = decimal(),
        RatePlanChargeId = id(),
        RevRecCode = text(),
        RevRecStartDate = day(),
        RevRecTriggerCondition = text(),
        ServiceEndDate = day(),
        ServiceStartDate = day(),
        SKU = text(),
        SubscriptionId = id(),
        SubscriptionNumber = text(),
        TaxAmount = decimal(),
        TaxExemptAmount = decimal(),
        UnitPrice = decimal(),
        UOM = text(),
        UpdatedById = id(),
        UpdatedDate = moment(),
    }
}

fields! {
    /// The fields of a TaxationItem.
    TaxationItemField {
        AccountingCode = text(),
        CreatedById = id(),
        CreatedDate = moment(),
        ExemptAmount = decimal(),
        InvoiceId = id(),
        InvoiceItemId = id(),
        Jurisdiction = text(),
        LocationCode = text(),
        Name = text(),
        TaxAmount = decimal(),
        TaxCode = text(),
        TaxCodeDescription = text(),
        TaxDate = day(),
        TaxRate = decimal(),
        TaxRateDescription = text(),
        TaxRateType = text(),
        UpdatedById = id(),
        UpdatedDate = moment(),
    }
}
