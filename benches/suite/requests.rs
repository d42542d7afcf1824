//! What is sent: envelopes as old clients write them, about 900 bytes for a refund, with places
//! where ids are put in just before they go out.

use std::fmt::Write as _;

const PATH: &str = "/apps/services/a/91.0";
/// An id has this many characters, and so has a place for one.
pub const ID_LENGTH: usize = 32;
const ACCOUNT: &str = "@account@@@@@@@@@@@@@@@@@@@@@@@@";
const METHOD: &str = "@method@@@@@@@@@@@@@@@@@@@@@@@@@";
const PAYMENT: &str = "@payment@@@@@@@@@@@@@@@@@@@@@@@@";
/// The OAuth client of the seed.
const CLIENT: &str = "00000000-0000-4000-8000-000000000001";

/// Which id belongs into a place of a request.
#[derive(Debug, Clone, Copy)]
pub enum Slot {
    /// The next id of the load.
    Id,
    /// The payment method of the account whose id was put in last.
    Method,
    /// The payment of the next id's account.
    Payment,
}

/// A request of which some ids are open.
pub struct Template {
    pub bytes: Vec<u8>,
    pub slots: Vec<(usize, Slot)>,
    /// What an answer must hold, and how often.
    pub expected: &'static [u8],
    pub count: usize,
}

impl Template {
    fn new(body: &str, expected: &'static str, count: usize) -> Self {
        Self::of_request(&http(body), expected, count)
    }

    fn of_request(request: &[u8], expected: &'static str, count: usize) -> Self {
        let text = std::str::from_utf8(request).unwrap();
        let ids = text.match_indices(ACCOUNT).map(|(at, _)| (at, Slot::Id));
        let methods = text.match_indices(METHOD).map(|(at, _)| (at, Slot::Method));
        let payments = text.match_indices(PAYMENT).map(|(at, _)| (at, Slot::Payment));
        let mut slots: Vec<(usize, Slot)> = ids.chain(methods).chain(payments).collect();
        slots.sort_by_key(|slot| slot.0);
        Self { bytes: text.as_bytes().to_vec(), slots, expected: expected.as_bytes(), count }
    }

    /// External refunds of 0.01, so many in one call.
    pub fn external(session: &str, rows: usize) -> Self {
        let more = "<ns2:Type>External</ns2:Type><ns2:MethodType>Check</ns2:MethodType>";
        Self::create(session, rows, "0.01", more)
    }

    /// Electronic refunds; the gateway `sandbox` of the seed never answers those of 9.00.
    pub fn electronic(session: &str, rows: usize, amount: &str) -> Self {
        let more = format!(
            "<ns2:Type>Electronic</ns2:Type><ns2:PaymentMethodId>{METHOD}</ns2:PaymentMethodId>"
        );
        Self::create(session, rows, amount, &more)
    }

    fn create(session: &str, rows: usize, amount: &str, more: &str) -> Self {
        let refund = format!(
            "<ns1:zObjects xmlns:ns2=\"http://object.api.zuora.com/\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"ns2:Refund\">\
             <ns2:AccountId>{ACCOUNT}</ns2:AccountId><ns2:Amount>{amount}</ns2:Amount>\
             <ns2:SourceType>CreditBalance</ns2:SourceType>{more}</ns1:zObjects>"
        );
        let call = format!("<ns1:create>{}</ns1:create>", refund.repeat(rows));
        Self::new(&envelope(session, &call), "Success>true<", rows)
    }

    /// The External refund of [`Self::external`] by `POST /v1/object/refund`.
    pub fn twin(token: &str) -> Self {
        let body = format!(
            "{{\"AccountId\":\"{ACCOUNT}\",\"Amount\":0.01,\"SourceType\":\"CreditBalance\",\
             \"Type\":\"External\",\"MethodType\":\"Check\"}}"
        );
        Self::of_request(&json("/v1/object/refund", token, &body), "\"Success\":true", 1)
    }

    /// An External refund of a payment by SOAP.
    pub fn of_payment(session: &str) -> Self {
        let refund = format!(
            "<ns1:zObjects xmlns:ns2=\"http://object.api.zuora.com/\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"ns2:Refund\">\
             <ns2:PaymentId>{PAYMENT}</ns2:PaymentId><ns2:Amount>0.01</ns2:Amount>\
             <ns2:Type>External</ns2:Type><ns2:MethodType>Check</ns2:MethodType></ns1:zObjects>"
        );
        let call = format!("<ns1:create>{refund}</ns1:create>");
        Self::new(&envelope(session, &call), "Success>true<", 1)
    }

    /// The same by "Refund a payment".
    pub fn of_payment_by_rest(token: &str) -> Self {
        let path = format!("/v1/payments/{PAYMENT}/refunds");
        let body = "{\"type\":\"External\",\"totalAmount\":0.01,\"methodType\":\"Check\"}";
        Self::of_request(&json(&path, token, body), "\"success\":true", 1)
    }

    pub fn query_by_id(session: &str) -> Self {
        Self::query(session, &format!("Id = '{ACCOUNT}'"), 1)
    }

    pub fn query_by_account(session: &str, rows: usize) -> Self {
        Self::query(session, &format!("AccountId = '{ACCOUNT}'"), rows)
    }

    fn query(session: &str, condition: &str, rows: usize) -> Self {
        Self::new(&envelope(session, &query(condition)), "RefundNumber>R-", rows)
    }

    /// A login as the user of the seed.
    pub fn login() -> Self {
        let body = "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>\
            <login xmlns=\"http://api.zuora.com/\"><username>bench</username>\
            <password>bench</password></login></e:Body></e:Envelope>";
        Self::new(body, "ServerUrl>http", 1)
    }

    /// The request with `id` in all places.
    pub fn with_id(&self, id: [u8; ID_LENGTH]) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        self.fill(&mut bytes, || id);
        bytes
    }

    /// Puts ids into a copy of the request.
    pub fn fill(&self, bytes: &mut [u8], mut next: impl FnMut() -> [u8; ID_LENGTH]) {
        let mut last = [b'0'; ID_LENGTH];
        for (at, slot) in &self.slots {
            let id = match slot {
                Slot::Id => {
                    last = next();
                    last
                }
                Slot::Method => method_of(last),
                Slot::Payment => payment_of(next()),
            };
            bytes[*at..at + ID_LENGTH].copy_from_slice(&id);
        }
    }
}

/// A query for the refund with this number.
pub fn query_by_number(session: &str, number: u64) -> Vec<u8> {
    http(&envelope(session, &query(&format!("RefundNumber = 'R-{number:08}'"))))
}

fn query(condition: &str) -> String {
    format!(
        "<ns1:query><ns1:queryString>select Id, AccountId, Amount, MethodType, RefundDate, \
         RefundNumber, SourceType, Status, Type, CreatedDate from Refund where {condition}\
         </ns1:queryString></ns1:query>"
    )
}

/// The id of an account of the seed.
pub fn account(number: u64) -> [u8; ID_LENGTH] {
    let mut id = [b'0'; ID_LENGTH];
    let mut rest = number;
    for digit in id.iter_mut().rev().take(16) {
        *digit = b"0123456789abcdef"[(rest % 16) as usize];
        rest /= 16;
    }
    id
}

/// The id of the payment method of an account of the seed.
fn method_of(mut account: [u8; ID_LENGTH]) -> [u8; ID_LENGTH] {
    account[0] = b'c';
    account
}

/// The id of the payment of an account of the seed.
fn payment_of(mut account: [u8; ID_LENGTH]) -> [u8; ID_LENGTH] {
    account[0] = b'd';
    account
}

/// The seed of a tenant with Invoice Settlement: so many accounts, of which each has an unapplied
/// payment.
pub fn settlement(accounts: u64) -> String {
    let mut text = String::from("[tenant]\ninvoice_settlement = true\n") + &seed(accounts, false);
    for number in 0..accounts {
        let [id, payment] = [account(number), payment_of(account(number))]
            .map(|id| String::from_utf8(id.to_vec()).unwrap());
        write!(
            text,
            "[[payment]]\nid = \"{payment}\"\nnumber = \"P{number}\"\naccount = \"{id}\"\n\
             type = \"External\"\namount = \"1000000000.00\"\neffective_date = \"2026-01-02\"\n",
        )
        .unwrap();
    }
    text
}

/// A seed with one user and so many accounts, of which each has a payment method if asked for.
pub fn seed(accounts: u64, has_methods: bool) -> String {
    let mut text = format!(
        "[[user]]\nusername = \"bench\"\npassword = \"bench\"\n\
         permissions = [\"credit-balance-external-refund\", \
         \"credit-balance-electronic-refund\", \"external-refund\"]\n\
         [[oauth_client]]\nid = \"{CLIENT}\"\nsecret = \"bench\"\nuser = \"bench\"\n\
         [[gateway]]\nname = \"sandbox\"\nkind = \"sandbox\"\n\
         [[gateway.rule]]\namount = \"9.00\"\nanswer = \"hang\"\n",
    );
    for number in 0..accounts {
        let id = account(number);
        let method = method_of(id);
        let [id, method] = [id, method].map(|id| String::from_utf8(id.to_vec()).unwrap());
        write!(
            text,
            "[[account]]\nid = \"{id}\"\nnumber = \"A{number}\"\nname = \"Account {number}\"\n\
             currency = \"USD\"\ncredit_balance = \"1000000000.00\"\n",
        )
        .unwrap();
        if has_methods {
            write!(
                text,
                "[[payment_method]]\nid = \"{method}\"\naccount = \"{id}\"\n\
                 type = \"CreditCard\"\n"
            )
            .unwrap();
        }
    }
    text
}

fn http(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: bench\r\nContent-Type: text/xml; charset=utf-8\r\n\
         SOAPAction: \"\"\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A request of REST with a JSON document.
fn json(path: &str, token: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The request of a token.
pub fn token_request() -> Vec<u8> {
    let body = format!("grant_type=client_credentials&client_id={CLIENT}&client_secret=bench");
    let length = body.len();
    format!(
        "POST /oauth/token HTTP/1.1\r\nHost: bench\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn envelope(session: &str, call: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:ns1=\"http://api.zuora.com/\"><soapenv:Header><ns1:SessionHeader>\
         <ns1:session>{session}</ns1:session></ns1:SessionHeader></soapenv:Header>\
         <soapenv:Body>{call}</soapenv:Body></soapenv:Envelope>"
    )
}
