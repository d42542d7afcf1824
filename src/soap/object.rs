//! The zObjects of a call: how many and of which type they are, and how their elements are fields.
//!
//! Fields come in any order, under any of the API's namespaces, with CDATA and comments. What they
//! mean stands in the domain (`domain/draft/source.rs`).

use super::envelope::{is_ours, refuse_reference};
use super::fault::{Fault, shown};
use super::vendor::unknown_type;
use super::wsdl;
use crate::domain::draft::batch::OBJECTS_MAX;
use crate::domain::draft::source::{Source, Value};
use crate::domain::version::ApiVersion;
use crate::xml::ElementRef;

/// The objects of an operation, one to fifty and all of one type, and the name of that type; what
/// is wrong with them as a whole fails the call.
pub(super) fn objects<'d>(
    element: ElementRef<'d>,
    api: ApiVersion,
) -> Result<(Vec<ElementRef<'d>>, &'d str), Fault> {
    let is_object =
        |child: &ElementRef<'_>| child.local() == "zObjects" && is_ours(child.namespace());
    let objects: Vec<_> = element.children().filter(is_object).collect();
    if objects.len() > OBJECTS_MAX {
        return Err(Fault::TooManyObjects);
    }
    let mut types = Vec::with_capacity(objects.len());
    for object in &objects {
        if object.is_nil() {
            return Err(Fault::NoObjects);
        }
        refuse_reference(*object)?;
        let named = object.xsi_type().filter(|name| !name.local.is_empty());
        let named = named.ok_or(Fault::TypeMissing)?;
        if !named.is_declared {
            let why = "the prefix of an xsi:type is not declared";
            return Err(Fault::NotWellFormed(why.to_owned()));
        }
        types.push((named.local, is_ours(named.namespace)));
    }
    let first = *types.first().ok_or(Fault::NoObjects)?;
    if types.iter().any(|other| *other != first) {
        return Err(Fault::TypesMixed);
    }
    match first {
        (name, true) if wsdl::object_type(api, name).is_some() => Ok((objects, name)),
        (name, true) => Err(unknown_type(name, api)),
        (name, false) => Err(Fault::TypeUnknown(shown(name))),
    }
}

impl<'d> Source<'d> for ElementRef<'d> {
    type Refusal = Fault;

    fn name(self) -> &'d str {
        self.local()
    }

    fn value(self) -> Value<'d> {
        match self.is_nil() {
            true => Value::Nil,
            false if self.children().next().is_some() => Value::Nested(self.text()),
            false => Value::Text(self.text()),
        }
    }

    fn fields(self) -> impl Iterator<Item = Self> {
        self.children()
    }

    /// An element of ours that only refers to another one fails the call.
    fn is_ours(self) -> Result<bool, Fault> {
        let is_ours = is_ours(self.namespace());
        if is_ours {
            refuse_reference(self)?;
        }
        Ok(is_ours)
    }

    fn is_passed_over(self) {
        tracing::debug!(field = ?self.local(), "a field is ignored");
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::custom_field::CustomFields;
    use crate::domain::draft::account::AccountDraft;
    use crate::domain::draft::reading::FromSource as _;
    use crate::domain::draft::source::{Purpose, Read, text_of};
    use crate::domain::row_error::RowError;
    use crate::xml::{XmlLimits, parse};

    fn account(fields: &str, purpose: Purpose) -> Read<AccountDraft> {
        let text = format!(
            "<z:zObjects xmlns:z='http://api.zuora.com/' xmlns='http://object.api.zuora.com/' \
             xmlns:i='http://www.w3.org/2001/XMLSchema-instance' xmlns:x='urn:x'>{fields}\
             </z:zObjects>"
        );
        let document = parse(&text, &XmlLimits::default()).expect(&text);
        AccountDraft::read_from(document.root(), purpose, &CustomFields::default()).expect(&text)
    }

    #[test]
    fn any_object_is_read_by_its_table() {
        let fields = "<z:Name>\n One </z:Name><Currency xmlns=''>USD</Currency><AutoPay>true\
                      </AutoPay><Batch/><Status i:nil='1'/><CrmId i:nil='true'>x</CrmId>";
        let read = account(fields, Purpose::Create);
        assert_eq!(read.draft.name.given().map(String::as_str), Some("One"));
        assert!(read.draft.currency.given().is_some() && read.draft.common.keeps("AutoPay"));
        assert!(read.draft.status.is_absent() && !read.draft.common.keeps("Batch"));
        assert_eq!((read.ignored_fields, &read.draft.common.unknown_field), (0, &None));
    }

    /// An empty id is absent, but for the one that says which object to change.
    #[test]
    fn only_the_id_of_an_update_may_not_be_empty() {
        let fields = "<Id/><DefaultPaymentMethodId> </DefaultPaymentMethodId><CreatedById/>";
        let read = account(fields, Purpose::Create);
        assert_eq!((read.draft.common.check_ids(), read.ignored_fields), (Ok(()), 0));
        let read = account(fields, Purpose::Update);
        assert_eq!(read.draft.common.check_ids(), Err(RowError::invalid_id("Id", "")));
        let read = account("<Id>?</Id>", Purpose::Create);
        assert_eq!(read.draft.common.check_ids(), Err(RowError::invalid_id("Id", "?")));
    }

    #[test]
    fn what_may_not_be_sent_is_counted() {
        let fields = "<AccountName>a</AccountName><Balance>1</Balance><name>b</name>\
                      <x:Name>c</x:Name><Id>7</Id><CreditBalance/><fieldsToNull>Name</fieldsToNull>\
                      <Contact><FirstName>d</FirstName></Contact>";
        let read = account(fields, Purpose::Create);
        assert_eq!(read.ignored_fields, 6);
        assert_eq!(read.draft.common.unknown_field.as_deref(), Some("AccountName"));
        assert!(read.draft.name.is_absent() && read.draft.common.nulls.is_empty());
    }

    #[test]
    fn an_update_names_its_object_and_takes_values_away() {
        let fields = "<fieldsToNull>PaymentGateway</fieldsToNull><fieldsToNull> CrmId\
                      </fieldsToNull><fieldsToNull>Nothing</fieldsToNull><Id>7</Id>";
        let read = account(fields, Purpose::Update);
        assert!(read.draft.common.id.given().is_some());
        assert_eq!(read.draft.common.nulls, ["PaymentGateway"]);
        assert_eq!(read.draft.common.kept_nulls, ["CrmId"]);
        assert_eq!(read.ignored_fields, 1);
    }

    #[test]
    fn a_field_that_holds_elements_or_comes_twice_is_wrong() {
        let read = account("<Name>a<b/></Name><Batch>1</Batch><Batch>1</Batch>", Purpose::Create);
        assert_eq!(read.draft.name.checked(), Err(RowError::invalid("Name", "a")));
        assert_eq!(read.draft.common.kept_values(), Err(RowError::invalid("Batch", "1")));
    }

    #[test]
    fn a_field_can_be_looked_up_by_name() {
        let text = "<a><Comment/><Comment xmlns='urn:x'>1</Comment><Comment> 2\n</Comment></a>";
        let document = parse(text, &XmlLimits::default()).expect(text);
        assert_eq!(text_of(document.root(), "Comment"), Some("2"));
        assert_eq!(text_of(document.root(), "Type"), None);
    }
}

#[cfg(test)]
mod refund_tests;
