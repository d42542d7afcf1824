//! The recipes in `recipes/`, run as their readers run them: test frameworks with the gateway below
//! them, services of CI, and proxies in front of it.
//!
//! A program that is missing is a line on stderr here, and a failure in CI.

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, create_envelope, external_refund, finish,
    login_envelope,
};
use crate::skipped::{is_installed, runs};
use crate::wire::{Answer, Connection};
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_refund-gateway");
/// How long a proxy may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

fn recipe(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes").join(path)
}

/// Runs a recipe's own command, which has to succeed.
fn succeeds(command: &mut Command) {
    let output = finish(command.env("REFUND_GATEWAY", PROGRAM));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
}

#[test]
fn pytest_fixtures_give_a_gateway_and_accounts() {
    // The Python on the path may be another than the one that Debian's packages are for.
    let python = ["python3", "/usr/bin/python3"].into_iter().find(|python| {
        let tried = Command::new(python).args(["-m", "pytest", "--version"]).output();
        tried.is_ok_and(|output| output.status.success())
    });
    let python = python.unwrap_or("python3");
    if !runs(python, &["-m", "pytest", "--version"], "python3-pytest") {
        return;
    }
    let mut command = Command::new(python);
    command.args(["-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]);
    succeeds(command.current_dir(recipe("pytest")));
}

#[test]
fn a_junit_5_extension_gives_a_gateway_without_a_container() {
    let jar = |name: &str| format!("/usr/share/java/{name}.jar");
    let has_jars = Path::new(&jar("junit-platform-console")).exists();
    if !is_installed(has_jars, "JUnit 5 (junit5)") || !runs("javac", &["-version"], "default-jdk") {
        return;
    }
    let compiled = TempDir::new().unwrap();
    let jars = |names: &[&str]| names.iter().map(|name| jar(name)).collect::<Vec<_>>().join(":");
    let api = ["junit-jupiter-api", "junit-platform-commons", "opentest4j", "apiguardian-api"];
    let api = jars(&api);
    let mut javac = Command::new("javac");
    javac.arg("-d").arg(compiled.path()).args(["-cp", &api]);
    succeeds(javac.args(["RefundGateway.java", "RefundsTest.java"]).current_dir(recipe("junit5")));
    let console = jars(&[
        "junit-platform-console",
        "junit-platform-launcher",
        "junit-platform-engine",
        "junit-platform-reporting",
        "junit-jupiter-engine",
        "opentest4j-reporting-events",
        "opentest4j-reporting-schema",
        "picocli",
    ]);
    let classes = compiled.path().display();
    let mut java = Command::new("java");
    java.args(["-cp", &format!("{classes}:{api}:{console}")]);
    java.args(["org.junit.platform.console.ConsoleLauncher", "--disable-banner"]);
    java.args(["--fail-if-no-tests", "--config=junit.jupiter.execution.parallel.enabled=true"]);
    succeeds(java.arg("--scan-classpath").arg(compiled.path()));
}

#[test]
fn node_tests_have_a_gateway_a_file_and_an_account_a_test() {
    if runs("node", &["--version"], "nodejs") {
        succeeds(Command::new("node").arg("--test").current_dir(recipe("node")));
    }
}

/// What a scalar of YAML says at the end of a line.
fn scalar(line: &str) -> (&str, &str) {
    let (key, value) = line.trim().trim_start_matches("- ").split_once(": ").unwrap_or_default();
    (key, value.trim_matches('"'))
}

/// Each variable is one that `serve` reads, and with all of them it listens where they say.
#[test]
fn services_of_ci_are_yaml_and_set_what_the_gateway_knows() {
    for file in ["ci/github-actions.yml", "ci/gitlab-ci.yml"] {
        let text = fs::read_to_string(recipe(file)).unwrap();
        let mut parser = saphyr_parser::Parser::new_from_str(&text);
        assert!(parser.by_ref().count() > 20, "{file}");
        assert!(saphyr_parser::Parser::new_from_str(&text).all(|event| event.is_ok()), "{file}");
        let scalars = text.lines().map(scalar);
        let is_ours = |(key, _): &(&str, &str)| key.starts_with("REFUND_GATEWAY_");
        let variables: Vec<(&str, &str)> = scalars.filter(is_ours).collect();
        assert!(variables.len() >= 6, "{file}: {variables:?}");
        for (key, value) in [("LISTEN", "0.0.0.0:8080"), ("ADMIN_LISTEN", "0.0.0.0:8081")] {
            let is_it = |(name, said): &&(&str, &str)| name.ends_with(key) && *said == value;
            assert!(variables.iter().any(|pair| is_it(&pair)), "{file}: {key}");
        }
        // Serve refuses a variable that nothing reads. Here it listens on ports that are free.
        let listen = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
        let folder = TempDir::new().unwrap();
        let gateway = TestGateway::start_with_env(folder, &listen, &variables);
        assert_eq!(gateway.balances().len(), 2, "{file}");
    }
}

#[test]
fn the_recipe_of_soapuis_plugin_is_well_formed() {
    let text = fs::read_to_string(recipe("soapui-maven/pom.xml")).unwrap();
    let document = refund_gateway::xml::parse(&text, &refund_gateway::xml::XmlLimits::default());
    assert_eq!(document.unwrap().root().local(), "project");
    assert!(text.contains("<artifactId>soapui-maven-plugin</artifactId>"));
    assert!(text.contains("Only the form of this file is checked"));
}

/// A program that runs until the test is over.
struct Proxy {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The recipe's configuration with these ports in the place of its own.
fn configuration(name: &str, port: u16, gateway: SocketAddr) -> String {
    let text = fs::read_to_string(recipe("proxies").join(name)).unwrap();
    assert!(text.contains("127.0.0.1:8000") && text.contains("127.0.0.1:8080"), "{name}");
    let text = text.replace("127.0.0.1:8000", &format!("127.0.0.1:{port}"));
    text.replace("127.0.0.1:8080", &gateway.to_string())
}

/// Starts a proxy by `command`, whose configuration `write` puts into a folder.
fn start(port: u16, write: impl Fn(&Path), command: impl Fn(&Path) -> Command) -> Proxy {
    let folder = TempDir::new().unwrap();
    write(folder.path());
    let said = fs::File::create(folder.path().join("said")).unwrap();
    let mut command = command(folder.path());
    command.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
    let child = command.spawn().unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut proxy = Proxy { child, address, _folder: folder };
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        let ended = proxy.child.try_wait().unwrap();
        let said = || fs::read_to_string(proxy._folder.path().join("said")).unwrap_or_default();
        assert!(ended.is_none() && started.elapsed() < PATIENCE, "{ended:?}: {}", said());
        thread::sleep(Duration::from_millis(50));
    }
    proxy
}

/// A gateway that believes a proxy on this machine.
fn gateway() -> TestGateway {
    let folder = TempDir::new().unwrap();
    let config = "[http]\ntrusted_proxies = [\"127.0.0.1\"]\npublic_readiness = true\n";
    fs::write(folder.path().join("config.toml"), config).unwrap();
    TestGateway::start_in(folder, &["--demo", "--config", "config.toml"])
}

fn text_in(answer: &Answer, start: &str, end: &str) -> String {
    let text: String = answer.text();
    let from = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {answer}")).1;
    from.split_once(end).unwrap().0.to_owned()
}

/// SOAP and REST through a proxy, small and large, on one connection, under the proxy's address.
fn goes_through(gateway: &TestGateway, proxy: &Proxy) {
    let mut connection = Connection::open(proxy.address);
    let mut soap = |body: &str| {
        let content_type = ("Content-Type", "text/xml; charset=utf-8");
        let headers = [content_type, ("X-Forwarded-For", "203.0.113.9")];
        let answer = connection.send("POST", ENDPOINT, &headers, body.as_bytes());
        assert_eq!(answer.status, 200, "{answer}");
        answer
    };
    let login = soap(&login_envelope("demo@example.com", "demo"));
    let reported = text_in(&login, "ServerUrl>", "<");
    assert_eq!(
        reported,
        format!("http://{}{ENDPOINT}", proxy.address),
        "the address that the client used"
    );
    let session = login.texts("Session").remove(0);
    let one = soap(&create_envelope(&session, &[external_refund(EXTERNAL_ACCOUNT, "1")]));
    assert_eq!(one.successes(), 1, "{one}");
    // A body of over 64 KiB, then an answer of over 64 KiB, and the connection goes on.
    let object = external_refund(EXTERNAL_ACCOUNT, "1");
    let padded = format!("{object}<!-- {} -->", "x".repeat(1_500));
    let body = create_envelope(&session, &vec![padded; 50]);
    assert!(body.len() > 64 * 1024);
    assert_eq!(soap(&body).successes(), 50);
    let described = connection.send("GET", &format!("{ENDPOINT}?wsdl"), &[], b"");
    assert!(described.status == 200 && described.body.len() > 64 * 1024, "{described}");
    let again = connection.send("GET", &format!("{ENDPOINT}?wsdl"), &[], b"");
    assert_eq!(again.body.len(), described.body.len());
    let rest = Connection::open(proxy.address).send(
        "GET",
        "/v1/object/account/402892c72b9e3319012b9e34b88e0001",
        &[("Authorization", "Basic ZGVtb0BleGFtcGxlLmNvbTpkZW1v")],
        b"",
    );
    assert_eq!(rest.status, 200, "{rest}");
    let ready = Connection::open(proxy.address).send("GET", "/readyz", &[], b"");
    assert_eq!(ready.status, 200, "{ready}");
    // The caller is the proxy's, and not the one that a client made up.
    assert!(!gateway.stderr().contains("203.0.113.9"), "{}", gateway.stderr());
}

#[test]
fn nginx_stands_in_front() {
    if !runs("nginx", &["-v"], "nginx-light") {
        return;
    }
    let (gateway, port) = (gateway(), free_port());
    let write = |folder: &Path| {
        let at = folder.display();
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let paths: String = paths.map(|name| format!("{name}_temp_path {at}/{name};\n")).concat();
        let server = configuration("nginx.conf", port, gateway.public());
        let text = format!(
            "daemon off;\npid {at}/pid;\nerror_log {at}/errors;\nevents {{}}\n\
             http {{\naccess_log off;\n{paths}{server}\n}}\n"
        );
        fs::write(folder.join("nginx.conf"), text).unwrap();
    };
    let command = |folder: &Path| {
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
        command.args(["-e", "stderr"]);
        command
    };
    goes_through(&gateway, &start(port, write, command));
}

#[test]
fn haproxy_stands_in_front() {
    if !runs("haproxy", &["-v"], "haproxy") {
        return;
    }
    let (gateway, port) = (gateway(), free_port());
    let write = |folder: &Path| {
        let text = configuration("haproxy.cfg", port, gateway.public());
        fs::write(folder.join("haproxy.cfg"), text).unwrap();
    };
    let command = |folder: &Path| {
        let mut command = Command::new("haproxy");
        command.args(["-db", "-f"]).arg(folder.join("haproxy.cfg"));
        command
    };
    goes_through(&gateway, &start(port, write, command));
}

#[test]
fn apache_stands_in_front() {
    if !runs("apache2", &["-v"], "apache2") {
        return;
    }
    let (gateway, port) = (gateway(), free_port());
    let write = |folder: &Path| {
        let at = folder.display();
        let modules = ["mpm_event", "authz_core", "headers", "proxy", "proxy_http"];
        let modules: String = modules
            .map(|name| {
                let file = format!("/usr/lib/apache2/modules/mod_{name}.so");
                format!("LoadModule {name}_module {file}\n")
            })
            .concat();
        let host = configuration("apache.conf", port, gateway.public());
        let text = format!(
            "ServerRoot {at}\nServerName localhost\nPidFile {at}/pid\nErrorLog {at}/errors\n\
             DefaultRuntimeDir {at}\n{modules}{host}\n"
        );
        fs::write(folder.join("apache.conf"), text).unwrap();
    };
    let command = |folder: &Path| {
        let mut command = Command::new("apache2");
        command.args(["-DFOREGROUND", "-f"]).arg(folder.join("apache.conf"));
        command
    };
    goes_through(&gateway, &start(port, write, command));
}
