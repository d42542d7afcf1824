//! What is around each page: its title, the navigation, who is logged in, what is to be said.

use super::section::Section;
use super::{Console, assets};

/// What the layout of a page needs.
pub(super) struct Frame {
    pub(super) title: String,
    /// The folder of style, script and icon.
    pub(super) assets: String,
    pub(super) version: &'static str,
    /// Whether the ledger is one for tests.
    pub(super) is_test: bool,
    /// What is in the navigation; nothing for those who are not logged in.
    pub(super) sections: Vec<Section>,
    /// The section that the page is in.
    pub(super) section: Option<Section>,
    /// Who is logged in.
    pub(super) who: String,
    /// Whether it may change something: forms that do are shown to those alone.
    pub(super) operates: bool,
    /// The CSRF token, which each form carries.
    pub(super) csrf: String,
    /// What came of what was done.
    pub(super) notice: Option<String>,
}

impl Frame {
    /// The frame for those who are not logged in.
    pub(super) fn bare(console: &Console, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            assets: assets::folder(),
            version: env!("CARGO_PKG_VERSION"),
            is_test: console.is_test(),
            sections: Vec::new(),
            section: None,
            who: String::new(),
            operates: false,
            csrf: String::new(),
            notice: None,
        }
    }

    /// Whether the page is in this section.
    pub(super) fn is_here(&self, section: &Section) -> bool {
        self.section == Some(*section)
    }
}
