//! The use cases of the ledger: what each reads, decides by the rules of the domain, and changes.
//!
//! They work on a [`Unit`](super::unit::Unit) and know no engine. What must stay true: a row that
//! is refused has changed nothing; money moves in [`movement`] alone.

pub mod adjusting;
mod ahead;
pub mod answers;
pub mod changing;
pub mod creating;
pub mod custom;
pub mod ending;
pub mod events;
pub mod exchanges;
pub mod facts;
pub mod movement;
pub mod reconciling;
pub mod refunding;
mod sending;
pub mod trail;
pub mod trail_facts;
