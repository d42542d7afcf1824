//! Signals that are not meant to end a gateway.

use crate::gateway::TestGateway;
use rustix::process::Signal;

/// Regression: a closed terminal or a rotated log ended the gateway at once.
#[test]
fn only_a_stop_stops_it() {
    let mut gateway = TestGateway::demo();
    for signal in [Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2, Signal::HUP] {
        gateway.signal(signal);
        gateway.login();
    }
    gateway.until_it_says("SIGHUP");
    assert!(gateway.terminate().success());
}
