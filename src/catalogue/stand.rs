//! Which versions of the API, and which tenants, have an operation, an object or a field.

use super::version::ApiVersion;

/// The versions and tenants that have something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    since: ApiVersion,
    before: Option<ApiVersion>,
    is_of_credit: bool,
}

impl Stand {
    /// Every version, for every tenant.
    pub const ALWAYS: Self = Self { since: ApiVersion::FIRST, before: None, is_of_credit: false };

    /// From `major.0` on.
    #[must_use]
    pub const fn since(self, major: u16) -> Self {
        Self { since: ApiVersion::major(major), ..self }
    }

    /// Up to the last tenth of `major`.
    #[must_use]
    pub const fn until(self, major: u16) -> Self {
        Self { before: Some(ApiVersion::major(major + 1)), ..self }
    }

    /// Only for tenants that have credit balances.
    #[must_use]
    pub const fn of_credit(self) -> Self {
        Self { is_of_credit: true, ..self }
    }

    /// Whether `version` has it, for some tenant at least.
    pub fn covers(self, version: ApiVersion) -> bool {
        self.since <= version && self.before.is_none_or(|before| version < before)
    }

    /// Whether `version` has it for a tenant with or without credit balances.
    pub fn covers_for(self, version: ApiVersion, has_credit_balances: bool) -> bool {
        self.covers(version) && (has_credit_balances || !self.is_of_credit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_version_has_all_its_tenths() {
        let stand = Stand::ALWAYS.since(22).until(68);
        let covers = |version: &str| stand.covers(version.parse().unwrap());
        assert!(!covers("21.9") && covers("22.0") && covers("68.9") && !covers("69.0"));
        assert!(Stand::ALWAYS.covers(ApiVersion::FIRST) && Stand::ALWAYS.covers(ApiVersion::LAST));
    }

    #[test]
    fn what_is_of_credit_stands_only_where_there_is_some() {
        let stand = Stand::ALWAYS.since(22).of_credit();
        let covers = |major, has_credit| stand.covers_for(ApiVersion::major(major), has_credit);
        assert!(covers(22, true) && !covers(22, false) && !covers(21, true));
    }
}
