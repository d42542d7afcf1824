//! What operators watch with: metrics in both formats, alert rules and a dashboard that name only
//! what there is, health check by check, and traces that go on through the gateway.

use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, ENDPOINT, EXTERNAL_ACCOUNT, TestGateway,
    create_envelope, electronic_refund, external_refund,
};
use crate::skipped::runs;
use crate::wire::{Answer, Connection};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn metrics(gateway: &TestGateway, accept: Option<&str>) -> Answer {
    let headers: Vec<(&str, &str)> = accept.map(|accept| ("Accept", accept)).into_iter().collect();
    Connection::open(gateway.admin()).send("GET", "/metrics", &headers, b"")
}

/// The folder with the files for Prometheus and Grafana.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/observability")
}

fn promtool(arguments: &[&str], stdin: &[u8]) -> String {
    let mut child = Command::new("promtool")
        .args(arguments)
        .current_dir(folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    said
}

/// Takes requests, keeps their heads, and answers each with this status and an empty object.
struct Sink {
    heads: Arc<Mutex<Vec<String>>>,
    address: SocketAddr,
}

impl Sink {
    fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                thread::spawn(move || {
                    let mut stream = BufReader::new(stream);
                    while let Some(head) = read_request(&mut stream) {
                        kept.lock().unwrap().push(head);
                        let answer = format!(
                            "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\n\
                             Content-Length: 2\r\n\r\n{{}}"
                        );
                        stream.get_mut().write_all(answer.as_bytes()).unwrap();
                    }
                });
            }
        });
        Self { heads, address }
    }

    /// The first head that comes.
    fn first(&self) -> String {
        let started = Instant::now();
        loop {
            if let Some(head) = self.heads.lock().unwrap().first() {
                return head.clone();
            }
            assert!(started.elapsed() < Duration::from_secs(60), "nothing came");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The head of a request in lower case, once its body has been read as well.
fn read_request(stream: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    Some(head)
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// A gateway that has done a bit of everything, with a payment gateway and a webhook at `sink`.
fn busy(sink: &Sink) -> TestGateway {
    let folder = TempDir::new().unwrap();
    let (secret, at) = ("a secret of tests, and of nobody else", sink.address);
    let config = format!(
        "[[gateway]]\nname = 'cards'\nkind = 'http'\nurl = 'http://{at}'\nsecret = '{secret}'\n\
         non_referenced_refunds = true\n[[webhook]]\nname = 'books'\nurl = 'http://{at}/hook'\n\
         secret = '{secret}'\n"
    );
    let seed = format!(
        "[[user]]\nusername = 'demo@example.com'\npassword = 'demo'\n\
         permissions = ['credit-balance-electronic-refund', 'credit-balance-external-refund']\n\
         [[account]]\nid = '{ELECTRONIC_ACCOUNT}'\nnumber = 'A1'\nname = 'One'\n\
         currency = 'USD'\ncredit_balance = '1000.00'\ngateway = 'cards'\n\
         [[account]]\nid = '{EXTERNAL_ACCOUNT}'\nnumber = 'A2'\nname = 'Two'\n\
         currency = 'USD'\ncredit_balance = '1000.00'\n\
         [[payment_method]]\nid = '{ELECTRONIC_METHOD}'\naccount = '{ELECTRONIC_ACCOUNT}'\n\
         type = 'CreditCard'\n"
    );
    fs::write(folder.path().join("config.toml"), config).unwrap();
    fs::write(folder.path().join("seed.toml"), seed).unwrap();
    let args = ["--test", "--seed", "seed.toml", "--config", "config.toml"];
    TestGateway::start_in(folder, &args)
}

/// Creates these refunds as part of the trace, and returns the answer.
fn traced(gateway: &TestGateway, parent: &str, objects: &[String]) -> Answer {
    let headers =
        [("Content-Type", "text/xml"), ("traceparent", parent), ("tracestate", "vendor=1")];
    let body = create_envelope(&gateway.login(), objects);
    gateway.connect().send("POST", ENDPOINT, &headers, body.as_bytes())
}

/// `/metrics` was OpenMetrics for every reader, which promtool does not read.
#[test]
fn metrics_are_negotiated_and_both_formats_name_the_same_things() {
    let gateway = busy(&Sink::start(200));
    let session = gateway.login();
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1"), electronic_refund("1")]);
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "9999999")]);
    for accept in [None, Some("*/*"), Some("text/plain;version=0.0.4")] {
        let plain = metrics(&gateway, accept);
        assert_eq!(plain.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        assert_eq!(plain.header("vary"), Some("Accept"));
        let text = plain.text();
        assert!(!text.contains("# EOF") && !text.contains("# UNIT"), "{text}");
    }
    let open = metrics(&gateway, Some(OPEN_METRICS));
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.header("content-type"), Some(content_type));
    assert!(open.text().ends_with("# EOF\n"));
    let names = |text: &str| -> BTreeSet<String> {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.map(|line| line.split(['{', ' ']).next().unwrap().to_owned()).collect()
    };
    let plain = metrics(&gateway, None).text();
    assert_eq!(names(&plain), names(&open.text()));
    for line in [
        "refund_gateway_row_errors_total{code=\"INVALID_VALUE\"} 1",
        "refund_gateway_gateway_call_duration_seconds_count{gateway=\"cards\",call=\"refund\"} 1",
        "refund_gateway_ledger_commit_duration_seconds_bucket{le=\"+Inf\"}",
        "refund_gateway_webhook_delivery_duration_seconds_count{webhook=\"books\"}",
        "refund_gateway_request_duration_seconds_bucket{le=\"60.0\",operation=\"create\"",
        "# TYPE refund_gateway_ledger_log_bytes gauge",
        "# TYPE process_cpu_seconds_total counter",
        "process_resident_memory_bytes ",
        "process_start_time_seconds ",
        "process_open_fds ",
        "process_max_fds ",
    ] {
        assert!(plain.lines().any(|found| found.starts_with(line)), "no {line} in {plain}");
    }
}

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics_and_the_alerts_fire() {
    if !runs("promtool", &["--version"], "prometheus") {
        return;
    }
    let gateway = busy(&Sink::start(200));
    let session = gateway.login();
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "1"), electronic_refund("1")]);
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "9999999")]);
    let said = promtool(&["check", "metrics"], metrics(&gateway, None).text().as_bytes());
    assert_eq!(said, "");
    promtool(&["check", "rules", "alerts.yml"], b"");
    promtool(&["test", "rules", "alerts-test.yml"], b"");
}

/// The words of this text that are names of metrics, without what a histogram adds to its name.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let words = text.split(|letter: char| !is_part(letter));
    let is_metric = |word: &&str| {
        word.starts_with("refund_gateway_")
            || ["cpu", "open", "max", "resident", "virtual", "start"]
                .iter()
                .any(|start| word.starts_with(&format!("process_{start}")))
    };
    let base = |word: &str| {
        let word = word.strip_suffix("_bucket").or_else(|| word.strip_suffix("_sum"));
        word.map(str::to_owned)
    };
    words.filter(is_metric).map(|word| base(word).unwrap_or_else(|| word.to_owned())).collect()
}

#[test]
fn rules_dashboard_and_documents_name_only_metrics_that_there_are() {
    let gateway = busy(&Sink::start(200));
    let session = gateway.login();
    gateway.create(&session, &[external_refund(EXTERNAL_ACCOUNT, "9999999")]);
    gateway.create("no-session", &[]);
    let text = metrics(&gateway, None).text();
    let there: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let dashboard = fs::read_to_string(folder().join("dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries: Vec<&str> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
    assert!(queries.len() > 20);
    let read = |path: &str| fs::read_to_string(folder().join(path)).unwrap();
    for (what, text) in [
        ("the dashboard", queries.join("\n")),
        ("alerts.yml", read("alerts.yml")),
        ("alerts-test.yml", read("alerts-test.yml")),
        ("OPERATIONS.md", read("../../docs/OPERATIONS.md")),
    ] {
        let named = named(&text);
        assert!(!named.is_empty(), "{what}");
        for name in named {
            assert!(there.contains(name.as_str()), "{what} names {name}, which is not there");
        }
    }
    // And what there is is described.
    let operations = read("../../docs/OPERATIONS.md");
    let described = named(&operations);
    for name in &there {
        assert!(described.contains(*name), "OPERATIONS.md does not describe {name}");
    }
    let of_limit = "refund_gateway_rejected_total{limit=\"";
    let limits = text.lines().filter_map(|line| line.strip_prefix(of_limit)?.split('"').next());
    let limits: Vec<&str> = limits.collect();
    assert!(limits.len() > 20, "{limits:?}");
    for limit in limits {
        assert!(operations.contains(&format!("`{limit}`")), "OPERATIONS.md lacks {limit}");
    }
}

#[test]
fn health_is_told_check_by_check() {
    let gateway = TestGateway::demo();
    for (path, text) in [
        ("/livez", "alive\n"),
        ("/livez?verbose", "[+]ping ok\nlivez check passed\n"),
        ("/readyz", "ready\n"),
        ("/readyz?verbose", "[+]shutdown ok\n[+]ledger ok\nreadyz check passed\n"),
        ("/readyz?x=1&verbose=1", "[+]shutdown ok\n[+]ledger ok\nreadyz check passed\n"),
    ] {
        let answer = gateway.get_admin(path);
        assert_eq!((answer.status, answer.text().as_str()), (200, text), "{path}");
    }
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.toml"), "[http]\npublic_readiness = true\n").unwrap();
    let open = TestGateway::start_in(folder, &["--demo", "--config", "config.toml"]);
    let ask = |gateway: &TestGateway, method: &str, path: &str| {
        let answer = gateway.connect().send(method, path, &[], b"");
        (answer.status, answer.text())
    };
    assert_eq!(ask(&open, "GET", "/readyz"), (200, String::new()));
    assert_eq!(ask(&open, "GET", "/readyz?verbose"), (200, String::new()));
    assert_eq!(ask(&open, "POST", "/readyz").0, 405);
    assert_eq!(ask(&open, "GET", "/livez").0, 404);
    assert_eq!(ask(&open, "GET", "/metrics").0, 404);
    assert_eq!(ask(&gateway, "GET", "/readyz").0, 404);
}

#[test]
fn a_trace_goes_on_into_the_log_the_answer_and_what_is_called() {
    let sink = Sink::start(200);
    let gateway = busy(&sink);
    let answer = traced(&gateway, PARENT, &[electronic_refund("1")]);
    assert_eq!(answer.status, 200, "{answer}");
    let parent = answer.header("traceparent").unwrap().to_owned();
    let span = parent.strip_prefix(&format!("00-{TRACE}-")).unwrap().strip_suffix("-01").unwrap();
    assert!(span.len() == 16 && span != "00f067aa0ba902b7", "{parent}");
    gateway.until_it_says(&format!("\"trace_id\":\"{TRACE}\",\"span_id\":\"{span}\""));
    let asked = sink.first();
    assert!(asked.starts_with("post /refunds "), "{asked}");
    assert_eq!(header(&asked, "traceparent"), Some(parent.as_str()));
    assert_eq!(header(&asked, "tracestate"), Some("vendor=1"));
}

#[test]
fn an_event_says_of_which_trace_its_refund_is() {
    let sink = Sink::start(200);
    let gateway = busy(&sink);
    let answer = traced(&gateway, PARENT, &[external_refund(EXTERNAL_ACCOUNT, "1")]);
    let parent = answer.header("traceparent").unwrap().to_owned();
    let posted = sink.first();
    assert!(posted.starts_with("post /hook "), "{posted}");
    assert_eq!(header(&posted, "traceparent"), Some(parent.as_str()));
}

#[test]
fn a_malformed_trace_is_as_if_it_were_not_there() {
    let gateway = busy(&Sink::start(200));
    let upper = PARENT.to_uppercase();
    let never = PARENT.replacen("00-", "ff-", 1);
    for parent in ["", "00", upper.as_str(), never.as_str()] {
        let answer = traced(&gateway, parent, &[external_refund(EXTERNAL_ACCOUNT, "1")]);
        assert_eq!((answer.status, answer.successes()), (200, 1), "{answer}");
        assert_eq!(answer.header("traceparent"), None, "{parent}");
    }
    let none = gateway.create(&gateway.login(), &[]);
    assert_eq!(none.header("traceparent"), None);
    assert!(!gateway.stderr().contains("trace_id"), "{}", gateway.stderr());
}
