//! The integration tests, one binary: each module drives the library or the built program as its
//! users do. `gateway` and `wire` are what they share.

#![allow(unreachable_pub, reason = "nobody imports a test")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod admin_api;
mod captures;
mod cli;
mod determinism;
mod durability;
mod faults_doc;
mod fixtures;
mod gateway;
mod http;
mod logs;
mod memory;
mod papers;
mod processor_stub;
mod query;
mod query_ledger;
mod seed;
mod soap;
mod soapui;
mod stage;
mod waiting;
mod wire;
mod wsdl;
