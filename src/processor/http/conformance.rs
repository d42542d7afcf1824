//! The conformance kit: asks a processor's adapter what the contract promises, and says point by
//! point what it does instead.
//!
//! It judges by the same reading of answers as the connector, so that what passes here works there.

use super::contract::{self, Said};
use super::{HttpGateway, HttpProcessor, Shared, signature};
use crate::client::header::HeaderValue;
use crate::client::{Answer, ClientError, Request};
use crate::domain::lifecycle::Verdict;
use crate::domain::money::MinorUnits;
use crate::ledger::Order;
use std::sync::Arc;

/// How far the time of a request may be off without being refused, in seconds, with a margin.
const SKEW_GOOD_S: u64 = 240;
/// How far it must be off to be refused.
const SKEW_BAD_S: u64 = 600;

/// What one check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The adapter does what the contract wants.
    Passed,
    /// It does not.
    Failed {
        /// What it did.
        found: String,
        /// What the contract wants.
        expected: &'static str,
    },
    /// It could not be checked.
    Skipped(&'static str),
}

/// A check and what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// Makes the orders that are sent: each under a reference that was never used.
pub trait Orders {
    /// An order of the sample amount.
    fn next(&mut self) -> Order;
    /// An order of an amount that the processor declines, if the user knows one.
    fn next_declined(&mut self) -> Option<Order>;
}

/// Runs every check against the adapter behind `gateway` and reports each. An error means that
/// the adapter could not be reached, so that nothing was checked; an answer that is lost later
/// fails its check alone.
pub async fn run(
    gateway: HttpGateway,
    orders: &mut impl Orders,
    mut show: impl FnMut(&Check),
) -> Result<bool, ClientError> {
    let kit = Kit { shared: HttpProcessor::new(gateway).shared };
    let mut all_passed = true;
    let mut show_case = |name, result: Result<Outcome, ClientError>| {
        let outcome = result.unwrap_or_else(|error| failed(error.to_string(), "an answer"));
        all_passed &= !matches!(outcome, Outcome::Failed { .. });
        show(&Check { name, outcome });
    };
    let unknown = orders.next();
    match kit.unknown(&unknown).await {
        Err(error) if error.nothing_was_sent() => return Err(error),
        first => show_case("unknown reference", first),
    }
    let order = orders.next();
    let first = kit.post(&order).await;
    let approved = first.map(|answer| approval(&answer, &order));
    let reference = approved.as_ref().ok().and_then(|approved| approved.clone().ok());
    let reference = reference.as_deref();
    show_case(
        "a refund is approved, and echoed",
        approved.map(|approved| judged(&approved, APPROVED)),
    );
    show_case("the same key again", kit.again(&order, reference).await);
    show_case("an inquiry says the same", kit.inquiry(&order, reference).await);
    show_case("another amount under the same key", kit.conflict(&order).await);
    show_case("and the first stands", kit.inquiry(&order, reference).await);
    let (one, other) = (orders.next(), orders.next());
    show_case("one key twice at once", kit.at_once(&one).await);
    show_case("the key of another order", kit.foreign_key(&other).await);
    show_case("no signature", kit.refused(&orders.next(), Tampering::NoSignature).await);
    show_case("another signature", kit.refused(&orders.next(), Tampering::Signature).await);
    show_case("another body", kit.refused(&orders.next(), Tampering::Body).await);
    show_case("a time ten minutes ago", kit.refused(&orders.next(), Tampering::Past).await);
    show_case("a time ten minutes ahead", kit.refused(&orders.next(), Tampering::Future).await);
    show_case("a clock that is four minutes off", kit.skewed(&unknown).await);
    let why = "say --declined-amount with an amount that the processor declines";
    let decline = match orders.next_declined() {
        Some(order) => kit.decline(&order).await,
        None => Ok(Outcome::Skipped(why)),
    };
    show_case("a decline, and again", decline);
    Ok(all_passed)
}

const APPROVED: &str = "HTTP 200 application/json of at most 64 kB with reference, amount and \
                        currency as they were sent, status approved, processor_reference, code \
                        and message";
const REFUSED: &str = "HTTP 401, and nothing done";
const NEVER_HEARD: &str = "HTTP 404 application/json with the reference and status never-heard";

/// How a request is made wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tampering {
    NoSignature,
    Signature,
    Body,
    Past,
    Future,
}

struct Kit {
    shared: Arc<Shared>,
}

/// The processor's reference of an approval, or what came instead.
fn approval(answer: &Answer, order: &Order) -> Result<String, String> {
    match contract::read(answer, order)? {
        Said::Ended(Verdict::Approved { reference_id, .. }) => Ok(reference_id),
        Said::Ended(Verdict::Declined { response }) => {
            Err(format!("status declined, code {}: {}", response.code, response.text))
        }
        other => Err(named(&other).to_owned()),
    }
}

fn named(said: &Said) -> &'static str {
    match said {
        Said::Ended(Verdict::Approved { .. }) => "status approved",
        Said::Ended(Verdict::Declined { .. }) => "status declined",
        Said::Processing => "status processing",
        Said::NeverHeard { .. } => "status never-heard",
        Said::Conflict => "status conflict",
    }
}

fn judged<T>(result: &Result<T, String>, expected: &'static str) -> Outcome {
    match result {
        Ok(_) => Outcome::Passed,
        Err(found) => Outcome::Failed { found: found.clone(), expected },
    }
}

fn failed(found: impl Into<String>, expected: &'static str) -> Outcome {
    Outcome::Failed { found: found.into(), expected }
}

impl Kit {
    async fn send(&self, request: &Request) -> Result<Answer, ClientError> {
        self.shared.pool.send(request).await
    }

    async fn post(&self, order: &Order) -> Result<Answer, ClientError> {
        self.send(&self.shared.order(order)).await
    }

    async fn get(&self, order: &Order) -> Result<Result<Said, String>, ClientError> {
        let answer = self.send(&self.shared.inquiry(order)).await?;
        Ok(contract::read(&answer, order))
    }

    async fn unknown(&self, order: &Order) -> Result<Outcome, ClientError> {
        Ok(match self.get(order).await? {
            Ok(Said::NeverHeard { .. }) => Outcome::Passed,
            Ok(other) => failed(named(&other), NEVER_HEARD),
            Err(found) => failed(found, NEVER_HEARD),
        })
    }

    async fn again(&self, order: &Order, first: Option<&str>) -> Result<Outcome, ClientError> {
        let answer = self.post(order).await?;
        Ok(same(approval(&answer, order), first))
    }

    async fn inquiry(&self, order: &Order, first: Option<&str>) -> Result<Outcome, ClientError> {
        let answer = self.send(&self.shared.inquiry(order)).await?;
        Ok(same(approval(&answer, order), first))
    }

    async fn conflict(&self, order: &Order) -> Result<Outcome, ClientError> {
        let expected = "HTTP 409 application/json with the reference and status conflict";
        let other = Order { amount: MinorUnits::new(order.amount.units() + 1), ..order.clone() };
        let answer = self.post(&other).await?;
        Ok(match contract::read(&answer, &other) {
            Ok(Said::Conflict) => Outcome::Passed,
            Ok(said) => failed(named(&said), expected),
            Err(found) => failed(found, expected),
        })
    }

    /// Two requests under one key at the same moment; one may be answered that it is being worked
    /// on.
    async fn at_once(&self, order: &Order) -> Result<Outcome, ClientError> {
        let expected = "the same answer to both, or processing to one of them, and one payment";
        let (one, other) = tokio::join!(self.post(order), self.post(order));
        let mut paid_as = Vec::new();
        for answer in [one?, other?] {
            match contract::read(&answer, order) {
                Ok(Said::Processing) => {}
                Ok(_) => match approval(&answer, order) {
                    Ok(reference) => paid_as.push(reference),
                    Err(found) => return Ok(failed(found, expected)),
                },
                Err(found) => return Ok(failed(found, expected)),
            }
        }
        paid_as.dedup();
        Ok(match paid_as.as_slice() {
            [_] => Outcome::Passed,
            [] => failed("status processing to both", expected),
            _ => failed(format!("paid as {}", paid_as.join(" and as ")), expected),
        })
    }

    async fn foreign_key(&self, order: &Order) -> Result<Outcome, ClientError> {
        let mut request = self.shared.order(order);
        let key = HeaderValue::from_static("00000000000000000000000000000000");
        request.headers.insert("idempotency-key", key);
        let answer = self.send(&request).await?;
        self.nothing_done(order, &answer, 400, "HTTP 400, and nothing done").await
    }

    async fn refused(&self, order: &Order, how: Tampering) -> Result<Outcome, ClientError> {
        let mut request = self.shared.order(order);
        match how {
            Tampering::NoSignature => {
                request.headers.remove(signature::SIGNATURE_HEADER);
            }
            Tampering::Signature => {
                let other = HeaderValue::from_str(&format!("v1={}", "0".repeat(64)));
                let other = other.unwrap_or(HeaderValue::from_static("v1="));
                request.headers.insert(signature::SIGNATURE_HEADER, other);
            }
            Tampering::Body => {
                let more = MinorUnits::new(order.amount.units() + 1);
                let body = contract::order_body(&Order { amount: more, ..order.clone() });
                request.body = body.into();
            }
            Tampering::Past => self.shared.sign_at(&mut request, now().saturating_sub(SKEW_BAD_S)),
            Tampering::Future => self.shared.sign_at(&mut request, now() + SKEW_BAD_S),
        }
        let answer = self.send(&request).await?;
        self.nothing_done(order, &answer, 401, REFUSED).await
    }

    /// That a request was answered `status` and left nothing behind.
    async fn nothing_done(
        &self,
        order: &Order,
        answer: &Answer,
        status: u16,
        expected: &'static str,
    ) -> Result<Outcome, ClientError> {
        let came = answer.status.as_u16();
        if came != status {
            return Ok(failed(format!("HTTP {came}"), expected));
        }
        Ok(match self.get(order).await? {
            Ok(Said::NeverHeard { .. }) => Outcome::Passed,
            Ok(said) => failed(format!("HTTP {came}, but then {}", named(&said)), expected),
            Err(found) => failed(format!("HTTP {came}, but then {found}"), expected),
        })
    }

    async fn skewed(&self, order: &Order) -> Result<Outcome, ClientError> {
        let expected = "the same answer as in time";
        for time in [now().saturating_sub(SKEW_GOOD_S), now() + SKEW_GOOD_S] {
            let mut request = self.shared.inquiry(order);
            self.shared.sign_at(&mut request, time);
            let answer = self.send(&request).await?;
            match contract::read(&answer, order) {
                Ok(Said::NeverHeard { .. }) => {}
                Ok(said) => return Ok(failed(named(&said), expected)),
                Err(found) => return Ok(failed(found, expected)),
            }
        }
        Ok(Outcome::Passed)
    }

    async fn decline(&self, order: &Order) -> Result<Outcome, ClientError> {
        let expected = "HTTP 200 with reference, amount and currency as they were sent, status \
                        declined, code and message; and the same again, and by inquiry";
        let first = self.post(order).await?;
        let first = contract::read(&first, order);
        match &first {
            Ok(Said::Ended(Verdict::Declined { .. })) => {}
            Ok(said) => return Ok(failed(named(said), expected)),
            Err(found) => return Ok(failed(found.clone(), expected)),
        }
        let again = self.post(order).await?;
        let again = contract::read(&again, order);
        let asked = self.get(order).await?;
        Ok(if first == again && first == asked {
            Outcome::Passed
        } else {
            failed(format!("first {first:?}, then {again:?}, by inquiry {asked:?}"), expected)
        })
    }
}

fn same(found: Result<String, String>, first: Option<&str>) -> Outcome {
    let expected = "the answer that was given first, with the same processor_reference";
    match (found, first) {
        (Ok(found), Some(first)) if found == first => Outcome::Passed,
        (Ok(found), Some(first)) => {
            failed(format!("processor_reference {found}, and first {first}"), expected)
        }
        (Ok(found), None) => {
            failed(format!("processor_reference {found}, and first none"), expected)
        }
        (Err(found), _) => failed(found, expected),
    }
}

fn now() -> u64 {
    super::unix_seconds()
}
