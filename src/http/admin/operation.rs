//! Users, the tenant's settings and the gateways: what operators read and change of them on any
//! ledger, while it is served.

use super::api::{Api, NOTHING, posted};
use super::query::Pairs;
use super::readings::shown;
use super::talk::{
    Answered, Wrong, bad, conflict, from_json, missing, of_ledger, ok, wrong, wrong_method,
};
use crate::domain::facts::Tenant;
use crate::domain::money::Currency;
use crate::ledger::operator::{ChangeRefusal, ListedGateway, ListedUser, Operators};
use crate::ledger::orders::Awaited;
use crate::ledger::readings::ROWS_MAX;
use crate::ledger::trail::Act;
use crate::service::operation::{OperationError, Wanted};
use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

/// The body of what makes or changes a user.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfUser {
    username: String,
    password: Option<String>,
    permissions: Option<Vec<String>>,
}

impl OfUser {
    /// That the body has these and no others.
    fn has_only(&self, permissions: bool, password: bool) -> Result<(), Wrong> {
        if self.permissions.is_some() && !permissions {
            return Err(bad("permissions: have no meaning here"));
        }
        if self.password.is_some() && !password {
            return Err(bad("password: has no meaning here"));
        }
        Ok(())
    }
}

fn needed<T>(value: Option<T>, key: &str) -> Result<T, Wrong> {
    value.ok_or_else(|| bad(format!("{key}: is missing")))
}

impl Api {
    /// Lists users, makes one, or changes one.
    pub(super) async fn users(
        &self,
        method: &Method,
        (rest, query): (&[&str], &str),
        body: &Bytes,
        act: Act,
    ) -> Result<Answered, Wrong> {
        if let (&Method::GET, []) = (method, rest) {
            let pairs = Pairs::parse(query, &["limit", "cursor"]).map_err(bad)?;
            let behind = pairs.text("cursor").map(str::to_owned);
            // Unless it is said otherwise, all users of nearly every ledger, as ever.
            let most = pairs.number("limit", 1..=ROWS_MAX).map_err(bad)?.unwrap_or(ROWS_MAX);
            let users = self.operators().users(behind, most).await;
            let users = users.map_err(|error| of_ledger(&error))?;
            return Ok(ok(shown("users", &users, shown_user)));
        }
        let wanted = match rest {
            [] if method == Method::POST => {
                let of: OfUser = from_json(body)?;
                let (username, permissions) = (of.username, of.permissions);
                let password = needed(of.password, "password")?;
                let wanted = Wanted::CreateUser { username, password, permissions };
                let (_, reported) = self.operate(wanted, act).await?;
                return Ok((StatusCode::CREATED, reported));
            }
            [] => return Err(wrong_method("GET, HEAD, POST")),
            [operation] => of_operation(operation, method, body)?,
            _ => return Err(missing(NOTHING)),
        };
        self.operate(wanted, act).await
    }

    /// Returns the tenant's settings, or sets one.
    pub(super) async fn tenant(
        &self,
        method: &Method,
        body: &Bytes,
        act: Act,
    ) -> Result<Answered, Wrong> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Set {
            key: String,
            value: Value,
        }
        match *method {
            Method::GET => Ok(ok(shown_tenant(&self.service.ledger().tenant()))),
            Method::POST => {
                let Set { key, value } = from_json(body)?;
                self.operate(Wanted::Tenant { key, value }, act).await
            }
            _ => Err(wrong_method("GET, HEAD, POST")),
        }
    }

    /// Lists the gateways, or sets something of a sandbox.
    pub(super) async fn gateways(
        &self,
        method: &Method,
        body: &Bytes,
        act: Act,
    ) -> Result<Answered, Wrong> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Set {
            name: String,
            key: String,
            value: Value,
        }
        match *method {
            Method::GET => {
                let gateways = self.operators().all_gateways().await;
                let gateways = gateways.map_err(|error| of_ledger(&error))?;
                let awaited = self.service.ledger().awaited_gateways().await;
                let awaited = awaited.map_err(|error| of_ledger(&error))?;
                let shown = |listed: &ListedGateway| {
                    let name = &listed.gateway.name;
                    let awaited = awaited.iter().find(|awaited| awaited.gateway == *name);
                    shown_gateway(listed, self.service.is_left_alone(name), awaited)
                };
                let gateways: Vec<_> = gateways.iter().map(shown).collect();
                Ok(ok(json!({ "gateways": gateways })))
            }
            Method::POST => {
                let Set { name, key, value } = from_json(body)?;
                self.operate(Wanted::Gateway { name, key, value }, act).await
            }
            _ => Err(wrong_method("GET, HEAD, POST")),
        }
    }

    fn operators(&self) -> &dyn Operators {
        self.service.ledger().as_ref()
    }

    async fn operate(&self, wanted: Wanted, act: Act) -> Result<Answered, Wrong> {
        let changed = self.service.operate(wanted, act).await;
        let changed = changed.map_err(|error| of_operation_error(&error))?;
        Ok(ok(json!({ "changed": changed })))
    }
}

/// The change of a user by the last part of its path.
fn of_operation(operation: &str, method: &Method, body: &Bytes) -> Result<Wanted, Wrong> {
    let of = || from_json::<OfUser>(posted(method, body)?);
    Ok(match operation {
        "grant" | "revoke" => {
            let of = of()?;
            of.has_only(true, false)?;
            let (username, permissions) = (of.username, needed(of.permissions, "permissions")?);
            match operation {
                "grant" => Wanted::Grant { username, permissions },
                _ => Wanted::Revoke { username, permissions },
            }
        }
        "disable" | "enable" => {
            let of = of()?;
            of.has_only(false, false)?;
            Wanted::Enable { username: of.username, is_enabled: operation == "enable" }
        }
        "set-password" => {
            let of = of()?;
            of.has_only(false, true)?;
            let password = needed(of.password, "password")?;
            Wanted::SetPassword { username: of.username, password }
        }
        _ => return Err(missing(NOTHING)),
    })
}

fn of_operation_error(error: &OperationError) -> Wrong {
    let text = error.to_string();
    match error {
        OperationError::Wrong(_) => bad(text),
        OperationError::Refused(refusal) => match refusal {
            // The path is there; it is the body that names what is not.
            ChangeRefusal::NoUser { .. } | ChangeRefusal::NoGateway { .. } => bad(text),
            ChangeRefusal::UserExists(_)
            | ChangeRefusal::ComesWithAny(_)
            | ChangeRefusal::Configured(_) => conflict(text),
        },
        OperationError::Password(_) => wrong(StatusCode::INTERNAL_SERVER_ERROR, text),
        OperationError::Ledger(error) => of_ledger(error),
    }
}

fn shown_user(user: &ListedUser) -> Value {
    json!({
        "username": user.username,
        "id": user.id,
        "permissions": user.permissions.names(),
        "disabled": user.is_disabled,
    })
}

fn shown_tenant(tenant: &Tenant) -> Value {
    json!({
        "credit_balance": tenant.credit_balance,
        "invoice_settlement": tenant.invoice_settlement,
        "invoice_item_settlement": tenant.invoice_item_settlement,
        "future_dated_adjustments": tenant.future_dated_adjustments,
        "home_currency": tenant.home_currency.map(Currency::code),
        "reporting_currency": tenant.reporting_currency.map(Currency::code),
        "fx_data": tenant.fx_data,
        "currency_conversion_exports": tenant.currency_conversion_exports,
        "zuora_version": tenant.zuora_version,
        "entities": tenant.entities,
        "default_gateway": tenant.default_gateway,
        "time_zone": tenant.time_zone.name(),
        "reason_codes": tenant.reason_codes,
        "payment_reason_codes": tenant.payment_reason_codes,
        "credit_memo_reason_codes": tenant.credit_memo_reason_codes,
        "adjustment_reason_codes": tenant.adjustment_reason_codes,
    })
}

fn shown_gateway(listed: &ListedGateway, is_left_alone: bool, awaited: Option<&Awaited>) -> Value {
    let ListedGateway { gateway, switches } = listed;
    let mut shown = json!({
        "name": gateway.name,
        "kind": if switches.is_some() { "sandbox" } else { "http" },
        "active": gateway.active,
        "circuit": if is_left_alone { "open" } else { "closed" },
        "processing": awaited.map_or(0, |awaited| awaited.open),
        "left_to_operators": awaited.map_or(0, |awaited| awaited.left_to_operators),
        "non_referenced_refunds": gateway.non_referenced_refunds,
        "method_types": gateway.method_types,
    });
    if let (Some(shown), Some(switches)) = (shown.as_object_mut(), switches) {
        shown.insert("refund_window_days".to_owned(), json!(switches.refund_window_days));
        shown.insert("duplicate_window_s".to_owned(), json!(switches.duplicate_window_s));
        shown.insert("require_settled".to_owned(), json!(switches.require_settled));
    }
    shown
}
