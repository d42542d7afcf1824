//! Audit.

use super::nothing;
use crate::console::answer;
use crate::console::frame::Frame;
use crate::console::section::Section;
use crate::console::visitor::Visitor;
use crate::console::{Answered, Console};
use askama::Template;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
}

/// The pages of this section.
pub(super) async fn route(console: &Console, visitor: &Visitor, rest: &[&str]) -> Answered {
    match rest {
        [] => page(console, visitor).await,
        _ => Err(nothing()),
    }
}

async fn page(console: &Console, visitor: &Visitor) -> Answered {
    visitor.reads()?;
    let frame = visitor.frame(console, Some(Section::Audit), Section::Audit.title());
    answer::page(200, &AuditPage { frame })
}
