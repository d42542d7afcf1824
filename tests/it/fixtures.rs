//! The catalogue through the built program, and what `replay` says when something is wrong.

use crate::gateway::{TestGateway, finish, program};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The part of the catalogue that has a seed of its own.
const SETTLEMENT: &str = "rest-settlement";

/// How many folders with a request there are at or below a folder, but for those with another seed.
fn cases(folder: &Path) -> usize {
    let below = fs::read_dir(folder).unwrap().map(|found| found.unwrap().path());
    let below = below.filter(|path| path.is_dir() && !path.join("seed.toml").is_file());
    let below: usize = below.map(|path| cases(&path)).sum();
    let has_request = |name: &str| folder.join(name).is_file();
    below + usize::from(has_request("request.xml") || has_request("request.json"))
}

/// A folder with the catalogue's seed and some of its cases.
struct Copy(TempDir);

impl Copy {
    fn of(names: &[&str]) -> Self {
        let copy = Self(TempDir::new().unwrap());
        fs::copy(fixtures().join("seed.toml"), copy.path("seed.toml")).unwrap();
        for name in names {
            fs::create_dir_all(copy.path(name)).unwrap();
            for file in fs::read_dir(fixtures().join(name)).unwrap() {
                let file = file.unwrap();
                fs::copy(file.path(), copy.path(name).join(file.file_name())).unwrap();
            }
        }
        copy
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    /// Changes a file, which must have what is to be changed.
    fn change(&self, below: &str, from: &str, to: &str) {
        let text = self.read(below);
        assert!(text.contains(from), "{from} in {text}");
        fs::write(self.path(below), text.replace(from, to)).unwrap();
    }

    fn replay(&self, args: &[&str]) -> Output {
        finish(program(self.0.path()).args(["replay", "."]).args(args))
    }

    /// Replays what must fail with this code before anything is compared, and say this.
    fn refused(&self, args: &[&str], code: i32, said: &str) {
        let output = self.replay(args);
        let (stdout, stderr) = reported(&output);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(said), "{said} in {stderr}");
        assert_eq!(stdout, "");
    }
}

fn reported(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

const REFUND: &str = "external/comment-and-reason-code";
const REFUSED: &str = "rules/over-the-balance";
const LOGIN: &str = "sessions/login";

#[test]
fn the_whole_catalogue_passes() {
    let folder = TempDir::new().unwrap();
    let output = finish(program(folder.path()).arg("replay").arg(fixtures()));
    let (stdout, stderr) = reported(&output);
    let count = cases(&fixtures());
    assert!(count >= 40, "{count}");
    assert_eq!(stdout, format!("{count} passed, 0 failed\n"));
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr.contains(&format!("{count} cases in ")), "{stderr}");
    assert!(stderr.contains(" per second"), "{stderr}");
    // Nothing is left behind where it ran.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// As the whole catalogue, on a gateway whose ledger is where the run has its ledgers.
#[test]
fn the_catalogue_passes_on_a_gateway_that_is_served() {
    let seed = fs::read_to_string(fixtures().join("seed.toml")).unwrap();
    let gateway = TestGateway::seeded(&seed, &[]);
    let endpoint = format!("http://{}", gateway.public());
    let mut replay = program(gateway.folder());
    let output = finish(replay.args(["replay", "--endpoint", &endpoint]).arg(fixtures()));
    let (stdout, stderr) = reported(&output);
    assert_eq!(stdout, format!("{} passed, 0 failed\n", cases(&fixtures())), "{stderr}");
}

#[test]
fn the_part_with_a_seed_of_its_own_passes_by_its_name() {
    let folder = TempDir::new().unwrap();
    let path = fixtures().join(SETTLEMENT);
    let output = finish(program(folder.path()).arg("replay").arg(&path));
    let (stdout, _) = reported(&output);
    let count = cases(&path);
    assert!(count >= 80, "{count}");
    assert_eq!(stdout, format!("{count} passed, 0 failed\n"));
    assert_eq!(output.status.code(), Some(0));
    let output = finish(program(folder.path()).args(["replay", "--list"]).arg(fixtures()));
    let (stdout, stderr) = reported(&output);
    assert!(!stdout.contains(SETTLEMENT), "{stdout}");
    assert!(stderr.contains("rest-settlement has a seed of its own"), "{stderr}");
}

#[test]
fn a_changed_value_of_a_json_answer_is_found_and_named() {
    let name = "rest-twins/action-rows";
    let copy = Copy::of(&[name]);
    copy.change(&format!("{name}/response.json"), "Missing required value", "Nothing is missing");
    let output = copy.replay(&[]);
    let (stdout, _) = reported(&output);
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    for line in [
        "  body at /1/Errors/0/Message",
        "    -        \"Message\": \"Nothing is missing: Type\"",
        "    +        \"Message\": \"Missing required value: Type\"",
    ] {
        assert!(stdout.lines().any(|reported| reported.starts_with(line)), "{line} in {stdout}");
    }
    assert_eq!(copy.replay(&["--ignore", "//Message"]).status.code(), Some(0));
    for place in ["$[1].Errors[0].Message", "/1/Errors/0/Message"] {
        assert_eq!(copy.replay(&["--ignore", place]).status.code(), Some(0), "{place}");
        let with = format!("{place}=^Missing");
        assert_eq!(copy.replay(&["--match", &with]).status.code(), Some(0), "{place}");
        let with = format!("{place}=^Nothing");
        assert_eq!(copy.replay(&["--match", &with]).status.code(), Some(1), "{place}");
    }
}

#[test]
fn a_changed_value_is_found_and_named() {
    let copy = Copy::of(&[REFUND, REFUSED]);
    copy.change(&format!("{REFUND}/response.xml"), ">true<", ">false<");
    let output = copy.replay(&["--junit", "junit.xml", "--html", "page.html"]);
    let (stdout, stderr) = reported(&output);
    assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
    let place = "/Envelope/Body/createResponse/result";
    for line in [
        &format!("FAILED ./{REFUND}"),
        &format!("  body at {place}"),
        "    -        <ns1:Success>false</ns1:Success>",
        "    +        <ns1:Success>true</ns1:Success>",
        "1 passed, 1 failed",
    ] {
        assert!(stdout.lines().any(|reported| reported.starts_with(line)), "{line} in {stdout}");
    }
    assert!(!stdout.contains('\u{1b}'), "colours without a terminal: {stdout}");
    let junit = copy.read("junit.xml");
    assert!(junit.contains("tests=\"2\" skipped=\"0\" failures=\"1\""), "{junit}");
    assert!(junit.contains("name=\"comment-and-reason-code\""), "{junit}");
    assert!(copy.read("page.html").contains(place));
}

#[test]
fn json_is_one_object_a_line() {
    let copy = Copy::of(&[REFUND, REFUSED]);
    copy.change(&format!("{REFUSED}/response.xml"), "INVALID_VALUE", "INVALID_ID");
    let output = copy.replay(&["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let (stdout, _) = reported(&output);
    let lines: Vec<serde_json::Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(lines.len(), 3, "{stdout}");
    assert_eq!((&lines[0]["outcome"], &lines[1]["outcome"]), (&"passed".into(), &"failed".into()));
    let path = &lines[1]["differences"][0]["path"];
    assert_eq!(path, "/Envelope/Body/createResponse/result[1]/Errors/Code");
    assert_eq!(
        (&lines[2]["summary"]["passed"], &lines[2]["summary"]["failed"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn a_status_and_a_header_are_compared_too() {
    let copy = Copy::of(&[REFUND, REFUSED]);
    fs::write(copy.path("replay.toml"), "status = 201\n").unwrap();
    fs::write(copy.path("rules/replay.toml"), "response_headers = { Pragma = 'x' }\n").unwrap();
    let output = copy.replay(&[]);
    let (stdout, _) = reported(&output);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout.matches("status: expected 201, got 200").count(), 2, "{stdout}");
    assert!(stdout.contains("header Pragma: expected `x`, got `no-cache`"), "{stdout}");
}

#[test]
fn rules_of_the_command_line_let_values_differ() {
    let copy = Copy::of(&[REFUND, REFUSED]);
    copy.change(&format!("{REFUND}/response.xml"), ">true<", ">false<");
    copy.change(&format!("{REFUSED}/response.xml"), "INVALID_VALUE", "INVALID_ID");
    let rules = ["--ignore", "//Success", "--match", "//Errors/Code=^INVALID_[A-Z]+$"];
    let output = copy.replay(&rules);
    assert_eq!(output.status.code(), Some(0), "{}", reported(&output).0);
    let output = copy.replay(&["--compare", "status"]);
    assert_eq!(output.status.code(), Some(0), "{}", reported(&output).0);
    // Ids differ from run to run, and shapes do not count here.
    let output = copy.replay(&["--compare", "bytes"]);
    assert_eq!(reported(&output).0.lines().last(), Some("0 passed, 2 failed"));
}

#[test]
fn accepted_answers_are_the_new_captures() {
    let copy = Copy::of(&[REFUND, LOGIN]);
    fs::write(copy.path(REFUND).join("response.xml"), "<wrong/>").unwrap();
    fs::write(copy.path(REFUND).join("replay.toml"), "# kept\nstatus = 500\n").unwrap();
    fs::remove_file(copy.path(LOGIN).join("response.xml")).unwrap();
    let (stdout, stderr) = reported(&copy.replay(&["--update"]));
    let expected =
        format!("UPDATED ./{REFUND}\nUPDATED ./{LOGIN}\n0 passed, 0 failed, 2 updated\n");
    assert_eq!(stdout, expected, "{stderr}");
    assert_eq!(copy.read(&format!("{REFUND}/replay.toml")), "# kept\n");
    let login = copy.read(&format!("{LOGIN}/response.xml"));
    let session = &"example-session-".repeat(16)[..255];
    assert!(login.contains(&format!("<ns1:Session>{session}</")), "{login}");
    assert_eq!(reported(&copy.replay(&[])).0, "2 passed, 0 failed\n");
}

#[test]
fn no_secret_is_ever_shown() {
    let copy = Copy::of(&[REFUND, LOGIN]);
    copy.change(&format!("{LOGIN}/response.xml"), "/apps/services/a/91.0<", "/elsewhere<");
    copy.change(
        &format!("{LOGIN}/request.xml"),
        "<api:password>demo<",
        "<api:password>demo<!--s3cret--><",
    );
    copy.change(&format!("{REFUND}/response.xml"), ">true<", ">false<");
    let mut shown = String::new();
    for args in
        [&["--html", "page.html", "--junit", "junit.xml"][..], &["--json"], &["--compare", "bytes"]]
    {
        let (stdout, stderr) = reported(&copy.replay(args));
        assert!(stdout.contains("ServerUrl"), "{stdout}{stderr}");
        shown.push_str(&stdout);
        shown.push_str(&stderr);
    }
    shown.push_str(&copy.read("page.html"));
    shown.push_str(&copy.read("junit.xml"));
    assert!(!shown.contains("s3cret"), "{shown}");
    assert!(!shown.contains("password>demo"), "{shown}");
    let is_word = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let longest = shown.split(|character| !is_word(character)).map(str::len).max();
    assert!(longest < Some(200), "a session in {shown}");
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    let rules = Copy::of(&[REFUND]);
    let file = rules.path(REFUND).join("replay.toml");
    fs::write(&file, "# why\npaht = '/x'\n").unwrap();
    rules.refused(&[], 4, &format!("{REFUND}/replay.toml:2: "));
    fs::write(&file, "ignore = ['//a/@b']\n").unwrap();
    rules.refused(&[], 4, "`//a/@b` is no place");
    fs::remove_file(&file).unwrap();
    fs::remove_file(rules.path(REFUND).join("response.xml")).unwrap();
    rules.refused(&[], 4, &format!("{REFUND}/response.xml"));
    rules.refused(&["gone"], 4, "gone");
    let seed = Copy::of(&[REFUND]);
    fs::write(seed.path("seed.toml"), "[tenant]\ncredit_blance = true\n").unwrap();
    seed.refused(&[], 3, "seed.toml: line 2: ");
}

#[test]
fn an_endpoint_that_is_down_ends_the_replay_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let copy = Copy::of(&[REFUND, REFUSED, LOGIN]);
    copy.refused(&["--endpoint", &endpoint], 5, &endpoint);
}

#[test]
fn the_command_line_is_checked_before_anything_is_sent() {
    let copy = Copy::of(&[REFUND]);
    copy.refused(&["--endpoint", "ftp://127.0.0.1"], 2, "is no URL");
    copy.refused(&["--ignore", "/a/@b"], 2, "no place");
    copy.refused(&["--match", "//a=("], 2, "regular expression");
    copy.refused(&["--compare", "bytes", "--ignore", "//a"], 2, "--compare xml");
    copy.refused(&["--username", "a"], 2, "--password");
    // Addresses of documentation, where no server is; nothing is sent anyway.
    let remote = ["--endpoint", "http://192.0.2.1:9"];
    copy.refused(&remote, 2, "--allow-remote");
    copy.refused(&[&remote[..], &["--allow-remote"]].concat(), 2, "--allow-writes");
}

#[test]
fn a_gateway_elsewhere_is_replayed_to() {
    let copy = Copy::of(&[REFUND, REFUSED, LOGIN, "sessions/get-user-info"]);
    let gateway = TestGateway::seeded(&copy.read("seed.toml"), &[]);
    let endpoint = format!("http://{}", gateway.public());
    let output = copy.replay(&["--endpoint", &endpoint, "--concurrency", "3"]);
    assert_eq!(reported(&output).0, "4 passed, 0 failed\n", "{}", reported(&output).1);
    // Without a seed the user has to be named.
    fs::remove_file(copy.path("seed.toml")).unwrap();
    copy.refused(&["--endpoint", &endpoint], 2, "--username");
    let credentials = ["--username", "demo@example.com", "--password"];
    let args = [&["--endpoint", &endpoint], &credentials[..]].concat();
    let output = copy.replay(&[&args[..], &["demo"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", reported(&output).0);
    copy.refused(&[&args[..], &["wrong"]].concat(), 5, "logging in as demo@example.com failed");
}
