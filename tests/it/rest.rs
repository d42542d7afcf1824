//! The REST front door as its users meet it: the built program, tokens, JSON in and out.

mod bench;
mod bounds;
mod catalogue;
pub mod client;
mod edges;
mod errors;
mod hammer;
mod headers;
mod money;
mod openapi;
mod refunds;
mod scope;
mod twins;
