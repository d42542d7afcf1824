//! The fields that a version of the API lists for a tenant: those of the catalogue, and the
//! tenant's own sorted in among them. What describes objects and what asks for fields agree
//! through it.

use super::custom_field::CustomType;
use super::facts::Tenant;
use super::version::ApiVersion;
use super::vocabulary::CustomizedObject;
use crate::catalogue::Object;
use crate::catalogue::field::{Kind, comes_after};
use crate::catalogue::stand::Stand;
use std::borrow::Cow;

/// A field that is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name in the WSDL.
    pub name: Cow<'static, str>,
    /// What its values are.
    pub kind: Kind,
    /// Whether an element without a value may say so by `xsi:nil`.
    pub is_nillable: bool,
    /// Whether a query may select it and filter by it.
    pub is_queried: bool,
    /// Whether it is the tenant's own.
    pub is_custom: bool,
}

/// The objects of `version` that the tenant's switches leave, in the order of the WSDL.
pub fn objects(version: ApiVersion, tenant: &Tenant) -> impl Iterator<Item = Object> {
    let has_credit_balances = tenant.has_credit_balances();
    let all = Object::ALL.iter().copied();
    all.filter(move |object| object.stand().covers_for(version, has_credit_balances))
}

/// The own fields of an object in `version`, in the order of the WSDL; none of the catalogue where
/// the version or the tenant lacks the object.
pub fn fields(object: Object, version: ApiVersion, tenant: &Tenant) -> Vec<Listed> {
    let has_credit_balances = tenant.has_credit_balances();
    let is_there = |stand: Stand| stand.covers_for(version, has_credit_balances);
    let known =
        object.fields().iter().filter(|field| is_there(object.stand()) && is_there(field.stand));
    let mut listed = Vec::with_capacity(object.fields().len());
    listed.extend(known.map(|field| Listed {
        name: Cow::Borrowed(field.name),
        kind: field.kind,
        is_nillable: field.is_nillable,
        is_queried: field.is_queried,
        is_custom: false,
    }));
    let custom = CustomizedObject::from_name(object.name()).into_iter();
    for own in custom.flat_map(|object| tenant.custom_fields.of(object)) {
        let name = own.name.as_str();
        let at = listed.partition_point(|other| !comes_after(&other.name, name));
        let own = Listed {
            name: Cow::Owned(name.to_owned()),
            kind: kind_of(own.custom_type),
            is_nillable: true,
            is_queried: true,
            is_custom: true,
        };
        listed.insert(at, own);
    }
    listed
}

const fn kind_of(custom_type: CustomType) -> Kind {
    match custom_type {
        CustomType::String { .. } => Kind::Text,
        CustomType::Decimal => Kind::Decimal,
        CustomType::Boolean => Kind::Boolean,
        CustomType::Date => Kind::Day,
    }
}
