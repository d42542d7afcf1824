//! Fields of a call as they are noted for a journal: texts by names, without secrets, and of one
//! call no more than so many bytes.

use super::Texts;
use std::collections::BTreeMap;

/// How much of the fields of a call is noted, in bytes of names and values.
pub const FIELDS_BYTES_MAX: usize = 64 * 1024;
/// How deep fields may lie in each other to be noted.
pub const DEPTH_MAX: usize = 4;
/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";

/// How many bytes of a call may still be noted.
#[derive(Debug)]
pub struct Left(usize);

impl Default for Left {
    fn default() -> Self {
        Self(FIELDS_BYTES_MAX)
    }
}

/// The fields of an object.
#[derive(Debug)]
pub struct Fields<'l> {
    left: &'l mut Left,
    noted: BTreeMap<String, Texts>,
}

impl<'l> Fields<'l> {
    /// No fields yet, of a call of which so much may still be noted.
    pub const fn new(left: &'l mut Left) -> Self {
        Self { left, noted: BTreeMap::new() }
    }

    /// Notes the text of a field, or that it is nil. False: it does not fit, and so nothing more
    /// is to be noted, so that no field that came later stands alone.
    pub fn add(&mut self, name: String, hides: bool, text: Option<&str>) -> bool {
        let text = if hides { text.map(|_| HIDDEN) } else { text };
        let bytes = name.len() + text.map_or(0, str::len);
        self.left.0 = self.left.0.saturating_sub(bytes);
        if self.left.0 == 0 {
            return false;
        }
        let texts = self.noted.entry(name).or_default();
        texts.0.extend(text.map(str::to_owned));
        true
    }

    /// What was noted.
    pub fn taken(self) -> BTreeMap<String, Texts> {
        self.noted
    }
}
