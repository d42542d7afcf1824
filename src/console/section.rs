//! The sections of the console: the one table that navigation, keys and the front page go by.

/// A section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Refunds,
    Accounts,
    Journal,
    Bench,
    Gateways,
    Webhooks,
    Sessions,
    Users,
    Settings,
    Audit,
}

impl Section {
    /// Every section, in the order of the navigation.
    pub(super) const ALL: [Self; 11] = [
        Self::Overview,
        Self::Refunds,
        Self::Accounts,
        Self::Journal,
        Self::Bench,
        Self::Gateways,
        Self::Webhooks,
        Self::Sessions,
        Self::Users,
        Self::Settings,
        Self::Audit,
    ];

    /// Its name in the navigation.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Refunds => "Refunds",
            Self::Accounts => "Accounts",
            Self::Journal => "Journal",
            Self::Bench => "Test bench",
            Self::Gateways => "Gateways",
            Self::Webhooks => "Webhooks",
            Self::Sessions => "Sessions",
            Self::Users => "Users",
            Self::Settings => "Settings",
            Self::Audit => "Audit",
        }
    }

    /// Where it begins.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Refunds => "/refunds",
            Self::Accounts => "/accounts",
            Self::Journal => "/journal",
            Self::Bench => "/bench",
            Self::Gateways => "/gateways",
            Self::Webhooks => "/webhooks",
            Self::Sessions => "/sessions",
            Self::Users => "/users",
            Self::Settings => "/settings",
            Self::Audit => "/audit",
        }
    }

    /// What is there, in a sentence for the front page.
    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Overview => "How the gateway is doing, and what needs a hand.",
            Self::Refunds => "Find refunds, read their stories, settle and export them.",
            Self::Accounts => "Balances over time, with all that moved them.",
            Self::Journal => "What was asked and answered, and why it was refused.",
            Self::Bench => "Faults, the clock, snapshots, a call to try, replay reports.",
            Self::Gateways => "Who pays, what they can do, and how they are.",
            Self::Webhooks => "Who hears of refunds, and what was not delivered.",
            Self::Sessions => "Who is logged in, and how to end that.",
            Self::Users => "Who may do what.",
            Self::Settings => "Each setting, and where it came from.",
            Self::Audit => "Who changed what, when, and from where.",
        }
    }

    /// Whether it is there on test ledgers alone.
    pub(super) const fn is_for_tests(self) -> bool {
        matches!(self, Self::Bench)
    }

    /// Those that there are on a ledger.
    pub(super) fn of_ledger(is_test: bool) -> Vec<Self> {
        Self::ALL.into_iter().filter(|one| is_test || !one.is_for_tests()).collect()
    }

    /// The section whose path begins so.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        Self::ALL.into_iter().find(|one| one.path().trim_start_matches('/') == first)
    }
}
