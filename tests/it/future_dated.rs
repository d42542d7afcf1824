//! Credit that comes and goes on days that are yet to come, where the tenant allows it: the
//! documented examples, through the built program.

use crate::gateway::TestGateway;
use crate::stage::{OWNER, SEED, Stage};

const OWED: &str = "4028e6a0000c00000000000000000002";
const ASKED: &str = "4028e6a0000c00000000000000000003";
const PAYMENT: &str = "4028e6a0000d00000000000000000001";

/// Today is the 1st of September 2020. 100.00 are owed to a customer without any credit from the
/// 10th on, and 10.00 by the customer from the 5th on.
fn stage(allowed: bool) -> Stage {
    let seed = format!(
        r#"
[tenant]
future_dated_adjustments = {allowed}
{}

[[invoice]]
id = "{OWED}"
number = "INV00000002"
account = "{OWNER}"
date = "2020-09-10"
amount = "-100.00"
balance = "-100.00"

[[invoice]]
id = "{ASKED}"
number = "INV00000003"
account = "{OWNER}"
date = "2020-09-05"
amount = "10.00"
balance = "10.00"

[[payment]]
id = "{PAYMENT}"
number = "P-00000001"
account = "{OWNER}"
type = "External"
amount = "20.00"
effective_date = "2020-08-01"
"#,
        SEED.replace("\"10.00\"", "\"0.00\"")
    );
    Stage::of(TestGateway::seeded(&seed, &["--clock", "2020-09-01T19:00:00Z"]))
}

/// An adjustment of this kind and amount, from or into a source, on a day.
fn adjustment<'a>(
    kind: &'a str,
    amount: &'a str,
    source: &'a str,
    day: &'a str,
) -> [(&'static str, &'a str); 4] {
    [("Type", kind), ("Amount", amount), ("SourceTransactionId", source), ("AdjustmentDate", day)]
}

fn refund<'a>(amount: &'a str, day: &'a str) -> [(&'static str, &'a str); 6] {
    [
        ("AccountId", OWNER),
        ("SourceType", "CreditBalance"),
        ("Type", "External"),
        ("MethodType", "Check"),
        ("Amount", amount),
        ("RefundDate", day),
    ]
}

const ADJUSTMENT: &str = "CreditBalanceAdjustment";

#[test]
fn the_documented_examples_of_future_days_are_answered_as_documented() {
    let stage = stage(true);
    // Credit is not earlier than the invoice that it comes from.
    let early = adjustment("Increase", "100", OWED, "2020-09-01");
    let reported = "Invalid value for field AdjustmentDate: 2020-09-01";
    assert_eq!(stage.refused(ADJUSTMENT, &early), reported);
    assert_eq!(stage.refused(ADJUSTMENT, &early[..3]), reported);
    stage.created(ADJUSTMENT, &adjustment("Increase", "100", OWED, "2020-09-10"));
    assert_eq!(stage.gateway.balance(OWNER), "100.00");
    // It is in the balance, and still nothing takes of it before its day.
    let early = adjustment("Decrease", "10", ASKED, "2020-09-05");
    let reported = "The adjustment amount 10.00 is greater than the credit balance 0.00 that is \
                available on 2020-09-05.";
    assert_eq!(stage.refused(ADJUSTMENT, &early), reported);
    for day in ["2020-09-01", "2020-09-09"] {
        let reported = format!(
            "The refund amount 90.00 is greater than the credit balance 0.00 that is available on \
             {day}."
        );
        assert_eq!(stage.refused("Refund", &refund("90", day)), reported);
    }
    stage.created(ADJUSTMENT, &adjustment("Decrease", "10", ASKED, "2020-09-10"));
    stage.created("Refund", &refund("60", "2020-09-12"));
    assert_eq!(stage.gateway.balance(OWNER), "30.00");
    // What is promised to the 12th is not there on the 11th either.
    let reported = "The refund amount 31.00 is greater than the credit balance 30.00.";
    assert_eq!(stage.refused("Refund", &refund("31", "2020-09-11")), reported);
    stage.created("Refund", &refund("30", "2020-09-11"));
    assert_eq!(stage.gateway.balance(OWNER), "0.00");
}

#[test]
fn credit_that_is_there_today_is_not_kept_back_for_a_later_day() {
    let stage = stage(true);
    // 20.00 from an overpayment today, 50.00 of the 10th, and 30.00 go on the 12th.
    stage.created(ADJUSTMENT, &adjustment("Increase", "20", PAYMENT, "2020-09-01"));
    let later = stage.created(ADJUSTMENT, &adjustment("Increase", "50", OWED, "2020-09-10"));
    stage.created("Refund", &refund("30", "2020-09-12"));
    let reported = "The refund amount 21.00 is greater than the credit balance 20.00 that is \
                available on 2020-09-01.";
    assert_eq!(stage.refused("Refund", &refund("21", "2020-09-01")), reported);
    stage.created("Refund", &refund("15", "2020-09-01"));
    // Of the 50.00 only 25.00 are left: taken back, the 12th would have less than nothing.
    let canceled = [("Id", later.as_str()), ("Status", "Canceled")];
    let reported = "The adjustment amount 50.00 is greater than the credit balance 25.00.";
    assert_eq!(stage.not_updated(ADJUSTMENT, &canceled), reported);
    assert_eq!(stage.gateway.balance(OWNER), "25.00");
}

#[test]
fn an_overpayment_is_credit_today_or_never() {
    let stage = stage(true);
    let reported = "Invalid value for field AdjustmentDate: 2020-09-02";
    let later = adjustment("Increase", "20", PAYMENT, "2020-09-02");
    assert_eq!(stage.refused(ADJUSTMENT, &later), reported);
}

#[test]
fn without_the_feature_an_invoice_of_the_future_gives_no_credit() {
    let stage = stage(false);
    for day in ["2020-09-01", "2020-09-10"] {
        let reported = format!("Invalid value for field AdjustmentDate: {day}");
        assert_eq!(stage.refused(ADJUSTMENT, &adjustment("Increase", "100", OWED, day)), reported);
    }
    assert_eq!(stage.gateway.balance(OWNER), "0.00");
}
