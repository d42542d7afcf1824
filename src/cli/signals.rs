//! The signals that end a program: the first asks it to drain, the second ends it at once, or as
//! soon as those who wait for an answer have been sent the beginning of one. SIGHUP
//! asks a server to read again what can be, and ends any other program that was not started to go
//! on without its terminal; others end no server.

use super::exit::{Failure, FailureCode, INTERRUPTED, OrFail};
use std::future::pending;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

/// What is said to be done where signals cannot be listened for.
const LISTENING: &str = "listening for signals";
/// Those of a mistyped key or another program's habits, which end no server.
const PASSED_OVER: [(SignalKind, &str); 3] = [
    (SignalKind::quit(), "SIGQUIT"),
    (SignalKind::user_defined1(), "SIGUSR1"),
    (SignalKind::user_defined2(), "SIGUSR2"),
];
/// How long after a second signal a server ends at the latest.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// Whether a second signal has come.
#[derive(Clone)]
pub(super) struct Hurry(watch::Receiver<bool>);

impl Hurry {
    /// Waits for it.
    pub(super) async fn comes(mut self) {
        if self.0.wait_for(|hurry| *hurry).await.is_err() {
            pending::<()>().await;
        }
    }

    /// Ends the process if it has come, once clients were sent what they can be.
    pub(super) fn end_if_it_came(&self) {
        if *self.0.borrow() {
            end_interrupted();
        }
    }
}

/// SIGTERM, Ctrl-C and SIGHUP, from the moment that this exists.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    ends_on_hangup: bool,
}

impl Signals {
    /// Starts to listen; until then a signal ends the process in the system's way.
    pub(super) fn listen() -> Result<Self, Failure> {
        // To listen takes the place of passing it over.
        let ends_on_hangup = !is_hangup_ignored();
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
            ends_on_hangup,
        })
    }

    /// As [`Signals::listen`], for a server: that of a closed terminal and of a log's rotation asks
    /// to read again what can be, and those of a mistyped key end nothing.
    pub(super) fn listen_for_server() -> Result<Self, Failure> {
        for (kind, name) in PASSED_OVER {
            pass_over(listen(kind)?, name);
        }
        Ok(Self { ends_on_hangup: false, ..Self::listen()? })
    }

    /// Waits for one that ends the program, and meanwhile calls `reload` for each SIGHUP.
    pub(super) async fn next_reloading(&mut self, mut reload: impl FnMut()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => reload(),
            }
        }
    }

    /// Waits for one of them.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv(), if self.ends_on_hangup => {}
        }
    }

    /// Ends the process as soon as another one comes. The ledger stands that at any moment.
    pub(super) fn end_at_the_next(self) {
        self.say_at_the_next(Duration::ZERO);
    }

    /// As [`Signals::end_at_the_next`], for a server: what this returns becomes true when another
    /// one comes, and the process ends [`LAST_BYTES`] later, so that clients whose calls are under
    /// way can be sent the beginning of an answer that breaks off.
    pub(super) fn hurry_at_the_next(self) -> Hurry {
        Hurry(self.say_at_the_next(LAST_BYTES))
    }

    fn say_at_the_next(mut self, last_bytes_take: Duration) -> watch::Receiver<bool> {
        let (sender, hurry) = watch::channel(false);
        tokio::spawn(async move {
            self.next().await;
            sender.send_replace(true);
            sleep(last_bytes_take).await;
            end_interrupted();
        });
        hurry
    }
}

/// Ends the process as one whose drain a second signal cut short.
fn end_interrupted() -> ! {
    std::process::exit(i32::from(INTERRUPTED))
}

/// Has signals that end no server end this process no more, from now on and for good: also until
/// [`Signals`] listens, which is when all settings were read.
pub(super) fn stay_from_now_on() -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.or_fail(FailureCode::Runtime, LISTENING)?;
    let _entered = runtime.enter();
    for kind in PASSED_OVER.map(|(kind, _)| kind).into_iter().chain([SignalKind::hangup()]) {
        // What takes the place of the system's way stays when this is dropped.
        drop(listen(kind)?);
    }
    Ok(())
}

fn listen(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).or_fail(FailureCode::Runtime, LISTENING)
}

/// Whether the process was started with SIGHUP passed over, as by `nohup` (proc(5), `SigIgn`).
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 != 0)
}

/// Takes a signal of which the system would end the process, and goes on.
fn pass_over(mut signals: Signal, name: &'static str) {
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            tracing::info!(signal = name, "a signal is passed over");
        }
    });
}
