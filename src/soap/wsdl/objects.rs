//! The objects of the catalogue as the WSDL writes them: their types, and the lines of each.

use super::push_line;
use crate::catalogue::Object;
use crate::catalogue::field::Kind;
use crate::domain::facts::Tenant;
use crate::domain::listing::{self, Listed};
use crate::domain::version::ApiVersion;

/// The type that every object extends.
const BASE: &str = "zObject";
/// The fields that every object inherits, as (name, type).
const INHERITED: [(&str, &str); 2] = [("fieldsToNull", "string"), ("Id", "zns:ID")];
/// How many blanks the lines of an object begin with, and how many more each level inside.
const INDENT: usize = 12;
const DEEPER: usize = 4;

/// The object types of `version` that extend `zObject`, in the order of the WSDL.
pub fn object_types(version: ApiVersion) -> Vec<&'static str> {
    Object::of(version).map(Object::name).collect()
}

/// The object type of `version` that is called `name`, letter by letter.
pub fn object_type(version: ApiVersion, name: &str) -> Option<&'static str> {
    Object::of(version).map(Object::name).find(|known| *known == name)
}

/// The fields of `object` in `version` as (name, type), in the order of the WSDL.
///
/// The type is as written there: `string`, `decimal`, `zns:ID`. Only the object's own fields: those
/// that it inherits, and that come before them on the wire, are the fields of `zObject`. Nothing
/// for an object that the version lacks.
pub fn fields(version: ApiVersion, object: &str) -> Vec<(&'static str, &'static str)> {
    if object == BASE {
        return INHERITED.to_vec();
    }
    let own = Object::from_name(object).into_iter().flat_map(|one| one.fields_in(version));
    own.map(|field| (field.name, type_of(field.kind, version))).collect()
}

/// Writes the types of all objects that a tenant's WSDL of `version` has.
pub(super) fn push_objects(version: ApiVersion, tenant: &Tenant, wsdl: &mut String) {
    for object in listing::objects(version, tenant) {
        let name = object.name();
        let open = [
            &*format!("<complexType name=\"{name}\">"),
            "<complexContent>",
            "<extension base=\"ons:zObject\">",
            "<sequence>",
        ];
        let indents = || (INDENT..).step_by(DEEPER);
        for (indent, text) in indents().zip(open) {
            push_line(wsdl, indent, text);
        }
        for field in listing::fields(object, version, tenant) {
            push_line(wsdl, INDENT + open.len() * DEEPER, &line(&field, version));
        }
        let close = ["</complexType>", "</complexContent>", "</extension>", "</sequence>"];
        for (indent, text) in indents().zip(close).collect::<Vec<_>>().into_iter().rev() {
            push_line(wsdl, indent, text);
        }
    }
}

/// The element of a field.
fn line(field: &Listed, version: ApiVersion) -> String {
    let Listed { name, kind, .. } = field;
    let nillable = if field.is_nillable { " nillable=\"true\"" } else { "" };
    let of_type = match kind {
        // Only the vendor's own amounts were ever doubles.
        Kind::Decimal if field.is_custom => "decimal",
        kind => type_of(*kind, version),
    };
    format!("<element minOccurs=\"0\" name=\"{name}\"{nillable} type=\"{of_type}\" />")
}

/// The type of the values of a kind in `version`, as the WSDL writes it.
fn type_of(kind: Kind, version: ApiVersion) -> &'static str {
    match kind {
        Kind::Id => "zns:ID",
        Kind::Text => "string",
        Kind::Decimal if version.has_decimals() => "decimal",
        Kind::Decimal => "double",
        Kind::Int => "int",
        Kind::Short => "short",
        Kind::Boolean => "boolean",
        Kind::Day if version.has_plain_dates() => "date",
        Kind::Day | Kind::Moment => "dateTime",
        Kind::Parts(of_type) => of_type,
    }
}
