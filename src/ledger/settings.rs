//! What holds for every request: the tenant's settings, its gateways, and what ids follow from and
//! things get old by.

use super::Reply;
use crate::domain::age::Age;
use crate::domain::facts::{Gateway, Tenant};
use crate::domain::script::Script;
use std::sync::Arc;

/// What a ledger keeps for those who serve it.
pub trait Settings: Send + Sync {
    /// The tenant's settings and the fields that it declared, as seeds and operators last said.
    fn tenant(&self) -> Arc<Tenant>;

    /// The gateways and the scripts of those that are sandboxes.
    fn gateways(&self) -> Reply<Vec<(Gateway, Script)>>;

    /// Where ids are seeded, what the ids of requests follow from until this is asked for again;
    /// no two beginnings of a ledger have the same.
    fn begin_request_ids(&self) -> Reply<Option<[u8; 32]>>;

    /// How old the ledger is: by the newest moment by which something here got old; none on a new
    /// ledger.
    fn age(&self) -> Reply<Option<Age>>;

    /// Notes how old the ledger is; never backwards.
    fn keep_age(&self, age: Age) -> Reply<()>;
}
