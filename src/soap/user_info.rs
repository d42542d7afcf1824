//! The operation getUserInfo: who the session's user is. Alone among the operations, its answer
//! has no `result`.

use super::envelope::{ANSWERS, Dialect};
use super::outcome::{Done, Tally};
use crate::service::Caller;

/// There is one tenant.
const TENANT_ID: &str = "1";
const TENANT_NAME: &str = "refund-gateway";

/// Returns who `caller` is. A user's name is also its e-mail address and all that is known of it.
pub(super) fn answer(caller: &Caller, dialect: &Dialect) -> Done {
    let mut writer = dialect.open_envelope(768);
    writer
        .open_with("ns1:getUserInfoResponse", &ANSWERS)
        .text_element("ns1:TenantId", TENANT_ID)
        .text_element("ns1:TenantName", TENANT_NAME)
        .text_element("ns1:UserEmail", &caller.username)
        .text_element("ns1:UserFullName", &caller.username)
        .text_element("ns1:UserId", caller.user_id.as_str())
        .text_element("ns1:Username", &caller.username);
    Done { body: writer.into_bytes(), replayed: false, tally: Tally::default() }
}
