//! A ledger as a file on a disk: who holds it, whether it is the file that was opened, whether the
//! log beside it is whole, how it is copied and put in the place of another, and when it is checked
//! beside serving.
//!
//! Engines that keep a ledger in a file use it. What must stay true: nothing here knows a database
//! or a statement of SQL (of the log it knows the bytes); what an engine has to do meanwhile is
//! handed in.

mod belonging;
pub mod check;
pub mod copies;
mod creating;
mod identity;
mod lock;
pub mod log;
pub mod making;
mod names;
mod open_error;
pub mod snapshots;

pub use creating::{create_if_allowed, is_empty, is_new};
pub use identity::{Identity, Parted};
pub use lock::FileLock;
pub use names::{has_log, log_of};
pub use open_error::OpenError;
