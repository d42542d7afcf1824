//! What `serve --record` and `record` write down: replayed without a difference, and without a
//! secret.

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, create_envelope, envelope, external_refund, finish,
    login_envelope, program, session_header,
};
use crate::recording_upstream::Proxy;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The texts of all files below a folder, as far as they are texts.
pub fn everything_in(folder: &Path) -> String {
    let mut all = String::new();
    for found in fs::read_dir(folder).unwrap() {
        let found = found.unwrap();
        if found.path().is_dir() {
            all.push_str(&everything_in(&found.path()));
        } else {
            let bytes = fs::read(found.path()).unwrap();
            let bytes: Vec<u8> = bytes.into_iter().filter(|byte| *byte != 0).collect();
            all.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    all
}

/// The names of the folders in one.
pub fn folders(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|found| found.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// Replays a folder, and returns what was printed and the exit code.
fn replay(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = finish(program(folder).args(["replay", "recording"]).args(args));
    let reported = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), reported + &String::from_utf8_lossy(&output.stderr))
}

fn holds_no_secret(recording: &Path) {
    let all = everything_in(recording);
    assert!(!all.contains("assword>demo<"), "the password was written down");
    let is_word = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let longest = all.split(|character| !is_word(character)).filter(|word| word.len() == 255);
    let live: Vec<_> = longest.filter(|word| !word.starts_with("example-session-")).collect();
    // The catalogue has keys and names of one letter that are as long.
    let is_random = |word: &&str| word.chars().any(|character| !word.starts_with(character));
    assert!(!live.iter().any(is_random), "{live:?}");
}

#[test]
fn the_catalogue_is_recorded_and_replays_without_a_difference() {
    let seed = fs::read_to_string(fixtures().join("seed.toml")).unwrap();
    let mut gateway = TestGateway::seeded(&seed, &["--record", "recording"]);
    let endpoint = format!("http://{}", gateway.public());
    let first = finish(
        program(gateway.folder()).arg("replay").arg(fixtures()).args(["--endpoint", &endpoint]),
    );
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stdout));
    assert!(gateway.terminate().success());
    let recording = gateway.folder().join("recording");
    let recorded = folders(&recording);
    let said = format!("recorded {} exchanges, left out 0", recorded.len());
    assert!(gateway.stderr().contains(&said), "{said} in {}", gateway.stderr());
    assert!(recorded.len() > 250, "{}", recorded.len());
    holds_no_secret(&recording);
    let (code, reported) = replay(gateway.folder(), &["--seed", "seed.toml"]);
    assert_eq!(code, Some(0), "{reported}");
    assert!(reported.starts_with(&format!("{} passed, 0 failed\n", recorded.len())), "{reported}");
}

#[test]
fn a_folder_with_other_things_is_not_recorded_into() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/diary.txt"), "").unwrap();
    let args = ["serve", "--demo", "--listen", "127.0.0.1:0", "--record", "mine"];
    let output = finish(program(folder.path()).args(args));
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("mine holds something that is no"));
}

#[test]
fn what_a_proxy_records_replays_without_a_difference() {
    let gateway = TestGateway::demo();
    let mut proxy = Proxy::start(&format!("http://{}", gateway.public()));
    let mut client = proxy.connect();
    let here = format!("http://{}{ENDPOINT}", proxy.address());
    let wsdl = client.send("GET", &format!("{ENDPOINT}?wsdl"), &[], b"");
    assert!(wsdl.to_string().contains(&format!("location=\"{here}\"")), "{wsdl}");
    let login = client.post(ENDPOINT, &login_envelope("demo@example.com", "demo"));
    assert_eq!(login.texts("ServerUrl"), [here], "{login}");
    let session = login.texts("Session").remove(0);
    let refund = [external_refund(EXTERNAL_ACCOUNT, "12.50")];
    let created = client.post(ENDPOINT, &create_envelope(&session, &refund)).texts("Id").remove(0);
    let query = |session: &str| {
        let zoql = format!("select Amount, RefundNumber from Refund where Id = '{created}'");
        let query = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
        envelope(&session_header(session), &query)
    };
    assert_eq!(client.post(ENDPOINT, &query(&session)).texts("Amount"), ["12.50"]);
    assert_eq!(client.post("/apps/services/a/38.0", &query("expired")).status, 500);
    assert_eq!(client.post(ENDPOINT, &login_envelope("demo@example.com", "wrong")).status, 500);
    let (said, recording) = proxy.ended();
    assert!(said.contains("recorded 5 exchanges, left out 0"), "{said}");
    let operations = ["login", "create", "query", "query", "login"];
    let expected: Vec<String> =
        (1..).zip(operations).map(|(number, name)| format!("{number:08}-{name}")).collect();
    assert_eq!(folders(&recording), expected);
    let mode = fs::metadata(&recording).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    holds_no_secret(&recording);
    assert!(!everything_in(&recording).contains("wrong"), "a wrong password was written down");
    let (code, reported) = replay(proxy.folder(), &[]);
    assert_eq!(code, Some(0), "{reported}");
    assert!(reported.starts_with("5 passed, 0 failed\n"), "{reported}");
    // Another gateway, where the user is another: who is given stands for the one who was.
    let other = TestGateway::seeded(
        &format!(
            "[[user]]\nusername = 'other'\npassword = 'pass'\n[[account]]\nid = \
             '{EXTERNAL_ACCOUNT}'\nnumber = 'A'\nname = 'A'\ncurrency = 'USD'\n\
             credit_balance = '100.00'\n"
        ),
        &[],
    );
    let endpoint = format!("http://{}", other.public());
    let given = ["--endpoint", &endpoint, "--username", "other", "--password", "pass"];
    let (code, reported) = replay(proxy.folder(), &given);
    assert_eq!(code, Some(0), "{reported}");
    assert_eq!(other.balance(EXTERNAL_ACCOUNT), "87.50");
}
