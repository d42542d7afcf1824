//! Numbers that are masked wherever they stand, and what must not be.

use super::*;
use proptest::prelude::*;

/// What may part groups of digits.
const GAPS: [&str; 8] = ["", " ", "-", "  ", " - ", "\t", "\n", "\u{a0}"];

fn mask(text: &str) -> String {
    let masked = masked(text.as_bytes());
    masked.map_or(text.to_owned(), |bytes| String::from_utf8(bytes).expect("ASCII masks"))
}

const CARD_NUMBER: &str = "<CardNumber>************1111</CardNumber>";
const COMMENT: &str = "{\"comment\":\"\u{e9}************1111\"}";

#[test]
fn numbers_of_cards_are_masked_wherever_they_are_written() {
    for (text, reported) in [
        ("4111111111111111", "************1111"),
        ("card 4111 1111 1111 1111, 12/31", "card **** **** **** 1111, 12/31"),
        ("<Comment>4111-1111-1111-1111</Comment>", "<Comment>****-****-****-1111</Comment>"),
        ("4111 1111 1111 1111 12", "**** **** **** 1111 12"),
        ("12 3782 822463 10005", "12 **** ****** *0005"),
        ("where Comment = '6011000990139424'", "where Comment = '************9424'"),
        ("xsi:type=\"4222222222222\"", "xsi:type=\"*********2222\""),
        ("<CardNumber>4111111111111111</CardNumber>", CARD_NUMBER),
        ("{\"comment\":\"\u{e9}4111111111111111\"}", COMMENT),
    ] {
        assert_eq!(mask(text), reported);
    }
}

#[test]
fn ids_numbers_of_objects_and_fields_for_secrets_stay() {
    for text in [
        "402892c72b9e3319012b9e34b88e0001",
        "41111111111111110000000000000000",
        "R-00000001 and A00000001",
        "4111111111111112",
        "0000000000000000",
        "2026-01-02T03:04:05.678-08:00",
        "client_id=00000000-0000-4000-8000-000000000003&x=1",
        "<id>00000000-0000-4000-8000-000000000003</id>",
        "<CreditCardNumber>4111111111111111</CreditCardNumber>",
        "<obj:CreditCardNumber xsi:type='x'>4111111111111112</obj:CreditCardNumber>",
        "<n:CreditCardNumber> 4111 1111 1111 1111</n:CreditCardNumber>",
        "<CreditCardNumber><![CDATA[4111111111111111]]></CreditCardNumber>",
        "<AccountNumber>4111111111111111</AccountNumber>",
        "<queryString>select Id where AccountNumber = '4111111111111111'</queryString>",
        "{\"AccountNumber\": \"4111111111111111\"}",
        "{\"password\":\"4111111111111111\"}",
    ] {
        assert_eq!(mask(text), text);
    }
}

#[test]
fn a_number_is_found_behind_whatever_looks_like_the_beginning_of_one() {
    let number = "4111111111111111";
    for before in ["", "1 2  ", "- - -", "12--", "1234567 8 ", "a1-", "  ", "123456789012 x "] {
        for blanks in 0..26 {
            let ahead = format!("{}{before}", ".".repeat(blanks));
            let masked = mask(&format!("{ahead}{number}"));
            assert!(masked.ends_with("*1111"), "{masked}");
        }
    }
}

#[test]
fn utf_16_is_masked_too() {
    let text = "<Comment>4111111111111111</Comment>";
    let little: fn(u16) -> [u8; 2] = u16::to_le_bytes;
    for (mark, bytes_of) in [([0xff, 0xfe], little), ([0xfe, 0xff], u16::to_be_bytes)] {
        let encode = |text: &str| {
            let units = text.encode_utf16().flat_map(bytes_of);
            mark.into_iter().chain(units).collect::<Vec<u8>>()
        };
        let reported = "<Comment>************1111</Comment>";
        assert_eq!(masked(&encode(text)), Some(encode(reported)));
    }
}

/// Regression: all of these were kept and repeated as they came.
#[test]
fn however_a_number_is_written_it_is_masked() {
    for (written, reported) in [
        ("card number 4111111111111111", "card number ************1111"),
        ("CreditCardNumber: 4111111111111111", "CreditCardNumber: ************1111"),
        (
            "refund to AccountNumber = 4111111111111111",
            "refund to AccountNumber = ************1111",
        ),
        ("Id='4111111111111111'", "Id='************1111'"),
        ("\"AccountNumber\":\"4111111111111111\"", "\"AccountNumber\":\"************1111\""),
        ("PAN4111111111111111", "PAN************1111"),
        ("4111111111111111EUR", "************1111EUR"),
        ("4111.1111.1111.1111", "****.****.****.1111"),
        ("4111  1111 - 1111\t1111", "****  **** - ****\t1111"),
        ("4111\n1111\r\n1111 1111", "****\n****\r\n**** 1111"),
        ("4111\u{a0}1111\u{2011}1111\u{2009}1111", "****\u{a0}****\u{2011}****\u{2009}1111"),
        ("41111111\u{200b}11111111", "********\u{200b}****1111"),
        ("\u{ff14}\u{ff11}11111111111111", "\u{ff0a}\u{ff0a}**********1111"),
        ("41111111111111115500000000000004", "************1111************0004"),
        ("41111111111111114222222222222", "************1111*********2222"),
    ] {
        let json = |text: &str| serde_json::json!({ "comment": text }).to_string();
        assert_eq!(mask(&json(written)), json(reported), "{written}");
        let xml = |text: &str| format!("<a><Comment>{text}</Comment></a>");
        assert_eq!(mask(&xml(written)), xml(reported), "{written}");
    }
    for (written, reported) in [
        ("<c>4&#49;&#x31;&#x0031;111111111111</c>", "<c>*&#42;&#x2a;&#x002a;********1111</c>"),
        ("<c>41111111<!-- x -->11111111</c>", "<c>********<!-- x -->****1111</c>"),
        ("<c>41111111<![CDATA[11111111]]></c>", "<c>********<![CDATA[****1111]]></c>"),
        ("<c><![CDATA[<Id>4111111111111111]]></c>", "<c><![CDATA[<Id>************1111]]></c>"),
        ("{\"c\":\"\\u00341\\t11111111111111\"}", "{\"c\":\"\\u002a*\\t**********1111\"}"),
        ("c=4111%31111%201111+1111", "c=****%2A***%20****+1111"),
        ("c=%EF%BC%94111111111111111", "c=%EF%BC%8A***********1111"),
        ("<PAN4111111111111111/>", "<PAN0000000000001111/>"),
        (
            "<x:_4111111111111111></x:_4111111111111111>",
            "<x:_0000000000001111></x:_0000000000001111>",
        ),
    ] {
        assert_eq!(mask(written), reported);
        assert_eq!(written.len(), reported.len());
    }
}

/// What an honest request says, which a mask would break.
#[test]
fn amounts_dates_addresses_ids_and_tokens_stay() {
    for text in [
        "<Amount>100000.123456789</Amount>",
        "<Amount>1234567890123.45</Amount>",
        "<Amount>1.5500000000018</Amount>",
        "<d>2026-01-02 2026-01-05 2026-01-04</d>",
        "<d>192.168.100.200 10.120.130.140</d>",
        "<t>a1b2411111111111111c3</t>",
        "<t>01a2318e155baf7c5524250000000000-2000</t>",
        "<t>abcdefabcdefabcd4111111111111111</t>",
        "<q:queryString>select Id where AccountNumber='4111111111111111'</q:queryString>",
        "<queryString>select Id from Account where Amount &gt; 5 and \
         AccountNumber != &apos;4111111111111111&apos;</queryString>",
        "{\"queryString\": \"select Id from Account where AccountNumber = '4111111111111111'\"}",
        "accountNumber=4111111111111111&x=1",
    ] {
        assert_eq!(mask(text), text);
    }
}

/// What is looked for backwards has its bound.
#[test]
fn hostile_bodies_are_read_in_time_that_grows_with_their_length() {
    let number = "4111111111111111";
    for part in [
        format!("AccountNumber='{number}' "),
        format!("<a b='>{number}' "),
        "\n \t".to_owned(),
        "<!".to_owned(),
        "<!--".to_owned(),
        "&#".to_owned(),
        "1.".to_owned(),
        format!("\"AccountNumber\":\"{number}"),
        "1".to_owned(),
    ] {
        for first in ["<", "{", "x"] {
            let text = format!("{first}{}", part.repeat((1 << 18) / part.len()));
            assert_eq!(mask(&text).len(), text.len());
        }
    }
}

fn check_digit(digits: &str) -> u32 {
    (0..10).find(|check| is_card_text(&format!("{digits}{check}"))).expect("one of ten")
}

#[test]
fn many_groups_are_read_in_time_that_grows_with_their_number_alone() {
    let text = "1 ".repeat(50_000);
    assert_eq!(mask(&text).len(), text.len());
}

fn is_card_text(text: &str) -> bool {
    is_card(text.as_bytes(), &(0..text.len()).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn whatever_stands_around_a_number_it_is_masked(
        digits in "[1-9][0-9]{11,17}",
        before in "(<a>)?[a-z>. ]{0,20}[.,>]",
        after in "[.,<][a-z0-9<>. ]{0,20}",
    ) {
        let number = format!("{digits}{}", check_digit(&digits));
        let reported = mask(&format!("{before}{number}{after}"));
        let stars = "*".repeat(number.len() - SHOWN);
        let expected = format!("{before}{stars}{}{after}", &number[number.len() - SHOWN..]);
        prop_assert_eq!(reported, expected);
    }

    #[test]
    fn no_id_is_mangled(
        id in "[0-9a-f]{32}",
        uuid in "[0-9]{8}-[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{12}",
        number in "[RAP]-?[0-9]{8}",
    ) {
        let text = format!("<Comment>{id} by {uuid} of {number}</Comment>");
        prop_assert_eq!(mask(&text), text);
    }

    /// Whatever a comment says around a number, and however its digits are written and parted.
    #[test]
    fn no_digit_of_a_number_in_a_comment_is_left(
        digits in "[1-9][0-9]{11,17}",
        ways in prop::collection::vec(0_usize..6, 19),
        gaps in prop::collection::vec(prop::sample::select(GAPS.to_vec()), 19),
        before in "[A-Za-z ]{0,30}(AccountNumber|Number|Id|card)[ :=>]{1,3}",
    ) {
        let number = format!("{digits}{}", check_digit(&digits));
        let mut written = String::new();
        for (place, digit) in number.chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                written += gaps[place];
            }
            written += &match ways[place] {
                0 => format!("&#{};", u32::from(digit)),
                1 => format!("&#x{:x};", u32::from(digit)),
                2 => format!("<!--1-->{digit}"),
                _ => digit.to_string(),
            };
        }
        let before = before.replace('>', "&gt;");
        let text = format!("<Refund><Comment>{before}{written}</Comment></Refund>");
        let masked = mask(&text);
        prop_assert_eq!(masked.len(), text.len());
        let seen = Plain::of(masked.as_bytes(), Kind::Xml).text;
        let left = seen.iter().filter(|byte| byte.is_ascii_digit()).count();
        prop_assert_eq!(left, SHOWN, "{}", masked);
    }

    #[test]
    fn any_bytes_keep_their_length(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let masked = masked(&bytes);
        prop_assert!(masked.is_none_or(|masked| masked.len() == bytes.len()));
    }
}
