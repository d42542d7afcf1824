//! Creates by REST beside the same creates by SOAP, on one gateway at a time: the twin of SOAP's
//! create, and the v1 refund of a payment.

use crate::bench::{Bench, load_turn};
use crate::gateway::{ACCOUNTS, Gateway};
use crate::load::{Ids, Load};
use crate::place::Place;
use crate::requests::{Template, settlement};

const CONNECTIONS: usize = 64;

pub fn run(bench: &mut Bench) {
    let place = bench.quiet_place();
    let gateway = bench.gateway(&place, "rest-twin");
    let token = gateway.token();
    let templates = [Template::external(&gateway.session, 1), Template::twin(&token)];
    beside(bench, "twin", "refunds of credit balances", &gateway, &templates);
    drop(gateway);
    let gateway = on_payments(bench, &place);
    let token = gateway.token();
    let templates = [Template::of_payment(&gateway.session), Template::of_payment_by_rest(&token)];
    beside(bench, "payment", "refunds of payments", &gateway, &templates);
}

/// A gateway whose tenant has Invoice Settlement, with a payment for each account.
fn on_payments(bench: &Bench, place: &Place) -> Gateway {
    Gateway::seeded(&bench.options.gateway, place, "rest-payment", &settlement(ACCOUNTS))
}

/// The same refunds by SOAP and by REST.
fn beside(bench: &mut Bench, id: &str, what: &str, gateway: &Gateway, templates: &[Template; 2]) {
    let [soap, rest] = templates;
    let ids = Ids::Accounts(ACCOUNTS);
    let load = |template| Load { template, ids: ids.clone(), connections: CONNECTIONS };
    let time = bench.sample_time();
    let mut turns = [
        load_turn("rest", gateway, load(rest), time),
        load_turn("soap", gateway, load(soap), time),
    ];
    let rounds = bench.take_turns(&format!("{what} by REST and SOAP"), &mut turns);
    let speed = rounds.ratio("rest", "soap", |sample| sample.per_second);
    bench.row(&format!("rest-{id}"), &format!("{what}, creates/s by REST ÷ by SOAP"), speed);
    let cpu = rounds.ratio("rest", "soap", |sample| sample.cpu_us);
    let measure = format!("{what}, processor time by REST ÷ by SOAP");
    bench.row(&format!("rest-{id}-cpu"), &measure, cpu);
}
