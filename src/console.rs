//! The console: pages for people on the admin listener, rendered here, without anything from
//! elsewhere.
//!
//! What must stay true: each answer, whatever it is, has the headers of `answer.rs`, which allow a
//! page its own script and style and nothing else; no page is shown without a session, and nothing
//! is changed without a session that may, its own CSRF token and an Origin that is the Host; all of
//! it works without scripts. What the console does is done by the use cases of the admin API.

mod answer;
mod asking;
mod assets;
mod body;
mod chart;
mod envelopes;
mod exchange;
mod form;
mod frame;
mod gate;
mod handed_on;
mod listing;
mod live;
mod login;
mod ordering;
mod pages;
mod pulses;
mod refund_rows;
mod section;
mod sessions;
mod trouble;
mod visitor;
mod words;

use crate::call::Method;
use crate::http::{Answering, Furnish, Inside, Page, Pages, Visit};
use crate::service::Service;
use pulses::Pulses;
use sessions::Sessions;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The longest form that is read of one who is not logged in, in bytes.
const LOGIN_BYTES_MAX: usize = 8 * 1024;
/// The longest form that is read of one who is, in bytes: it can hold an envelope.
const FORM_BYTES_MAX: usize = 1024 * 1024;
/// How many pages are kept live at once.
const LIVE_MAX: usize = 12;
/// How many files are made at once.
const EXPORTS_MAX: usize = 2;

/// A setting that the process runs with.
pub struct ShownSetting {
    /// Its key.
    pub key: String,
    /// Its value; in the place of a secret, where that is found.
    pub value: String,
    /// Where the value came from.
    pub origin: String,
}

/// The console of a gateway.
pub struct Console {
    service: Arc<Service>,
    inside: Inside,
    settings: Vec<ShownSetting>,
    sessions: Sessions,
    pulses: Pulses,
    /// The places for pages that are kept live.
    live: Arc<Semaphore>,
    /// The places for files that are being made.
    exports: Arc<Semaphore>,
}

impl Console {
    /// Makes the console of a gateway, once its listeners are there; it shows these settings.
    pub fn furnish(service: Arc<Service>, settings: Vec<ShownSetting>) -> Furnish {
        Box::new(move |inside| {
            let console = Arc::new(Self {
                service,
                inside,
                settings,
                sessions: Sessions::default(),
                pulses: Pulses::default(),
                live: Arc::new(Semaphore::new(LIVE_MAX)),
                exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
            });
            pulses::keep(&console);
            console
        })
    }

    /// Whether the ledger is one for tests.
    fn is_test(&self) -> bool {
        self.service.ledger().test_bench().is_some()
    }
}

impl Pages for Console {
    fn body_bytes_max(&self, head: &Visit) -> usize {
        match head.method {
            Method::Post if self.sessions.has(head) => FORM_BYTES_MAX,
            Method::Post => LOGIN_BYTES_MAX,
            _ => 0,
        }
    }

    fn answer(&self, visit: Visit) -> Answering<'_> {
        Box::pin(async move { gate::pass(self, visit).await })
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &answer::ALWAYS
    }
}

/// A page, or why there is none.
type Answered = Result<Page, trouble::Trouble>;
