//! What packages are made of, from the built program: manual pages, completions, the commented
//! configuration; and the credentials and health checks of those who run it as a service.

use crate::gateway::{TestGateway, finish, program};
use std::fs;
use std::path::Path;
use std::process::Command;

/// How a command ended, and what it said: data, then all else.
fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = finish(command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The example of a configuration, as the program prints it.
fn example(folder: &Path) -> String {
    let (code, example, log) = run(program(folder).args(["config", "example"]));
    assert_eq!(code, Some(0), "{log}");
    example
}

#[test]
fn each_subcommand_has_a_manual_page_with_its_options() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("new/man");
    let (code, _, log) = run(program(folder.path()).arg("man").arg(&pages));
    assert_eq!(code, Some(0), "{log}");
    let page = |name: &str| fs::read_to_string(pages.join(name)).unwrap();
    for subcommand in ["serve", "check", "config", "backup", "replay"] {
        assert!(page("refund-gateway.1").contains(subcommand), "{subcommand}");
        assert!(page(&format!("refund-gateway-{subcommand}.1")).starts_with(".ie"), "{subcommand}");
    }
    assert!(page("refund-gateway-serve.1").contains("REFUND_GATEWAY_LISTEN"));
}

#[test]
fn bash_can_complete_a_command_line() {
    let folder = tempfile::tempdir().unwrap();
    // Straight into a file, because it is more than a pipe holds.
    let file = folder.path().join("completions");
    let mut command = program(folder.path());
    command.args(["completions", "bash"]).stdout(fs::File::create(&file).unwrap());
    assert!(command.status().unwrap().success());
    let typed = "COMP_WORDS=(refund-gateway chec); COMP_CWORD=1; \
                 f=$(complete -p refund-gateway | sed 's/.*-F \\([^ ]*\\) .*/\\1/'); \
                 $f refund-gateway chec refund-gateway; echo \"${COMPREPLY[@]}\"";
    let line = format!(". {} && {typed}", file.display());
    let (_, completed, log) = run(Command::new("bash").args(["-c", &line]));
    assert_eq!(completed.trim(), "check", "{log}");
}

#[test]
fn a_shell_that_is_not_known_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, log) = run(program(folder.path()).args(["completions", "dosh"]));
    assert_eq!(code, Some(2));
    assert!(log.contains("dosh") && log.contains("bash"), "{log}");
}

#[test]
fn the_example_can_be_checked_and_served_by() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    fs::write(&file, example(folder.path())).unwrap();
    let (code, settings, log) = run(program(folder.path()).args(["config", "check"]).arg(&file));
    assert_eq!(code, Some(0), "{log}");
    assert!(settings.contains("127.0.0.1:8080"), "{settings}");
    let gateway = TestGateway::start(&["--demo", "--config", file.to_str().unwrap()]);
    assert_eq!(gateway.login().len(), 255);
}

#[test]
fn a_configuration_is_checked_by_itself_whatever_the_environment_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    fs::write(&file, "listen = \"127.0.0.1:9000\"\n").unwrap();
    let mut command = program(folder.path());
    command.env("REFUND_GATEWAY_LISTEN", "127.0.0.1:7000");
    let (code, settings, log) = run(command.args(["config", "check"]).arg(&file));
    assert_eq!(code, Some(0), "{log}");
    assert!(settings.contains("127.0.0.1:9000") && !settings.contains("7000"), "{settings}");
}

#[test]
fn a_configuration_that_cannot_be_used_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    let wrong = [
        ("listen = \"127.0.0.1:9000\"\nlisten_on = 1\n", "gateway.toml:2"),
        ("[http]\nconnections_max = 0\n", "gateway.toml:2"),
        ("[service]\nsession_idle_minutes = 5000\n", "gateway.toml:2"),
    ];
    for (text, place) in wrong {
        fs::write(&file, text).unwrap();
        let (code, _, log) = run(program(folder.path()).args(["config", "check"]).arg(&file));
        assert_eq!(code, Some(3), "{text}");
        assert!(log.contains(place), "{text}: {log}");
    }
    let missing = folder.path().join("missing.toml");
    let (code, _, log) = run(program(folder.path()).args(["config", "check"]).arg(&missing));
    assert_eq!(code, Some(3), "{log}");
    assert!(log.contains("missing.toml"), "{log}");
}

#[test]
fn a_credential_of_the_service_manager_takes_the_place_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bank"), "0123456789abcdef0123456789abcdef").unwrap();
    let file = folder.path().join("gateway.toml");
    let table = "[[gateway]]\nname = \"Bank\"\nkind = \"http\"\nurl = \"https://bank.invalid\"\n";
    fs::write(&file, format!("{table}secret_file = \"credential:bank\"\n")).unwrap();
    let check = || {
        let mut command = program(folder.path());
        command.args(["config", "check"]).arg(&file);
        command
    };
    let (code, settings, log) = run(check().env("CREDENTIALS_DIRECTORY", folder.path()));
    assert_eq!(code, Some(0), "{log}");
    assert!(settings.contains("of credential:bank, not shown"), "{settings}");
    let (code, _, log) = run(check().env_remove("CREDENTIALS_DIRECTORY"));
    assert_eq!(code, Some(3));
    assert!(log.contains("CREDENTIALS_DIRECTORY is not set") && log.contains("gateway.toml:5"));
}

#[test]
fn a_health_check_has_an_exit_code() {
    let gateway = TestGateway::demo();
    let admin = format!("http://{}", gateway.admin());
    let check =
        |admin: &str| run(program(gateway.folder()).args(["admin", "--admin", admin, "health"]));
    let (code, said, log) = check(&admin);
    assert_eq!(code, Some(0), "{said}{log}");
    // What answers something else there is no gateway, however good its status.
    let (code, _, log) = check(&format!("http://{}", gateway.public()));
    assert!(code == Some(5) && log.contains("\nhint: "), "{log}");
    let nothing_there = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, _, log) = check(&format!("http://{nothing_there}"));
    assert_eq!(code, Some(5), "{log}");
}
