//! A self-hosted SOAP server that stands in for Zuora's legacy endpoint for refunds.
//!
//! The rooms of the house, from the ground up; a room imports only rooms above it in this list.
//! ARCHITECTURE.md tells the story, `tests/tidy.rs` keeps the order.

pub mod cli;
pub mod client;
pub mod domain;
pub mod http;
pub mod ledger;
pub mod processor;
pub mod replay;
pub mod service;
pub mod soap;
pub mod xml;
