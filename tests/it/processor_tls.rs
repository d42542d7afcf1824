//! TLS to a processor: only who proves to be the host, by an authority that is believed, gets an
//! order to read.

use crate::gateway::{ELECTRONIC_ACCOUNT, TestGateway, electronic_refund, finish, program};
use crate::processor_stub::{ProcessorStub, SECRET};
use crate::tls::{Authority, authority, server};
use std::fs;
use tempfile::TempDir;

/// A stub with a certificate of `authority` for this host.
fn stub(authority: &Authority, host: &str, is_expired: bool) -> ProcessorStub {
    ProcessorStub::start_tls(server(authority, host, is_expired))
}

/// The exit code of the kit against the stub, and everything that it said.
fn check(stub: &ProcessorStub, authority: Option<&Authority>) -> (Option<i32>, String) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("secret"), SECRET).unwrap();
    let url = stub.url();
    let mut args = vec!["check", "processor", &url, "--secret-file", "secret"];
    if let Some(authority) = authority {
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        args.extend(["--ca-file", "ca.pem"]);
    }
    let output = finish(program(folder.path()).args(args));
    let reported = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&reported).into_owned())
}

#[test]
fn an_authority_of_ones_own_is_believed_when_it_is_named() {
    let authority = authority("ours");
    let stub = stub(&authority, "localhost", false);
    let (code, reported) = check(&stub, Some(&authority));
    assert_eq!(code, Some(0), "{reported}");
    assert!(stub.refunds() > 0);
}

#[test]
fn who_cannot_prove_to_be_the_host_gets_nothing() {
    let believed = authority("believed");
    let stranger = authority("stranger");
    let cases = [
        (stub(&believed, "other.example", false), Some(&believed), "not valid for name"),
        (stub(&believed, "localhost", true), Some(&believed), "expired"),
        (stub(&stranger, "localhost", false), Some(&believed), "UnknownIssuer"),
        (stub(&believed, "localhost", false), None, "UnknownIssuer"),
    ];
    for (stub, authority, expected) in cases {
        let (code, reported) = check(&stub, authority);
        assert_eq!(code, Some(5), "{expected}: {reported}");
        assert!(reported.contains("certificate") && reported.contains(expected), "{reported}");
        assert!(stub.connections() > 0);
        assert_eq!(stub.refunds() + stub.inquiries(), 0, "{expected}");
    }
}

#[test]
fn a_refund_goes_by_tls_and_stays_in_processing_where_the_certificate_is_wrong() {
    let authority = authority("ours");
    for (host, expected) in [("localhost", "Processed"), ("other.example", "Processing")] {
        let stub = stub(&authority, host, false);
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let config = stub.table("cards", "ca_file = 'ca.pem'");
        let config = format!("demo = true\n{config}");
        fs::write(folder.path().join("c.toml"), config).unwrap();
        let seed = "[tenant]\ndefault_gateway = 'cards'\n";
        fs::write(folder.path().join("seed.toml"), seed).unwrap();
        let args = ["--config", "c.toml", "--seed", "seed.toml"];
        let gateway = TestGateway::start_in(folder, &args);
        let session = gateway.login();
        let object = electronic_refund("10.00");
        let id = gateway.create(&session, &[object]).texts("Id").remove(0);
        assert_eq!(crate::processor::status(&gateway, &session, &id), expected);
        assert_eq!(stub.paid(&id), u32::from(expected == "Processed"));
        assert_eq!(gateway.balance(ELECTRONIC_ACCOUNT), "990.00");
    }
}

/// With `tls_roots = "platform"` this machine's authorities are believed, and Mozilla's are not.
#[test]
fn the_platforms_authorities_are_a_choice() {
    let authority = authority("ours");
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    fs::write(folder.path().join("secret"), SECRET).unwrap();
    let file = folder.path().join("ca.pem");
    for (roots, expected) in [(Some("platform"), 0), (Some("compiled"), 5), (None, 5)] {
        let stub = stub(&authority, "localhost", false);
        let mut command = program(folder.path());
        command.args(["check", "processor", &stub.url(), "--secret-file", "secret"]);
        command.args(roots.map(|roots| format!("--tls-roots={roots}")));
        let output = finish(command.env("SSL_CERT_FILE", &file));
        assert_eq!(output.status.code(), Some(expected), "{roots:?}: {output:?}");
    }
    let stub = stub(&authority, "localhost", false);
    let config = format!("demo = true\ntls_roots = 'platform'\n{}", stub.table("cards", ""));
    fs::write(folder.path().join("c.toml"), config).unwrap();
    let seed = "[tenant]\ndefault_gateway = 'cards'\n";
    fs::write(folder.path().join("seed.toml"), seed).unwrap();
    let missing = finish(
        program(folder.path())
            .args(["serve", "--config", "c.toml", "--ledger", "other.db", "--listen=127.0.0.1:0"])
            .env("SSL_CERT_FILE", folder.path().join("none.pem"))
            .env("SSL_CERT_DIR", folder.path().join("none")),
    );
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(missing.status.code() == Some(3) && said.contains("authorities"), "{said}");
    let env = [("SSL_CERT_FILE", file.to_str().unwrap())];
    let args = ["--config", "c.toml", "--seed", "seed.toml"];
    let gateway = TestGateway::start_with_env(folder, &args, &env);
    let session = gateway.login();
    let id = gateway.create(&session, &[electronic_refund("10.00")]).texts("Id").remove(0);
    assert_eq!(crate::processor::status(&gateway, &session, &id), "Processed");
}
