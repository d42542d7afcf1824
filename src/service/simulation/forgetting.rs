//! The gateway answers nothing until it has forgotten what it was asked, and the machine's clock is
//! set in the meantime, before or after that or both: the hours in which a clock decides alone
//! whether an order is paid twice, and which chance by itself hardly ever meets.
//!
//! What must stay true: it happens only where clocks jump, as it takes longer than a stop may.

use super::Simulation;
use crate::service::Service;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long it takes, in minutes: from about as long as the gateway remembers where clocks jump, up
/// to the 48 hours for which refunds are asked about.
const SILENT_MIN: (i64, i64) = (34 * 60, 46 * 60);

impl Simulation {
    /// Whether the gateway answers nothing in the process that begins.
    pub(super) fn begin_silence(&self) -> bool {
        let is_silent = self.world.is_wild() && self.world.chance(300);
        self.bank.be_silent(is_silent);
        is_silent
    }

    /// The gateway is silent until it has forgotten; then it answers again, and callers ask about
    /// what is open.
    pub(super) async fn outlast_the_gateways_memory(&self, service: &Arc<Service>) {
        self.may_set_clock();
        // No network carries an order until the gateway has forgotten its id.
        self.bank.deliver_late();
        let minutes = self.world.draw(|random| random.between(SILENT_MIN.0, SILENT_MIN.1));
        self.world.idle(service, minutes).await;
        self.may_set_clock();
        self.bank.be_silent(false);
        for refund in self.open() {
            service.ask_about(refund, Instant::now() + Duration::from_secs(3)).await;
        }
        let seconds = self.world.draw(|random| random.below(30));
        sleep(Duration::from_secs(seconds)).await;
    }

    fn may_set_clock(&self) {
        if self.world.chance(500) {
            self.world.set_clock_wrong();
        }
    }
}
