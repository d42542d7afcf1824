//! How a ledger is that is served.

use super::{Backend, FileSizes, Served};
use crate::ledger::work::drawing;
use crate::ledger::{Damage, Health, LedgerError, LedgerStats, Reply};
use std::future::ready;

impl<B: Backend> Health for Served<B> {
    fn probe(&self) -> Reply<()> {
        match self.damage.unready() {
            Some(why) => Box::pin(ready(Err(LedgerError::Unavailable(why)))),
            None => self.write_patiently(drawing::probe),
        }
    }

    fn begin_check(&self) {
        self.backend.begin_check();
    }

    fn noted(&self) -> Damage {
        self.damage.clone()
    }

    fn stats(&self) -> LedgerStats {
        let FileSizes { file_bytes, log_bytes } = self.backend.sizes();
        LedgerStats { file_bytes, log_bytes, ..self.writer.stats() }
    }
}
