//! A real gateway for tests: the built binary on free ports and a ledger of its own.
//!
//! It speaks HTTP/1.1 over a plain socket, so that a test sees the bytes that a client sees. A test
//! that fails shows what its gateway said on stderr. Every gateway is ended by its own handle.

#![allow(dead_code, reason = "each module of the tests takes what it needs")]

use crate::postgres_server::Server;
use crate::stored::Stored;
use crate::wire::{Answer, Connection};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// One account of 50.00 and the user of the demo.
pub const FIFTY: &str = r#"
[[user]]
username = "demo@example.com"
password = "demo"

[[account]]
id = "402892c72b9e3319012b9e34b88e0001"
number = "A1"
name = "Fifty"
currency = "USD"
credit_balance = "50.00"
"#;

/// The path of the endpoint in the version that the documented examples use.
pub const ENDPOINT: &str = "/apps/services/a/91.0";
/// The account of the documented external refund, which the demo has.
pub const EXTERNAL_ACCOUNT: &str = "402892c72b9e3319012b9e34b88e0001";
/// The account of the documented electronic refund.
pub const ELECTRONIC_ACCOUNT: &str = "2c92c0f83ddb61af013ddc5736b1025a";
/// Its payment method.
pub const ELECTRONIC_METHOD: &str = "2c92c0f83dfa5201013dfa6656ff2b8b";
/// The ledger's file in the folder of a gateway, and that of its token.
const FILE: &str = "ledger.db";
const TOKEN_FILE: &str = "ledger.db.admin-token";
/// How long a process may take to do what it should: long enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What keeps the ledgers of the tests: `REFUND_GATEWAY_TEST_ENGINE` says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, as long as nothing else is said.
    File,
    /// `postgres`: one server for all tests, and a schema for each ledger.
    Postgres,
}

/// What keeps the ledgers of this run.
pub fn engine() -> Engine {
    match std::env::var("REFUND_GATEWAY_TEST_ENGINE").as_deref() {
        Ok("postgres") => Engine::Postgres,
        Ok("") | Ok("sqlite") | Err(_) => Engine::File,
        Ok(other) => panic!("there is no engine `{other}`"),
    }
}

/// Where a new ledger is to be, as `--ledger` takes it.
pub fn place_of_new_ledger() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    match engine() {
        Engine::File => FILE.to_owned(),
        Engine::Postgres => {
            let server = Server::shared().expect("PostgreSQL is installed");
            let schema = format!("g{}", COUNT.fetch_add(1, Ordering::Relaxed));
            server.sql("postgres", &format!("create schema {schema}"));
            server.url("postgres", &format!("options=-csearch_path%3D{schema}"))
        }
    }
}

/// The built binary with none of the caller's settings in its environment.
pub fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refund-gateway"));
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("REFUND_GATEWAY_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command
}

/// A program, for which a file that may not grow is an error and not a deadly signal.
fn program_that_survives_file_limits(binary: &Path, folder: &Path) -> Command {
    let direct = program(folder);
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(binary);
    shell.current_dir(folder).stdin(Stdio::null());
    for (name, _) in direct.get_envs() {
        shell.env_remove(name);
    }
    shell
}

/// Runs a command to its end, which must come: one that hangs is ended, and fails the test. What it
/// writes is read meanwhile, because a pipe holds little.
pub fn finish(command: &mut Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stdout = read_aside(child.stdout.take().unwrap());
    let stderr = read_aside(child.stderr.take().unwrap());
    let ended = wait(&mut child);
    if ended.is_none() {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    let output = Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() };
    assert!(ended.is_some(), "{command:?} did not end: {output:?}");
    output
}

fn read_aside(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

fn wait(child: &mut Child) -> Option<ExitStatus> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(5));
    }
    None
}

/// A running gateway, or one that was ended and can be started again on the same ledger.
pub struct TestGateway {
    binary: PathBuf,
    folder: TempDir,
    args: Vec<String>,
    env: Vec<(String, String)>,
    /// Where the ledger is: a file in the folder, or the URL of a database.
    place: String,
    running: Option<Running>,
}

struct Running {
    child: Child,
    /// Held open, so that the gateway never writes to a reader that is gone.
    _stdout: BufReader<ChildStdout>,
    lines: Vec<String>,
    public: SocketAddr,
    admin: Option<SocketAddr>,
}

impl TestGateway {
    /// The demo: both accounts of the documented examples with 1000.00 USD.
    pub fn demo() -> Self {
        Self::start(&["--demo"])
    }

    /// The demo with a configuration (TOML), which is the file `config.toml` in its folder.
    pub fn configured(config: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("config.toml"), config).unwrap();
        Self::start_in(folder, &["--demo", "--config", "config.toml"])
    }

    /// A test gateway whose ledger begins as `seed` (TOML) says, with more arguments of `serve`.
    pub fn seeded(seed: &str, args: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("seed.toml"), seed).unwrap();
        Self::start_in(folder, &[&["--test", "--seed", "seed.toml"], args].concat())
    }

    /// As [`TestGateway::seeded`], with everything in its log that it can say.
    pub fn traced(seed: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("seed.toml"), seed).unwrap();
        let args = ["--test", "--seed", "seed.toml"];
        Self::start_with_env(folder, &args, &[("REFUND_GATEWAY_LOG", "trace")])
    }

    /// A gateway with these arguments of `serve`, on free ports and a ledger of its own.
    pub fn start(args: &[&str]) -> Self {
        Self::start_in(TempDir::new().unwrap(), args)
    }

    /// As [`TestGateway::start`], in a folder where the arguments may name files.
    pub fn start_in(folder: TempDir, args: &[&str]) -> Self {
        Self::start_with_env(folder, args, &[])
    }

    /// As [`TestGateway::start_in`], with variables in its environment.
    pub fn start_with_env(folder: TempDir, args: &[&str], env: &[(&str, &str)]) -> Self {
        Self::start_program(Path::new(env!("CARGO_BIN_EXE_refund-gateway")), folder, args, env)
    }

    /// As [`TestGateway::start_with_env`], of another program than the built one.
    pub fn start_program(
        binary: &Path,
        folder: TempDir,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Self {
        let mut gateway = Self::prepare(binary, folder, args, env);
        gateway.restart();
        gateway
    }

    /// The built one in a folder that has files already, or the reason that it gives for not
    /// starting on them.
    pub fn try_start_in(folder: TempDir, args: &[&str]) -> Result<Self, String> {
        let binary = Path::new(env!("CARGO_BIN_EXE_refund-gateway"));
        let mut gateway = Self::prepare(binary, folder, args, &[]);
        gateway.try_restart().map(|()| gateway)
    }

    /// One that is not started yet.
    fn prepare(binary: &Path, folder: TempDir, args: &[&str], env: &[(&str, &str)]) -> Self {
        let has = |option| args.contains(&option);
        let mut all = vec!["serve"];
        if !has("--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        let place = place_of_new_ledger();
        if !has("--ledger") {
            all.extend(["--ledger", &place]);
            if place != FILE && !has("--admin-token-file") {
                // Without a file the token has no place of its own.
                fs::write(folder.path().join(TOKEN_FILE), "0123456789abcdef".repeat(4)).unwrap();
                all.extend(["--admin-token-file", TOKEN_FILE]);
            }
        }
        all.extend(args);
        let place = all.windows(2).find(|pair| pair[0] == "--ledger").map(|pair| pair[1]);
        let place = place.unwrap_or(FILE).to_owned();
        let args = all.into_iter().map(str::to_owned).collect();
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let (binary, env) = (binary.to_owned(), env.collect());
        Self { binary, folder, args, env, place, running: None }
    }

    /// Starts it again after it was ended.
    pub fn restart(&mut self) {
        self.try_restart().unwrap_or_else(|why| panic!("{why}"));
    }

    fn try_restart(&mut self) -> Result<(), String> {
        assert!(self.running.is_none(), "it is running");
        let errors = File::options().create(true).append(true).open(self.stderr_path()).unwrap();
        let mut child = program_that_survives_file_limits(&self.binary, self.folder.path())
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let has_admin = !self.args.windows(2).any(|pair| pair == ["--admin-listen", "none"]);
        let lines: Vec<String> =
            (0..1 + usize::from(has_admin)).map(|_| read_line(&mut stdout)).collect();
        let address = |line: &String, start: &str| {
            let reported = line.strip_prefix(start).and_then(|rest| rest.strip_suffix('\n'));
            let reported = reported.map(|url| url.trim_start_matches("https://"));
            let reported = reported.map(|url| url.trim_start_matches("http://"));
            reported.and_then(|address| address.parse().ok())
        };
        let public = lines.first().and_then(|line| address(line, "listening on "));
        let admin = lines.get(1).and_then(|line| address(line, "admin on "));
        let (Some(public), true) = (public, admin.is_some() == has_admin) else {
            let _ = child.kill();
            let status = child.wait().unwrap();
            let said = self.stderr();
            return Err(format!("the gateway did not start ({status}): {lines:?}\n{said}"));
        };
        self.running = Some(Running { child, _stdout: stdout, lines, public, admin });
        Ok(())
    }

    /// Starts without variables of its own from now on.
    pub fn forget_env(&mut self) {
        self.env.clear();
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the gateway was ended")
    }

    /// What it printed when it started, line by line.
    pub fn first_lines(&self) -> &[String] {
        &self.running().lines
    }

    /// Where it takes calls.
    pub fn public(&self) -> SocketAddr {
        self.running().public
    }

    /// Where it serves health and metrics.
    pub fn admin(&self) -> SocketAddr {
        self.running().admin.expect("started without an admin listener")
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.running().child.id()
    }

    /// The folder that it runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder that it ran in, once it was ended.
    pub fn into_folder(mut self) -> TempDir {
        assert!(self.running.is_none(), "it is running");
        std::mem::replace(&mut self.folder, TempDir::new().unwrap())
    }

    /// Where the ledger is, as `--ledger` takes it in the folder.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is stored in the ledger.
    pub fn stored(&self) -> Stored {
        Stored::of(&self.place, self.folder.path())
    }

    /// The ledger's file, unless the arguments name another.
    pub fn ledger(&self) -> PathBuf {
        assert_eq!(engine(), Engine::File, "this test looks into a file");
        self.folder.path().join(FILE)
    }

    fn stderr_path(&self) -> PathBuf {
        self.folder.path().join("stderr.log")
    }

    /// Everything that it said on stderr.
    pub fn stderr(&self) -> String {
        fs::read_to_string(self.stderr_path()).unwrap_or_default()
    }

    /// Waits until it said `text` on stderr. A line of the log may come after what it belongs to,
    /// such as the first lines of stdout.
    pub fn until_it_says(&self, text: &str) {
        let started = Instant::now();
        while !self.stderr().contains(text) {
            assert!(started.elapsed() < PATIENCE, "{text} in {}", self.stderr());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it as a power failure would.
    pub fn kill9(&mut self) {
        let mut running = self.running.take().expect("it was ended already");
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    /// Asks it to drain and end, and says how it ended.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Lets no file that it writes grow beyond `bytes`, from now until its end.
    pub fn limit_file_size(&self, bytes: u64) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).unwrap();
        let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
        prlimit(Some(pid), Resource::Fsize, limit).unwrap();
    }

    /// Waits for its end, which must come.
    pub fn ended(&mut self) -> ExitStatus {
        let running = self.running.as_mut().expect("it was ended already");
        let status = wait(&mut running.child);
        let status = status.unwrap_or_else(|| panic!("it does not end:\n{}", self.stderr()));
        self.running = None;
        status
    }

    /// A new connection to it.
    pub fn connect(&self) -> Connection {
        Connection::open(self.public())
    }

    /// Posts an envelope on a connection of its own.
    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.connect().post(path, body)
    }

    /// Asks the admin listener.
    pub fn get_admin(&self, path: &str) -> Answer {
        Connection::open(self.admin()).send("GET", path, &[], b"")
    }

    /// A session of the demo's user.
    pub fn login(&self) -> String {
        self.login_as("demo@example.com", "demo")
    }

    /// A session of a user.
    pub fn login_as(&self, username: &str, password: &str) -> String {
        let answer = self.post(ENDPOINT, &login_envelope(username, password));
        assert_eq!(answer.status, 200, "{answer}");
        answer.texts("Session").pop().unwrap_or_else(|| panic!("no session in {answer}"))
    }

    /// Posts a create call with these zObjects.
    pub fn create(&self, session: &str, objects: &[String]) -> Answer {
        self.post(ENDPOINT, &create_envelope(session, objects))
    }

    /// The credit balance of every account, recomputed from its entries, which must add up.
    pub fn balances(&self) -> BTreeMap<String, String> {
        self.try_balances().unwrap_or_else(|why| panic!("{why}"))
    }

    /// The same, or what `check` has to say against the ledger.
    pub fn try_balances(&self) -> Result<BTreeMap<String, String>, String> {
        let output = finish(program(self.folder()).args(["check", "--ledger", self.place()]));
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            return Err(table + &String::from_utf8_lossy(&output.stderr));
        }
        let rows = table.lines().skip(1).map(str::split_whitespace);
        let rows =
            rows.filter_map(|mut row| Some((row.next()?.to_owned(), row.nth(2)?.to_owned())));
        Ok(rows.filter(|(account, _)| account.len() == 32).collect())
    }

    /// The credit balance of one account.
    pub fn balance(&self, account: &str) -> String {
        self.balances().remove(account).expect("an account of the ledger")
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
        if thread::panicking() {
            let _ = writeln!(std::io::stderr(), "the gateway's stderr:\n{}", self.stderr());
        }
    }
}

fn read_line(stdout: &mut impl BufRead) -> String {
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    line
}

/// An envelope with `header` and `body` inside.
pub fn envelope(header: &str, body: &str) -> String {
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:api=\"http://api.zuora.com/\" xmlns:obj=\"http://object.api.zuora.com/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <soapenv:Header>{header}</soapenv:Header><soapenv:Body>{body}</soapenv:Body>\
         </soapenv:Envelope>"
    )
}

/// The envelope of a login.
pub fn login_envelope(username: &str, password: &str) -> String {
    let user = format!("<api:username>{username}</api:username>");
    let password = format!("<api:password>{password}</api:password>");
    envelope("", &format!("<api:login>{user}{password}</api:login>"))
}

/// The header that carries a session.
pub fn session_header(session: &str) -> String {
    format!("<api:SessionHeader><api:session>{session}</api:session></api:SessionHeader>")
}

/// The envelope of a create call.
pub fn create_envelope(session: &str, objects: &[String]) -> String {
    let body = format!("<api:create>{}</api:create>", objects.concat());
    envelope(&session_header(session), &body)
}

/// A zObject: an external refund of a credit balance by cheque.
pub fn external_refund(account: &str, amount: &str) -> String {
    refund(&[
        ("AccountId", account),
        ("Amount", amount),
        ("SourceType", "CreditBalance"),
        ("Type", "External"),
        ("MethodType", "Check"),
    ])
}

/// A zObject: an electronic refund of a credit balance, to the card of the documented example.
pub fn electronic_refund(amount: &str) -> String {
    refund(&[
        ("AccountId", ELECTRONIC_ACCOUNT),
        ("Amount", amount),
        ("SourceType", "CreditBalance"),
        ("Type", "Electronic"),
        ("PaymentMethodId", ELECTRONIC_METHOD),
    ])
}

/// A zObject: a Refund with these fields.
pub fn refund(fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| format!("<obj:{name}>{value}</obj:{name}>");
    let fields: String = fields.iter().map(field).collect();
    format!("<api:zObjects xsi:type=\"obj:Refund\">{fields}</api:zObjects>")
}
