//! Search.

use crate::console::answer;
use crate::console::visitor::Visitor;
use crate::console::{Answered, Console};

/// Finds what a text names.
pub(super) async fn route(_console: &Console, visitor: &Visitor) -> Answered {
    visitor.reads()?;
    Ok(answer::see_other("/refunds"))
}
