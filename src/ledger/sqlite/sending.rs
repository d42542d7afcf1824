//! The form in which references of gateways are compared, for migrations and audits.

use crate::domain::collected::ReferenceKey;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

/// Makes `gateway_reference(text)` known to a connection: the form in which references are
/// compared. Migrations and audits use it, and nothing that stays in the file.
pub(super) fn add_function(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("gateway_reference", 1, flags, |context| {
        let text: String = context.get(0)?;
        Ok(ReferenceKey::of(&text).as_str().to_owned())
    })
}
