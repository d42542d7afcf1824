//! The front doors that are plugged in, and which of them a request goes to.
//!
//! What must stay true: the first door that claims a path has it, in the order in which they are
//! plugged in.

use crate::call::{Door, Method, Route};
use crate::domain::origin::FrontDoor;
use std::sync::Arc;

/// The front doors of a gateway.
#[derive(Clone)]
pub(super) struct Doors(Arc<[Box<dyn Door>]>);

impl Doors {
    pub(super) fn new(doors: impl IntoIterator<Item = Box<dyn Door>>) -> Self {
        Self(doors.into_iter().collect())
    }

    /// The door that claims a path, and where the request goes behind it.
    pub(super) fn route<'p>(
        &self,
        method: Method,
        path: &'p str,
        query: Option<&'p str>,
    ) -> Option<(&dyn Door, Route<'p>)> {
        let mut doors = self.0.iter().map(AsRef::as_ref);
        doors.find_map(|door| door.route(method, path, query).map(|route| (door, route)))
    }

    /// The door of this kind.
    pub(super) fn of_kind(&self, kind: FrontDoor) -> Option<&dyn Door> {
        self.0.iter().map(AsRef::as_ref).find(|door| door.kind() == kind)
    }

    /// The endpoints of all, for people.
    pub(super) fn endpoints(&self) -> String {
        let endpoints: Vec<_> = self.0.iter().map(|door| door.endpoint()).collect();
        endpoints.join(" or ")
    }
}
