//! A query whose names exist and whose values fit: what the ledger is asked to find.
//!
//! The tree of ZOQL knows only what was typed. Here it meets the fields that an object has in the
//! caller's version, in the order of the WSDL. What must stay true: a typed query names only fields
//! of that list, by their canonical names, and each of its tests can be decided for every value.

pub mod pattern;

use super::calendar::Moment;
use super::facts::Tenant;
use super::listing;
use super::money::parse_decimal;
use super::version::ApiVersion;
use super::vocabulary::CustomizedObject;
use super::zoql::{Comparator, Comparison, Literal, Operator, Query, SyntaxError};
use crate::catalogue::Object;
use crate::catalogue::field::Kind;
use pattern::Pattern;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An object that can be queried. One more is a variant here and a table of columns in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum QueryObject {
    /// A customer's account.
    Account,
    /// An adjustment of a credit balance, asked for or made by a refund.
    CreditBalanceAdjustment,
    /// An invoice.
    Invoice,
    /// An adjustment of an invoice as a whole.
    InvoiceAdjustment,
    /// A charge of an invoice.
    InvoiceItem,
    /// An adjustment of one line of an invoice.
    InvoiceItemAdjustment,
    /// The part of a payment that pays an invoice.
    InvoicePayment,
    /// A payment.
    Payment,
    /// A payment method.
    PaymentMethod,
    /// A refund.
    Refund,
    /// The part of a refund that takes back a part of its payment.
    RefundInvoicePayment,
    /// An exchange with a gateway about a refund.
    RefundTransactionLog,
    /// The tax on a charge of an invoice.
    TaxationItem,
}

impl QueryObject {
    /// Every object that can be queried.
    pub const ALL: [Self; 13] = [
        Self::Account,
        Self::CreditBalanceAdjustment,
        Self::Invoice,
        Self::InvoiceAdjustment,
        Self::InvoiceItem,
        Self::InvoiceItemAdjustment,
        Self::InvoicePayment,
        Self::Payment,
        Self::PaymentMethod,
        Self::Refund,
        Self::RefundInvoicePayment,
        Self::RefundTransactionLog,
        Self::TaxationItem,
    ];

    /// The object in the catalogue.
    pub const fn object(self) -> Object {
        match self {
            Self::Account => Object::Account,
            Self::CreditBalanceAdjustment => Object::CreditBalanceAdjustment,
            Self::Invoice => Object::Invoice,
            Self::InvoiceAdjustment => Object::InvoiceAdjustment,
            Self::InvoiceItem => Object::InvoiceItem,
            Self::InvoiceItemAdjustment => Object::InvoiceItemAdjustment,
            Self::InvoicePayment => Object::InvoicePayment,
            Self::Payment => Object::Payment,
            Self::PaymentMethod => Object::PaymentMethod,
            Self::Refund => Object::Refund,
            Self::RefundInvoicePayment => Object::RefundInvoicePayment,
            Self::RefundTransactionLog => Object::RefundTransactionLog,
            Self::TaxationItem => Object::TaxationItem,
        }
    }

    /// The name in the WSDL.
    pub const fn name(self) -> &'static str {
        self.object().name()
    }

    /// The object that a query means by `name`, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object| object.name().eq_ignore_ascii_case(name))
    }

    /// The object as one that can have fields of the tenant's own, if it can.
    pub fn customized(self) -> Option<CustomizedObject> {
        CustomizedObject::from_name(self.name())
    }
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Ids, compared letter by letter, also where the options say otherwise.
    Id,
    /// Texts.
    Text,
    /// Amounts and whole numbers.
    Number,
    /// `true` and `false`.
    Boolean,
    /// Moments.
    Moment,
    /// Days, compared only with days.
    Day,
    /// Days that the caller's version writes as moments, and compares with the day that a moment
    /// falls on.
    DayAsMoment,
}

/// A field that can be selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryField {
    /// The name in the WSDL.
    pub name: Cow<'static, str>,
    /// What its values are.
    pub kind: FieldKind,
}

/// A query that can be put to the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypedQuery {
    /// What is looked for.
    pub object: QueryObject,
    /// What is wanted of it: canonical names in the order of the WSDL, none twice.
    pub fields: Vec<String>,
    /// Any group has to hold, and of a group all; no groups at all hold always.
    pub conditions: Vec<Vec<Condition>>,
    /// Whether texts are compared letter by letter.
    pub case_sensitive: bool,
}

/// A condition on one field. A field without a value meets none but [`Test::IsNull`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The field's canonical name.
    pub field: String,
    /// What its value has to be.
    pub test: Test,
}

/// What a value has to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Test {
    /// No value.
    IsNull,
    /// Any value.
    IsNotNull,
    /// An id that compares so.
    Id(Comparator, String),
    /// An id of this pattern.
    IdLike(Pattern),
    /// A text that compares so.
    Text(Comparator, String),
    /// A text of this pattern.
    TextLike(Pattern),
    /// A number that compares so.
    Number(Comparator, Decimal),
    /// This truth value.
    Boolean(bool),
    /// A moment that compares so.
    Moment(Comparator, Moment),
    /// A day that compares so with the day on which a moment falls for the tenant.
    Day(Comparator, Moment),
}

/// Why a query of good syntax cannot be put.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The object has no such field, or not in this version, or not for queries.
    #[error("{object} has no field {field} that can be queried")]
    Field {
        /// The object as typed.
        object: String,
        /// The field in lower case.
        field: String,
    },
    /// The value is none of the field's.
    #[error("{value} is no value of {field}")]
    Value {
        /// The field's canonical name.
        field: String,
        /// The value as typed.
        value: String,
    },
    /// Operator, field and value do not go together.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
}

/// The field that every object inherits and that can be selected.
const ID: QueryField = QueryField { name: Cow::Borrowed("Id"), kind: FieldKind::Id };

/// The fields of `object` that a caller of `version` can query, in the order of its WSDL.
pub fn fields(object: QueryObject, version: ApiVersion, tenant: &Tenant) -> Vec<QueryField> {
    let listed = listing::fields(object.object(), version, tenant);
    let mut fields = Vec::with_capacity(listed.len() + 1);
    fields.push(ID);
    let queried = listed.into_iter().filter(|field| field.is_queried);
    fields.extend(queried.filter_map(|field| {
        let kind = kind_in(field.kind, version)?;
        Some(QueryField { name: field.name, kind })
    }));
    fields
}

/// What values of a kind are in `version`; none for what has parts, which cannot be selected.
fn kind_in(kind: Kind, version: ApiVersion) -> Option<FieldKind> {
    Some(match kind {
        Kind::Id => FieldKind::Id,
        Kind::Text => FieldKind::Text,
        Kind::Decimal | Kind::Int | Kind::Short => FieldKind::Number,
        Kind::Boolean => FieldKind::Boolean,
        Kind::Moment => FieldKind::Moment,
        Kind::Day if version.has_plain_dates() => FieldKind::Day,
        Kind::Day => FieldKind::DayAsMoment,
        Kind::Parts(_) => return None,
    })
}

/// The query about `object`, whose fields in the caller's version are `fields`.
pub fn typed(
    query: &Query,
    object: QueryObject,
    fields: &[QueryField],
    case_sensitive: bool,
) -> Result<TypedQuery, QueryError> {
    let find = |name: &str| {
        let is_it = |(_, field): &(usize, &QueryField)| field.name.eq_ignore_ascii_case(name);
        fields.iter().enumerate().find(is_it).ok_or_else(|| QueryError::Field {
            object: query.object.clone(),
            field: name.to_lowercase(),
        })
    };
    let mut places = Vec::with_capacity(query.fields.len());
    for field in &query.fields {
        places.push(find(field)?.0);
    }
    places.sort_unstable();
    places.dedup();
    let in_order = places.into_iter().filter_map(|place| fields.get(place));
    let in_order = in_order.map(|field| field.name.to_string()).collect();
    let mut conditions = Vec::with_capacity(query.conditions.len());
    for group in &query.conditions {
        let mut tests = Vec::with_capacity(group.len());
        for comparison in group {
            let (_, field) = find(&comparison.field)?;
            let test = test(comparison, field)?;
            tests.push(Condition { field: field.name.to_string(), test });
        }
        conditions.push(tests);
    }
    Ok(TypedQuery { object, fields: in_order, conditions, case_sensitive })
}

fn test(comparison: &Comparison, field: &QueryField) -> Result<Test, QueryError> {
    let misfit = || SyntaxError::Operator { at: comparison.operator_at.0 };
    let comparator = match comparison.operator {
        Operator::Like => return like(comparison, field),
        Operator::Order(comparator) => comparator,
    };
    let is_equality = matches!(comparator, Comparator::Equal | Comparator::NotEqual);
    if comparison.literal == Literal::Null {
        return match comparator {
            Comparator::Equal => Ok(Test::IsNull),
            Comparator::NotEqual => Ok(Test::IsNotNull),
            _ => Err(misfit().into()),
        };
    }
    let text = match &comparison.literal {
        Literal::Quoted(text) | Literal::Bare(text) => text.as_str(),
        Literal::Boolean(true) => "true",
        Literal::Boolean(false) => "false",
        Literal::Null => "null",
    };
    let is_quoted = matches!(comparison.literal, Literal::Quoted(_));
    let moment = || Moment::parse(text.trim());
    let test = match field.kind {
        FieldKind::Id => is_quoted.then(|| Test::Id(comparator, text.to_owned())),
        FieldKind::Text => is_quoted.then(|| Test::Text(comparator, text.to_owned())),
        FieldKind::Number => parse_decimal(text.trim()).map(|it| Test::Number(comparator, it)),
        FieldKind::Boolean if !is_equality => return Err(misfit().into()),
        FieldKind::Boolean => {
            let equal = comparator == Comparator::Equal;
            truth(text).map(|value| Test::Boolean(value == equal))
        }
        FieldKind::Moment => moment().map(|moment| Test::Moment(comparator, moment)),
        // "You can only use a date value to filter a date field" (date field changes, from 69.0).
        FieldKind::Day => Moment::of_day(text.trim()).map(|day| Test::Day(comparator, day)),
        FieldKind::DayAsMoment => moment().map(|moment| Test::Day(comparator, moment)),
    };
    test.ok_or_else(|| QueryError::Value { field: field.name.to_string(), value: text.to_owned() })
}

fn truth(text: &str) -> Option<bool> {
    let is = |word: &str| text.trim().eq_ignore_ascii_case(word);
    if is("true") { Some(true) } else { is("false").then_some(false) }
}

fn like(comparison: &Comparison, field: &QueryField) -> Result<Test, QueryError> {
    let misfit = SyntaxError::Operator { at: comparison.operator_at.0 };
    let Literal::Quoted(text) = &comparison.literal else {
        return Err(misfit.into());
    };
    let pattern =
        || Pattern::parse(text).ok_or(SyntaxError::Pattern { at: comparison.literal_at.0 });
    match field.kind {
        FieldKind::Id => Ok(Test::IdLike(pattern()?)),
        FieldKind::Text => Ok(Test::TextLike(pattern()?)),
        _ => Err(misfit.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::zoql::parse;

    const fn field(name: &'static str, kind: FieldKind) -> QueryField {
        QueryField { name: Cow::Borrowed(name), kind }
    }

    const FIELDS: [QueryField; 8] = [
        field("Id", FieldKind::Id),
        field("Active", FieldKind::Boolean),
        field("Amount", FieldKind::Number),
        field("Comment", FieldKind::Text),
        field("CreatedDate", FieldKind::Moment),
        field("RefundDate", FieldKind::Day),
        field("OldDate", FieldKind::DayAsMoment),
        field("Status", FieldKind::Text),
    ];

    fn read(text: &str) -> Result<TypedQuery, QueryError> {
        typed(&parse(text).unwrap(), QueryObject::Refund, &FIELDS, false)
    }

    fn only_test(condition: &str) -> Result<Test, QueryError> {
        let query = read(&format!("select Id from Refund where {condition}"))?;
        Ok(query.conditions[0][0].test.clone())
    }

    #[test]
    fn fields_come_in_wsdl_order_under_their_own_names() {
        let query = read("select STATUS, amount, iD, Status from refund").unwrap();
        assert_eq!(query.fields, ["Id", "Amount", "Status"]);
    }

    #[test]
    fn a_field_that_cannot_be_queried_is_told_as_it_was_recorded() {
        for (query, field) in [
            ("select PaymentID from reFund", "paymentid"),
            ("select Nonsense from reFund", "nonsense"),
            ("select Id from reFund where PaymentId = 'x'", "paymentid"),
        ] {
            let expected =
                QueryError::Field { object: "reFund".to_owned(), field: field.to_owned() };
            assert_eq!(read(query), Err(expected), "{query}");
        }
    }

    #[test]
    fn what_is_for_create_alone_and_what_has_parts_cannot_be_queried() {
        let fields = fields(QueryObject::Refund, ApiVersion::LAST, &Tenant::default());
        let names: Vec<_> = fields.iter().map(|field| &*field.name).collect();
        assert_eq!(names[..3], ["Id", "AccountId", "AccountingCode"]);
        for hidden in ["PaymentId", "GatewayOptionData", "RefundInvoicePaymentData"] {
            assert!(!names.contains(&hidden), "{hidden}");
        }
        assert_eq!(names.len() + 3, QueryObject::Refund.object().fields().len() + 1);
    }

    #[test]
    fn values_have_to_fit_their_fields() {
        let ten = Decimal::from(10);
        assert_eq!(only_test("Amount = 10.0"), Ok(Test::Number(Comparator::Equal, ten)));
        assert_eq!(only_test("Amount <= '10'"), Ok(Test::Number(Comparator::LessOrEqual, ten)));
        assert_eq!(only_test("Active != true"), Ok(Test::Boolean(false)));
        assert_eq!(only_test("Active = 'FALSE'"), Ok(Test::Boolean(false)));
        assert_eq!(only_test("Comment = null"), Ok(Test::IsNull));
        for good in [
            "CreatedDate > 2026-01-02T03:04:05",
            "CreatedDate > '2026-01-02T03:04:05.678-08:00'",
            "RefundDate = '2026-01-02'",
            "RefundDate = 2026-01-02Z",
            "RefundDate >= '2026-01-02-08:00'",
            "OldDate = 2026-01-02+14:00",
            "OldDate != 2026-01-02",
            "OldDate = '2026-01-02T03:04:05Z'",
            "Id like '4028%'",
            "Comment like '%a_'",
        ] {
            assert!(only_test(good).is_ok(), "{good}");
        }
        for (bad, field, value) in [
            ("Amount = 'ten'", "Amount", "ten"),
            ("Amount = true", "Amount", "true"),
            ("Comment = 10", "Comment", "10"),
            ("Id = 402892", "Id", "402892"),
            ("RefundDate = 'tomorrow'", "RefundDate", "tomorrow"),
            ("RefundDate = '2026-01-02+15:00'", "RefundDate", "2026-01-02+15:00"),
            ("RefundDate = '2026-01-02T00:00:00'", "RefundDate", "2026-01-02T00:00:00"),
            ("RefundDate = 2026-01-02T00:00:00Z", "RefundDate", "2026-01-02T00:00:00Z"),
            ("CreatedDate = 10", "CreatedDate", "10"),
            ("Active = 1", "Active", "1"),
        ] {
            let (field, value) = (field.to_owned(), value.to_owned());
            let expected = QueryError::Value { field, value };
            assert_eq!(only_test(bad), Err(expected), "{bad}");
        }
    }

    #[test]
    fn an_operator_has_to_fit_its_field_and_value() {
        for (bad, at) in [
            ("Amount like '1%'", 36),
            ("Amount > null", 36),
            ("Active < true", 36),
            ("Comment like null", 37),
            ("Comment like 10", 37),
        ] {
            let expected = QueryError::Syntax(SyntaxError::Operator { at });
            assert_eq!(only_test(bad), Err(expected), "{bad}");
        }
        for bad in ["%a%", "a%b", "%%"] {
            let expected = QueryError::Syntax(SyntaxError::Pattern { at: 42 });
            assert_eq!(only_test(&format!("Comment like '{bad}'")), Err(expected), "{bad}");
        }
    }
}
