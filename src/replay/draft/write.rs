//! The text of a drafted seed. What was guessed is named in a comment beside it.

use super::{Account, Draft, Invoice, Method, Payment};
use crate::domain::permission::Permission;
use crate::domain::vocabulary::MethodType;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The currency of an account of which no capture says one.
const CURRENCY: &str = "USD";
/// The day of a payment or an invoice of which no capture says one: before any refund.
const DAY: &str = "2000-01-01";
/// The password of drafted users. Those of captures are secrets.
const PASSWORD: &str = "change-me";
/// The user where no capture logs in.
const USER: &str = "replay@example.com";
/// What ids begin with that are guessed.
const GUESSED: &str = "guessed0";
/// The account of what no capture says the account of.
const GUESSED_ACCOUNT: &str = "guessed0account00000000000000001";
/// What an invoice or a payment is worth of which no capture says an amount.
const AMOUNT: &str = "1000.00";

impl Draft {
    /// The seed as TOML, and what is in it in short.
    pub(in crate::replay) fn written(mut self) -> (String, String) {
        self.complete();
        let mut text = "# Drafted by `refund-gateway replay --seed-draft` from what captures say. \
                        Comments name\n# what was guessed: look it over before you rely on it.\n"
            .to_owned();
        self.users(&mut text);
        let mut numbers = Numbers { taken: BTreeSet::new(), next: 1 };
        numbers.taken.extend(self.accounts.values().filter_map(|account| account.number.clone()));
        for (id, account) in &self.accounts {
            write_account(&mut text, id, account, &mut numbers);
        }
        for (id, method) in &self.methods {
            write_method(&mut text, id, method);
        }
        let mut invoices = Numbers { taken: BTreeSet::new(), next: 1 };
        invoices.taken.extend(self.invoices.values().filter_map(|invoice| invoice.number.clone()));
        let mut called = BTreeMap::new();
        for (id, invoice) in &self.invoices {
            let number = invoice.number.clone().unwrap_or_else(|| invoices.free("INV"));
            write_invoice(&mut text, id, invoice, &number);
            called.insert(id.as_str(), number);
        }
        let mut payments = Numbers { taken: BTreeSet::new(), next: 1 };
        payments.taken.extend(self.payments.values().filter_map(|payment| payment.number.clone()));
        for (id, payment) in &self.payments {
            let number = payment.number.clone().unwrap_or_else(|| payments.free("P-"));
            let applied = payment.applied.iter().filter_map(|(invoice, amount)| {
                Some((called.get(invoice.as_str())?.clone(), *amount))
            });
            write_payment(&mut text, id, payment, &number, &applied.collect::<Vec<_>>());
        }
        let in_short = format!(
            "{} accounts, {} payment methods, {} invoices and {} payments",
            self.accounts.len(),
            self.methods.len(),
            self.invoices.len(),
            self.payments.len()
        );
        (text, in_short)
    }

    /// Adds what the objects need of each other, an account among it where no capture names one,
    /// and takes away what cannot be written: what belongs to an account that the captures made.
    fn complete(&mut self) {
        let created = std::mem::take(&mut self.created);
        self.accounts.retain(|id, _| !created.contains(id));
        let mut paid: BTreeMap<String, Decimal> = BTreeMap::new();
        for payment in self.payments.values_mut() {
            for (id, amount) in &payment.applied {
                *paid.entry(id.clone()).or_default() += amount;
                let invoice = self.invoices.entry(id.clone()).or_default();
                invoice.account = invoice.account.take().or_else(|| payment.account.clone());
            }
            if let Some(method) = &payment.method {
                let method = self.methods.entry(method.clone()).or_default();
                method.account = method.account.take().or_else(|| payment.account.clone());
            }
        }
        for (id, amount) in paid {
            let invoice = self.invoices.entry(id).or_default();
            invoice.balance = invoice.balance.or(Some(Decimal::ZERO));
            invoice.amount = invoice.amount.or(Some(amount));
        }
        let fallback = match self.accounts.len() {
            1 => self.accounts.keys().next().cloned(),
            _ => None,
        };
        let fallback = fallback.unwrap_or_else(|| GUESSED_ACCOUNT.to_owned());
        let (accounts, mut is_guessed) = (&self.accounts, false);
        let mut is_known = |account: &mut Option<String>| {
            let id = account.get_or_insert_with(|| fallback.clone());
            is_guessed |= id == GUESSED_ACCOUNT;
            id == GUESSED_ACCOUNT || accounts.contains_key(id)
        };
        self.payments.retain(|_, payment| is_known(&mut payment.account));
        self.invoices.retain(|_, invoice| is_known(&mut invoice.account));
        self.methods.retain(|_, method| {
            !method.method_type().0.is_electronic() || is_known(&mut method.account)
        });
        if is_guessed {
            self.accounts.entry(GUESSED_ACCOUNT.to_owned()).or_default();
        }
        for account in self.accounts.values_mut() {
            let methods = &self.methods;
            account.default_method =
                account.default_method.take().filter(|method| methods.contains_key(method));
        }
        for payment in self.payments.values_mut() {
            let methods = &self.methods;
            payment.method = payment.method.take().filter(|method| methods.contains_key(method));
        }
        self.guess_methods();
    }

    /// Gives each electronic payment a method, because it cannot be refunded through a gateway
    /// without one.
    fn guess_methods(&mut self) {
        let is_electronic = |payment: &&mut Payment| {
            payment.of_type.as_deref() == Some("Electronic") && payment.method.is_none()
        };
        let mut guessed: BTreeMap<Option<String>, String> = BTreeMap::new();
        for payment in self.payments.values_mut().filter(is_electronic) {
            let number = guessed.len() + 1;
            let id = guessed
                .entry(payment.account.clone())
                .or_insert_with(|| format!("{GUESSED}method{number:018}"));
            payment.method = Some(id.clone());
            let method = self.methods.entry(id.clone()).or_default();
            method.account.clone_from(&payment.account);
        }
    }

    fn users(&self, text: &mut String) {
        let is_plain = |user: &&String| *user != "blank";
        let mut users: Vec<&str> = self.users.iter().filter(is_plain).map(String::as_str).collect();
        let why = if users.is_empty() { "user and password guessed" } else { "password guessed" };
        if users.is_empty() {
            users.push(USER);
        }
        let permissions: Vec<_> = Permission::ALL.iter().map(|one| quoted(one.name())).collect();
        // Writing into a String cannot fail.
        for user in users {
            let _ = write!(
                text,
                "\n[[user]] # {why}; every permission\nusername = {}\npassword = {}\n\
                 permissions = [{}]\n",
                quoted(user),
                quoted(PASSWORD),
                permissions.join(", ")
            );
        }
    }
}

impl Method {
    /// The type, and whether it was guessed.
    fn method_type(&self) -> (MethodType, bool) {
        let read = |text: &Option<String>| text.as_deref().and_then(MethodType::from_name);
        match read(&self.of_type) {
            Some(reported) => (reported, false),
            None => (read(&self.guessed).unwrap_or(MethodType::CreditCard), true),
        }
    }
}

/// Numbers that are given in order, but for those that are taken.
struct Numbers {
    taken: BTreeSet<String>,
    next: u32,
}

impl Numbers {
    fn free(&mut self, prefix: &str) -> String {
        loop {
            let number = format!("{prefix}{:08}", self.next);
            self.next = self.next.saturating_add(1);
            if !self.taken.contains(&number) {
                return number;
            }
        }
    }
}

fn write_account(text: &mut String, id: &str, account: &Account, numbers: &mut Numbers) {
    let mut guesses: Vec<_> = id.starts_with(GUESSED).then_some("id").into_iter().collect();
    let number = account.number.clone().unwrap_or_else(|| {
        guesses.push("number");
        numbers.free("A")
    });
    let name = account.name.clone().unwrap_or_else(|| {
        guesses.push("name");
        format!("Account {number}")
    });
    let currency = account.currency.clone().unwrap_or_else(|| {
        guesses.push("currency");
        CURRENCY.to_owned()
    });
    let least = account.taken.max(Decimal::ZERO);
    let balance = account.opening.map_or_else(
        || {
            guesses.push("credit_balance (what was taken from it)");
            least
        },
        |opening| opening.max(least),
    );
    table(text, "account", &guesses);
    let _ = write!(
        text,
        "id = {}\nnumber = {}\nname = {}\ncurrency = {}\ncredit_balance = {}\n",
        quoted(id),
        quoted(&number),
        quoted(&name),
        quoted(&currency),
        quoted(&balance.to_string())
    );
    if let Some(method) = &account.default_method {
        let _ = writeln!(text, "default_payment_method = {}", quoted(method));
    }
}

fn write_method(text: &mut String, id: &str, method: &Method) {
    let (of_type, is_guessed) = method.method_type();
    let guesses = [("id", id.starts_with(GUESSED)), ("type", is_guessed)];
    let guesses: Vec<_> = guesses.iter().filter(|one| one.1).map(|one| one.0).collect();
    table(text, "payment_method", &guesses);
    let _ = writeln!(text, "id = {}", quoted(id));
    if let Some(account) = method.account.as_ref().filter(|_| of_type.is_electronic()) {
        let _ = writeln!(text, "account = {}", quoted(account));
    }
    let _ = writeln!(text, "type = {}", quoted(of_type.name()));
}

fn write_invoice(text: &mut String, id: &str, invoice: &Invoice, number: &str) {
    let mut guesses = Vec::new();
    guesses.extend(invoice.number.is_none().then_some("number"));
    guesses.extend(invoice.date.is_none().then_some("date"));
    guesses.extend(invoice.amount.is_none().then_some("amount"));
    let amount = invoice.amount.map_or_else(|| AMOUNT.to_owned(), |amount| amount.to_string());
    let balance = invoice.balance.map_or_else(|| amount.clone(), |balance| balance.to_string());
    guesses.extend(invoice.balance.is_none().then_some("balance"));
    table(text, "invoice", &guesses);
    let _ = write!(
        text,
        "id = {}\nnumber = {}\naccount = {}\ndate = {}\namount = {}\nbalance = {}\n",
        quoted(id),
        quoted(number),
        quoted(invoice.account.as_deref().unwrap_or_default()),
        quoted(&invoice.date.map_or_else(|| DAY.to_owned(), |date| date.to_string())),
        quoted(&amount),
        quoted(&balance)
    );
}

fn write_payment(
    text: &mut String,
    id: &str,
    payment: &Payment,
    number: &str,
    applied: &[(String, Decimal)],
) {
    let is_guessed = |id: &Option<String>| id.as_deref().is_some_and(|id| id.starts_with(GUESSED));
    let mut guesses = Vec::new();
    guesses.extend(payment.number.is_none().then_some("number"));
    guesses.extend(is_guessed(&payment.account).then_some("account"));
    guesses.extend(is_guessed(&payment.method).then_some("payment_method"));
    guesses.extend(payment.date.is_none().then_some("effective_date"));
    guesses.extend(payment.amount.is_none().then_some("amount (what was refunded of it)"));
    let least: Decimal = applied.iter().map(|(_, amount)| *amount).sum();
    let least = least.max(payment.refunded);
    let amount = match payment.amount {
        Some(amount) => amount.max(least).to_string(),
        None if least > Decimal::ZERO => least.to_string(),
        None => AMOUNT.to_owned(),
    };
    let of_type = match (payment.of_type.as_deref(), &payment.method) {
        (Some("Electronic"), Some(_)) => "Electronic",
        _ => "External",
    };
    table(text, "payment", &guesses);
    let _ = write!(
        text,
        "id = {}\nnumber = {}\naccount = {}\ntype = {}\namount = {}\neffective_date = {}\n",
        quoted(id),
        quoted(number),
        quoted(payment.account.as_deref().unwrap_or_default()),
        quoted(of_type),
        quoted(&amount),
        quoted(&payment.date.map_or_else(|| DAY.to_owned(), |date| date.to_string())),
    );
    if let Some(method) = &payment.method {
        let _ = writeln!(text, "payment_method = {}", quoted(method));
    }
    if !applied.is_empty() {
        let part = |(invoice, amount): &(String, Decimal)| {
            format!("{{ invoice = {}, amount = {} }}", quoted(invoice), quoted(&amount.to_string()))
        };
        let parts: Vec<_> = applied.iter().map(part).collect();
        let _ = writeln!(text, "applied = [{}]", parts.join(", "));
    }
}

/// The head of a table, with what was guessed in it.
fn table(text: &mut String, name: &str, guesses: &[&str]) {
    let guessed = match guesses {
        [] => String::new(),
        guesses => format!(" # guessed: {}", guesses.join(", ")),
    };
    // Writing into a String cannot fail.
    let _ = write!(text, "\n[[{name}]]{guessed}\n");
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
