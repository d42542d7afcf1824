//! Drafted seeds, by what they say; that one can be loaded is tested with the program.

use super::*;

const ACCOUNT: &str = "402892c72b9e3319012b9e34b88eaaaa";
const METHOD: &str = "2c92c0f83dfa5201013dfa6656ffbbbb";
const PAYMENT: &str = "2c92c0f83dfa5201013dfa6656ffcccc";
const MADE: &str = "8a80812f3ec0d1a5013ec0d1a5aadddd";

fn message(body: &str) -> Vec<u8> {
    format!("<e xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><Body>{body}</Body></e>").into()
}

fn refund(fields: &[(&str, &str)]) -> Vec<u8> {
    let field = |(name, value): &(&str, &str)| format!("<{name}>{value}</{name}>");
    let fields: String = fields.iter().map(field).collect();
    message(&format!("<create><zObjects i:type='Refund'>{fields}</zObjects></create>"))
}

fn result(inside: &str) -> Vec<u8> {
    message(&format!("<createResponse><result>{inside}</result></createResponse>"))
}

fn made() -> Vec<u8> {
    result(&format!("<Id>{MADE}</Id><Success>true</Success>"))
}

fn draft(exchanges: &[(Vec<u8>, Vec<u8>)]) -> String {
    let mut draft = Draft::default();
    for (request, answer) in exchanges {
        draft.learn(request, Some(answer));
    }
    let text = draft.written().0;
    toml::from_str::<toml::Table>(&text).expect(&text);
    text
}

#[test]
fn a_balance_covers_what_was_taken_and_what_was_told() {
    let take = |amount| {
        let source = ("SourceType", "CreditBalance");
        (refund(&[("AccountId", ACCOUNT), ("Amount", amount), source]), made())
    };
    let text = draft(&[take("10"), take("2.5")]);
    let expected = format!(
        "[[account]] # guessed: number, name, currency, credit_balance (what was taken from it)\n\
         id = \"{ACCOUNT}\"\nnumber = \"A00000001\"\nname = \"Account A00000001\"\n\
         currency = \"USD\"\ncredit_balance = \"12.5\"\n"
    );
    assert!(text.contains(&expected), "{text}");
    let record = format!(
        "<queryResponse><result><records i:type='Account'><Id>{ACCOUNT}</Id><Name>Ada's</Name>\
         <CreditBalance>90</CreditBalance></records></result></queryResponse>"
    );
    let query = "<query><queryString>select Id from Account</queryString></query>";
    let text = draft(&[take("10"), (message(query), message(&record)), take("5")]);
    assert!(text.contains("credit_balance = \"100\"\n") && text.contains("Ada's"), "{text}");
}

#[test]
fn what_was_created_or_refused_is_no_part_of_a_seed() {
    let named = format!(
        "<query><queryString>select Id from Refund where Id = '{MADE}'</queryString></query>"
    );
    let found = format!(
        "<queryResponse><result><records i:type='Refund'><Id>{MADE}</Id></records></result>\
         </queryResponse>"
    );
    let other = ACCOUNT.replace("aaaa", "eeee");
    let unknown = result(&format!(
        "<Errors><Message>Invalid value for field AccountId: {other}</Message></Errors>\
         <Success>false</Success>"
    ));
    let text = draft(&[
        (refund(&[("AccountId", ACCOUNT), ("Amount", "1")]), made()),
        (message(&named), message(&found)),
        (refund(&[("AccountId", &other), ("Amount", "1")]), unknown),
    ]);
    assert!(!text.contains(MADE) && !text.contains(&other), "{text}");
    assert_eq!(text.matches("[[account]]").count(), 1, "{text}");
}

#[test]
fn methods_and_payments_follow_from_refunds() {
    let text = draft(&[(
        refund(&[
            ("AccountId", ACCOUNT),
            ("Amount", "7"),
            ("PaymentId", PAYMENT),
            ("PaymentMethodId", METHOD),
            ("Type", "Electronic"),
        ]),
        made(),
    )]);
    for part in [
        format!(
            "[[payment_method]] # guessed: type\nid = \"{METHOD}\"\naccount = \"{ACCOUNT}\"\n\
             type = \"CreditCard\"\n"
        ),
        "amount (what was refunded of it)\n".to_owned(),
        format!(
            "type = \"Electronic\"\namount = \"7\"\neffective_date = \"2000-01-01\"\n\
             payment_method = \"{METHOD}\"\n"
        ),
        "credit_balance = \"0\"\n".to_owned(),
    ] {
        assert!(text.contains(&part), "{part} in {text}");
    }
}

#[test]
fn an_account_may_be_called_by_its_number() {
    let text = draft(&[(refund(&[("AccountId", "A-77"), ("Amount", "1")]), made())]);
    assert!(text.contains("number = \"A-77\"\n") && text.contains("id = \"000000000000"), "{text}");
    let record = format!(
        "<queryResponse><result><records i:type='Account'><Id>{ACCOUNT}</Id></records></result>\
         </queryResponse>"
    );
    let by_number = "<query><queryString>select Id from Account where AccountNumber = 'A-77'\
                     </queryString></query>";
    let text = draft(&[
        (refund(&[("AccountId", "A-77"), ("Amount", "1")]), made()),
        (message(by_number), message(&record)),
    ]);
    assert!(text.contains(&format!("id = \"{ACCOUNT}\"\nnumber = \"A-77\"\n")), "{text}");
    assert_eq!(text.matches("[[account]]").count(), 1, "{text}");
    let user = "<username>ada@example.com</username><password>hunter2</password>";
    let login = message(&format!("<login>{user}</login>"));
    let reported = message("<loginResponse><result><Session>s</Session></result></loginResponse>");
    let text = draft(&[(login, reported)]);
    assert!(text.contains("username = \"ada@example.com\"\n"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

/// Regression: a payment was left out of the draft where no capture names its account, as in the
/// refund that a client is known to send: Amount, Comment, Type and PaymentId.
#[test]
fn a_payment_of_an_unknown_account_gets_one() {
    let fields = [("Amount", "7"), ("Type", "Electronic"), ("PaymentId", PAYMENT)];
    let text = draft(&[(refund(&fields), made())]);
    let (account, method) =
        ("guessed0account00000000000000001", "guessed0method000000000000000001");
    for part in [
        format!(
            "[[account]] # guessed: id, number, name, currency, credit_balance (what was taken \
                 from it)\nid = \"{account}\"\n"
        ),
        format!(
            "[[payment_method]] # guessed: id, type\nid = \"{method}\"\n\
                 account = \"{account}\"\ntype = \"CreditCard\"\n"
        ),
        format!(
            "id = \"{PAYMENT}\"\nnumber = \"P-00000001\"\naccount = \"{account}\"\n\
                 type = \"Electronic\"\namount = \"7\"\n"
        ),
        format!("payment_method = \"{method}\"\n"),
    ] {
        assert!(text.contains(&part), "{part} in {text}");
    }
    let external = [("Amount", "7"), ("Type", "External"), ("PaymentId", PAYMENT)];
    let text = draft(&[(refund(&external), made())]);
    assert!(text.contains("type = \"External\"\n") && !text.contains(method), "{text}");
}
