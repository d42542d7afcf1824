//! A self-hosted SOAP server that stands in for Zuora's legacy endpoint for refunds.
//!
//! Each module is a room of the house. ARCHITECTURE.md says what lives in which, and
//! `tests/tidy.rs` keeps every room from importing one above it.

pub mod call;
pub mod catalogue;
pub mod cli;
pub mod client;
pub mod console;
pub mod domain;
pub mod http;
pub mod json;
pub mod ledger;
pub mod processor;
pub mod replay;
pub mod rest;
pub mod service;
pub mod soap;
pub mod xml;
