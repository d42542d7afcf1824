//! Envelopes of the catalogue to begin with, where a tester tries a call.

/// An envelope of the catalogue.
pub(super) struct Envelope {
    /// Its name in the catalogue.
    pub(super) name: &'static str,
    /// What it shows.
    pub(super) about: &'static str,
    /// Its text, with `{{session}}` for a session.
    pub(super) text: &'static str,
}

macro_rules! envelopes {
    ($($name:literal,)+) => {
        /// Those that can be chosen, from the simplest on.
        pub(super) const ALL: &[Envelope] = &[$(Envelope {
            name: $name,
            about: include_str!(concat!("../../fixtures/", $name, "/about.md")),
            text: include_str!(concat!("../../fixtures/", $name, "/request.xml")),
        },)+];
    };
}

envelopes! {
    "external/documented-example",
    "electronic/documented-example",
    "external/comment-and-reason-code",
    "electronic/declined-by-the-gateway",
    "batch/external-and-electronic",
    "batch/every-row-its-own-error",
    "query/02-refunds-of-an-account",
    "query/an-account-by-its-number",
    "delete/a-method",
    "faults/type-unknown",
    "faults/operation-misspelt",
    "faults/not-an-envelope",
}

/// The seed that the envelopes are written for.
pub(super) const SEED: &str = include_str!("../../fixtures/seed.toml");

/// The envelope of a name.
pub(super) fn named(name: &str) -> Option<&'static Envelope> {
    ALL.iter().find(|one| one.name == name)
}
