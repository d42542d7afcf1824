//! The zObjects of a call: how many and of which type they are, and the draft that each becomes.
//!
//! Fields come in any order, under any of the API's namespaces, with CDATA and comments. What a
//! caller may not send is passed over but never silently: it is counted, and its first name is
//! kept for those who want it strict.

use super::envelope::{is_ours, refuse_reference};
use super::fault::{Fault, shown};
use super::vendor::unknown_type;
use super::wsdl;
use crate::domain::custom_field::{CustomField, CustomFields};
use crate::domain::custom_value::CustomDraft;
use crate::domain::draft::fields::{Draft, FIELDS_TO_NULL, ID};
use crate::domain::version::ApiVersion;
use crate::domain::white_space::trim;
use crate::xml::ElementRef;

/// The most objects that a call may carry (documented).
const OBJECTS_MAX: usize = 50;

/// What a zObject says.
#[derive(Debug)]
pub(super) struct Read<D> {
    pub(super) draft: D,
    /// How many fields with a value were passed over.
    pub(super) ignored_fields: u32,
}

/// What is asked for with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its Id is the server's, and fieldsToNull means nothing.
    Create,
    /// Its Id says which object is meant.
    Update,
}

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

/// The draft that each of the objects is. Fields that were passed over are counted.
pub(super) fn each<D>(
    objects: &[ElementRef<'_>],
    read: impl Fn(ElementRef<'_>) -> Result<Read<D>, Fault>,
    ignored_fields: &mut u32,
) -> Result<Vec<D>, Fault> {
    let read_one = |object: &ElementRef<'_>| {
        let read = read(*object)?;
        *ignored_fields = ignored_fields.saturating_add(read.ignored_fields);
        Ok(read.draft)
    };
    objects.iter().map(read_one).collect()
}

/// Reads the fields of an object that its draft's table lists, and those of the tenant's own.
pub(super) fn read<D: Draft>(
    object: ElementRef<'_>,
    purpose: Purpose,
    custom: &CustomFields,
) -> Result<Read<D>, Fault> {
    read_with(object, purpose, custom, |_, _| Ok(false))
}

/// As [`read`], but for the fields that `take_first` takes, as its result says.
pub(super) fn read_with<'d, D: Draft>(
    object: ElementRef<'d>,
    purpose: Purpose,
    custom: &CustomFields,
    mut take_first: impl FnMut(&mut D, ElementRef<'d>) -> Result<bool, Fault>,
) -> Result<Read<D>, Fault> {
    let mut read = Read { draft: D::default(), ignored_fields: 0 };
    for field in object.children() {
        let is_taken = is_ours(field.namespace()) && {
            refuse_reference(field)?;
            field.is_nil()
                || take_first(&mut read.draft, field)?
                || take(&mut read.draft, field, purpose, custom)
        };
        if !is_taken {
            ignore(&mut read, field);
        }
    }
    Ok(read)
}

/// Gives a field to the draft; false when it may not be sent.
fn take<D: Draft>(
    draft: &mut D,
    field: ElementRef<'_>,
    purpose: Purpose,
    custom: &CustomFields,
) -> bool {
    let (name, text) = (field.local(), field.text());
    if name == FIELDS_TO_NULL {
        return purpose == Purpose::Create || clear(draft, trim(text), custom);
    }
    if let Some(own) = custom.find(D::OBJECT, name) {
        set_own(&mut draft.common().custom, own, field);
        return true;
    }
    let holds_elements = field.children().next().is_some();
    if name == ID && purpose == Purpose::Create && !holds_elements && trim(text).is_empty() {
        return true;
    }
    let is_known = if holds_elements { draft.refuse(name, text) } else { draft.set(name, text) };
    is_known && (name != ID || purpose == Purpose::Update)
}

/// Takes the value of a field away; false when it may not be set.
fn clear<D: Draft>(draft: &mut D, name: &str, custom: &CustomFields) -> bool {
    match custom.find(D::OBJECT, name) {
        Some(own) => {
            draft.common().custom.clear(own);
            true
        }
        None => draft.clear(name),
    }
}

/// Passes over a field that a caller may not send, or that the object does not have.
fn ignore<D: Draft>(read: &mut Read<D>, field: ElementRef<'_>) {
    if !has_value(field) {
        return;
    }
    read.ignored_fields += 1;
    tracing::debug!(field = ?field.local(), "a field is ignored");
    let common = read.draft.common();
    common.unknown_field.get_or_insert_with(|| field.local().to_owned());
}

/// Whether a field says anything.
fn has_value(field: ElementRef<'_>) -> bool {
    !field.is_nil() && (field.has_text() || field.children().next().is_some())
}

/// The text of the first field of this name that has one.
pub(super) fn text_of<'d>(object: ElementRef<'d>, name: &str) -> Option<&'d str> {
    let mut named = object.children().filter(|field| {
        field.local() == name && is_ours(field.namespace()) && !field.is_nil() && field.has_text()
    });
    named.next().map(|field| trim(field.text()))
}

/// Reads a field of the tenant's own.
fn set_own(draft: &mut CustomDraft, own: &CustomField, field: ElementRef<'_>) {
    match field.children().next() {
        Some(_) => draft.refuse(own, field.text()),
        None => draft.set(own, field.text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::draft::account::AccountDraft;
    use crate::domain::row_error::RowError;
    use crate::xml::{XmlLimits, parse};

    fn account(fields: &str, purpose: Purpose) -> Read<AccountDraft> {
        let text = format!(
            "<z:zObjects xmlns:z='http://api.zuora.com/' xmlns='http://object.api.zuora.com/' \
             xmlns:i='http://www.w3.org/2001/XMLSchema-instance' xmlns:x='urn:x'>{fields}\
             </z:zObjects>"
        );
        let document = parse(&text, &XmlLimits::default()).expect(&text);
        read(document.root(), purpose, &CustomFields::default()).expect(&text)
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
