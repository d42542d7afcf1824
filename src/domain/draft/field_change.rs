//! What an update makes of one field.

/// What becomes of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays as it is: not sent, empty, or nil.
    Keep,
    /// It loses its value (fieldsToNull).
    Clear,
    /// It gets this value.
    To(T),
}

impl<T> Change<T> {
    /// Whether there is anything to do, and the value that is there afterwards.
    pub fn into_parts(self) -> (bool, Option<T>) {
        match self {
            Self::Keep => (false, None),
            Self::Clear => (true, None),
            Self::To(value) => (true, Some(value)),
        }
    }

    /// The same change with another value.
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::To(value) => Change::To(map(value)),
        }
    }
}
