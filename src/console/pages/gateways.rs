//! Gateways: who pays, what each can do and how it is; the sandboxes of the ledger can be switched
//! on and off.
//!
//! What must stay true: no secret and no address of a gateway is shown here.

use super::{done, nothing};
use crate::call::Method;
use crate::console::answer;
use crate::console::form;
use crate::console::frame::Frame;
use crate::console::section::Section;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::{Answered, Console};
use askama::Template;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "gateways.html")]
struct GatewaysPage {
    frame: Frame,
    gateways: Vec<Gateway>,
}

/// A gateway, as the admin API writes it.
#[derive(Deserialize)]
struct Gateway {
    name: String,
    kind: String,
    active: bool,
    circuit: String,
    processing: u64,
    left_to_operators: u64,
    non_referenced_refunds: bool,
    method_types: Option<Vec<String>>,
    refund_window_days: Option<u32>,
    duplicate_window_s: Option<u32>,
    #[serde(default)]
    require_settled: bool,
}

impl Gateway {
    /// Whether it is a sandbox of the ledger, which can be switched.
    fn is_sandbox(&self) -> bool {
        self.kind == "sandbox"
    }

    /// What it pays to, in words.
    fn pays_to(&self) -> String {
        match &self.method_types {
            None => "every type".to_owned(),
            Some(types) => types.join(", "),
        }
    }
}

/// The gateways that the admin API lists.
#[derive(Deserialize)]
struct Gateways {
    gateways: Vec<Gateway>,
}

/// The pages of this section.
pub(super) async fn route(console: &Console, visitor: &Visitor, rest: &[&str]) -> Answered {
    match rest {
        [] => page(console, visitor).await,
        ["activate"] => switch(console, visitor, true).await,
        ["deactivate"] => switch(console, visitor, false).await,
        _ => Err(nothing()),
    }
}

async fn page(console: &Console, visitor: &Visitor) -> Answered {
    visitor.reads()?;
    let path = (Method::Get, "gateways", "");
    let Gateways { gateways } = console.ask(visitor, path, &Value::Null).await?;
    let frame = visitor.frame(console, Some(Section::Gateways), Section::Gateways.title());
    answer::page(200, &GatewaysPage { frame, gateways })
}

/// Lets a sandbox take orders, or not any more.
async fn switch(console: &Console, visitor: &Visitor, is_active: bool) -> Answered {
    visitor.posts()?;
    let form = form::form(&visitor.visit, &["name"])?;
    let name = form.text("name").ok_or_else(|| Trouble::bad("name: is missing"))?;
    let body = json!({ "name": name, "key": "active", "value": is_active });
    console.ask::<Value>(visitor, (Method::Post, "gateways", ""), &body).await?;
    let takes = if is_active { "takes orders" } else { "takes no orders any more" };
    done(console, visitor, "/gateways", format!("The gateway {name} {takes}."))
}
