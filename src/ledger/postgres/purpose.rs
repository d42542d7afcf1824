//! What connections and statements are for.

/// What a statement is for, and the address of the table or the lookup that it is made from.
pub(super) type Purpose = (Verb, usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Verb {
    Find,
    FindSome,
    FindMany,
    FindSomeOfMany,
    FindAfter,
    Newest,
    Insert,
    Update,
    Remove,
    RemoveOlder,
    Begin,
    TakeTurn,
    CountUp,
    LookUpBatch,
    AskServer,
    LackRights,
    SortInLittle,
    NeedRoom,
    /// A statement about what nodes share, with the address of its text.
    Share,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// The writer's first one.
    Opening {
        /// Whether a ledger is made where there is none.
        is_made: bool,
    },
    /// The writer's, once the ledger is open.
    Writing {
        /// Whether no other process may write.
        is_alone: bool,
    },
    /// That of what nodes share.
    Sharing,
    /// That of a ledger that is copied, or of a copy, which no node may serve meanwhile.
    Moving {
        /// Whether the schema is made.
        is_made: bool,
    },
    /// That of snapshots, beside the node that has the ledger.
    Saving,
    /// A reader's.
    Reading {
        /// Whether its statements may take as long as they do.
        is_long: bool,
    },
}
