//! A gateway of this process's own, for a replay without an endpoint: on a temporary test ledger,
//! on a free port of the loopback interface.
//!
//! What must stay true: the caller that starts it stops it, also after an error or a signal,
//! because only then is it certain that the folder of its ledger is removed.

use super::doors::doors;
use super::ledger;
use super::values::LedgerPlace;
use crate::client::Endpoint;
use crate::http::{Gateway, HttpSettings};
use crate::ledger::Ledger;
use crate::ledger::opening::{LedgerSettings, OpenMode, OpenOptions};
use crate::ledger::trail::Act;
use crate::replay::{Credentials, OauthClient, ReplayError, SeedText, Target};
use crate::service::clock::Clock;
use crate::service::seed::{self, Seed};
use crate::service::{Service, ServiceSettings};
use chrono::{DateTime, Utc};
use std::fmt::Display;
use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The user of the built-in demo, and its password.
const DEMO: (&str, &str) = ("demo@example.com", "demo");
/// Its OAuth client.
const DEMO_CLIENT: [&str; 2] = ["00000000-0000-4000-8000-000000000001", "demo-secret"];
/// How long calls to payment gateways that are still open are waited for at the end.
const LAST_CALLS: Duration = Duration::from_secs(2);

/// A gateway that serves until it is stopped.
pub(super) struct InProcess {
    gateway: Gateway,
    service: Arc<Service>,
    ledger: Arc<dyn Ledger>,
    has_demo: bool,
}

impl InProcess {
    /// Starts a gateway with this seed, or with the built-in demo, whose clock stands still at
    /// `clock` if that is given.
    pub(super) async fn start(
        seed: Option<&SeedText>,
        clock: Option<DateTime<Utc>>,
    ) -> Result<Self, ReplayError> {
        let file =
            seed.map_or_else(|| "the demo".to_owned(), |seed| seed.file.display().to_string());
        let plan = match seed {
            Some(seed) => Seed::parse(&seed.text),
            None => Seed::demo(),
        };
        let refused = |error: &dyn Display| ReplayError::Seed(format!("{file}: {error}"));
        let plan = plan.map_err(|error| refused(&error))?;
        let options = OpenOptions {
            mode: OpenMode::CreateOrOpen { test: true },
            id_seed: None,
            settings: LedgerSettings::default(),
        };
        let ledger = ledger::open(&LedgerPlace::Memory, &options);
        let ledger = ledger.map_err(|failure| runtime(failure.error))?.ledger;
        let clock = clock.map_or_else(Clock::system, Clock::fixed);
        let loaded = seed::load(ledger.as_ref(), plan, Act::of_start(clock.now())).await;
        loaded.map_err(|error| refused(&error))?;
        let service = Service::start(Arc::clone(&ledger), clock, ServiceSettings::default());
        let service = service.await.map_err(runtime)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let http = HttpSettings::default();
        let doors = doors(&service, &http);
        let gateway = Gateway::start(Arc::clone(&service), doors, http, address, None);
        let gateway = gateway.await.map_err(runtime)?;
        Ok(Self { gateway, service, ledger, has_demo: seed.is_none() })
    }

    /// Where it is, and who can log in there if no seed says so.
    pub(super) fn target(&self) -> Result<Target, ReplayError> {
        let url = format!("http://{}", self.gateway.public_addr());
        let endpoint = Endpoint::parse(&url).map_err(runtime)?;
        let demo = Credentials { username: DEMO.0.to_owned(), password: DEMO.1.to_owned() };
        let [id, secret] = DEMO_CLIENT.map(str::to_owned);
        let client = OauthClient { id, secret, user: DEMO.0.to_owned() };
        let (user, client) = (self.has_demo.then_some(demo), self.has_demo.then_some(client));
        Ok(Target { endpoint, user, client })
    }

    /// Drains. The ledger is given back; its folder is removed when it is dropped after everything
    /// that ran on it.
    pub(super) async fn stop(self) -> Arc<dyn Ledger> {
        self.gateway.stop(pending()).await;
        self.service.finish(LAST_CALLS).await;
        self.ledger
    }
}

fn runtime(error: impl Display) -> ReplayError {
    ReplayError::Runtime(format!("the gateway cannot be started: {error}"))
}
