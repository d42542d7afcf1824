//! The file of passwords that clients of PostgreSQL share: lines of
//! `host:port:database:user:password`, with `*` for any, of which the first that fits counts.
//!
//! What must stay true: a file that others than its owner may read is refused.

use super::address::AddressError;
use std::fs;
use std::io;
use std::path::Path;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The password of the first of the hosts for which the file has one. A file that is not there is a
/// mistake where it was named.
pub(super) fn find(
    path: &Path,
    is_named: bool,
    config: &Config,
) -> Result<Option<String>, AddressError> {
    let wrong = |why: String| AddressError::Passwords { path: path.display().to_string(), why };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => return Ok(None),
        Err(error) => return Err(wrong(error.to_string())),
    };
    check_owner_alone(path).map_err(wrong)?;
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    let ports = config.get_ports();
    let found = config.get_hosts().iter().enumerate().find_map(|(place, host)| {
        let port = ports.get(place).or_else(|| ports.first()).copied().unwrap_or(5432);
        // Sockets in a folder are under the name of this machine as well.
        let names = match host {
            Host::Tcp(name) => vec![name.clone()],
            Host::Unix(path) => vec![path.display().to_string(), "localhost".to_owned()],
        };
        let port = port.to_string();
        names.iter().find_map(|name| password(&text, [name, &port, database, user]))
    });
    Ok(found)
}

#[cfg(unix)]
fn check_owner_alone(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(|error| error.to_string())?.permissions().mode();
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err("others than its owner may read it: chmod 600".to_owned()),
    }
}

#[cfg(not(unix))]
fn check_owner_alone(_path: &Path) -> Result<(), String> {
    Ok(())
}

/// The password of the first line that fits.
fn password(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let fits = |(field, wanted): (&String, &str)| field == "*" || field == wanted;
        let (password, before) = fields.split_last().filter(|(_, before)| before.len() == 4)?;
        before.iter().zip(wanted).all(fits).then(|| password.clone())
    })
}

/// The five fields of a line; a backslash takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let is_last = fields.len() == 5;
        let Some(field) = fields.last_mut() else { break };
        match character {
            '\\' => field.extend(characters.next()),
            ':' if !is_last => fields.push(String::new()),
            character => field.push(character),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::super::address::{Address, Secrets};
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const LINES: &str =
        "# comment\nhost:5432:*:u:first\n*:5433:l:u:a\\:b\\\\c:d\nlocalhost:*:*:*:s\n";

    fn file(mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), LINES).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    fn found(url: &str, file: &Path) -> Option<String> {
        let secrets = Secrets { password: None, passfile: Some((file.to_owned(), true)) };
        let address = Address::parse(url, &secrets).unwrap();
        address.config.get_password().map(|found| String::from_utf8(found.to_vec()).unwrap())
    }

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let file = file(0o600);
        let full = "?sslmode=verify-full";
        assert_eq!(found(&format!("postgres://u@host/l{full}"), file.path()).unwrap(), "first");
        let second = found(&format!("postgres://u@host:5433/l{full}"), file.path());
        assert_eq!(second.unwrap(), "a:b\\c:d");
        assert_eq!(found("postgres://v@%2Frun/l", file.path()).unwrap(), "s");
        assert_eq!(found("postgres://v@127.0.0.1/l", file.path()), None);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let file = file(0o640);
        let secrets = Secrets { password: None, passfile: Some((file.path().to_owned(), true)) };
        let refused = Address::parse("postgres://u@localhost/l", &secrets);
        assert!(matches!(refused, Err(AddressError::Passwords { .. })));
        let missing = Secrets { password: None, passfile: Some(("/no/such".into(), false)) };
        assert!(Address::parse("postgres://u@localhost/l", &missing).is_ok());
    }
}
