//! One who is logged in, with the request that it makes.

use super::Console;
use super::frame::Frame;
use super::section::Section;
use super::sessions::{Holder, Open};
use super::trouble::Trouble;
use crate::call::Method;
use crate::domain::permission::{Permission, Permissions};
use crate::http::Visit;
use crate::ledger::trail::{Act, Actor};

/// What one who is logged in may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// See everything.
    Reader,
    /// Change what can be changed as well.
    Operator,
}

impl Role {
    /// The role of a user with these permissions, if they let it in at all.
    pub(super) fn of(permissions: Permissions) -> Option<Self> {
        match () {
            () if permissions.allow(Permission::ConsoleOperate) => Some(Self::Operator),
            () if permissions.allow(Permission::ConsoleRead) => Some(Self::Reader),
            () => None,
        }
    }
}

/// One who is logged in, with the request that it makes.
pub(super) struct Visitor {
    pub(super) visit: Visit,
    pub(super) session: Open,
    pub(super) role: Role,
}

impl Visitor {
    /// Whether it may change something.
    pub(super) fn operates(&self) -> bool {
        self.role == Role::Operator
    }

    /// Its name, as pages show it.
    pub(super) fn name(&self) -> &str {
        match &self.session.holder {
            Holder::Token => "admin token",
            Holder::User { username, .. } => username,
        }
    }

    /// Who acts, from where and when, for the audit.
    pub(super) fn act(&self, console: &Console) -> Act {
        let actor = match &self.session.holder {
            Holder::Token => Actor::Operator("console".to_owned()),
            Holder::User { key, .. } => Actor::User(*key),
        };
        Act { actor, origin: self.visit.origin.clone(), at: console.service.clock().now() }
    }

    /// The frame of a page of this title in a section.
    pub(super) fn frame(
        &self,
        console: &Console,
        section: Option<Section>,
        title: impl Into<String>,
    ) -> Frame {
        let frame = Frame::bare(console, title);
        // A page that only renews itself would take away what the next page is to say.
        let is_renewing = self.visit.headers.get("x-refreshing").is_some();
        let notice = if is_renewing { None } else { console.sessions.take_notice(&self.session) };
        Frame {
            sections: Section::of_ledger(frame.is_test),
            section,
            who: self.name().to_owned(),
            operates: self.operates(),
            csrf: self.session.csrf.clone(),
            notice,
            ..frame
        }
    }

    /// That the request reads, as pages without forms need it.
    pub(super) fn reads(&self) -> Result<(), Trouble> {
        match self.visit.method {
            Method::Get => Ok(()),
            _ => Err(Trouble::wrong_method("GET, HEAD")),
        }
    }

    /// That the request is a form, as paths need it that only change something.
    pub(super) fn posts(&self) -> Result<(), Trouble> {
        match self.visit.method {
            Method::Post => Ok(()),
            _ => Err(Trouble::wrong_method("POST")),
        }
    }
}
