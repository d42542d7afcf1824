//! The benchmark suite: one command that measures the gateway beside a do-nothing server and plain
//! peers, prints the table of ratios with their targets, and writes JSON and a chart.
//!
//! `cargo bench --bench suite -- --help` lists what it takes; docs/BENCHMARKS.md explains the
//! figures. What must stay true: the gateway is the release binary as a process of its own and is
//! used by HTTP and by its command line alone; what is compared is sampled in turns; only ratios
//! of neighbouring samples and processor time are judged, because machines differ and change from
//! minute to minute.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    unreachable_pub,
    missing_docs,
    reason = "a benchmark is a program of its own: it may fail loudly and it prints"
)]

mod arguments;
mod bench;
mod chart;
mod client;
mod cluster;
mod framing;
mod gateway;
mod hello;
mod load;
mod machine;
mod peers;
mod place;
mod relay;
mod report;
mod requests;
mod scenarios;
mod server;
mod turns;

use arguments::Command;

fn main() {
    match arguments::parse(std::env::args().skip(1)) {
        Ok(Command::Hello) => hello::serve(),
        Ok(Command::Relay(port, hold)) => relay::serve(port, hold),
        Ok(Command::Help) => println!("{}", arguments::help()),
        Ok(Command::Measure(options)) => scenarios::run(options),
        Err(message) => {
            eprintln!("{message}\n\n{}", arguments::help());
            std::process::exit(2);
        }
    }
}
