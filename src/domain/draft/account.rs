//! An Account as a client asks for it, to be created or to be changed.
//!
//! Names, types and lengths by the WSDL and the object's field descriptions. Balances and the dates
//! of the last invoice are the server's.

use super::super::id::ObjectId;
use super::super::money::Currency;
use super::super::vocabulary::{AccountStatus, CustomizedObject};
use super::Field;
use super::common::Common;
use super::fields::{Draft, FieldRule};
use serde::Serialize;

/// The longest AccountNumber, in characters.
const NUMBER_CHARS_MAX: usize = 70;
/// The longest Name and PaymentGateway, in characters.
const NAME_CHARS_MAX: usize = 255;

/// An Account. Fields that a caller may not set are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AccountDraft {
    /// What every draft has, and the values that are only kept.
    pub common: Common,
    /// AccountNumber, unique; a new account without one gets the next.
    pub number: Field<String>,
    /// The currency of its balances.
    pub currency: Field<Currency>,
    /// The method that is used where none is named.
    pub default_method: Field<ObjectId>,
    /// Name.
    pub name: Field<String>,
    /// The account that it belongs below.
    pub parent: Field<ObjectId>,
    /// The gateway of its electronic payments.
    pub gateway: Field<String>,
    /// Where it stands.
    pub status: Field<AccountStatus>,
}

impl Draft for AccountDraft {
    const OBJECT: CustomizedObject = CustomizedObject::Account;
    const FIELDS: &'static [FieldRule<Self>] = &[
        FieldRule::value("AccountNumber", |d, sent| d.number = sent.text(NUMBER_CHARS_MAX)),
        FieldRule::kept_text("AdditionalEmailAddresses", 1200),
        FieldRule::kept_boolean("AllowInvoiceEdit"),
        FieldRule::kept_boolean("AutoPay"),
        FieldRule::kept_text("Batch", 20),
        FieldRule::kept_text("BcdSettingOption", 20),
        FieldRule::kept_number("BillCycleDay", 0, 31),
        FieldRule::kept_id("BillToId"),
        FieldRule::kept_id("CommunicationProfileId"),
        FieldRule::unused_id("CreatedById"),
        FieldRule::kept_text("CrmId", 100),
        FieldRule::value("Currency", |d, sent| d.currency = sent.read(Currency::from_code)),
        FieldRule::kept_text("CustomerServiceRepName", 50),
        FieldRule::id("DefaultPaymentMethodId", |d, sent| d.default_method = sent.object()),
        FieldRule::kept_boolean("InvoiceDeliveryPrefsEmail"),
        FieldRule::kept_boolean("InvoiceDeliveryPrefsPrint"),
        FieldRule::kept_id("InvoiceTemplateId"),
        FieldRule::value("Name", |d, sent| d.name = sent.text(NAME_CHARS_MAX)),
        FieldRule::kept_text("Notes", 65_535),
        FieldRule::id("ParentId", |d, sent| d.parent = sent.object()),
        FieldRule::value("PaymentGateway", |d, sent| d.gateway = sent.text(NAME_CHARS_MAX)),
        FieldRule::kept_text("PaymentTerm", 100),
        FieldRule::kept_text("PurchaseOrderNumber", 100),
        FieldRule::kept_text("SalesRepName", 50),
        FieldRule::kept_id("SoldToId"),
        FieldRule::value("Status", |d, sent| d.status = sent.read(AccountStatus::from_name)),
        FieldRule::kept_text("TaxCompanyCode", 50),
        FieldRule::kept_text("TaxExemptCertificateID", 32),
        FieldRule::kept_text("TaxExemptCertificateType", 32),
        FieldRule::kept_text("TaxExemptDescription", 500),
        FieldRule::kept_text("TaxExemptIssuingJurisdiction", 32),
        FieldRule::kept_text("TaxExemptStatus", 19),
        FieldRule::unused_id("UpdatedById"),
        FieldRule::kept_text("VATId", 25),
    ];

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}
