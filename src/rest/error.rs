//! What is wrong with a call, as the v1 operations report it: an eight-digit code, whose first six
//! digits say what it is about and whose last two say what is wrong, a text, and an HTTP status.
//!
//! Source: "Error handling" of the vendor's REST reference for categories and statuses. The digits
//! of objects and fields are not published; ours are `resource` below, and docs/FAULTS.md lists
//! them.

use super::version::ZuoraVersion;
use crate::domain::row_error::{Category, RowError};
use crate::domain::text::Text;

/// What is wrong, by the last two digits of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// What the domain decided.
    By(Category),
    /// The caller is not known (11).
    Unauthenticated,
    /// A parameter of the query is of a wrong form (20).
    Parameter,
    /// The path takes other methods (45).
    Method,
    /// The body is of another type, or in a coding that is not served (45).
    MediaType,
    /// The body is larger than is read (70).
    TooLarge,
    /// The body was not there in time (61).
    TooSlow,
    /// The body is no JSON document, or one that readers disagree about (90).
    Malformed,
    /// A header is of a wrong form (20).
    Header,
    /// The Idempotency-Key came with another URL, method or body before (30).
    KeyReused,
    /// A request with this Idempotency-Key is under way (50).
    KeyRunning,
    /// Too many requests came, or are under way (70).
    TooMany,
    /// There is nothing at the path (40).
    NoPath,
}

impl Wrong {
    /// The last two digits of the code.
    pub(super) const fn digits(self) -> u8 {
        match self {
            Self::By(category) => category.digits(),
            Self::Unauthenticated => 11,
            Self::Parameter | Self::Header => 20,
            Self::KeyReused => 30,
            Self::Method | Self::MediaType => 45,
            Self::KeyRunning => 50,
            Self::TooSlow => 61,
            Self::NoPath => 40,
            Self::TooLarge | Self::TooMany => 70,
            Self::Malformed => 90,
        }
    }

    /// The HTTP status at a version. Statuses that HTTP itself gives a meaning, and those of access
    /// and of idempotency, are the same in every version.
    pub(super) fn status(self, version: ZuoraVersion) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Method => 405,
            Self::KeyRunning => 409,
            Self::TooSlow => 408,
            Self::TooLarge => 413,
            Self::MediaType => 415,
            Self::KeyReused => 422,
            Self::TooMany => 429,
            Self::NoPath => 404,
            Self::Header => 400,
            _ if !version.has_statuses() => 200,
            Self::Parameter | Self::Malformed => 400,
            Self::By(category) => of_category(category),
        }
    }
}

const fn of_category(category: Category) -> u16 {
    match category {
        Category::Permission => 403,
        Category::Invalid | Category::UnknownField | Category::Missing | Category::Rule => 400,
        Category::NotFound => 404,
        Category::Locked => 409,
        Category::Limit => 429,
        Category::Internal | Category::Temporary | Category::Integration => 500,
    }
}

/// What a code is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    /// A request without a body, or one that did not come as far as its body.
    Request,
    /// A refund of a credit memo.
    MemoRefund,
    /// A refund of a payment.
    PaymentRefund,
    /// A refund that is there.
    Refund,
    /// A credit memo.
    CreditMemo,
    /// A payment.
    Payment,
}

impl Resource {
    /// The first six digits for the object as a whole.
    pub(super) const fn digits(self) -> u32 {
        match self {
            Self::Request => 500_000,
            Self::MemoRefund => 541_000,
            Self::PaymentRefund => 542_000,
            Self::Refund => 543_000,
            Self::CreditMemo => 544_000,
            Self::Payment => 545_000,
        }
    }
}

/// Fields that have digits of their own, added to those of their object; the place in the list is
/// the number, so that names are only ever added at its end.
pub(super) const FIELDS: [&str; 50] = [
    "type",
    "totalAmount",
    "methodType",
    "paymentMethodId",
    "gatewayId",
    "refundDate",
    "comment",
    "reasonCode",
    "referenceId",
    "secondRefundReferenceId",
    "softDescriptor",
    "softDescriptorPhone",
    "refundTransactionType",
    "items",
    "items.amount",
    "items.creditMemoItemId",
    "items.creditTaxItemId",
    "customRates",
    "customRates.currency",
    "customRates.customFxRate",
    "customRates.rateDate",
    "financeInformation",
    "financeInformation.bankAccountAccountingCode",
    "financeInformation.onAccountAccountingCode",
    "financeInformation.unappliedPaymentAccountingCode",
    "financeInformation.transferredToAccounting",
    "gatewayOptions",
    "IntegrationId__NS",
    "IntegrationStatus__NS",
    "Origin__NS",
    "SyncDate__NS",
    "SynctoNetSuite__NS",
    "invoices",
    "invoices.invoiceId",
    "invoices.amount",
    "writeOff",
    "writeOffOptions",
    "accountId",
    "amount",
    "currency",
    "effectiveDate",
    "action",
    "actionDate",
    "gatewayReconciliationStatus",
    "payoutId",
    "debitMemos",
    "writeOffOptions.comment",
    "writeOffOptions.memoDate",
    "writeOffOptions.reasonCode",
    "writeOffOptions.taxAutoCalculation",
];

/// The first six digits of a code about a field of `resource`; those of the object itself where the
/// field has none.
pub(super) fn resource(resource: Resource, field: Option<&str>) -> u32 {
    let place = field.and_then(|field| FIELDS.iter().position(|known| *known == field));
    let number = place.and_then(|place| u32::try_from(place + 1).ok()).unwrap_or(0);
    resource.digits() + number
}

/// What is wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    /// What is wrong.
    pub(super) wrong: Wrong,
    /// The first six digits of its code.
    resource: u32,
    /// What the answer says.
    pub(super) message: Text,
}

impl Reason {
    /// What is wrong with a field of `of`, or with the whole of it.
    pub(super) fn new(wrong: Wrong, of: Resource, field: Option<&str>, message: Text) -> Self {
        Self { wrong, resource: resource(of, field), message }
    }

    /// What is wrong, with a code that is the vendor's.
    pub(super) const fn with_code(wrong: Wrong, code: u32, message: Text) -> Self {
        Self { wrong, resource: code / 100, message }
    }

    /// What is wrong before anything of the body counts.
    pub(super) fn of_request(wrong: Wrong, message: Text) -> Self {
        Self::new(wrong, Resource::Request, None, message)
    }

    /// What the rules found.
    pub(super) fn of_row(error: &RowError, of: Resource) -> Self {
        let field = error.field();
        Self::new(Wrong::By(error.category()), of, field, error.message.clone())
    }

    /// The code.
    pub(super) fn code(&self) -> u32 {
        self.resource * 100 + u32::from(self.wrong.digits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every resource, and what it is.
    const RESOURCES: [(Resource, &str); 6] = [
        (Resource::Request, "a request without a body"),
        (Resource::MemoRefund, "refund of a credit memo"),
        (Resource::PaymentRefund, "refund of a payment"),
        (Resource::Refund, "refund"),
        (Resource::CreditMemo, "credit memo"),
        (Resource::Payment, "payment"),
    ];

    #[test]
    fn every_code_is_documented() {
        let page = include_str!("../../docs/FAULTS.md");
        for (resource, what) in RESOURCES {
            let line = format!("| {} | {what} |", resource.digits());
            assert!(page.contains(&line), "{line}");
        }
        for (number, field) in (1..).zip(FIELDS) {
            let line = format!("| {number} | `{field}` |");
            assert!(page.contains(&line), "{line}");
        }
    }

    #[test]
    fn a_code_says_what_and_where() {
        let text = || Text::verbatim("x".to_owned());
        let missing = Wrong::By(Category::Missing);
        let reason = Reason::new(missing, Resource::PaymentRefund, Some("type"), text());
        assert_eq!(reason.code(), 54_200_122);
        assert_eq!(Reason::of_request(Wrong::By(Category::NotFound), text()).code(), 50_000_040);
        let unknown = Reason::new(missing, Resource::MemoRefund, Some("nothing"), text());
        assert_eq!(unknown.code(), 54_100_022);
        let row = RowError::missing("totalAmount");
        assert_eq!(Reason::of_row(&row, Resource::MemoRefund).code(), 54_100_222);
    }

    #[test]
    fn before_the_version_of_statuses_a_category_is_answered_with_200() {
        let (old, new) = (ZuoraVersion::meant_by("341.0"), ZuoraVersion::newest());
        for (wrong, before, since) in [
            (Wrong::By(Category::Permission), 200, 403),
            (Wrong::By(Category::Missing), 200, 400),
            (Wrong::By(Category::NotFound), 200, 404),
            (Wrong::Malformed, 200, 400),
            (Wrong::Unauthenticated, 401, 401),
            (Wrong::KeyRunning, 409, 409),
            (Wrong::KeyReused, 422, 422),
            (Wrong::MediaType, 415, 415),
        ] {
            assert_eq!((wrong.status(old), wrong.status(new)), (before, since), "{wrong:?}");
        }
    }

    #[test]
    fn no_two_resources_share_digits() {
        let mut all: Vec<u32> = RESOURCES.iter().map(|(one, _)| one.digits()).collect();
        all.dedup();
        assert_eq!(all.len(), RESOURCES.len());
        assert!(FIELDS.len() < 1_000);
    }
}
