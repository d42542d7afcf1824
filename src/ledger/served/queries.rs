//! Finding objects: the page by a reader, the locator of the next one by the writer.

use super::{Backend, Served};
use crate::ledger::engine::Engine;
use crate::ledger::query::page::{Found, look};
use crate::ledger::query::{Find, FindError, Page, Queries};
use crate::ledger::work::locating;
use crate::ledger::{Reply, Settings};

impl<B: Backend> Queries for Served<B> {
    fn find(&self, request: Find) -> Reply<Result<Page, FindError>> {
        let (tenant, deadline) = (self.tenant(), request.deadline);
        let found =
            self.backend.read_until(deadline, move |reader| look(reader, &tenant, &request));
        let writer = self.writer.later();
        Box::pin(async move {
            let Found { mut page, keep } = match found.await? {
                None => return Ok(Err(FindError::TooSlow)),
                Some(Err(error)) => return Ok(Err(error)),
                Some(Ok(found)) => found,
            };
            let Some(keep) = keep else { return Ok(Ok(page)) };
            let kept = writer.submit(move |engine: &mut B::Engine| {
                engine.work(|unit| locating::keep(unit, &keep))
            });
            match kept.await? {
                Ok(next) => page.next = next,
                Err(error) => return Ok(Err(error)),
            }
            Ok(Ok(page))
        })
    }
}
