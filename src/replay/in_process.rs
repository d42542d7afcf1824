//! A gateway of the replay's own: on a temporary test ledger, on a free port of this machine, gone
//! with everything in it when the replay ends.

use super::error::ReplayError;
use crate::http::{Gateway, HttpSettings};
use crate::ledger::Ledger;
use crate::ledger::sqlite::{LedgerSettings, OpenMode, OpenOptions, SqliteLedger};
use crate::service::clock::Clock;
use crate::service::seed::{self, Seed};
use crate::service::{Service, ServiceSettings};
use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A gateway that serves until it is stopped.
pub(super) struct InProcess(Gateway);

/// The text of a seed, and where it comes from.
pub(super) struct SeedText {
    pub(super) file: PathBuf,
    pub(super) text: String,
}

impl SeedText {
    pub(super) fn read(file: &Path) -> Result<Self, ReplayError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| ReplayError::Seed(format!("{}: {error}", file.display())))?;
        Ok(Self { file: file.to_owned(), text })
    }

    fn parse(&self) -> Result<Seed, ReplayError> {
        let file = self.file.display();
        Seed::parse(&self.text).map_err(|error| ReplayError::Seed(format!("{file}: {error}")))
    }
}

/// Starts a gateway with this seed, or with the built-in demo.
pub(super) async fn start(seed: Option<&SeedText>) -> Result<InProcess, ReplayError> {
    let plan = match seed {
        Some(seed) => seed.parse()?,
        None => Seed::demo().map_err(|error| ReplayError::Seed(error.to_string()))?,
    };
    let options = OpenOptions {
        mode: OpenMode::CreateOrOpen { test: true },
        id_seed: None,
        settings: LedgerSettings::default(),
    };
    let ledger: Arc<dyn Ledger> = Arc::new(SqliteLedger::temporary(&options).map_err(runtime)?);
    seed::load(ledger.as_ref(), plan, None).await.map_err(|error| {
        let file =
            seed.map_or_else(|| "the seed".to_owned(), |seed| seed.file.display().to_string());
        ReplayError::Seed(format!("{file}: {error}"))
    })?;
    let service = Service::start(ledger, Clock::system(), ServiceSettings::default());
    let service = service.await.map_err(runtime)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let gateway = Gateway::start(service, HttpSettings::default(), address, None);
    gateway.await.map(InProcess).map_err(runtime)
}

fn runtime(error: impl Display) -> ReplayError {
    ReplayError::Runtime(format!("the gateway cannot be started: {error}"))
}

impl InProcess {
    /// Its URL.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.0.public_addr())
    }

    /// Drains; the ledger goes with the last who holds it.
    pub(super) async fn stop(self) {
        self.0.stop().await;
    }
}
