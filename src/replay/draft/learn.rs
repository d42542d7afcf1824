//! What an exchange says of the objects that were there before it.
//!
//! Only what succeeded counts, and what failed for another reason than the object itself: an id
//! that was refused did not exist then, and is not drafted.

use super::super::blanks;
use super::super::compare::{LIMITS, operation};
use super::super::references::{Reference, is_id, named_below, named_in};
use super::Draft;
use crate::xml::{ElementRef, decode, parse};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::str::FromStr;

impl Draft {
    /// Takes in a request and its answer.
    pub(in crate::replay) fn learn(&mut self, request: &[u8], answer: Option<&[u8]>) {
        let Some(answer) = answer else { return };
        let (request_bytes, answer) = (blanks::neutral(request), blanks::neutral(answer));
        let (Ok(request), Ok(answer_text)) = (decode(&request_bytes, None), decode(&answer, None))
        else {
            return;
        };
        let (Ok(request), Ok(answer_document)) =
            (parse(&request, &LIMITS), parse(&answer_text, &LIMITS))
        else {
            return;
        };
        let (Some(asked), Some(reported)) =
            (operation(request.root()), operation(answer_document.root()))
        else {
            return;
        };
        if reported.local() == "Fault" {
            return;
        }
        match asked.local() {
            "login" => self.users.extend(text(asked, "username")),
            "query" | "queryMore" => self.learn_records(reported, &request_bytes),
            "create" => self.learn_rows(asked, reported, true),
            "update" => self.learn_rows(asked, reported, false),
            _ => named_in(&request_bytes).iter().for_each(|named| self.take(named)),
        }
    }

    /// Notes that an object was there, unless the captures made it.
    fn take(&mut self, reference: &Reference) {
        let Reference { object, id } = reference;
        if self.created.contains(id) {
            return;
        }
        match object.as_str() {
            "Account" => {
                self.account(id);
            }
            "PaymentMethod" => {
                self.methods.entry(id.clone()).or_default();
            }
            "Payment" => {
                self.payments.entry(id.clone()).or_default();
            }
            "Invoice" => {
                self.invoices.entry(id.clone()).or_default();
            }
            _ => {}
        }
    }

    /// The id of the account that is called so, by its id or its number.
    fn account(&mut self, called: &str) -> String {
        if is_id(called) {
            self.accounts.entry(called.to_owned()).or_default();
            return called.to_owned();
        }
        let known = self.accounts.iter().find(|(_, of)| of.number.as_deref() == Some(called));
        let id = known.map(|(id, _)| id.clone()).or_else(|| self.numbers.get(called).cloned());
        let id = id.unwrap_or_else(|| format!("{:032x}", 0xd7af_0000 + self.numbers.len()));
        self.numbers.insert(called.to_owned(), id.clone());
        self.accounts.entry(id.clone()).or_default().number = Some(called.to_owned());
        id
    }

    /// The rows of a create or an update, each with its result.
    fn learn_rows(&mut self, asked: ElementRef<'_>, reported: ElementRef<'_>, creates: bool) {
        let objects = asked.children().filter(|child| child.local() == "zObjects");
        let results: Vec<_> =
            reported.children().filter(|child| child.local() == "result").collect();
        for (object, result) in objects.zip(results) {
            let succeeded = text(result, "Success").as_deref() == Some("true");
            let of_type = object.xsi_type().map_or("", |name| name.local);
            let message = deep(result, "Message").unwrap_or_default();
            for named in named_below(object) {
                if succeeded || !message.contains(&named.id) {
                    self.take(&named);
                }
            }
            if succeeded && creates {
                match of_type {
                    "Refund" => self.learn_refund(object),
                    "CreditBalanceAdjustment" => self.learn_adjustment(object),
                    _ => {}
                }
                self.created.extend(text(result, "Id"));
            }
        }
    }

    fn learn_refund(&mut self, refund: ElementRef<'_>) {
        let amount = amount(refund, "Amount").unwrap_or_default();
        let account = text(refund, "AccountId").map(|called| self.account(&called));
        let of_type = text(refund, "Type");
        let method = ["PaymentMethodId", "PaymentMethodID"];
        let method = method.into_iter().find_map(|name| text(refund, name)).filter(|id| is_id(id));
        if let Some(id) = method.as_ref().filter(|id| !self.created.contains(*id)) {
            let known = self.methods.entry(id.clone()).or_default();
            known.account = known.account.take().or_else(|| account.clone());
            let electronic = of_type.as_deref() == Some("Electronic");
            let guessed = text(refund, "MethodType");
            let guessed = guessed.or(electronic.then(|| "CreditCard".to_owned()));
            known.guessed = known.guessed.take().or(guessed);
        }
        let payment = text(refund, "PaymentId").filter(|id| is_id(id));
        let payment = payment.filter(|id| !self.created.contains(id));
        if let Some(id) = payment {
            let known = self.payments.entry(id).or_default();
            known.account = known.account.take().or(account);
            known.of_type = known.of_type.take().or(of_type);
            known.method = known.method.take().or(method);
            known.refunded += amount;
            for part in parts(refund) {
                let (Some(invoice), Some(amount)) =
                    (text(part, "InvoiceId"), self::amount(part, "RefundAmount"))
                else {
                    continue;
                };
                *known.applied.entry(invoice).or_default() += amount;
            }
        } else if let Some(account) = account.and_then(|id| self.accounts.get_mut(&id)) {
            account.taken += amount;
        }
    }

    fn learn_adjustment(&mut self, adjustment: ElementRef<'_>) {
        let account = text(adjustment, "AccountId").map(|called| self.account(&called));
        let amount = amount(adjustment, "Amount").unwrap_or_default();
        let takes = text(adjustment, "Type").as_deref() == Some("Decrease");
        if let Some(account) = account.and_then(|id| self.accounts.get_mut(&id)) {
            if takes {
                account.taken += amount;
            } else {
                account.taken -= amount;
            }
        }
    }

    /// The records that a query found. A query that found something names what was there.
    fn learn_records(&mut self, reported: ElementRef<'_>, request: &[u8]) {
        let results = reported.children().filter(|child| child.local() == "result");
        let records: Vec<_> = results
            .flat_map(|result| result.children())
            .filter(|child| child.local() == "records" && child.children().next().is_some())
            .collect();
        if records.is_empty() {
            return;
        }
        let named = named_in(request);
        let mut numbers = named.iter().filter(|one| one.object == "Account" && !is_id(&one.id));
        if let ([record], Some(number), None) = (&records[..], numbers.next(), numbers.next()) {
            // The one account that was found by its number.
            let id = text(*record, "Id").filter(|id| is_id(id) && is_account(*record));
            id.into_iter().for_each(|id| self.called(&number.id, &id));
        }
        named.iter().for_each(|named| self.take(named));
        for record in records {
            named_below(record).iter().for_each(|named| self.take(named));
            let id = text(record, "Id").filter(|id| is_id(id) && !self.created.contains(id));
            let Some(id) = id else { continue };
            match record.xsi_type().map_or("", |name| name.local) {
                "Account" => self.learn_account(&id, record),
                "PaymentMethod" => {
                    let account = self.account_of(record);
                    let method = self.methods.entry(id).or_default();
                    method.account = method.account.take().or(account);
                    method.of_type = method.of_type.take().or_else(|| text(record, "Type"));
                }
                "Payment" => self.learn_payment(id, record),
                "Invoice" => self.learn_invoice(id, record),
                _ => {}
            }
        }
    }

    /// Notes the number of an account, which may have been drafted under a made-up id before.
    fn called(&mut self, number: &str, id: &str) {
        let drafted = self.numbers.insert(number.to_owned(), id.to_owned());
        let account = self.accounts.entry(id.to_owned()).or_default();
        account.number.get_or_insert_with(|| number.to_owned());
        let Some(drafted) = drafted.filter(|drafted| drafted != id) else { return };
        let taken = self.accounts.remove(&drafted).map(|drafted| drafted.taken);
        self.accounts.entry(id.to_owned()).or_default().taken += taken.unwrap_or_default();
        let methods = self.methods.values_mut().map(|method| &mut method.account);
        let payments = self.payments.values_mut().map(|payment| &mut payment.account);
        let invoices = self.invoices.values_mut().map(|invoice| &mut invoice.account);
        for account in methods.chain(payments).chain(invoices) {
            if account.as_deref() == Some(drafted.as_str()) {
                *account = Some(id.to_owned());
            }
        }
    }

    fn account_of(&mut self, record: ElementRef<'_>) -> Option<String> {
        text(record, "AccountId").map(|called| self.account(&called))
    }

    fn learn_account(&mut self, id: &str, record: ElementRef<'_>) {
        text(record, "AccountNumber").into_iter().for_each(|number| self.called(&number, id));
        let account = self.accounts.entry(id.to_owned()).or_default();
        account.name = account.name.take().or_else(|| text(record, "Name"));
        account.currency = account.currency.take().or_else(|| text(record, "Currency"));
        let method = text(record, "DefaultPaymentMethodId").filter(|id| is_id(id));
        if let Some(method) = method.filter(|id| !self.created.contains(id)) {
            self.methods.entry(method.clone()).or_default().account.get_or_insert(id.to_owned());
            account.default_method.get_or_insert(method);
        }
        let balance = amount(record, "CreditBalance");
        account.opening = account.opening.or(balance.map(|balance| balance + account.taken));
    }

    fn learn_payment(&mut self, id: String, record: ElementRef<'_>) {
        let account = self.account_of(record);
        let payment = self.payments.entry(id).or_default();
        payment.account = payment.account.take().or(account);
        payment.number = payment.number.take().or_else(|| text(record, "PaymentNumber"));
        payment.of_type = text(record, "Type").or(payment.of_type.take());
        payment.amount = payment.amount.or_else(|| amount(record, "Amount"));
        payment.date = payment.date.or_else(|| day(record, "EffectiveDate"));
        let method = text(record, "PaymentMethodId").filter(|id| is_id(id));
        payment.method = payment.method.take().or(method);
    }

    fn learn_invoice(&mut self, id: String, record: ElementRef<'_>) {
        let account = self.account_of(record);
        let invoice = self.invoices.entry(id).or_default();
        invoice.account = invoice.account.take().or(account);
        invoice.number = invoice.number.take().or_else(|| text(record, "InvoiceNumber"));
        invoice.amount = invoice.amount.or_else(|| amount(record, "Amount"));
        invoice.balance = invoice.balance.or_else(|| amount(record, "Balance"));
        invoice.date = invoice.date.or_else(|| day(record, "InvoiceDate"));
    }
}

fn is_account(record: ElementRef<'_>) -> bool {
    record.xsi_type().is_some_and(|name| name.local == "Account")
}

/// The parts of a refund of several invoices.
fn parts<'d>(refund: ElementRef<'d>) -> Vec<ElementRef<'d>> {
    let lists = refund.children().filter(|child| child.local() == "RefundInvoicePaymentData");
    let parts = lists.flat_map(|list| list.children());
    parts.filter(|part| part.local() == "RefundInvoicePayment").collect()
}

/// The text of a child, if it has one.
fn text(element: ElementRef<'_>, local: &str) -> Option<String> {
    let child = element.children().find(|child| child.local() == local)?;
    let text = child.text().trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The text of the first element of this name, however deep.
fn deep(element: ElementRef<'_>, local: &str) -> Option<String> {
    text(element, local).or_else(|| element.children().find_map(|child| deep(child, local)))
}

fn amount(element: ElementRef<'_>, local: &str) -> Option<Decimal> {
    Decimal::from_str(&text(element, local)?).ok()
}

fn day(element: ElementRef<'_>, local: &str) -> Option<NaiveDate> {
    let text = text(element, local)?;
    NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()
}
