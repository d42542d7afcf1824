//! What a call said, noted for a journal while the call is read: its objects with their fields, and
//! on whose behalf and about which accounts it was made.
//!
//! What must stay true: a front door notes no secret, and of one call no more than so many bytes; a
//! call that nothing keeps a journal of pays nothing for this.

use super::{CallFacts, OperationName};
use crate::domain::id::ObjectId;
use parking_lot::{Mutex, MutexGuard};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The notes of a call that is under way.
#[derive(Debug, Default)]
pub struct Notes(Mutex<CallNotes>);

/// What a call said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallNotes {
    /// The operation; none of a request that was not understood.
    pub operation: Option<OperationName>,
    /// The user whose session it is, or who logs in, with the call or by it.
    pub user: Option<String>,
    /// The Idempotency-Key, from the header or from the fields.
    pub key: Option<String>,
    /// The ids of the accounts that it is about: those that it names, and those whose objects it
    /// names.
    pub accounts: Vec<String>,
    /// The objects of the call; for an operation without objects, its parameters.
    pub objects: Vec<NotedObject>,
}

/// An object of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NotedObject {
    /// Its type, as sent; none for the parameters of an operation.
    #[serde(rename = "type")]
    pub object: Option<String>,
    /// The texts of its fields as sent, without blanks at their ends, by local names; those of
    /// fields in fields by the names on the way to them, with dots between.
    pub fields: BTreeMap<String, Texts>,
}

impl NotedObject {
    /// The account whose object it says to be, whether there is one or not.
    pub fn account(&self) -> Option<ObjectId> {
        self.fields.get("AccountId")?.0.first().and_then(|id| ObjectId::parse(id))
    }
}

/// The texts of the fields of one name; without one where all of them were nil.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts(pub Vec<String>);

impl Serialize for Texts {
    /// One text is a text, and several are a list.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => serializer.serialize_str(one),
            several => serializer.collect_seq(several),
        }
    }
}

impl CallNotes {
    /// What is known of a call whose objects are not noted: who called, and which accounts it
    /// names.
    pub fn of(facts: &CallFacts) -> Self {
        let user = facts.user.as_deref().map(str::to_owned);
        let accounts = facts.accounts.first().map(ToString::to_string).collect();
        Self { user, accounts, ..Self::default() }
    }

    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        let text = |text: &String| size_of::<String>() + text.capacity();
        let field = |(name, texts): (&String, &Texts)| {
            let texts: usize = texts.0.iter().map(text).sum();
            text(name) + size_of::<Texts>() + texts
        };
        let object = |object: &NotedObject| {
            let fields: usize = object.fields.iter().map(field).sum();
            // A node of the map has room for more than it holds.
            size_of::<NotedObject>() + object.object.as_ref().map_or(0, text) + 2 * fields
        };
        let objects: usize = self.objects.iter().map(object).sum();
        let accounts: usize = self.accounts.iter().map(text).sum();
        let own = self.user.iter().chain(&self.key).map(text).sum::<usize>();
        size_of::<Self>() + objects + accounts + own
    }
}

impl Notes {
    /// What is noted so far, to be added to.
    pub fn lock(&self) -> MutexGuard<'_, CallNotes> {
        self.0.lock()
    }

    /// What was noted.
    pub fn taken(&self) -> CallNotes {
        std::mem::take(&mut self.lock())
    }
}
