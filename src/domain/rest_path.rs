//! Which paths are calls of the REST API: for its front door, for what records calls, and for what
//! replays them.

/// The operation that gives tokens.
pub const TOKEN: &str = "/oauth/token";

/// A path without its query, and without the root under which everything is there as well.
pub fn bare(path: &str) -> &str {
    let end = path.find(['?', '#']).unwrap_or(path.len());
    let path = path.get(..end).unwrap_or_default();
    path.strip_prefix("/rest").filter(|rest| rest.starts_with("/v1")).unwrap_or(path)
}

/// Whether a path, with or without a query, is one of the REST API.
pub fn is_rest(path: &str) -> bool {
    let path = bare(path);
    path.starts_with("/v1/") || path == TOKEN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_below_two_roots_and_gives_tokens_beside_them() {
        for path in ["/v1/refunds", "/rest/v1/refunds?page=2", "/oauth/token"] {
            assert!(is_rest(path), "{path}");
        }
        for path in ["/v1", "/v10/x", "/rest/apps", "/apps/services/a/91.0", "/oauth", "/x/v1/y"] {
            assert!(!is_rest(path), "{path}");
        }
        assert_eq!(bare("/rest/v1/refunds?a=/v1/"), "/v1/refunds");
    }
}
