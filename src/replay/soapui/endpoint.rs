//! Where on the endpoint a request goes: of the URL in a project only the path counts, so a
//! property in its scheme or host that is not known is no failure.

use super::super::rules::PATH_DEFAULT;
use super::expand::{ExpandError, Expander, MISSING};
use super::scope::Owner;
use crate::domain::version::ApiVersion;

/// What the path of a version begins with.
const BASE: &str = "/apps/services/a/";

/// The path and query of the endpoint of a step. What of it is not known and not needed becomes a
/// note.
pub(super) fn path(expander: &mut Expander<'_>, step: Owner<'_>) -> Result<String, ExpandError> {
    let (endpoint, missing) = expander.property_in_parts(step, "Endpoint")?;
    let path = path_of(&endpoint);
    let Some(first) = missing.into_iter().next() else { return Ok(path) };
    if path.contains(MISSING) {
        return Err(first);
    }
    expander.notes.push(format!("{first}; only the path of an endpoint is used, here {path}"));
    Ok(path)
}

fn path_of(endpoint: &str) -> String {
    let endpoint = endpoint.trim();
    let (is_base_missing, rest) = match endpoint.split_once("://") {
        Some((_, rest)) => (false, rest),
        // What is missing is a scheme and a host at least, and an unknown part of the path.
        None => (endpoint.starts_with(MISSING), endpoint),
    };
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
    if path.len() <= 1 {
        return PATH_DEFAULT.to_owned();
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if is_base_missing && last.parse::<ApiVersion>().is_ok() {
        return format!("{BASE}{last}");
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::soapui::scope::Scope;
    use std::collections::HashMap;

    #[test]
    fn only_the_path_of_an_endpoint_is_used() {
        for (endpoint, path) in [
            ("https://h.example:1/apps/services/a/38.0?x=1", "/apps/services/a/38.0?x=1"),
            ("h/apps", "/apps"),
            ("/apps", "/apps"),
            ("https://h.example", PATH_DEFAULT),
            ("https://h.example/", PATH_DEFAULT),
            ("", PATH_DEFAULT),
        ] {
            assert_eq!(path_of(endpoint), path, "{endpoint}");
        }
    }

    #[test]
    fn what_is_not_known_of_an_endpoint_counts_only_in_its_path() {
        let path_with = |endpoint: &str| {
            let mut scope = Scope::default();
            scope.steps = HashMap::from([("s".to_owned(), Default::default())]);
            scope.set(Owner::Step("s"), "Endpoint", endpoint.to_owned());
            let mut expander = Expander::new(&scope);
            let path = path(&mut expander, Owner::Step("s"));
            (path.map_err(|error| error.to_string()), expander.notes.len())
        };
        for (endpoint, found) in [
            ("${serviceUrl}", PATH_DEFAULT),
            ("${#Project#url}", PATH_DEFAULT),
            ("https://${#Env#HOST}:${port}/apps/services/a/38.0", "/apps/services/a/38.0"),
            ("${host}/apps/services/a/38.0", "/apps/services/a/38.0"),
            ("${base}/a/38.0", "/apps/services/a/38.0"),
            ("${=script()}", PATH_DEFAULT),
            ("${base}/x", "/x"),
        ] {
            assert_eq!(path_with(endpoint), (Ok(found.to_owned()), 1), "{endpoint}");
        }
        let (refused, notes) = path_with("https://h/apps/services/a/${version}");
        assert_eq!(refused, Err("`${version}`: there is no such property".to_owned()));
        assert_eq!(notes, 0);
    }
}
