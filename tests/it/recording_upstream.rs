//! The proxy `record` between clients and upstreams of every kind: those that prove who they are,
//! and those that do not, lead elsewhere, die, or speak otherwise than the client does.

use crate::gateway::{ENDPOINT, TestGateway, envelope, finish, login_envelope, program};
use crate::recording::{everything_in, folders};
use crate::tls::{authority, self_signed_server, server};
use crate::wire::Connection;
use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use tempfile::TempDir;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A running `record`.
pub struct Proxy {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
    stderr: ChildStderr,
}

impl Proxy {
    /// In front of this upstream, with whatever authorities the public ones are.
    pub fn start(upstream: &str) -> Self {
        Self::start_in(TempDir::new().unwrap(), upstream, &[])
    }

    fn start_in(folder: TempDir, upstream: &str, more: &[&str]) -> Self {
        let mut child = program(folder.path())
            .args(["record", "--listen", "127.0.0.1:0", "--out", "recording"])
            .args(["--upstream", upstream])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect(&line);
        Self { child, address: address.parse().unwrap(), folder, stderr }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A connection to it.
    pub fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Ends it, and returns what it said and where it recorded.
    pub fn ended(&mut self) -> (String, PathBuf) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (said, self.folder.path().join("recording"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers the first request of each connection with these bytes, and closes it. What it was sent
/// is kept. The bytes should announce the close (`Connection: close`) where more requests follow: a
/// request that is on its way to a connection that closes has an unknown outcome.
pub struct Upstream {
    address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    fn start(tls: Option<ServerConfig>, answer: &[u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (heard, answer, tls) = (Arc::clone(&received), answer.to_vec(), tls.map(Arc::new));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                // A client that sends nothing, or does not trust the certificate, is not answered.
                let _ = match &tls {
                    None => answer_one(stream, &answer, &heard),
                    Some(tls) => {
                        let secured = ServerConnection::new(Arc::clone(tls)).unwrap();
                        answer_one(StreamOwned::new(secured, stream), &answer, &heard)
                    }
                };
            }
        });
        Self { address, received }
    }

    /// One that speaks plain HTTP.
    pub fn plain(answer: &[u8]) -> Self {
        Self::start(None, answer)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads that came, in lower case, each with its body.
    fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

/// Reads a request, keeps it, and only then answers it, so that a client with the answer finds what
/// was sent; none if there was no request.
fn answer_one(stream: impl Read + Write, answer: &[u8], heard: &Mutex<Vec<String>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        // A client that does not trust the certificate sends nothing.
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    heard.lock().unwrap().push(head + &String::from_utf8_lossy(&body));
    stream.get_mut().write_all(answer).ok()?;
    stream.get_mut().flush().ok()
}

fn login_answer() -> String {
    let url = "<api:ServerUrl>https://na.example.com/apps/services/a/91.0</api:ServerUrl>";
    let result = format!("<api:result><api:Session>s3cret-session</api:Session>{url}</api:result>");
    envelope("", &format!("<api:loginResponse>{result}</api:loginResponse>"))
}

/// An answer of HTTP with these headers, each with its end of line.
pub fn http(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn a_redirect_is_passed_on_and_not_followed() {
    let redirect = "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nKeep-Alive: x\r\n\
                    Content-Length: 0\r\n\r\n";
    let upstream = Upstream::plain(redirect.as_bytes());
    let proxy = Proxy::start(&upstream.url());
    let headers = [("Connection", "X-Mine"), ("X-Mine", "1"), ("SOAPAction", "\"\"")];
    let answer = proxy.connect().send("POST", "/a?b", &headers, b"<a/>");
    assert_eq!((answer.status, answer.header("keep-alive")), (302, None));
    let head = upstream.received().remove(0);
    assert!(head.starts_with("post /a?b http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: {}\r\n", upstream.address)), "{head}");
    assert!(head.contains("soapaction: \"\"\r\n") && !head.contains("x-mine"), "{head}");
}

#[test]
fn an_upstream_that_is_down_or_proves_nothing_is_a_bad_gateway() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::start(&format!("http://{closed}"));
    let answer = proxy.connect().send("POST", ENDPOINT, &[], b"<a/>");
    assert_eq!(answer.status, 502, "{answer}");
    assert!(answer.to_string().contains("cannot connect to"), "{answer}");
    let gateway = TestGateway::demo();
    let mut proxy = Proxy::start(&format!("https://{}", gateway.public()));
    let answer = proxy.connect().send("POST", ENDPOINT, &[], b"<a/>");
    assert_eq!(answer.status, 502, "{answer}");
    let (said, recording) = proxy.ended();
    assert!(said.contains("recorded 0 exchanges"), "{said}");
    assert_eq!(folders(&recording), [""; 0]);
}

/// A proxy in front of a server at `localhost`, which believes this authority, or the public ones.
fn secured(server: ServerConfig, believed: Option<&str>) -> (Upstream, Proxy) {
    let upstream = Upstream::start(Some(server), &http("", login_answer().as_bytes()));
    let folder = TempDir::new().unwrap();
    let mut more = Vec::new();
    if let Some(pem) = believed {
        fs::write(folder.path().join("ca.pem"), pem).unwrap();
        more.extend(["--upstream-ca", "ca.pem"]);
    }
    let url = format!("https://localhost:{}", upstream.address.port());
    (upstream, Proxy::start_in(folder, &url, &more))
}

#[test]
fn an_upstream_that_proves_who_it_is_is_recorded() {
    let authority = authority("ours");
    let (upstream, mut proxy) =
        secured(server(&authority, "localhost", false), Some(&authority.pem()));
    let answer = proxy.connect().post(ENDPOINT, &login_envelope("a", "s3cret-password"));
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.texts("ServerUrl"), [format!("http://{}{ENDPOINT}", proxy.address())]);
    let request = upstream.received().remove(0);
    assert!(request.contains(&format!("host: localhost:{}", upstream.address.port())), "{request}");
    assert!(request.contains("s3cret-password"), "{request}");
    let (said, recording) = proxy.ended();
    assert!(said.contains("recorded 1 exchanges, left out 0"), "{said}");
    let written = everything_in(&recording);
    assert!(written.contains("{{password}}") && !written.contains("s3cret"), "{written}");
}

#[test]
fn an_upstream_that_cannot_prove_who_it_is_gets_nothing() {
    let (believed, stranger) = (authority("believed"), authority("stranger"));
    let pem = believed.pem();
    let cases = [
        (server(&believed, "other.example", false), Some(&*pem), "not valid for name"),
        (server(&believed, "localhost", true), Some(&*pem), "expired"),
        (server(&stranger, "localhost", false), Some(&*pem), "UnknownIssuer"),
        (self_signed_server("localhost"), Some(&*pem), "UnknownIssuer"),
        (server(&believed, "localhost", false), None, "UnknownIssuer"),
    ];
    for (server, pem, why) in cases {
        let (upstream, mut proxy) = secured(server, pem);
        let answer = proxy.connect().post(ENDPOINT, &login_envelope("a", "s3cret"));
        assert_eq!(answer.status, 502, "{why}: {answer}");
        assert!(answer.to_string().contains(why), "{why} in {answer}");
        assert_eq!(upstream.received(), [""; 0], "{why}");
        let (said, recording) = proxy.ended();
        assert!(said.contains("recorded 0 exchanges, left out 0"), "{said}");
        assert_eq!(folders(&recording), [""; 0]);
    }
}

#[test]
fn authorities_that_are_none_are_said_before_anybody_is_served() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("empty.pem"), "").unwrap();
    for (file, said) in [("empty.pem", "holds no certificate"), ("gone.pem", "gone.pem")] {
        let args = ["record", "--upstream", "https://localhost", "--out", "r"];
        let more = ["--listen", "127.0.0.1:0", "--upstream-ca", file];
        let output = finish(program(folder.path()).args(args).args(more));
        let reported = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{reported}");
        assert!(reported.contains(said), "{said} in {reported}");
    }
}

#[test]
fn when_nobody_knows_what_the_upstream_did_the_client_gets_no_answer() {
    let whole = http("", login_answer().as_bytes());
    let in_brotli = http("Content-Encoding: br\r\n", b"\x8b\x02\x80abc\x03");
    let no_gzip = http("Content-Encoding: gzip\r\n", b"\x1f\x8bnone");
    let (half, rest) = whole.split_at(whole.len() - 10);
    assert!(!rest.is_empty());
    for answer in [b"", half, b"SSH-2.0-OpenSSH\r\n", &in_brotli, &no_gzip] {
        let upstream = Upstream::plain(answer);
        let mut proxy = Proxy::start(&upstream.url());
        let mut client = proxy.connect();
        let request = login_envelope("a", "s3cret");
        let length = request.len();
        client.write(
            format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{request}")
                .as_bytes(),
        );
        assert!(client.breaks_off());
        assert_eq!(upstream.received().len(), 1, "sent once");
        let (said, recording) = proxy.ended();
        assert!(said.contains("recorded 0 exchanges, left out 0"), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
        assert_eq!(folders(&recording), [""; 0]);
    }
}

#[test]
fn client_and_upstream_may_speak_otherwise() {
    let gzip = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(login_answer().as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    // The upstream packs what it was not asked to pack, in chunks.
    let (first, second) = gzip.split_at(20);
    let chunk =
        |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let chunked = [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\n\
          Transfer-Encoding: chunked\r\n\r\n"
            .to_vec(),
        chunk(first),
        chunk(second),
        b"0\r\n\r\n".to_vec(),
    ];
    let upstream = Upstream::plain(&chunked.concat());
    let mut proxy = Proxy::start(&upstream.url());
    let request = login_envelope("a", "s3cret");
    let (length, half) = (request.len(), request.len() / 2);
    // A client of HTTP/1.0 cannot read chunks, and gets none.
    let mut old = proxy.connect();
    old.write(format!("POST {ENDPOINT} HTTP/1.0\r\nContent-Length: {length}\r\n\r\n").as_bytes());
    old.write(request.as_bytes());
    let answer = old.read_answer().unwrap();
    assert_eq!(answer.header("transfer-encoding"), None, "{answer}");
    assert_eq!(answer.texts("ServerUrl"), [format!("http://{}{ENDPOINT}", proxy.address())]);
    // One that waits for 100 Continue, and then sends chunks.
    let mut patient = proxy.connect();
    let head = "Host: h.example:1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n";
    patient.write(format!("POST {ENDPOINT} HTTP/1.1\r\n{head}\r\n").as_bytes());
    assert_eq!(patient.read_head(), 100);
    for part in [&request[..half], &request[half..], ""] {
        patient.write(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes());
    }
    let answer = patient.read_answer().unwrap();
    assert_eq!(answer.texts("ServerUrl"), [format!("http://h.example:1{ENDPOINT}")], "{answer}");
    assert_eq!(answer.header("content-encoding"), None, "{answer}");
    // One that packs its request: it is sent on as it came, and recorded as it was meant.
    let packed = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(request.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let headers = [("Content-Encoding", "gzip"), ("Content-Type", "text/xml; charset=utf-8")];
    assert_eq!(proxy.connect().send("POST", ENDPOINT, &headers, &packed).status, 200);
    let received = upstream.received();
    assert_eq!(received.len(), 3);
    for plain in &received[..2] {
        assert!(plain.ends_with(&request), "{plain}");
        assert!(plain.contains(&format!("content-length: {length}\r\n")), "{plain}");
        assert!(!plain.contains("expect") && !plain.contains("chunked"), "{plain}");
    }
    let (said, recording) = proxy.ended();
    assert!(said.contains("recorded 3 exchanges, left out 0"), "{said}");
    let requests: Vec<_> = folders(&recording)
        .iter()
        .map(|name| fs::read_to_string(recording.join(name).join("request.xml")).unwrap())
        .collect();
    let expected = request.replace("s3cret", "{{password}}");
    assert_eq!(requests, [expected.clone(), expected.clone(), expected]);
    assert!(!everything_in(&recording).contains("s3cret"));
}

#[test]
fn a_body_that_is_too_large_is_refused_and_not_passed_on() {
    let upstream = Upstream::plain(&http("", login_answer().as_bytes()));
    let mut proxy = Proxy::start(&upstream.url());
    let large = vec![b'x'; 1024 * 1024 + 1];
    let answer = proxy.connect().send("POST", ENDPOINT, &[], &large);
    assert_eq!(answer.status, 413, "{answer}");
    assert!(answer.to_string().contains("larger than 1048576 bytes"), "{answer}");
    assert_eq!(upstream.received(), [""; 0]);
    let (said, _) = proxy.ended();
    assert!(said.contains("recorded 0 exchanges, left out 0"), "{said}");
}
