//! What changes the books, as the writer does it.

use super::{Backend, Served};
use crate::ledger::change::{ChangeResult, Delete, Update};
use crate::ledger::engine::Engine;
use crate::ledger::queue::UseCase;
use crate::ledger::reconciliation::{Reconcile, ReconcileResult};
use crate::ledger::seed::{SeedConflict, SeedPlan, SeedReport};
use crate::ledger::seeding;
use crate::ledger::test_bench::TestEngine;
use crate::ledger::work::{answers, beginning, changing, creating, naming, reconciling};
use crate::ledger::{AmendedAnswer, Bookkeeping, Create, Created, Reply};

impl<B: Backend> Bookkeeping for Served<B> {
    fn create(&self, request: Create) -> Reply<Created> {
        let (ticket, line_up) = (request.context.ticket.clone(), request.line_up.clone());
        let once_durable = move |created: &Created| {
            if let (Some(line_up), Created::Fresh { orders, .. }) = (line_up, created) {
                line_up(orders);
            }
        };
        let case = UseCase::new(request, naming::create, creating::create);
        self.writer.submit_case_and(Some(ticket), case, once_durable)
    }

    fn update(&self, request: Update) -> Reply<Vec<ChangeResult>> {
        let ticket = request.context.ticket.clone();
        let case = UseCase::new(request, naming::update, changing::update);
        self.writer.submit_case(Some(ticket), case)
    }

    fn delete(&self, request: Delete) -> Reply<Vec<ChangeResult>> {
        let ticket = request.context.ticket.clone();
        let case = UseCase::new(request, naming::delete, changing::delete);
        self.writer.submit_case(Some(ticket), case)
    }

    fn reconcile(&self, request: Reconcile) -> Reply<Vec<ReconcileResult>> {
        let case = UseCase::new(request, naming::reconcile, reconciling::reconcile);
        self.writer.submit_case(None, case)
    }

    fn amend_answer(&self, answer: AmendedAnswer) -> Reply<bool> {
        self.writer.submit_case_patiently(UseCase::new(answer, naming::amend, answers::amend))
    }

    fn load_seed(&self, seed: SeedPlan) -> Reply<Result<SeedReport, SeedConflict>> {
        let loaded = self.writer.submit_alone(move |engine| {
            let loaded = engine.work(|unit| seeding::load(unit, seed))?;
            engine.work(beginning::name_gateways)?;
            Ok(loaded.map(|report| (report, engine.tenant().clone())))
        });
        // It is durable in the log; a copy of the main file alone shall have it too.
        let put_away = self.writer.submit_exclusive(|engine| {
            engine.rest();
            Ok(())
        });
        let known = self.tenant.clone();
        Box::pin(async move {
            let loaded = loaded.await?.map(|(report, tenant)| {
                super::know(&known, tenant);
                report
            });
            put_away.await?;
            Ok(loaded)
        })
    }
}
