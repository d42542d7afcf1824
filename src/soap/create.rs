//! The operation create: objects of one type, each on its own, and one result for each in their
//! order.

use super::envelope::{ANSWERS, Dialect, is_ours, refuse_reference};
use super::fault::{Fault, shown};
use super::object::{Read, text_of};
use super::outcome::{Done, Failure, Tally};
use super::{refund, wsdl};
use crate::domain::custom_field::CustomFields;
use crate::domain::drafts::Drafts;
use crate::domain::version::ApiVersion;
use crate::ledger::RowResult;
use crate::service::create::{CreateAnswer, CreateCall, IdempotencyKey, Once};
use crate::service::{Caller, Service};
use crate::xml::ElementRef;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;
use tokio::time::Instant;

/// The most objects that a call may carry (documented).
const OBJECTS_MAX: usize = 50;

/// What can be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Creatable {
    Refund,
}

impl Creatable {
    const ALL: [Self; 1] = [Self::Refund];

    const fn name(self) -> &'static str {
        match self {
            Self::Refund => "Refund",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What a caller asks for.
#[derive(Debug)]
pub(super) struct CreateRequest {
    drafts: Drafts,
    use_single_transaction: bool,
    /// The key that the objects themselves carry, in the field that may hold one.
    key_in_fields: Option<IdempotencyKey>,
    /// How many fields with a value were passed over.
    pub(super) ignored_fields: u32,
}

/// Reads the objects of `element`; `key_field` is the field that may carry an idempotency key.
pub(super) fn read(
    element: ElementRef<'_>,
    api: ApiVersion,
    use_single_transaction: bool,
    key_field: Option<&str>,
    custom: &CustomFields,
) -> Result<CreateRequest, Fault> {
    let is_object =
        |child: &ElementRef<'_>| child.local() == "zObjects" && is_ours(child.namespace());
    let objects: Vec<_> = element.children().filter(is_object).collect();
    let creatable = check_objects(&objects, api)?;
    let mut ignored_fields = 0;
    let drafts = match creatable {
        Creatable::Refund => {
            let read = |object: ElementRef<'_>| refund::read(object, custom);
            Drafts::Refund(each(&objects, read, &mut ignored_fields)?)
        }
    };
    // The field is one of Refund.
    let key_field = key_field.filter(|_| creatable == Creatable::Refund);
    let key_in_fields = key_field.and_then(|field| key_in_fields(&objects, field));
    Ok(CreateRequest { drafts, use_single_transaction, key_in_fields, ignored_fields })
}

/// The draft that each of the objects is, and how many fields were passed over in all of them.
fn each<D>(
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

/// The key that stands in `field`. It is that of a whole call, so every object has a say in it, and
/// one that says nothing leaves the call without.
fn key_in_fields(objects: &[ElementRef<'_>], field: &str) -> Option<IdempotencyKey> {
    let texts: Vec<&str> =
        objects.iter().map(|object| text_of(*object, field)).collect::<Option<_>>()?;
    match texts.as_slice() {
        [] => None,
        // Whatever else people write into such a field protects as well, by its digest.
        [text] => IdempotencyKey::parse(text).or_else(|| digest_key([*text])),
        // With the lengths, so that no two lists of texts run together into the same one.
        several => {
            let lengths: Vec<String> = several.iter().map(|text| text.len().to_string()).collect();
            let lengths = format!("{}\n", lengths.join(" "));
            digest_key([lengths.as_str()].into_iter().chain(several.iter().copied()))
        }
    }
}

/// A key made from texts that cannot be one as they are.
fn digest_key<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<IdempotencyKey> {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
    }
    let mut key = "sha256:".to_owned();
    for byte in hash.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
    IdempotencyKey::parse(&key)
}

/// What is wrong with the objects as a whole; then nothing is done.
fn check_objects(objects: &[ElementRef<'_>], api: ApiVersion) -> Result<Creatable, Fault> {
    if objects.len() > OBJECTS_MAX {
        return Err(Fault::TooManyObjects);
    }
    let mut types = Vec::with_capacity(objects.len());
    for object in objects {
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
    let first = types.first().ok_or(Fault::NoObjects)?;
    if types.iter().any(|other| other != first) {
        return Err(Fault::TypesMixed);
    }
    match *first {
        (name, true) if wsdl::object_types(api).contains(&name) => {
            Creatable::from_name(name).ok_or_else(|| Fault::TypeNotCreatable(shown(name)))
        }
        (name, _) => Err(Fault::TypeUnknown(shown(name))),
    }
}

/// Creates the objects and tells their results.
pub(super) async fn answer(
    service: &Arc<Service>,
    caller: Caller,
    request: CreateRequest,
    key: Option<Vec<u8>>,
    dialect: Dialect,
    deadline: Instant,
) -> Result<Done, Failure> {
    let key = match key {
        Some(bytes) => Some(key_in_header(&bytes)?),
        None => request.key_in_fields,
    };
    let once = key.map(|key| once(key, dialect, request.use_single_transaction));
    let call = CreateCall { caller, version: dialect.api, drafts: request.drafts, once, deadline };
    Ok(match service.create(call).await? {
        CreateAnswer::Rows(rows) => {
            Done { body: encode(&rows, dialect), replayed: false, tally: Tally::of(&rows) }
        }
        CreateAnswer::Stored { bytes, rows } => Done {
            body: bytes,
            replayed: rows.is_none(),
            tally: rows.map_or_else(Tally::default, |rows| Tally::of(&rows)),
        },
    })
}

fn key_in_header(bytes: &[u8]) -> Result<IdempotencyKey, Fault> {
    let text = std::str::from_utf8(bytes).ok();
    text.and_then(IdempotencyKey::parse).ok_or(Fault::MalformedKey)
}

/// The promise behind a key. Beside the objects and CallOptions only SOAP's version tells requests
/// apart, because it decides over the answer's bytes; that of the API does not, as every code of a
/// row is older than the oldest version served.
fn once(key: IdempotencyKey, dialect: Dialect, use_single_transaction: bool) -> Once {
    let soap = dialect.soap.name();
    let shape = format!("soap {soap} useSingleTransaction {use_single_transaction}");
    Once { key, shape, render: Box::new(move |rows| encode(rows, dialect)) }
}

/// The answer: Errors before Id before Success, and of those only what applies.
fn encode(rows: &[RowResult], dialect: Dialect) -> Vec<u8> {
    let row_bytes = |row: &RowResult| match row {
        Ok(_) => 108,
        Err(error) => 200 + error.message.len(),
    };
    let mut writer = dialect.open_envelope(256 + rows.iter().map(row_bytes).sum::<usize>());
    writer.open_with("ns1:createResponse", &ANSWERS);
    for row in rows {
        writer.open("ns1:result");
        match row {
            Ok(id) => {
                writer.text_element("ns1:Id", id.as_str()).text_element("ns1:Success", "true");
            }
            Err(error) => {
                let code = error.code.for_version(dialect.api);
                writer.open("ns1:Errors").text_element("ns1:Code", code.name());
                writer.text_element("ns1:Message", &error.message).close();
                writer.text_element("ns1:Success", "false");
            }
        }
        writer.close();
    }
    writer.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error_code::ErrorCode;
    use crate::domain::row_error::RowError;
    use crate::soap::envelope::SoapVersion;
    use crate::xml::{XmlLimits, parse};

    fn read_objects(api: u16, objects: &str) -> Result<CreateRequest, Fault> {
        let text = format!(
            "<create xmlns='http://api.zuora.com/' xmlns:o='http://object.api.zuora.com/' \
             xmlns:x='urn:x' xmlns:i='http://www.w3.org/2001/XMLSchema-instance'>{objects}</create>"
        );
        let document = parse(&text, &XmlLimits::default()).expect(&text);
        let none = CustomFields::default();
        read(document.root(), ApiVersion::major(api), false, None, &none)
    }

    const REFUND: &str = "<zObjects i:type='o:Refund'/>";

    #[test]
    fn one_to_fifty_objects_are_a_call() {
        for count in [1, 50] {
            let read = read_objects(91, &REFUND.repeat(count)).expect("read");
            assert_eq!(read.drafts.len(), count);
        }
        assert_eq!(read_objects(91, &REFUND.repeat(51)).unwrap_err(), Fault::TooManyObjects);
        assert_eq!(read_objects(91, "").unwrap_err(), Fault::NoObjects);
        assert_eq!(
            read_objects(91, "<x:zObjects i:type='o:Refund'/>").unwrap_err(),
            Fault::NoObjects
        );
    }

    #[test]
    fn the_type_is_read_in_any_namespace_of_ours_and_every_version() {
        for object in [
            "<zObjects i:type='o:Refund'/>",
            "<zObjects i:type='Refund'/>",
            "<zObjects xmlns='' i:type=' Refund '/>",
        ] {
            assert!(read_objects(18, object).is_ok(), "{object}");
        }
    }

    #[test]
    fn what_is_wrong_with_one_object_fails_the_call() {
        let long = "T".repeat(65);
        let long_type = format!("<zObjects i:type='o:{long}'/>");
        for (object, fault) in [
            ("<zObjects i:nil='1'/>", Fault::NoObjects),
            ("<zObjects href='#1'/>", Fault::Reference),
            ("<zObjects/>", Fault::TypeMissing),
            ("<zObjects i:type=''/>", Fault::TypeMissing),
        ] {
            assert_eq!(read_objects(91, object).unwrap_err(), fault);
            assert_eq!(read_objects(91, &format!("{REFUND}{object}")).unwrap_err(), fault);
        }
        for (object, fault) in [
            ("<zObjects i:type='o:Account'/>", Fault::TypeNotCreatable("Account".to_owned())),
            ("<zObjects i:type='o:refund'/>", Fault::TypeUnknown("refund".to_owned())),
            ("<zObjects i:type='x:Refund'/>", Fault::TypeUnknown("Refund".to_owned())),
            (&long_type, Fault::TypeUnknown("T".repeat(64))),
        ] {
            assert_eq!(read_objects(91, object).unwrap_err(), fault);
            let mixed = format!("{REFUND}{object}");
            assert_eq!(read_objects(91, &mixed).unwrap_err(), Fault::TypesMixed);
        }
    }

    #[test]
    fn no_version_is_told_a_code_that_its_wsdl_lacks() {
        let row = |code| Err(RowError { code, ..RowError::too_long() });
        let rows: Vec<RowResult> = ErrorCode::ALL.iter().copied().map(row).collect();
        for major in 18..=150 {
            let api = ApiVersion::major(major);
            let wsdl = wsdl::render(api, "http://localhost/");
            let bytes = encode(&rows, Dialect { soap: SoapVersion::V11, api });
            let text = String::from_utf8(bytes).expect("UTF-8");
            for rest in text.split("<ns1:Code>").skip(1) {
                let (code, _) = rest.split_once('<').expect(&text);
                assert!(wsdl.contains(&format!("value=\"{code}\"")), "{code} at {major}.0");
            }
        }
    }
}
