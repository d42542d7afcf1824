//! Whether a document is as the WSDL of a version says: names, order, numbers, types, nil.
//!
//! The schemas are read out of the rendered WSDL itself, so nothing about them is written a second
//! time here. Only what the template uses is understood: sequences, extensions, and restrictions by
//! pattern or enumeration.

use std::collections::HashMap;

use regex::Regex;

use crate::domain::version::ApiVersion;
use crate::xml::{ElementRef, XmlLimits, parse};

const XS: &str = "http://www.w3.org/2001/XMLSchema";
const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
/// The prefixes of the template, for names in its attributes.
const PREFIXES: [(&str, &str); 3] = [
    ("zns", "http://api.zuora.com/"),
    ("ons", "http://object.api.zuora.com/"),
    ("fns", "http://fault.api.zuora.com/"),
];
/// Room for the rendered WSDL.
const LIMITS: XmlLimits = XmlLimits {
    depth_max: 32,
    elements_max: 50_000,
    attributes_per_tag_max: 32,
    attributes_max: 200_000,
    namespaces_per_tag_max: 32,
    name_bytes_max: 128,
    text_bytes_max: 65_536,
};
/// How many violations are reported; the first is what matters.
const TOLD_MAX: usize = 20;

/// A namespace and a local name.
type Name = (String, String);

/// The schemas of a version.
#[derive(Debug, Default)]
pub struct Schema {
    elements: HashMap<Name, Type>,
    types: HashMap<Name, Type>,
}

#[derive(Debug, Clone)]
enum Type {
    Named(Name),
    Sequence { base: Option<Name>, fields: Vec<Field> },
    Text { patterns: Vec<String>, values: Vec<String> },
}

#[derive(Debug, Clone)]
struct Field {
    name: Name,
    of_type: Name,
    min: usize,
    max: usize,
    nillable: bool,
}

impl Schema {
    /// The schemas of `version`. Nothing is in them should the WSDL be unreadable, which its own
    /// tests rule out.
    pub fn of(version: ApiVersion) -> Self {
        let wsdl = super::render(version, "");
        let mut schema = Self::default();
        let Ok(document) = parse(&wsdl, &LIMITS) else { return schema };
        let types = document.root().children().filter(|part| part.is(WSDL, "types"));
        for part in types.flat_map(|types| types.children()).filter(|part| part.is(XS, "schema")) {
            let namespace = part.attribute("", "targetNamespace").unwrap_or_default();
            part.children().for_each(|declared| schema.read(namespace, declared));
        }
        schema
    }

    fn read(&mut self, namespace: &str, declared: ElementRef<'_>) {
        let Some(local) = declared.attribute("", "name") else { return };
        let name = (namespace.to_owned(), local.to_owned());
        match declared.local() {
            "element" => {
                let of_type = match declared.attribute("", "type") {
                    Some(of_type) => Type::Named(resolved(of_type)),
                    None => declared
                        .children()
                        .next()
                        .map_or(Type::Sequence { base: None, fields: Vec::new() }, |inline| {
                            complex(namespace, inline)
                        }),
                };
                self.elements.insert(name, of_type);
            }
            "complexType" => {
                self.types.insert(name, complex(namespace, declared));
            }
            "simpleType" => {
                let facets = |of: &str| {
                    let facets = declared.children().flat_map(|restriction| restriction.children());
                    let facets = facets.filter(|facet| facet.local() == of);
                    facets
                        .filter_map(|facet| facet.attribute("", "value"))
                        .map(str::to_owned)
                        .collect()
                };
                let text =
                    Type::Text { patterns: facets("pattern"), values: facets("enumeration") };
                self.types.insert(name, text);
            }
            _ => {}
        }
    }

    /// What in an envelope is against the schemas, each with the path of its element; the first of
    /// them if they are many.
    pub fn violations(&self, envelope: ElementRef<'_>) -> Vec<String> {
        let mut found = Vec::new();
        let parts = |name: &'static str| {
            let parts = envelope.children().filter(move |part| {
                part.local() == name && part.namespace() == envelope.namespace()
            });
            parts.flat_map(|part| part.children())
        };
        for message in parts("Body") {
            if message.local() != "Fault" || message.namespace() != envelope.namespace() {
                self.global(message, &mut found);
                continue;
            }
            let is_detail = |part: &ElementRef<'_>| ["detail", "Detail"].contains(&part.local());
            let details = message.children().filter(is_detail).flat_map(|detail| detail.children());
            details.for_each(|entry| self.global(entry, &mut found));
        }
        found.truncate(TOLD_MAX);
        found
    }

    fn global(&self, element: ElementRef<'_>, found: &mut Vec<String>) {
        let name = name_of(element);
        match self.elements.get(&name) {
            Some(of_type) => self.check(element, of_type, false, element.local(), found),
            None => found.push(format!("{}: the WSDL has no such element", shown(&name))),
        }
    }

    fn check(
        &self,
        element: ElementRef<'_>,
        declared: &Type,
        nillable: bool,
        path: &str,
        found: &mut Vec<String>,
    ) {
        if element.is_nil() {
            if !nillable {
                found.push(format!("{path}: it is nil and may not be"));
            } else if element.has_text() || element.children().next().is_some() {
                found.push(format!("{path}: it is nil and has content"));
            }
            return;
        }
        let given = match element.xsi_type() {
            None => None,
            Some(name) => {
                let name = (name.namespace.to_owned(), name.local.to_owned());
                if let Type::Named(declared) = declared
                    && !self.derives(&name, declared)
                {
                    let (given, declared) = (shown(&name), shown(declared));
                    found.push(format!("{path}: its type {given} is none of {declared}"));
                    return;
                }
                Some(Type::Named(name))
            }
        };
        match given.as_ref().unwrap_or(declared) {
            Type::Named(name) if name.0 == XS => {
                if element.children().next().is_some() {
                    found.push(format!("{path}: expected a {}, found elements", name.1));
                } else if !is_value(&name.1, element.text()) {
                    found.push(format!("{path}: the text is no {}", name.1));
                }
            }
            Type::Named(name) => match self.types.get(name) {
                Some(Type::Text { patterns, values }) => {
                    text(element, patterns, values, path, found);
                }
                Some(_) => self.sequence(element, &self.fields(name), path, found),
                None => found.push(format!("{path}: the WSDL has no type {}", shown(name))),
            },
            Type::Sequence { fields, .. } => self.sequence(element, fields, path, found),
            Type::Text { patterns, values } => text(element, patterns, values, path, found),
        }
    }

    /// Whether `name` is `base` or extends it.
    fn derives(&self, name: &Name, base: &Name) -> bool {
        let mut at = Some(name);
        while let Some(name) = at {
            if name == base {
                return true;
            }
            at = match self.types.get(name) {
                Some(Type::Sequence { base, .. }) => base.as_ref(),
                _ => None,
            };
        }
        false
    }

    /// The fields of a type, those of its bases first.
    fn fields(&self, name: &Name) -> Vec<Field> {
        let mut fields = Vec::new();
        let mut at = Some(name);
        while let Some(Type::Sequence { base, fields: own }) = at.and_then(|at| self.types.get(at))
        {
            fields.splice(0..0, own.iter().cloned());
            at = base.as_ref();
        }
        fields
    }

    fn sequence(
        &self,
        element: ElementRef<'_>,
        fields: &[Field],
        path: &str,
        found: &mut Vec<String>,
    ) {
        if element.has_text() {
            found.push(format!("{path}: found text between elements"));
        }
        let mut children = element.children().peekable();
        for field in fields {
            let mut count = 0_usize;
            while count < field.max
                && let Some(child) = children.next_if(|child| name_of(*child) == field.name)
            {
                count = count.saturating_add(1);
                let path = match field.max {
                    1 => format!("{path}/{}", child.local()),
                    _ => format!("{path}/{}[{count}]", child.local()),
                };
                self.check(
                    child,
                    &Type::Named(field.of_type.clone()),
                    field.nillable,
                    &path,
                    found,
                );
            }
            if count < field.min {
                found.push(format!("{path}: {} is missing", field.name.1));
            }
        }
        if let Some(child) = children.next() {
            let is_known = fields.iter().any(|field| field.name == name_of(child));
            let why = if is_known {
                "it is out of order or there once too often"
            } else {
                "the WSDL has no such field"
            };
            found.push(format!("{path}/{}: {why}", child.local()));
        }
    }
}

fn complex(namespace: &str, declared: ElementRef<'_>) -> Type {
    let mut base = None;
    let mut at = declared;
    loop {
        let next = at.children().find(|part| {
            ["complexContent", "extension", "sequence", "complexType"].contains(&part.local())
        });
        let Some(next) = next else { break };
        if next.local() == "extension" {
            base = next.attribute("", "base").map(resolved);
        }
        at = next;
    }
    let fields = at.children().filter(|part| part.local() == "element");
    let fields = fields.filter_map(|field| Field::read(namespace, field)).collect();
    Type::Sequence { base, fields }
}

impl Field {
    fn read(namespace: &str, declared: ElementRef<'_>) -> Option<Self> {
        let name = declared.attribute("", "name")?;
        let number = |key: &str| declared.attribute("", key).map_or(Some(1), |it| it.parse().ok());
        Some(Self {
            name: (namespace.to_owned(), name.to_owned()),
            of_type: resolved(declared.attribute("", "type")?),
            min: number("minOccurs")?,
            max: number("maxOccurs").unwrap_or(usize::MAX),
            nillable: declared.attribute("", "nillable") == Some("true"),
        })
    }
}

/// The name that an attribute of the template means.
fn resolved(text: &str) -> Name {
    let (prefix, local) = text.split_once(':').unwrap_or(("", text));
    let known = PREFIXES.iter().find(|(known, _)| *known == prefix);
    (known.map_or(XS, |(_, namespace)| namespace).to_owned(), local.to_owned())
}

fn name_of(element: ElementRef<'_>) -> Name {
    (element.namespace().to_owned(), element.local().to_owned())
}

fn shown((namespace, local): &Name) -> String {
    let known = PREFIXES.iter().find(|(_, known)| known == namespace);
    known.map_or_else(
        || format!("{{{namespace}}}{local}"),
        |(prefix, _)| format!("{prefix}:{local}"),
    )
}

fn text(
    element: ElementRef<'_>,
    patterns: &[String],
    values: &[String],
    path: &str,
    found: &mut Vec<String>,
) {
    let text = element.text();
    if element.children().next().is_some() {
        found.push(format!("{path}: expected text, found elements"));
    } else if !values.is_empty() && !values.iter().any(|value| value == text) {
        found.push(format!("{path}: the text is none of those that the WSDL lists"));
    } else if !patterns.is_empty() && !patterns.iter().any(|pattern| is_match(pattern, text)) {
        found.push(format!("{path}: the text does not have the form that the WSDL asks for"));
    }
}

fn is_match(pattern: &str, text: &str) -> bool {
    Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(text))
}

/// Whether a text is a value of a built-in type; an unknown type takes any.
fn is_value(of_type: &str, text: &str) -> bool {
    let zone = r"(?:Z|[+-]\d{2}:\d{2})?";
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r']);
    match of_type {
        "boolean" => ["true", "false", "1", "0"].contains(&trimmed),
        "int" => trimmed.strip_prefix('+').unwrap_or(trimmed).parse::<i32>().is_ok(),
        "short" => trimmed.strip_prefix('+').unwrap_or(trimmed).parse::<i16>().is_ok(),
        "decimal" => is_match(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", trimmed),
        "double" => is_match(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[Ee][+-]?\d+)?|-?INF|NaN", trimmed),
        "date" => is_match(&format!(r"-?\d{{4,}}-\d\d-\d\d{zone}"), trimmed),
        "dateTime" => {
            is_match(&format!(r"-?\d{{4,}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?{zone}"), trimmed)
        }
        _ => true,
    }
}

/// Whether a namespace is one of those that the WSDL describes.
pub fn is_described(namespace: &str) -> bool {
    PREFIXES.iter().any(|(_, known)| *known == namespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::XSI;

    fn violations(version: u16, body: &str) -> Vec<String> {
        let envelope = format!(
            "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' xmlns:z='{}' \
             xmlns:o='{}' xmlns:f='{}' xmlns:i='{XSI}'><e:Body>{body}</e:Body></e:Envelope>",
            PREFIXES[0].1, PREFIXES[1].1, PREFIXES[2].1
        );
        let document = parse(&envelope, &XmlLimits::default()).expect(&envelope);
        Schema::of(ApiVersion::major(version)).violations(document.root())
    }

    fn record(fields: &str) -> String {
        format!(
            "<z:queryResponse><z:result><z:done>true</z:done><z:queryLocator i:nil='true'/>\
             <z:records i:type='o:Refund'>{fields}</z:records><z:size>1</z:size></z:result>\
             </z:queryResponse>"
        )
    }

    const ID: &str = "<o:Id>4028e6a0000a0000000000000000006b</o:Id>";

    #[test]
    fn what_the_wsdl_says_is_no_violation() {
        let saved = "<z:createResponse><z:result><z:Errors><z:Code>INVALID_VALUE</z:Code>\
                     <z:Message>x</z:Message></z:Errors><z:Success>false</z:Success></z:result>\
                     <z:result><z:Id>4028e6a0000a0000000000000000006b</z:Id><z:Success>true\
                     </z:Success></z:result></z:createResponse>";
        let fault = "<e:Fault><faultcode>x</faultcode><faultstring>y</faultstring><detail>\
                     <f:UnexpectedErrorFault><f:FaultCode>INVALID_SESSION</f:FaultCode>\
                     </f:UnexpectedErrorFault></detail></e:Fault>";
        let read =
            record(&format!("{ID}<o:Amount>1.5</o:Amount><o:RefundDate>2020-01-02</o:RefundDate>"));
        for body in [saved, fault, &read] {
            assert_eq!(violations(91, body), [""; 0], "{body}");
        }
    }

    #[test]
    fn each_kind_of_violation_is_told_with_its_place() {
        let record_is = |version, fields: &str, reported: &str| {
            let reported = format!("queryResponse/result/records[1]{reported}");
            assert_eq!(violations(version, &record(fields)), [reported], "{fields}");
        };
        let unknown = ": the WSDL has no such field";
        record_is(91, "<o:Nothing/>", &format!("/Nothing{unknown}"));
        record_is(31, "<o:ReasonCode>x</o:ReasonCode>", &format!("/ReasonCode{unknown}"));
        let order = "/Id: it is out of order or there once too often";
        record_is(91, &format!("<o:Amount>1</o:Amount>{ID}"), order);
        let form = "/Id: the text does not have the form that the WSDL asks for";
        record_is(91, "<o:Id>short</o:Id>", form);
        record_is(91, "<o:Amount>one</o:Amount>", "/Amount: the text is no decimal");
        let date = "<o:RefundDate>2020-01-02T00:00:00</o:RefundDate>";
        record_is(91, date, "/RefundDate: the text is no date");
        let saved = |result: &str| format!("<z:createResponse>{result}</z:createResponse>");
        let result = "createResponse/result[1]";
        for (body, reported) in [
            ("<z:other/>".to_owned(), "zns:other: the WSDL has no such element".to_owned()),
            (
                saved("<z:result><z:Success i:nil='true'/></z:result>"),
                format!("{result}/Success: it is nil and may not be"),
            ),
            (
                saved("<z:result><z:Errors><z:Code>NO_CODE</z:Code></z:Errors></z:result>"),
                format!("{result}/Errors[1]/Code: the text is none of those that the WSDL lists"),
            ),
            (
                record("").replace("<z:size>1</z:size>", ""),
                "queryResponse/result: size is missing".to_owned(),
            ),
            (
                record("").replace("o:Refund", "z:SaveResult"),
                "queryResponse/result/records[1]: its type zns:SaveResult is none of ons:zObject"
                    .to_owned(),
            ),
        ] {
            assert_eq!(violations(91, &body), [reported], "{body}");
        }
    }

    #[test]
    fn every_version_has_its_schemas() {
        for major in 18..=150 {
            let schema = Schema::of(ApiVersion::major(major));
            assert!(schema.elements.len() > 10 && schema.types.len() > 10, "{major}");
        }
    }
}
