//! The table of Account: fields, types and lengths by the WSDL and the object's field descriptions.
//!
//! Of its history no more is known than `wsdl/README.md` says.

use super::field::{boolean, day, decimal, fields, id, int, moment, text};
use super::vocabulary::AccountStatus;

fields! {
    /// The fields of an Account.
    AccountField {
        AccountNumber = text().max(70).written(),
        AdditionalEmailAddresses = text().max(1200).kept(),
        AllowInvoiceEdit = boolean().kept(),
        AutoPay = boolean().kept(),
        Balance = decimal(),
        Batch = text().max(20).kept(),
        BcdSettingOption = text().max(20).kept(),
        BillCycleDay = int().not_nillable().between(0, 31).kept(),
        BillToId = id().kept(),
        CommunicationProfileId = id().kept(),
        CreatedById = id(),
        CreatedDate = moment(),
        CreditBalance = decimal().since(22).of_credit(),
        CrmId = text().max(100).kept(),
        Currency = text().written(),
        CustomerServiceRepName = text().max(50).kept(),
        DefaultPaymentMethodId = id().written().clearable(),
        InvoiceDeliveryPrefsEmail = boolean().kept(),
        InvoiceDeliveryPrefsPrint = boolean().kept(),
        InvoiceTemplateId = id().kept(),
        LastInvoiceDate = day(),
        Name = text().max(255).written(),
        Notes = text().max(65_535).kept(),
        ParentId = id().since(25).until(82).written().clearable(),
        PaymentGateway = text().max(255).written().clearable(),
        PaymentTerm = text().max(100).kept(),
        PurchaseOrderNumber = text().max(100).kept(),
        SalesRepName = text().max(50).kept(),
        SoldToId = id().kept(),
        Status = text().of(AccountStatus::NAMES).written(),
        TaxCompanyCode = text().max(50).kept(),
        TaxExemptCertificateID = text().max(32).kept(),
        TaxExemptCertificateType = text().max(32).kept(),
        TaxExemptDescription = text().max(500).kept(),
        TaxExemptEffectiveDate = day(),
        TaxExemptExpirationDate = day(),
        TaxExemptIssuingJurisdiction = text().max(32).kept(),
        TaxExemptStatus = text().max(19).kept(),
        TotalInvoiceBalance = decimal(),
        UpdatedById = id(),
        UpdatedDate = moment(),
        VATId = text().max(25).kept(),
    }
}
