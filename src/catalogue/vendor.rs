//! The names of the original's objects, whether this gateway keeps any of them or not, so that who
//! asks for one of them is not taken for one who cannot spell.
//!
//! What must stay true: the list holds every name that any published WSDL had, of any version and
//! tenant, in alphabetical order.

use super::Object;

/// The object types of published WSDLs (19 to 83) and of the vendor's object reference. Those that
/// this gateway keeps are among them, and so are those of accounting runs, which left after 29.
const OBJECTS: [&str; 68] = [
    "Account",
    "AccountingCode",
    "AccountingPeriod",
    "AccountingRun",
    "AccountingRunAdjustmentSummary",
    "AccountingRunInvoiceSummary",
    "AccountingRunPaymentSummary",
    "AdjustmentAccountingDetail",
    "Amendment",
    "BillRun",
    "BillingPreviewRun",
    "CommunicationProfile",
    "Contact",
    "ContactSnapshot",
    "CreditBalanceAdjustment",
    "CreditMemo",
    "CreditMemoApplication",
    "CreditMemoItem",
    "CreditMemoPart",
    "CreditTaxationItem",
    "DebitMemo",
    "DebitMemoItem",
    "DebitTaxationItem",
    "Export",
    "Feature",
    "GatewayOption",
    "HostedPage",
    "Import",
    "Invoice",
    "InvoiceAccountingDetail",
    "InvoiceAdjustment",
    "InvoiceFile",
    "InvoiceItem",
    "InvoiceItemAdjustment",
    "InvoicePayment",
    "InvoiceSplit",
    "InvoiceSplitItem",
    "JournalEntry",
    "JournalRun",
    "Payment",
    "PaymentAccountingDetail",
    "PaymentApplication",
    "PaymentGateway",
    "PaymentMethod",
    "PaymentMethodSnapshot",
    "PaymentMethodTransactionLog",
    "PaymentPart",
    "PaymentRun",
    "PaymentTransactionLog",
    "ProcessedUsage",
    "Product",
    "ProductFeature",
    "ProductRatePlan",
    "ProductRatePlanCharge",
    "ProductRatePlanChargeTier",
    "RatePlan",
    "RatePlanCharge",
    "RatePlanChargeTier",
    "Refund",
    "RefundInvoicePayment",
    "RefundPart",
    "RefundTransactionLog",
    "Subscription",
    "SubscriptionProductFeature",
    "TaxationItem",
    "UnitOfMeasure",
    "UpdaterDetail",
    "Usage",
];

/// The original's object of this name, in any case of letters.
pub fn object_named(name: &str) -> Option<&'static str> {
    OBJECTS.into_iter().find(|object| object.eq_ignore_ascii_case(name))
}

/// The original's object of this name, in any case of letters, if this gateway keeps none of it.
pub fn object_not_kept(name: &str) -> Option<&'static str> {
    object_named(name).filter(|object| Object::from_name(object).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_that_is_kept_is_one_of_the_originals() {
        assert!(OBJECTS.is_sorted_by(|one, next| one < next));
        for object in Object::ALL {
            assert_eq!(object_named(object.name()), Some(object.name()));
            assert_eq!(object_not_kept(object.name()), None);
        }
        for name in ["Contact", "contact", "SUBSCRIPTION", "BillRun", "RefundPart", "HostedPage"] {
            assert!(object_not_kept(name).is_some_and(|kept| kept.eq_ignore_ascii_case(name)));
        }
        assert_eq!((object_named("Contct"), object_not_kept("Refnd")), (None, None));
    }
}
