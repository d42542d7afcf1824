//! The listeners by TLS: who is served and how, what a start refuses, and a certificate that is
//! changed under way.

use crate::gateway::{
    ENDPOINT, TestGateway, envelope, finish, login_envelope, program, session_header,
};
use crate::tls::{Authority, authority};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use rustix::process::Signal;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned, version,
};

const BOTH: [&str; 4] = ["--tls-cert", "server.crt", "--tls-key", "server.key"];

/// Writes a certificate of `authority` for localhost and its key.
fn write_pair(folder: &Path, name: &str, authority: &Authority, is_expired: bool) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    if is_expired {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 2, 1);
    }
    let certificate = params.signed_by(&key, authority).unwrap();
    fs::write(folder.join(format!("{name}.crt")), certificate.pem()).unwrap();
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}

/// A demo by TLS, with more arguments.
pub fn start(authority: &Authority, args: &[&str], more: &[(&str, &str)]) -> TestGateway {
    let folder = TempDir::new().unwrap();
    write_pair(folder.path(), "server", authority, false);
    for (name, text) in more {
        fs::write(folder.path().join(name), text).unwrap();
    }
    TestGateway::start_in(folder, &[&["--demo"], &BOTH[..], args].concat())
}

type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

/// A client's certificate, with these names.
fn identity(authority: &Authority, common_name: &str, mail: Option<&str>) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let mail = mail.map(|mail| rcgen::SanType::Rfc822Name(mail.try_into().unwrap()));
    params.subject_alt_names.extend(mail);
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into())
}

/// A client that believes `authority` alone.
fn client(authority: &Authority, identity: Option<Identity>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
    })
}

struct Wire(StreamOwned<ClientConnection, TcpStream>);

impl Wire {
    fn open(address: SocketAddr, config: &Arc<ClientConfig>) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let name = "localhost".try_into().unwrap();
        Self(StreamOwned::new(ClientConnection::new(Arc::clone(config), name).unwrap(), stream))
    }

    /// The head and body of an answer, which closes the connection or does not; what failed.
    fn ask(&mut self, method: &str, path: &str, body: &str) -> std::io::Result<String> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.write_all(head.as_bytes())?;
        let mut read = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&read).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.to_lowercase();
                let length = length.split("content-length: ").nth(1).unwrap_or("0");
                let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
                if body.len() >= length {
                    return Ok(text);
                }
            }
            let mut piece = [0; 8192];
            match self.0.read(&mut piece)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                bytes => read.extend_from_slice(&piece[..bytes]),
            }
        }
    }

    fn version(&self) -> ProtocolVersion {
        self.0.conn.protocol_version().unwrap()
    }
}

fn login() -> String {
    login_envelope("demo@example.com", "demo")
}

fn session_in(answer: &str) -> String {
    let (_, rest) = answer.split_once("Session>").unwrap_or_else(|| panic!("{answer}"));
    rest.split('<').next().unwrap().to_owned()
}

#[test]
fn clients_are_served_by_tls_and_told_addresses_of_https() {
    let authority = authority("ours");
    let config = "[http.tls]\nadmin = true\n";
    let args = ["--config", "c.toml"];
    let gateway = start(&authority, &args, &[("c.toml", config)]);
    assert!(gateway.first_lines()[0].starts_with("listening on https://"));
    assert!(gateway.first_lines()[1].starts_with("admin on https://"));
    let client = client(&authority, None);
    let mut wire = Wire::open(gateway.public(), &client);
    let answer = wire.ask("POST", ENDPOINT, &login()).unwrap();
    assert!(answer.contains("ServerUrl>https://localhost/apps/services/a/91.0<"), "{answer}");
    assert_eq!(wire.version(), ProtocolVersion::TLSv1_3);
    let wsdl = wire.ask("GET", &format!("{ENDPOINT}?wsdl"), "").unwrap();
    assert!(wsdl.contains("location=\"https://localhost/apps/services/a/91.0\""));
    let ready = Wire::open(gateway.admin(), &client).ask("GET", "/readyz", "").unwrap();
    assert!(ready.ends_with("ready\n"), "{ready}");
    fs::write(gateway.folder().join("ca.pem"), authority.pem()).unwrap();
    let admin = format!("https://localhost:{}", gateway.admin().port());
    let run = |ca: bool| {
        let mut command = program(gateway.folder());
        command.args(["admin", "clock", "--admin", &admin, "--ledger", "ledger.db"]);
        if ca {
            command.env("REFUND_GATEWAY_ADMIN_CA_FILE", "ca.pem");
        }
        finish(&mut command)
    };
    assert!(run(true).status.success(), "{:?}", run(true));
    assert_eq!(run(false).status.code(), Some(5));
}

#[test]
fn tls_1_3_can_be_left_away_and_plain_http_is_told_where_it_is() {
    let authority = authority("ours");
    let config = "[http.tls]\nonly_1_2 = true\nhandshake_timeout_ms = 200\n";
    let gateway = start(&authority, &["--config", "c.toml"], &[("c.toml", config)]);
    let mut wire = Wire::open(gateway.public(), &client(&authority, None));
    assert!(wire.ask("POST", ENDPOINT, &login()).unwrap().starts_with("HTTP/1.1 200 "));
    assert_eq!(wire.version(), ProtocolVersion::TLSv1_2);
    let answer = gateway.connect().send("POST", ENDPOINT, &[], login().as_bytes());
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (400, "This port speaks TLS. Use https.\n")
    );
    // Who says nothing, or stops in the middle, is dropped.
    for beginning in [&b""[..], &[22, 3, 1]] {
        let mut silent = gateway.connect();
        silent.write(beginning);
        assert!(silent.is_closed());
    }
    let metrics = gateway.get_admin("/metrics").text();
    assert!(metrics.contains("rejected_total{limit=\"tls_handshake\"} 3\n"), "{metrics}");
}

#[test]
fn a_new_certificate_is_taken_without_dropping_a_connection_and_a_bad_one_is_not() {
    let (old, new) = (authority("old"), authority("new"));
    let gateway = start(&old, &[], &[]);
    let mut kept = Wire::open(gateway.public(), &client(&old, None));
    kept.ask("POST", ENDPOINT, &login()).unwrap();
    let serves = |authority| {
        let answer = Wire::open(gateway.public(), &client(authority, None));
        let mut answer = answer;
        answer.ask("POST", ENDPOINT, &login()).is_ok()
    };
    fs::write(gateway.folder().join("server.crt"), "no certificate").unwrap();
    gateway.signal(Signal::HUP);
    gateway.until_it_says("the certificate was not taken; the old one stays in force");
    assert!(serves(&old) && !serves(&new));
    write_pair(gateway.folder(), "server", &new, false);
    gateway.signal(Signal::HUP);
    gateway.until_it_says("the certificate was read again");
    assert!(serves(&new) && !serves(&old));
    assert!(kept.ask("POST", ENDPOINT, &login()).unwrap().starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_clients_certificate_narrows_down_whose_calls_its_connection_carries() {
    let (authority, clients) = (authority("ours"), authority("clients"));
    let pem = clients.pem();
    let args = ["--tls-client-ca", "clients.pem"];
    let gateway = start(&authority, &args, &[("clients.pem", &pem)]);
    let answer = |identity: Option<Identity>, body: &str| {
        let config = client(&authority, identity);
        Wire::open(gateway.public(), &config).ask("POST", ENDPOINT, body)
    };
    let session = session_in(&answer(None, &login()).unwrap());
    let info = envelope(&session_header(&session), "<api:getUserInfo/>");
    let by_name = || Some(identity(&clients, "Demo@example.com", None));
    let by_mail = || Some(identity(&clients, "one", Some("demo@example.com")));
    for own in [by_name(), by_mail()] {
        assert!(answer(own, &login()).unwrap().contains("Session>"));
    }
    assert!(answer(by_name(), &info).unwrap().starts_with("HTTP/1.1 200 "));
    let other = || Some(identity(&clients, "other@example.com", None));
    assert!(answer(other(), &login()).unwrap().contains("LoginFault"));
    assert!(answer(other(), &info).unwrap().contains("INVALID_SESSION"));
    // One of a stranger's does not get as far as that.
    let stranger = identity(&crate::tls::authority("stranger"), "demo@example.com", None);
    assert!(answer(Some(stranger), &login()).is_err());
    let required = "[http.tls]\nrequire_client_certificate = true\nclient_ca = 'clients.pem'\n";
    let more = [("clients.pem", pem.as_str()), ("c.toml", required)];
    let gateway = start(&authority, &["--config", "c.toml"], &more);
    let ask = |identity: Option<Identity>| {
        let config = client(&authority, identity);
        Wire::open(gateway.public(), &config).ask("POST", ENDPOINT, &login())
    };
    assert!(ask(None).is_err());
    assert!(ask(by_name()).unwrap().contains("Session>"));
}

#[test]
fn what_no_listener_can_work_with_ends_the_start_with_a_sentence() {
    let ours = authority("ours");
    let folder = TempDir::new().unwrap();
    write_pair(folder.path(), "server", &ours, false);
    write_pair(folder.path(), "other", &ours, false);
    write_pair(folder.path(), "old", &ours, true);
    fs::write(folder.path().join("junk"), "junk").unwrap();
    let mismatch = "the key in other.key does not belong to the certificate in server.crt";
    for (args, reported) in [
        (&["--tls-cert", "server.crt"][..], "name both"),
        (&["--tls-cert", "server.crt", "--tls-key", "other.key"], mismatch),
        (&["--tls-cert", "old.crt", "--tls-key", "old.key"], "is good from 2020-01-01"),
        (&["--tls-cert", "none.crt", "--tls-key", "old.key"], "none.crt cannot be read"),
        (&["--tls-cert", "junk", "--tls-key", "old.key"], "it holds no certificate in PEM"),
        (&["--tls-cert", "server.crt", "--tls-key", "junk"], "it holds no key in PEM"),
        (&["--tls-client-ca", "server.crt"], "need a certificate of the gateway"),
        (&["--tls-self-signed", "--tls-cert", "server.crt"], "keep one of them"),
    ] {
        let serve = ["serve", "--demo", "--listen", "127.0.0.1:0", "--ledger", ":memory:"];
        let output = finish(program(folder.path()).args(serve).args(args));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{args:?}: {said}");
        assert!(said.contains(reported), "{args:?}: {said}");
    }
}

#[test]
fn a_self_signed_certificate_is_made_for_one_run_and_its_file_is_named() {
    let folder = TempDir::new().unwrap();
    let serve = ["serve", "--demo", "--listen", "127.0.0.1:0", "--ledger", ":memory:"];
    let mut command = program(folder.path());
    command.args(serve).args(["--admin-listen", "none", "--tls-self-signed"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut line = || lines.next().unwrap().unwrap();
    let address = line().strip_prefix("listening on https://").unwrap().parse().unwrap();
    let file = line().strip_prefix("certificate in ").unwrap().to_owned();
    let pem = fs::read(&file).unwrap();
    let mut roots = RootCertStore::empty();
    let read =
        <CertificateDer<'_> as tokio_rustls::rustls::pki_types::pem::PemObject>::from_pem_slice(
            &pem,
        );
    roots.add(read.unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let answer = Wire::open(address, &Arc::new(config)).ask("POST", ENDPOINT, &login());
    let is_served = answer.is_ok_and(|answer| answer.contains("Session>"));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success() && is_served);
    assert!(!Path::new(&file).exists());
}
