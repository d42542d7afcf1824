//! The objects of the catalogue as the WSDL writes them: their types, and the lines of each.

use super::push_line;
use crate::catalogue::Object;
use crate::catalogue::field::{Field, Kind};
use crate::domain::custom_field::{CustomField, CustomType};
use crate::domain::facts::Tenant;
use crate::domain::version::ApiVersion;
use crate::domain::vocabulary::CustomizedObject;

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

/// As [`object_types`], without those that the tenant's switches close.
pub fn object_types_for(
    version: ApiVersion,
    tenant: &Tenant,
) -> impl Iterator<Item = &'static str> {
    standing(version, tenant).map(Object::name)
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

/// As [`fields`], without those that the tenant's switches close.
pub fn fields_for(
    version: ApiVersion,
    object: &str,
    tenant: &Tenant,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let object = Object::from_name(object).filter(|one| is_there(*one, version, tenant));
    let own = object.into_iter().flat_map(|one| one.fields().iter().copied());
    let own = own.filter(move |field| is_listed(field, version, tenant));
    own.map(move |field| (field.name, type_of(field.kind, version)))
}

/// The type of a field of the tenant's own in `version`, as the WSDL writes it.
pub fn custom_type(version: ApiVersion, field: &CustomField) -> &'static str {
    match field.custom_type {
        CustomType::String { .. } => "string",
        CustomType::Decimal => "decimal",
        CustomType::Boolean => "boolean",
        CustomType::Date => type_of(Kind::Day, version),
    }
}

/// Whether the field `one` stands after the field `other` in the WSDL.
pub fn comes_after(one: &str, other: &str) -> bool {
    let folded =
        |name: &str| name.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>();
    folded(one) > folded(other)
}

/// Writes the types of all objects that a tenant's WSDL of `version` has.
pub(super) fn push_objects(version: ApiVersion, tenant: &Tenant, wsdl: &mut String) {
    for object in standing(version, tenant) {
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
        for line in lines_of(object, version, tenant) {
            push_line(wsdl, INDENT + open.len() * DEEPER, &line);
        }
        let close = ["</complexType>", "</complexContent>", "</extension>", "</sequence>"];
        for (indent, text) in indents().zip(close).collect::<Vec<_>>().into_iter().rev() {
            push_line(wsdl, indent, text);
        }
    }
}

/// The elements of an object, those of the tenant's own sorted in among the others.
fn lines_of(object: Object, version: ApiVersion, tenant: &Tenant) -> Vec<String> {
    let listed = object.fields().iter().filter(|field| is_listed(field, version, tenant));
    let mut fields: Vec<_> =
        listed.map(|field| (field.name, type_of(field.kind, version), field.is_nillable)).collect();
    let custom = CustomizedObject::from_name(object.name()).into_iter();
    for own in custom.flat_map(|object| tenant.custom_fields.of(object)) {
        let name = own.name.as_str();
        let at = fields.partition_point(|(other, ..)| !comes_after(other, name));
        fields.insert(at, (name, custom_type(version, own), true));
    }
    let line = |(name, of_type, is_nillable): (&str, &str, bool)| {
        let nillable = if is_nillable { " nillable=\"true\"" } else { "" };
        format!("<element minOccurs=\"0\" name=\"{name}\"{nillable} type=\"{of_type}\" />")
    };
    fields.into_iter().map(line).collect()
}

fn standing(version: ApiVersion, tenant: &Tenant) -> impl Iterator<Item = Object> {
    Object::ALL.iter().copied().filter(move |object| is_there(*object, version, tenant))
}

fn is_there(object: Object, version: ApiVersion, tenant: &Tenant) -> bool {
    object.stand().covers_for(version, tenant.has_credit_balances())
}

fn is_listed(field: &Field, version: ApiVersion, tenant: &Tenant) -> bool {
    field.stand.covers_for(version, tenant.has_credit_balances())
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
