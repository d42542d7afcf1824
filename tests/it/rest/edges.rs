//! What clients do to the REST front door that they should not, and what happens at once.

use super::client::{
    ACCOUNT, CLIENT, Client, MEMO, METHOD, PAYMENT, SECRET, done, json, settlement, token,
};
use crate::admin_api::told_by;
use crate::gateway::{ENDPOINT, TestGateway, create_envelope, login_envelope, refund};
use crate::verdicts::rejected;
use crate::wire::{Answer, Connection};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::json;
use std::fs;
use std::io::{Read, Write};
use std::sync::Barrier;
use std::thread;
use tempfile::TempDir;

/// How often the last cent is taken.
const RACES: usize = 20;

/// The demo of Invoice Settlement with a configuration (TOML).
fn configured(config: &str, args: &[&str]) -> TestGateway {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let all = ["--demo=invoice-settlement", "--test", "--config", "config.toml"];
    TestGateway::start_in(folder, &[&all, args].concat())
}

fn bearer(gateway: &TestGateway) -> String {
    let answer = token(gateway, CLIENT, SECRET);
    format!("Bearer {}", json(&answer)["access_token"].as_str().expect("a token"))
}

fn get_as(gateway: &TestGateway, authorization: &str, path: &str) -> Answer {
    gateway.connect().send("GET", path, &[("Authorization", authorization)], b"")
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn of_a_soap_and_a_rest_client_that_take_the_last_cent_at_once_exactly_one_wins() {
    let gateway = settlement();
    let (client, session) = (Client::new(&gateway), gateway.login());
    let cent = json!({"type": "External", "methodType": "Cash", "totalAmount": 0.01});
    let fields = |payment: &str| {
        let fields = [("PaymentId", payment), ("Amount", "0.01"), ("Type", "External")];
        refund(&[&fields[..], &[("MethodType", "Cash")]].concat())
    };
    for _ in 0..RACES {
        let payment = done(&client.post(
            "/v1/payments",
            &json!({"accountId": ACCOUNT, "amount": 0.01, "type": "External", "currency": "USD",
                    "effectiveDate": "2026-01-02", "paymentMethodType": "Cash"}),
        ));
        let memo = done(&client.post(
            "/v1/credit-memos",
            &json!({"accountId": ACCOUNT, "autoPost": true, "items": [{"amount": "0.01"}]}),
        ));
        let (payment, memo) = (payment["id"].as_str().unwrap(), memo["id"].as_str().unwrap());
        let start = Barrier::new(4);
        let rest = |path: String| {
            start.wait();
            usize::from(client.post(&path, &cent).text().contains("\"success\":true"))
        };
        let soap = || {
            let mut connection = gateway.connect();
            let body = create_envelope(&session, &[fields(payment)]);
            start.wait();
            connection.post(ENDPOINT, &body).successes()
        };
        let (of_payment, of_memo) = thread::scope(|scope| {
            let of_memo = || rest(format!("/v1/credit-memos/{memo}/refund"));
            let by_soap = scope.spawn(soap);
            let by_rest = scope.spawn(|| rest(format!("/v1/payments/{payment}/refunds")));
            let of_memo = [scope.spawn(of_memo), scope.spawn(of_memo)];
            let of_memo = of_memo.map(|one| one.join().unwrap());
            (by_soap.join().unwrap() + by_rest.join().unwrap(), of_memo.iter().sum::<usize>())
        });
        assert_eq!((of_payment, of_memo), (1, 1));
    }
    gateway.balances();
}

/// Whatever comes on the port, the next client is served; nothing is an error of this program.
#[test]
fn garbage_on_the_paths_of_rest_is_refused_and_harms_no_one() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let long = "a".repeat(4_000);
    for path in [
        "/v1/%00",
        "/v1/payments/%ff%fe/refunds",
        "/v1/payments/../refunds/R-1",
        "/v1/payments/%2e%2e/refunds",
        "/v1//refunds",
        "/v1/refunds/'%20or%201=1",
        "/v1/refunds/R-99999999999999999999999",
        "/v1/refunds/R-%2B1",
        "/v1/refunds?page=0",
        "/v1/refunds?page=99999999999999999999&pageSize=-1",
        "/v1/refunds?page=18446744073709551615&pageSize=40",
        "/v1/refunds?page=9223372036854775807&pageSize=40",
        "/v1/refunds?%zz=%zz",
        "/v1/refunds?sort=%00",
        "/v1/refunds?amount=1e400",
        "/v1/refunds?createdDate=9999999-99-99",
        "/v1/object/refund/0",
        "/v1/object/refund/%F0%9F%92%A3",
        "/v1/refunds/R-1/parts/x/item-parts/y/z",
        "/rest/rest/v1/refunds",
        "/v1/refunds;x=1",
        &format!("/v1/refunds/{long}"),
        &format!("/v1/refunds?number={long}"),
    ] {
        let answer = client.get(path);
        assert!(answer.status < 500, "{path}: {answer}");
        let body = "{\"type\":\"External\",\"methodType\":\"Cash\",\"totalAmount\":1}";
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            let answer = client.send(method, path, &[], body);
            let is_refusal = (400..500).contains(&answer.status) || answer.status == 501;
            assert!(is_refusal, "{method} {path}: {answer}");
        }
    }
    for bytes in [
        &b"POST /v1/refunds HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
           Content-Length: 6\r\n\r\nabcde"[..],
        b"POST /v1/refunds HTTP/9.9\r\nHost: a\r\n\r\n",
        b"POST /v1/refunds HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 /v1/refunds\r\n\r\n",
        b"{\"type\":\"Electronic\",\"totalAmount\":10}\r\n\r\n",
    ] {
        let mut connection = gateway.connect();
        connection.write(bytes);
        if let Some(answer) = connection.read_head_of_answer() {
            assert!((400..=505).contains(&answer.status), "{answer}");
        }
    }
    let payment = done(&client.get(&format!("/v1/payments/{PAYMENT}")));
    assert_eq!(payment["unappliedAmount"], json!(1000), "{payment}");
    assert_eq!(gateway.get_admin("/readyz").status, 200);
}

#[test]
fn a_body_over_the_limit_is_413_as_it_is_and_inflated() {
    let gateway = configured("[http]\nbody_bytes_max = 2000\ninflated_bytes_max = 4000\n", &[]);
    let client = Client::new(&gateway);
    let path = format!("/v1/payments/{PAYMENT}/refunds");
    let body = |length: usize| {
        let body = "{\"type\":\"External\",\"methodType\":\"Cash\",\"totalAmount\":1}";
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    done(&client.send("POST", &path, &[], &body(2_000)));
    let packed = |length: usize| {
        let authorization = bearer(&gateway);
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
            ("Content-Encoding", "gzip"),
        ];
        gateway.connect().send("POST", &path, &headers, &gzip(body(length).as_bytes()))
    };
    done(&packed(4_000));
    for refused in [client.send("POST", &path, &[], &body(2_001)), packed(4_001)] {
        assert_eq!(refused.status, 413, "{refused}");
        assert_eq!(json(&refused)["success"], json!(false), "{refused}");
    }
    let no_gzip = [("Content-Encoding", "gzip")];
    let refused = client.send("POST", &path, &no_gzip, &body(100));
    assert_eq!((refused.status, &json(&refused)["success"]), (400, &json!(false)), "{refused}");
    let payment = done(&client.get(&format!("/v1/payments/{PAYMENT}")));
    assert_eq!(payment["refundAmount"], json!(2), "{payment}");
}

#[test]
fn only_answers_over_a_thousand_bytes_are_packed() {
    let gateway = settlement();
    let client = Client::new(&gateway);
    let accept = [("Accept-Encoding", "gzip")];
    for (path, is_packed) in [
        (format!("/v1/payments/{PAYMENT}"), false),
        (format!("/v1/credit-memos/{MEMO}"), false),
        ("/v1/refunds".to_owned(), true),
    ] {
        if is_packed {
            let cash = json!({"type": "External", "methodType": "Cash", "totalAmount": 1});
            done(&client.post(&format!("/v1/payments/{PAYMENT}/refunds"), &cash));
        }
        let plain = client.get(&path);
        assert_eq!(plain.header("content-encoding"), None, "{plain}");
        assert_eq!(plain.body.len() > 1_000, is_packed, "{}", plain.body.len());
        let asked = client.send("GET", &path, &accept, "");
        assert_eq!(asked.header("content-encoding").is_some(), is_packed, "{path}");
        let mut text = String::new();
        match is_packed {
            true => GzDecoder::new(&asked.body[..]).read_to_string(&mut text).unwrap(),
            false => (&asked.body[..]).read_to_string(&mut text).unwrap(),
        };
        assert_eq!(text, plain.text());
    }
}

#[test]
fn a_body_that_does_not_end_is_refused_as_a_document() {
    let gateway = configured("[http]\nbody_timeout_ms = 200\n", &[]);
    let authorization = bearer(&gateway);
    let mut connection = gateway.connect();
    let head = format!(
        "POST /v1/payments/{PAYMENT}/refunds HTTP/1.1\r\nHost: a\r\n\
         Authorization: {authorization}\r\nContent-Type: application/json\r\n\
         Content-Length: 60\r\n\r\n{{\"type\":"
    );
    connection.write(head.as_bytes());
    let answer = connection.read_answer().expect("an answer");
    assert_eq!((answer.status, &json(&answer)["success"]), (408, &json!(false)), "{answer}");
    let payment = done(&Client::new(&gateway).get(&format!("/v1/payments/{PAYMENT}")));
    assert_eq!(payment["refundAmount"], json!(0), "{payment}");
}

#[test]
fn hundreds_of_tokens_are_good_beside_each_other_and_after_a_restart() {
    let mut gateway = settlement();
    let tokens: Vec<String> = thread::scope(|scope| {
        let clients: Vec<_> = (0..10)
            .map(|_| scope.spawn(|| (0..30).map(|_| bearer(&gateway)).collect::<Vec<_>>()))
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let path = format!("/v1/payments/{PAYMENT}");
    let are_good = |gateway: &TestGateway| {
        let mut connection = gateway.connect();
        for token in &tokens {
            let answer = connection.send("GET", &path, &[("Authorization", token)], b"");
            assert_eq!(answer.status, 200, "{answer}");
        }
    };
    are_good(&gateway);
    gateway.kill9();
    gateway.restart();
    are_good(&gateway);
    let distinct: std::collections::HashSet<&String> = tokens.iter().collect();
    assert_eq!(distinct.len(), tokens.len());
}

#[test]
fn a_token_ends_after_3599_seconds_and_with_its_user() {
    let gateway = configured("", &["--clock", "2026-03-04T05:06:07Z"]);
    let (first, path) = (bearer(&gateway), format!("/v1/payments/{PAYMENT}"));
    told_by(&gateway, &["clock", "--advance", "3598"]);
    assert_eq!(get_as(&gateway, &first, &path).status, 200);
    let second = bearer(&gateway);
    told_by(&gateway, &["clock", "--advance", "1"]);
    let over = get_as(&gateway, &first, &path);
    assert_eq!(over.status, 401, "{over}");
    assert_eq!(get_as(&gateway, &second, &path).status, 200);
    let keys = [("apiAccessKeyId", "demo@example.com"), ("apiSecretAccessKey", "demo")];
    let connected = gateway.connect().send("POST", "/v1/connections", &keys, b"");
    let cookie = connected.header("set-cookie").expect("a cookie").split(';').next().unwrap();
    let by_cookie = |gateway: &TestGateway| {
        gateway.connect().send("GET", &path, &[("Cookie", cookie)], b"").status
    };
    assert_eq!(by_cookie(&gateway), 200);
    let disable = crate::gateway::finish(
        crate::gateway::program(gateway.folder())
            .args(["user", "disable", "demo@example.com", "--ledger", "ledger.db"])
            .args(["--admin", &format!("http://{}", gateway.admin())]),
    );
    assert!(disable.status.success(), "{disable:?}");
    assert_eq!(get_as(&gateway, &second, &path).status, 401);
    assert_eq!(by_cookie(&gateway), 401);
    assert_eq!(token(&gateway, CLIENT, SECRET).status, 401);
    let by_keys = gateway.connect().send("GET", &path, &keys, b"");
    assert_eq!(by_keys.status, 401, "{by_keys}");
}

/// Ten wrong secrets close a client from one address; wrong passwords of both doors count for a
/// user together.
#[test]
fn wrong_secrets_are_counted_as_wrong_passwords_are() {
    let gateway = configured("", &["--clock", "2026-03-04T05:06:07Z"]);
    let path = format!("/v1/payments/{PAYMENT}");
    for _ in 0..10 {
        assert_eq!(token(&gateway, CLIENT, "wrong").status, 401);
    }
    for secret in ["wrong", SECRET] {
        let refused = token(&gateway, CLIENT, secret);
        assert_eq!(refused.status, 429, "{refused}");
        assert_eq!(refused.header("retry-after"), Some("60"), "{refused}");
    }
    let limits = ["rest_calls", "login_guard"];
    assert_eq!(limits.map(|limit| rejected(&gateway, limit)), [0, 2]);
    let keys = |secret| {
        let keys = [("apiAccessKeyId", "demo@example.com"), ("apiSecretAccessKey", secret)];
        gateway.connect().send("GET", &path, &keys, b"").status
    };
    let login =
        |password| gateway.post(ENDPOINT, &login_envelope("demo@example.com", password)).status;
    assert_eq!(keys("demo"), 200, "the user is another name");
    for _ in 0..5 {
        assert_eq!((keys("wrong"), login("wrong")), (401, 500));
    }
    assert_eq!((keys("demo"), login("demo")), (429, 429));
    told_by(&gateway, &["clock", "--advance", "60"]);
    assert_eq!((keys("demo"), login("demo")), (200, 200));
    assert_eq!(token(&gateway, CLIENT, SECRET).status, 200);
}

/// One key by SOAP and by REST are two: what a key is for is part of it.
#[test]
fn a_key_of_one_door_is_none_of_the_other() {
    let gateway = settlement();
    let (client, session) = (Client::new(&gateway), gateway.login());
    let key = ("Idempotency-Key", "both");
    let cash = [("Type", "External"), ("MethodType", "Cash"), ("PaymentId", PAYMENT)];
    let object = refund(&[&cash[..], &[("Amount", "3.00")]].concat());
    let body = create_envelope(&session, &[object]);
    let by_soap = |connection: &mut Connection| {
        connection.send("POST", ENDPOINT, &[("Content-Type", "text/xml"), key], body.as_bytes())
    };
    let path = format!("/v1/payments/{PAYMENT}/refunds");
    let card = json!({"type": "Electronic", "totalAmount": 5}).to_string();
    let of_memo = format!("/v1/credit-memos/{MEMO}/refund");
    let memo = json!({"type": "Electronic", "totalAmount": 2, "paymentMethodId": METHOD});
    let mut connection = gateway.connect();
    for _ in 0..3 {
        assert_eq!(by_soap(&mut connection).successes(), 1);
        done(&client.send("POST", &path, &[key], &card));
        let other = client.send("POST", &of_memo, &[key], &memo.to_string());
        assert_eq!(other.status, 422, "{other}");
    }
    let payment = done(&client.get(&format!("/v1/payments/{PAYMENT}")));
    assert_eq!(payment["refundAmount"], json!(8), "{payment}");
}
