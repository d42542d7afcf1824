//! Durable creates per second, beside a do-nothing hyper server in the same run.
//!
//! `cargo bench --bench durable_creates` starts the real binary and the do-nothing server as
//! processes of their own and loads them in turn from one thread: 64 connections, kept alive, one
//! External refund of 0.01 a request, spread over 10,000 accounts. Machines differ and change from
//! minute to minute, so only the ratio of neighbouring samples means anything; the time of an fsync
//! is printed beside it, because group commit lives on it.
//!
//! Then it loads two gateways in turn, of which one has electronic refunds under way all the time
//! whose gateway never answers: the ratio says what of their speed External refunds keep.
//!
//! BENCH_SECONDS (3), BENCH_ROUNDS (5) and BENCH_CONNECTIONS (64) change the shape of the run;
//! TMPDIR decides on which disk the ledger is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark is a program of its own: it may fail loudly and it prints"
)]

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const ACCOUNTS: usize = 10_000;
const PATH: &str = "/apps/services/a/91.0";
const ANSWER: &str = "<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope \
    xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
    <ns1:createResponse xmlns:ns1=\"http://api.zuora.com/\"><ns1:result>\
    <ns1:Id>0123456789abcdef0123456789abcdef</ns1:Id><ns1:Success>true</ns1:Success>\
    </ns1:result></ns1:createResponse></soapenv:Body></soapenv:Envelope>";

fn main() {
    if std::env::args().any(|argument| argument == "do-nothing") {
        return tokio::runtime::Runtime::new().unwrap().block_on(do_nothing());
    }
    let seconds = Duration::from_secs(setting("BENCH_SECONDS", 3));
    let connections = usize::try_from(setting("BENCH_CONNECTIONS", 64)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let seed = folder.path().join("seed.toml");
    std::fs::write(&seed, seed_text()).unwrap();
    let gateway = Server::gateway(&seed, &folder.path().join("ledger.db"));
    let nothing = Server::start(Command::new(std::env::current_exe().unwrap()).arg("do-nothing"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let requests = Arc::new(external_refunds(&login(&gateway.address).await));
        println!("fsync of 4 KiB: {:?} (median of 100)", fsync_median(folder.path()));
        println!("{connections} connections, {ACCOUNTS} accounts, samples of {seconds:?}");
        load(&gateway.address, &requests, connections, seconds / 3).await;
        load(&nothing.address, &requests, connections, seconds / 3).await;
        let mut ratios = Vec::new();
        for round in 1..=setting("BENCH_ROUNDS", 5) {
            let durable = sample(&gateway, &requests, connections, seconds).await;
            let hello = sample(&nothing, &requests, connections, seconds).await;
            let ratio = durable.per_second / hello.per_second;
            println!("round {round}: durable {durable}, nothing {hello}: {ratio:.3}");
            ratios.push(ratio);
        }
        tell("durable to nothing", ratios);
        drop(nothing);
        let hanging = Server::gateway(&seed, &folder.path().join("hanging.db"));
        while_a_gateway_hangs(&gateway, &hanging, &requests, connections, seconds).await;
        println!("fsync of 4 KiB: {:?} (median of 100)", fsync_median(folder.path()));
    });
}

/// Samples two gateways in turn; one has refunds with a gateway that never answers.
async fn while_a_gateway_hangs(
    gateway: &Server,
    hanging: &Server,
    requests: &Arc<Vec<Vec<u8>>>,
    connections: usize,
    seconds: Duration,
) {
    let session = login(&hanging.address).await;
    let theirs = Arc::new(external_refunds(&session));
    load(&hanging.address, &theirs, connections, seconds / 3).await;
    let mut unanswered = JoinSet::new();
    for connection in 0..32 {
        let mut stream = TcpStream::connect(&hanging.address).await.unwrap();
        let request = http_request(&envelope(&session, &electronic(connection).repeat(50)));
        unanswered.spawn(async move {
            let mut answer = Vec::new();
            loop {
                exchange(&mut stream, &request, &mut answer).await;
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut ratios = Vec::new();
    for round in 1..=setting("BENCH_ROUNDS", 5) {
        let without = sample(gateway, requests, connections, seconds).await;
        let with = sample(hanging, &theirs, connections, seconds).await;
        let ratio = with.per_second / without.per_second;
        println!("round {round}: hanging {with}, without {without}: {ratio:.3}");
        ratios.push(ratio);
    }
    tell("while a gateway hangs, to without", ratios);
}

fn tell(what: &str, mut ratios: Vec<f64>) {
    ratios.sort_by(f64::total_cmp);
    let (low, high) = (ratios[0], ratios[ratios.len() - 1]);
    println!("{what}: median {:.3} [{low:.3} to {high:.3}]", ratios[ratios.len() / 2]);
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |value| value.parse().expect(name))
}

/// A process that says `listening on http://ADDR` and is ended with the benchmark.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// A gateway with a ledger of its own, and without the journal that the admin listener of a
    /// test gateway keeps.
    fn gateway(seed: &Path, ledger: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refund-gateway"));
        command.args(["serve", "--test", "--listen", "127.0.0.1:0", "--admin-listen", "none"]);
        command.arg("--seed").arg(seed);
        Self::start(command.arg("--ledger").arg(ledger).env("REFUND_GATEWAY_LOG", "error"))
    }

    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect("an address");
        let address = address.to_owned();
        // Keep the pipe open and empty for as long as the process lives.
        std::thread::spawn(move || lines.lines().count());
        Self { child, address }
    }
}

impl Server {
    /// User and system time so far (fields 14 and 15 of /proc/PID/stat).
    fn cpu_ticks(&self) -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let mut times = fields.split_whitespace().skip(11).map(str::parse::<u32>);
        Some(times.next()?.ok()? + times.next()?.ok()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What one sample came to.
struct Sample {
    per_second: f64,
    /// Processor time of the server for each request; none where the system does not tell.
    cpu_us: Option<f64>,
}

impl fmt::Display for Sample {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:6.0}/s", self.per_second)?;
        self.cpu_us.map_or(Ok(()), |cpu_us| write!(out, " at {cpu_us:4.1} us"))
    }
}

async fn sample(
    server: &Server,
    requests: &Arc<Vec<Vec<u8>>>,
    connections: usize,
    seconds: Duration,
) -> Sample {
    let before = server.cpu_ticks();
    let per_second = load(&server.address, requests, connections, seconds).await;
    let requests = per_second * seconds.as_secs_f64();
    let spent = server.cpu_ticks().zip(before).map(|(after, before)| after - before);
    // A tick is 10 ms wherever Linux runs.
    let cpu_us = spent.map(|ticks| f64::from(ticks) * 10_000.0 / requests);
    Sample { per_second, cpu_us }
}

async fn do_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on http://{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(async move {
            let answer = service_fn(|_| async {
                Ok::<_, Infallible>(hyper::Response::new(Full::new(Bytes::from_static(
                    ANSWER.as_bytes(),
                ))))
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new());
            let _ = server.serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

fn seed_text() -> String {
    let mut text = String::from(
        "[[user]]\nusername = \"bench\"\npassword = \"bench\"\n\
         permissions = [\"credit-balance-external-refund\", \
         \"credit-balance-electronic-refund\"]\n\
         [[gateway]]\nname = \"sandbox\"\nkind = \"sandbox\"\n\
         [[gateway.rule]]\namount = \"9.00\"\nanswer = \"hang\"\n",
    );
    for number in 0..ACCOUNTS {
        let id = account_id(number);
        write!(
            text,
            "[[account]]\nid = \"{id}\"\nnumber = \"A{number}\"\nname = \"Account {number}\"\n\
             currency = \"USD\"\ncredit_balance = \"1000000000.00\"\n\
             [[payment_method]]\nid = \"{method}\"\naccount = \"{id}\"\ntype = \"CreditCard\"\n",
            method = method_id(number),
        )
        .unwrap();
    }
    text
}

fn account_id(number: usize) -> String {
    format!("{number:032x}")
}

fn method_id(number: usize) -> String {
    format!("c{number:031x}")
}

fn http_request(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {PATH} HTTP/1.1\r\nHost: bench\r\nContent-Type: text/xml; charset=utf-8\r\n\
         SOAPAction: \"\"\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

async fn login(address: &str) -> String {
    let body = "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>\
        <login xmlns=\"http://api.zuora.com/\"><username>bench</username>\
        <password>bench</password></login></e:Body></e:Envelope>";
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = Vec::new();
    exchange(&mut stream, &http_request(body), &mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (_, rest) = answer.split_once("<ns1:Session>").expect("a session");
    rest.split_once("</ns1:Session>").unwrap().0.to_owned()
}

/// One External refund for each account, about 900 bytes a body, as old clients write it.
fn external_refunds(session: &str) -> Vec<Vec<u8>> {
    let more = "<ns2:Type>External</ns2:Type><ns2:MethodType>Check</ns2:MethodType>";
    let external = |number| envelope(session, &refund(number, "0.01", more));
    (0..ACCOUNTS).map(|number| http_request(&external(number))).collect()
}

/// An electronic refund of the amount that the seed's script never answers.
fn electronic(number: usize) -> String {
    let method = method_id(number);
    let more = format!(
        "<ns2:Type>Electronic</ns2:Type><ns2:PaymentMethodId>{method}</ns2:PaymentMethodId>"
    );
    refund(number, "9.00", &more)
}

fn refund(number: usize, amount: &str, more: &str) -> String {
    let id = account_id(number);
    format!(
        "<ns1:zObjects xmlns:ns2=\"http://object.api.zuora.com/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xsi:type=\"ns2:Refund\"><ns2:AccountId>{id}</ns2:AccountId>\
         <ns2:Amount>{amount}</ns2:Amount><ns2:SourceType>CreditBalance</ns2:SourceType>\
         {more}</ns1:zObjects>"
    )
}

fn envelope(session: &str, objects: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:ns1=\"http://api.zuora.com/\"><soapenv:Header><ns1:SessionHeader>\
         <ns1:session>{session}</ns1:session></ns1:SessionHeader></soapenv:Header>\
         <soapenv:Body><ns1:create>{objects}</ns1:create></soapenv:Body></soapenv:Envelope>"
    )
}

/// Answers per second over `duration`; every answer must be a success.
async fn load(
    address: &str,
    requests: &Arc<Vec<Vec<u8>>>,
    connections: usize,
    duration: Duration,
) -> f64 {
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for connection in 0..connections {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let requests = Arc::clone(requests);
        clients.spawn(async move {
            let mut answer = Vec::with_capacity(2048);
            let mut done = 0_u32;
            let mine = requests.iter().skip(connection).step_by(connections).cycle();
            for request in mine.take_while(|_| started.elapsed() < duration) {
                exchange(&mut stream, request, &mut answer).await;
                let good = answer.windows(13).any(|part| part == b"Success>true<");
                assert!(good, "no success: {}", String::from_utf8_lossy(&answer));
                done += 1;
            }
            done
        });
    }
    let done: u32 = clients.join_all().await.into_iter().sum();
    f64::from(done) / started.elapsed().as_secs_f64()
}

/// Sends one request and reads one answer of a known length.
async fn exchange(stream: &mut TcpStream, request: &[u8], answer: &mut Vec<u8>) {
    stream.write_all(request).await.unwrap();
    answer.clear();
    loop {
        assert!(stream.read_buf(answer).await.unwrap() > 0, "the server closed");
        if let Some(head) = answer.windows(4).position(|part| part == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&answer[..head]).to_ascii_lowercase();
            let length = text.split("content-length: ").nth(1).expect("a length");
            let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
            if answer.len() >= head + 4 + length {
                return;
            }
        }
    }
}

fn fsync_median(folder: &Path) -> Duration {
    let mut file = File::create(folder.join("probe")).unwrap();
    let mut times: Vec<Duration> = (0..100)
        .map(|_| {
            file.write_all(&[7; 4096]).unwrap();
            let started = Instant::now();
            file.sync_data().unwrap();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[50]
}
