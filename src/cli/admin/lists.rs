//! `admin account`, `entry`, `refund`, `session` and `webhook`: what operators look through on a
//! running gateway, as tables for people or as JSON, and the few things that they decide there.
//!
//! What must stay true: a filter is one of the admin API, by the name that it has there, and what
//! it may be is for the API to say.

use super::table::{Column, Table};
use super::{Api, Call};
use crate::cli::exit::{ExitStatus, Failure};
use crate::client::Method;
use crate::domain::percent::encoded;
use serde_json::{Value, json};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Action {
    /// List accounts, or show one
    #[command(subcommand)]
    Account(Account),
    /// List what moved on an account
    #[command(subcommand)]
    Entry(Entry),
    /// List refunds, or show one
    #[command(subcommand)]
    Refund(Refund),
    /// List sessions and OAuth tokens, or end one
    #[command(subcommand)]
    Session(Session),
    /// List webhooks and what they did not take; retry or skip a delivery
    #[command(subcommand)]
    Webhook(Webhook),
}

/// How much of a list, and how it is printed.
#[derive(Debug, clap::Args)]
pub(super) struct Page {
    /// How many rows at most, 1 to 500 [default: 50]
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where a page ended that said so
    #[arg(long, value_name = "TEXT")]
    cursor: Option<String>,
    /// Print JSON as the admin API answers it
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Account {
    /// List accounts in the order of their creation
    List {
        /// Only those whose name, number or id begins so
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// Show an account
    Show {
        /// Its id or number
        key: String,
    },
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Entry {
    /// List what moved on an account, the newest first
    List {
        /// The account's id or number
        account: String,
        #[command(flatten)]
        page: Page,
    },
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Refund {
    /// List refunds, the newest first
    List {
        #[command(flatten)]
        filter: Box<RefundFilter>,
        #[command(flatten)]
        page: Page,
    },
    /// Show a refund; `explain` tells its story
    Show {
        /// Its Id or number
        key: String,
    },
}

/// Which refunds are meant.
#[derive(Debug, clap::Args)]
pub(super) struct RefundFilter {
    /// Only those in this state: Processing, Processed, Error, …
    #[arg(long)]
    status: Option<String>,
    /// Only those of this type: External or Electronic
    #[arg(long = "type", value_name = "TYPE")]
    refund_type: Option<String>,
    /// Only those that draw on this: CreditBalance, Payment, …
    #[arg(long, value_name = "SOURCE")]
    source_type: Option<String>,
    /// Only those of this account, by its id or number
    #[arg(long, value_name = "ID|NUMBER")]
    account: Option<String>,
    /// Only those of the gateway of this name
    #[arg(long, value_name = "NAME")]
    gateway: Option<String>,
    /// Only those of this day or later
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Only those of this day or earlier
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// Only those of this amount or more
    #[arg(long, value_name = "AMOUNT")]
    amount_min: Option<String>,
    /// Only those of this amount or less
    #[arg(long, value_name = "AMOUNT")]
    amount_max: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Session {
    /// List sessions and tokens, those used or issued last before others
    List {
        /// Only those of this user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// End a session or a token
    End {
        /// Its handle in the list
        handle: String,
    },
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Webhook {
    /// List the webhooks of the configuration, with what each has got and what it has not
    List {
        /// Print JSON as the admin API answers it
        #[arg(long)]
        json: bool,
    },
    /// List what a webhook did not take, the newest event first
    Failures {
        /// The webhook's name in the configuration
        webhook: String,
        #[command(flatten)]
        page: Page,
    },
    /// Try a delivery that failed again at once, also one that was given up
    Retry(Delivery),
    /// Do without a delivery that failed: the webhook does not get the event
    Skip {
        #[command(flatten)]
        delivery: Delivery,
        /// Why; it is kept in the audit
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Delivery {
    /// The webhook's name in the configuration
    webhook: String,
    /// The event's sequence
    event: i64,
}

const ACCOUNTS: &[Column] = &[
    Column::text("NUMBER", "number"),
    Column::number("BALANCE", "balance"),
    Column::text("CURRENCY", "currency"),
    Column::text("STATE", "status"),
    Column::text("ID", "id"),
    Column::text("NAME", "name"),
];
const ENTRIES: &[Column] = &[
    Column::text("AT", "at"),
    Column::text("KIND", "kind"),
    Column::number("AMOUNT", "amount"),
    Column::number("BALANCE", "balance"),
    Column::text("CURRENCY", "currency"),
    Column::text("REFUND", "refund"),
    Column::text("ADJUSTMENT", "adjustment"),
];
const REFUNDS: &[Column] = &[
    Column::text("NUMBER", "number"),
    Column::text("STATE", "status"),
    Column::text("TYPE", "type"),
    Column::text("SOURCE", "source_type"),
    Column::number("AMOUNT", "amount"),
    Column::text("CURRENCY", "currency"),
    Column::text("DAY", "refund_date"),
    Column::text("ACCOUNT", "account_number"),
    Column::text("GATEWAY", "gateway"),
    Column::text("ID", "id"),
];
const SESSIONS: &[Column] = &[
    Column::text("HANDLE", "handle"),
    Column::text("KIND", "kind"),
    Column::text("USER", "user"),
    Column::text("LAST USED", "last_used"),
    Column::text("ISSUED", "issued"),
    Column::text("ENDS", "ends"),
    Column::text("CLIENT", "client"),
];
const WEBHOOKS: &[Column] = &[
    Column::text("WEBHOOK", "name"),
    Column::number("DELIVERED", "delivered"),
    Column::number("FAILED", "failed"),
    Column::number("WAITING", "waiting"),
    Column::number("GIVEN UP", "given_up"),
];
const FAILURES: &[Column] = &[
    Column::number("EVENT", "sequence"),
    Column::text("KIND", "kind"),
    Column::text("REFUND", "refund"),
    Column::number("ATTEMPTS", "attempts"),
    Column::text("SINCE", "since"),
    Column::text("NEXT", "next_attempt"),
    Column::text("GIVEN UP", "given_up"),
    Column::text("LAST ERROR", "last_error"),
];

/// Lists, shows or decides what is asked for.
pub(super) fn run(api: &Api, action: Action) -> Result<ExitStatus, Failure> {
    match action {
        Action::Account(Account::List { search, page }) => {
            let table = Table { path: "accounts", name: "accounts", columns: ACCOUNTS };
            page.print(api, &table, [("search", search)])
        }
        Action::Entry(Entry::List { account, page }) => {
            let table = Table { path: "entries", name: "entries", columns: ENTRIES };
            page.print(api, &table, [("account", Some(account))])
        }
        Action::Refund(Refund::List { filter, page }) => {
            let table = Table { path: "refunds", name: "refunds", columns: REFUNDS };
            page.print(api, &table, filter.pairs())
        }
        Action::Session(Session::List { user, page }) => {
            let table = Table { path: "sessions", name: "sessions", columns: SESSIONS };
            page.print(api, &table, [("user", user)])
        }
        Action::Webhook(Webhook::List { json }) => {
            let table = Table { path: "webhooks", name: "webhooks", columns: WEBHOOKS };
            Page { limit: None, cursor: None, json }.print(api, &table, [])
        }
        Action::Webhook(Webhook::Failures { webhook, page }) => {
            let path = format!("webhooks/{}/failures", encoded(&webhook));
            page.print(api, &Table { path: &path, name: "failures", columns: FAILURES }, [])
        }
        Action::Account(Account::Show { key }) => {
            call(api, (Method::GET, format!("accounts/{}", encoded(&key)), Value::Null))
        }
        Action::Refund(Refund::Show { key }) => {
            call(api, (Method::GET, format!("refunds/{}", encoded(&key)), Value::Null))
        }
        Action::Session(Session::End { handle }) => {
            call(api, (Method::DELETE, format!("sessions/{}", encoded(&handle)), Value::Null))
        }
        Action::Webhook(Webhook::Retry(delivery)) => {
            call(api, (Method::POST, delivery.path("retry"), Value::Null))
        }
        Action::Webhook(Webhook::Skip { delivery, reason }) => {
            call(api, (Method::POST, delivery.path("skip"), json!({ "reason": reason })))
        }
    }
}

fn call(api: &Api, (method, path, body): Call) -> Result<ExitStatus, Failure> {
    super::print(&api.call(method, &path, &body)?)?;
    Ok(ExitStatus::Done)
}

impl Delivery {
    fn path(&self, decision: &str) -> String {
        format!("webhooks/{}/failures/{}/{decision}", encoded(&self.webhook), self.event)
    }
}

impl RefundFilter {
    fn pairs(self) -> [(&'static str, Option<String>); 9] {
        [
            ("status", self.status),
            ("type", self.refund_type),
            ("source_type", self.source_type),
            ("account", self.account),
            ("gateway", self.gateway),
            ("from", self.from),
            ("to", self.to),
            ("amount_min", self.amount_min),
            ("amount_max", self.amount_max),
        ]
    }
}

impl Page {
    /// Prints this page of a list with these filters.
    fn print<const N: usize>(
        self,
        api: &Api,
        table: &Table<'_>,
        filters: [(&'static str, Option<String>); N],
    ) -> Result<ExitStatus, Failure> {
        let limit = self.limit.map(|limit| limit.to_string());
        let page = [("limit", limit), ("cursor", self.cursor)];
        let pairs = filters.into_iter().chain(page);
        let pairs = pairs.filter_map(|(key, value)| Some(format!("{key}={}", encoded(&value?))));
        let query = pairs.collect::<Vec<_>>().join("&");
        let path = format!("{}?{query}", table.path);
        let reported = api.call(Method::GET, path.trim_end_matches('?'), &Value::Null)?;
        if self.json {
            super::print(&reported)?;
        } else {
            table.print(&reported)?;
        }
        Ok(ExitStatus::Done)
    }
}
