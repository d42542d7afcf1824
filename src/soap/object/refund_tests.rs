//! Elements of a zObject of type Refund, as its draft reads them.

use super::*;
use crate::domain::custom_field::CustomFields;
use crate::domain::custom_field::{CustomField, CustomName, CustomType};
use crate::domain::custom_value::CustomDraft;
use crate::domain::draft::Field;
use crate::domain::draft::reading::FromSource as _;
use crate::domain::draft::source::{Purpose, Read};
use crate::domain::draft::{GatewayOption, RefundDraft};
use crate::domain::error_code::ErrorCode;
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::CustomizedObject;
use crate::xml::{XmlLimits, parse};

const ID: &str = "402892c72b9e3319012b9e34b88e0001";
const OTHER_ID: &str = "402892c72b9e3319012b9e34b88e0002";

fn try_read(fields: &str) -> Result<Read<RefundDraft>, Fault> {
    let text = format!(
        "<z:zObjects xmlns:z='http://api.zuora.com/' xmlns='http://object.api.zuora.com/' \
         xmlns:i='http://www.w3.org/2001/XMLSchema-instance'>{fields}</z:zObjects>"
    );
    let document = parse(&text, &XmlLimits::default()).expect(&text);
    RefundDraft::read_from(document.root(), Purpose::Create, &own_fields())
}

fn own_fields() -> CustomFields {
    let name = CustomName::parse("Case__c").expect("a name");
    let (object, custom_type) = (CustomizedObject::Refund, CustomType::String { length: 5 });
    let (is_required, is_advanced) = (false, false);
    CustomFields::new(vec![CustomField { object, name, custom_type, is_required, is_advanced }])
}

fn draft(fields: &str) -> RefundDraft {
    try_read(fields).expect(fields).draft
}

fn wrong<T: Clone>(field: &Field<T>) -> Option<RowError> {
    match field {
        Field::Wrong(error) => Some(error.clone()),
        Field::Absent | Field::Given(_) => None,
    }
}

#[test]
fn fields_are_read_in_any_order_and_namespace_of_ours() {
    let expected = draft(&format!(
        "<AccountId>{ID}</AccountId><Amount>10.5</Amount><Comment>c</Comment>\
         <Type>External</Type>"
    ));
    assert!(expected.amount.given().is_some() && expected.refund_type.given().is_some());
    let shuffled = draft(&format!(
        "<z:Type>\n External </z:Type><Comment xmlns=''><![CDATA[c]]></Comment>\
         <Amount xmlns:x='http://www.w3.org/2001/XMLSchema' i:type='x:float'>10<!-- -->.5</Amount>\
         <a:AccountId xmlns:a='http://object.api.zuora.com/'>{ID}</a:AccountId>"
    ));
    assert_eq!(shuffled.account_id, expected.account_id);
    assert_eq!(shuffled.amount, expected.amount);
    assert_eq!(shuffled.comment, expected.comment);
    assert_eq!(shuffled.refund_type, expected.refund_type);
}

#[test]
fn nil_is_absent_on_any_field() {
    for name in [
        "Id",
        "AccountId",
        "Amount",
        "PaymentMethodId",
        "Status",
        "CreatedById",
        "RefundDate",
        "GatewayOptionData",
        "RefundInvoicePaymentData",
        "fieldsToNull",
        "Foo",
    ] {
        for nil in ["true", "1"] {
            let read = try_read(&format!("<{name} i:nil='{nil}'>x</{name}>")).expect(name);
            assert_eq!(read.draft, RefundDraft::default(), "{name}");
            assert_eq!(read.ignored_fields, 0);
        }
    }
    let error = draft("<Amount i:nil='false'>x</Amount>").amount;
    assert!(wrong(&error).is_some());
}

#[test]
fn blank_is_absent_for_ids_too() {
    let blank = "<Amount/><Comment> \n</Comment><Type></Type><AccountId/><PaymentMethodID/>\
                 <Id/><UpdatedById> </UpdatedById><PaymentId></PaymentId>";
    assert_eq!(draft(blank), RefundDraft::default());
    for name in ["AccountId", "PaymentMethodID", "Id", "UpdatedById", "PaymentId"] {
        let malformed = draft(&format!("<{name}>?</{name}>")).common.malformed_id.expect(name);
        assert_eq!(malformed.error.code, ErrorCode::InvalidId);
    }
}

#[test]
fn a_field_that_comes_twice_is_wrong_even_if_both_are_equal() {
    let twice = draft("<Amount>1</Amount><Type>External</Type><Amount> 1 </Amount>");
    assert_eq!(wrong(&twice.amount), Some(RowError::invalid("Amount", "1")));
    assert!(twice.refund_type.given().is_some());
    let absent_counts_as_nothing = draft("<Amount>1</Amount><Amount i:nil='1'/><Amount/>");
    assert!(absent_counts_as_nothing.amount.given().is_some());
}

#[test]
fn the_documented_spelling_is_the_same_field() {
    let alias = draft(&format!("<PaymentMethodID>{ID}</PaymentMethodID>"));
    assert!(alias.payment_method_id.given().is_some());
    let both = format!("<PaymentMethodId>{ID}</PaymentMethodId>");
    let equal = draft(&format!("{both}<PaymentMethodID> {ID}</PaymentMethodID>"));
    assert_eq!(equal.payment_method_id, alias.payment_method_id);
    let other = draft(&format!("{both}<PaymentMethodID>{OTHER_ID}</PaymentMethodID>"));
    let error = RowError::invalid("PaymentMethodId", OTHER_ID);
    assert_eq!(wrong(&other.payment_method_id), Some(error));
    let nil = draft(&format!("{both}<PaymentMethodID i:nil='true'/>"));
    assert_eq!(nil.payment_method_id, alias.payment_method_id);
    let thrice = draft(&format!("{both}<PaymentMethodID>{ID}</PaymentMethodID>{both}"));
    assert!(wrong(&thrice.payment_method_id).is_some());
}

#[test]
fn a_second_id_that_is_none_is_told_as_such() {
    let read = draft(&format!("<AccountId>{ID}</AccountId><AccountId>x</AccountId>"));
    assert_eq!(
        read.common.malformed_id.expect("told").error,
        RowError::invalid_id("AccountId", "x")
    );
    let read = draft(&format!(
        "<PaymentMethodID>{ID}</PaymentMethodID><PaymentMethodId>x</PaymentMethodId>"
    ));
    let expected = RowError::invalid_id("PaymentMethodId", "x");
    assert_eq!(read.common.malformed_id.expect("told").error, expected);
}

#[test]
fn a_scalar_field_that_holds_elements_is_wrong() {
    let read = draft("<Amount><value>1</value></Amount><AccountId>\n<a/></AccountId>");
    assert_eq!(wrong(&read.amount), Some(RowError::invalid("Amount", "")));
    assert_eq!(wrong(&read.account_id), Some(RowError::invalid("AccountId", "")));
    let text = draft("<Comment>a<b/></Comment>");
    assert_eq!(wrong(&text.comment), Some(RowError::invalid("Comment", "a")));
}

#[test]
fn fields_that_may_not_be_sent_are_passed_over_and_counted() {
    let read = try_read(
        "<x:Amount xmlns:x='urn:x'>1</x:Amount><Status>Processed</Status><amount>1</amount>\
         <RefundNumber/><x:include xmlns:x='urn:x' href='file'/>\
         <fieldsToNull>Comment</fieldsToNull>",
    )
    .expect("read");
    assert_eq!(read.ignored_fields, 3);
    assert_eq!(read.draft.common.unknown_field.as_deref(), Some("Amount"));
    let mut known = read.draft;
    known.common.unknown_field = None;
    assert_eq!(known, RefundDraft::default());
}

#[test]
fn fields_of_the_tenants_own_are_read_by_their_very_names() {
    let given = draft("<z:Case__c> abc </z:Case__c>").common.custom;
    let mut expected = CustomDraft::default();
    let fields = own_fields();
    let field = fields.find(CustomizedObject::Refund, "Case__c").expect("declared");
    expected.set(field, "abc");
    assert_eq!(given, expected);
    assert_eq!(draft("<Case__c>abc<b/></Case__c>").common.custom, {
        let mut wrong = CustomDraft::default();
        wrong.refuse(field, "abc");
        wrong
    });
    assert!(draft("<Case__c/><Case__c i:nil='1'>x</Case__c>").common.custom.is_empty());
    let unknown = try_read("<case__c>a</case__c><Other__c>b</Other__c>").expect("read");
    assert_eq!((unknown.ignored_fields, unknown.draft.common.custom.is_empty()), (2, true));
}

#[test]
fn gateway_options_are_read_from_any_namespace_of_ours() {
    let read = draft(
        "<GatewayOptionData>\
         <z:GatewayOption><name>a</name><z:value>1</z:value></z:GatewayOption>\
         <GatewayOption i:nil='true'/></GatewayOptionData><GatewayOptionData>\
         <GatewayOption xmlns=''><value> 2 </value><name>b</name></GatewayOption>\
         </GatewayOptionData>",
    );
    let option =
        |name: &str, value: &str| GatewayOption { name: name.to_owned(), value: value.to_owned() };
    assert_eq!(read.gateway_options, Field::Given(vec![option("a", "1"), option("b", "2")]));
}

#[test]
fn parts_are_read_from_any_namespace_of_ours() {
    let read = draft(&format!(
        "<RefundInvoicePaymentData>\
         <z:RefundInvoicePayment><RefundAmount> 1.50 </RefundAmount><InvoiceId>{ID}</InvoiceId>\
         </z:RefundInvoicePayment><RefundInvoicePayment i:nil='1'/>\
         <x:RefundInvoicePayment xmlns:x='urn:x'/>\
         <RefundInvoicePayment xmlns=''><z:InvoiceId>{OTHER_ID}</z:InvoiceId>\
         </RefundInvoicePayment></RefundInvoicePaymentData>",
    ));
    let parts = read.parts.given().expect("parts");
    let ids: Vec<_> = parts.iter().map(|part| part.invoice_id.given().unwrap()).collect();
    assert_eq!(ids.iter().map(|id| id.as_str()).collect::<Vec<_>>(), [ID, OTHER_ID]);
    assert!(parts[0].amount.given().is_some() && parts[1].amount.is_absent());
    let nothing = draft("<RefundInvoicePaymentData/>");
    assert_eq!(nothing, RefundDraft::default());
}

#[test]
fn a_reference_instead_of_a_value_is_refused() {
    for fields in [
        "<Amount href='#1'/>",
        "<Foo href='#1'/>",
        "<GatewayOptionData><GatewayOption href='#1'/></GatewayOptionData>",
    ] {
        assert_eq!(try_read(fields).expect_err(fields), Fault::Reference);
    }
}
