//! The use cases of the ledger: what each reads, decides by the rules of the domain, and changes.
//!
//! They work on a [`Unit`](super::unit::Unit) and know no engine. What must stay true: a row that
//! is refused has changed nothing; money moves in [`movement`] alone.

mod accounts;
mod adjusting;
pub mod ageing;
mod ahead;
pub mod answers;
pub mod beginning;
pub mod changing;
mod changing_refunds;
pub mod creating;
mod credit_memos;
pub mod custom;
pub mod delivering;
pub mod drawing;
pub mod ending;
pub mod events;
pub mod exchanges;
pub mod facts;
pub mod forgetting;
mod invoice_adjusting;
pub mod keeping;
pub mod loading;
mod loading_refunds;
pub mod locating;
mod methods;
pub mod movement;
pub mod naming;
pub mod numbering;
pub mod operating;
mod payments;
pub mod reconciling;
mod refund_details;
pub mod refunding;
pub mod sending;
pub mod sessions;
pub mod settings;
mod settlement_changing;
mod settlement_facts;
mod settlement_payments;
mod settlement_refunding;
pub mod trail;
pub mod trail_facts;
pub mod undelivered;
pub mod views;
