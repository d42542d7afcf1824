//! What holds for every request, and the moments that a ledger knows.

use super::{Backend, Served};
use crate::domain::age::Age;
use crate::domain::facts::{Gateway, Tenant};
use crate::domain::script::Script;
use crate::ledger::records::GATEWAYS;
use crate::ledger::work::{ageing, drawing};
use crate::ledger::{Reply, Settings, world};
use std::sync::{Arc, PoisonError};

impl<B: Backend> Settings for Served<B> {
    fn tenant(&self) -> Arc<Tenant> {
        Arc::clone(&self.tenant.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn gateways(&self) -> Reply<Vec<(Gateway, Script)>> {
        self.backend.read(|reader| world::gateways_of(reader.records(&GATEWAYS, &[])?))
    }

    fn begin_request_ids(&self) -> Reply<Option<[u8; 32]>> {
        self.write_patiently(drawing::request_seed)
    }

    fn age(&self) -> Reply<Option<Age>> {
        self.backend.read(ageing::age)
    }

    fn keep_age(&self, age: Age) -> Reply<()> {
        self.write_patiently(move |unit| ageing::keep(unit, age))
    }
}
