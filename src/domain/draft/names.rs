//! The names of fields that every object has.

/// The field that every object has; an update names its object by it.
pub const ID: &str = "Id";
/// The names of the fields that an update takes the values of away.
pub const FIELDS_TO_NULL: &str = "fieldsToNull";
