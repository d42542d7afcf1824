//! What an exchange was refused for, and what its caller may have meant: read off the envelopes of
//! a journal, for people who wonder why their test is red.
//!
//! What must stay true: it only reads, and what it cannot read it says nothing about.

use super::envelope::is_ours;
use super::wsdl;
use crate::call::{Rejection, missed_value};
use crate::catalogue::Object;
use crate::catalogue::vendor::object_not_kept;
use crate::domain::toml_text::suggest;
use crate::domain::version::ApiVersion;
use crate::ledger::test_bench::KnownId;
use crate::xml::{Document, ElementRef, XmlLimits, parse};

/// How alike two ids have to be to be taken for each other, 0 to 1.
const ALIKE_LEAST: f64 = 0.8;

/// What was refused in an answer.
pub(super) fn rejections(answer: &str) -> Vec<Rejection> {
    let Ok(document) = parse(answer, &XmlLimits::default()) else {
        return Vec::new();
    };
    let Some(reported) = body_of(&document).and_then(|body| body.children().next()) else {
        return Vec::new();
    };
    if reported.local() == "Fault" {
        let code =
            first(reported, &["FaultCode"]).or_else(|| first(reported, &["faultcode", "Value"]));
        let message =
            first(reported, &["FaultMessage"]).or_else(|| first(reported, &["faultstring"]));
        let text = |element: Option<ElementRef<'_>>| {
            element.map_or_else(String::new, |found| found.text().to_owned())
        };
        return vec![Rejection { row: None, code: text(code), message: text(message) }];
    }
    let rows = reported.children().filter(|child| child.local() == "result");
    let rejection = |(row, result): (usize, ElementRef<'_>)| {
        let error = result.children().find(|it| it.local().eq_ignore_ascii_case("errors"))?;
        let text = |name| first(error, &[name]).map_or("", |found| found.text()).to_owned();
        Some(Rejection { row: Some(row), code: text("Code"), message: text("Message") })
    };
    (1..).zip(rows).filter_map(rejection).collect()
}

/// What in a request is close to something that would have been understood.
pub(super) fn near_misses(request: &str, version: ApiVersion, known: &[KnownId]) -> Vec<String> {
    let Ok(document) = parse(request, &XmlLimits::default()) else {
        return vec!["the request is not well-formed XML".to_owned()];
    };
    let Some(operation) = body_of(&document).and_then(|body| body.children().next()) else {
        return vec!["the request has no Body with an operation".to_owned()];
    };
    let mut misses: Vec<String> = document
        .root()
        .children()
        .filter(|part| part.local() == "Header")
        .flat_map(|header| header.children())
        .flat_map(|header| header.children())
        .chain(operation.children())
        .filter(|element| is_placeholder(*element))
        .map(|element| left_standing(element.local()))
        .collect();
    if wsdl::operation(version, operation.local()).is_none() {
        misses.extend(missed("operation", operation.local(), wsdl::operations(version)));
    }
    let objects = operation.children().filter(|child| child.local() == "zObjects");
    for (row, object) in (1..).zip(objects) {
        let of_object = near_misses_of(object, version, known);
        misses.extend(of_object.into_iter().map(|miss| format!("row {row}: {miss}")));
    }
    misses
}

fn near_misses_of(object: ElementRef<'_>, version: ApiVersion, known: &[KnownId]) -> Vec<String> {
    let Some(named) = object.xsi_type() else {
        return vec!["the object has no xsi:type".to_owned()];
    };
    let types = wsdl::object_types(version);
    if let Some(object) = object_not_kept(named.local) {
        return vec![format!("this gateway does not keep objects of the type {object}")];
    }
    if !types.contains(&named.local) {
        return missed("type", named.local, types.into_iter()).into_iter().collect();
    }
    let fields = wsdl::fields(version, named.local);
    let mut misses = Vec::new();
    for field in object.children() {
        let name = field.local();
        if is_placeholder(field) {
            misses.push(left_standing(name));
            continue;
        }
        if !is_ours(field.namespace()) {
            misses.push(format!("{name} is in a foreign namespace and was passed over"));
        } else if name != "fieldsToNull" && !fields.iter().any(|(known, _)| *known == name) {
            let names = fields.iter().map(|(known, _)| *known);
            misses.extend(missed("field", name, names));
        } else if name.ends_with("Id") && name != "Id" && field.has_text() {
            misses.extend(missed_id(name, field.text().trim(), known));
        } else if let Some(object) = Object::from_name(named.local) {
            misses.extend(missed_value(object, name, field.text().trim()));
        }
    }
    misses
}

/// Whether an element still holds what SoapUI writes into sample requests for any value.
fn is_placeholder(element: ElementRef<'_>) -> bool {
    element.text().trim() == "?"
}

fn left_standing(name: &str) -> String {
    format!("{name} is still `?`, SoapUI's placeholder; fill it in or remove the element")
}

/// A word that is none of those there are, and the nearest of them.
fn missed<'n>(what: &str, word: &str, there: impl Iterator<Item = &'n str>) -> Option<String> {
    let near = suggest(word, there);
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Some(format!("there is no {what} {word}{near}"))
}

fn missed_id(field: &str, id: &str, known: &[KnownId]) -> Option<String> {
    if let Some(same) = known.iter().find(|known| known.id == id) {
        let wanted = match field {
            "AccountId" => "Account",
            "PaymentMethodId" => "PaymentMethod",
            "PaymentId" => "Payment",
            "InvoiceId" => "Invoice",
            _ => return None,
        };
        let KnownId { object, also, .. } = same;
        return (*object != wanted).then(|| format!("{field} {id} is that of {object} {also}"));
    }
    let near = nearest(id, known.iter().map(|known| known.id.as_str()))?;
    let also = known.iter().find(|known| known.id == near)?;
    Some(format!("{field} {id} is unknown; near it is {near} ({} {})", also.object, also.also))
}

fn nearest<'n>(word: &str, there: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let lower = word.to_lowercase();
    let alike =
        |name: &'n str| (strsim::normalized_levenshtein(&lower, &name.to_lowercase()), name);
    let best = there.map(alike).max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(alike, _)| *alike >= ALIKE_LEAST).map(|(_, name)| name)
}

fn body_of<'d>(document: &'d Document<'_>) -> Option<ElementRef<'d>> {
    document.root().children().find(|child| child.local() == "Body")
}

/// The first element of one of these local names, however deep.
fn first<'d>(element: ElementRef<'d>, names: &[&str]) -> Option<ElementRef<'d>> {
    if names.contains(&element.local()) {
        return Some(element);
    }
    element.children().find_map(|child| first(child, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(object: &str) -> String {
        format!(
            "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>\
             <create xmlns='http://api.zuora.com/' xmlns:o='http://object.api.zuora.com/' \
             xmlns:i='http://www.w3.org/2001/XMLSchema-instance'>{object}</create></e:Body>\
             </e:Envelope>"
        )
    }

    fn account(id: &str) -> KnownId {
        KnownId { object: "Account", id: id.to_owned(), also: "A00000001".to_owned() }
    }

    #[test]
    fn rows_and_faults_are_told_with_their_codes() {
        let rows = "<e><Body><createResponse><result><Id>1</Id><Success>true</Success></result>\
             <result><Errors><Code>INVALID_VALUE</Code><Message>no</Message></Errors></result>\
             </createResponse></Body></e>";
        let expected =
            Rejection { row: Some(2), code: "INVALID_VALUE".into(), message: "no".into() };
        assert_eq!(rejections(rows), [expected]);
        let fault = "<e><Body><Fault><faultcode>soap:X</faultcode><detail><a>\
             <FaultCode>INVALID_SESSION</FaultCode><FaultMessage>again</FaultMessage></a></detail>\
             </Fault></Body></e>";
        let expected =
            Rejection { row: None, code: "INVALID_SESSION".into(), message: "again".into() };
        assert_eq!(rejections(fault), [expected]);
        assert_eq!(rejections("no xml"), []);
    }

    #[test]
    fn a_value_outside_its_closed_set_is_answered_with_the_set_or_the_nearest_of_it() {
        let misses = |fields: &str| {
            let object = format!("<zObjects i:type='o:Refund'>{fields}</zObjects>");
            near_misses(&request(&object), ApiVersion::major(91), &[])
        };
        let fields = "<o:MethodType>Chek</o:MethodType><o:SourceType>Creditbalance</o:SourceType>\
             <o:Type>x</o:Type><o:Comment>Chek</o:Comment><o:Status/>";
        assert_eq!(
            misses(fields),
            [
                "row 1: MethodType has no value Chek; did you mean Check?",
                "row 1: SourceType has no value Creditbalance; did you mean CreditBalance?",
                "row 1: Type has no value x; there are External, Electronic",
            ]
        );
    }

    #[test]
    fn what_soapui_left_standing_is_called_so() {
        let reported = near_misses(
            &request("<zObjects i:type='o:Refund'><o:Amount>?</o:Amount></zObjects>"),
            ApiVersion::major(91),
            &[],
        );
        let expected =
            "Amount is still `?`, SoapUI's placeholder; fill it in or remove the element";
        assert_eq!(reported, [format!("row 1: {expected}")]);
        let login = "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Header>\
             <SessionHeader><session>?</session></SessionHeader></e:Header><e:Body>\
             <login xmlns='http://api.zuora.com/'><username> ? </username></login></e:Body>\
             </e:Envelope>";
        let reported = near_misses(login, ApiVersion::major(91), &[]);
        assert!(
            reported[0].starts_with("session is") && reported[1].starts_with("username is"),
            "{reported:?}"
        );
    }

    #[test]
    fn what_is_near_is_named_and_what_is_right_is_not() {
        let known = [account("402892c72b9e3319012b9e34b88e0001")];
        let misses = |object: &str| near_misses(&request(object), ApiVersion::major(91), &known);
        let right = "<zObjects i:type='o:Refund'><o:AccountId>402892c72b9e3319012b9e34b88e0001\
             </o:AccountId></zObjects>";
        assert_eq!(misses(right), Vec::<String>::new());
        let wrong = "<zObjects i:type='o:Refund'><o:AccountId>402892c72b9e3319012b9e34b88e0002\
             </o:AccountId><o:PaymentMethodID>x</o:PaymentMethodID></zObjects>";
        assert_eq!(
            misses(wrong),
            [
                "row 1: AccountId 402892c72b9e3319012b9e34b88e0002 is unknown; near it is \
                 402892c72b9e3319012b9e34b88e0001 (Account A00000001)",
                "row 1: there is no field PaymentMethodID; did you mean PaymentMethodId?",
            ]
        );
        let typo = "<zObjects i:type='o:Refnud'/>";
        assert_eq!(misses(typo), ["row 1: there is no type Refnud; did you mean Refund?"]);
        let not_kept = "<zObjects i:type='o:Contact'/>";
        let expected = "row 1: this gateway does not keep objects of the type Contact";
        assert_eq!(misses(not_kept), [expected]);
        let swapped = "<zObjects i:type='o:Refund'><o:PaymentMethodId>\
             402892c72b9e3319012b9e34b88e0001</o:PaymentMethodId></zObjects>";
        assert_eq!(
            misses(swapped),
            ["row 1: PaymentMethodId 402892c72b9e3319012b9e34b88e0001 is that of Account \
                 A00000001"]
        );
    }
}
