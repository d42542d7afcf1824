//! What an entry of the ledger is for.

/// Why a credit balance moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// An external refund took its amount.
    Refund,
    /// An electronic refund holds its amount until its gateway answers.
    Hold,
    /// What an electronic refund held went back, because its gateway declined it.
    Release,
    /// What a refund took went back, because its gateway rejected it after all.
    Compensation,
    /// An adjustment brought credit.
    Increase,
    /// An adjustment took credit.
    Decrease,
    /// An adjustment was taken back.
    Cancellation,
}

impl EntryKind {
    /// Every kind, in the order of the codes by which the ledger keeps them.
    pub const ALL: [Self; 7] = [
        Self::Refund,
        Self::Hold,
        Self::Release,
        Self::Compensation,
        Self::Increase,
        Self::Decrease,
        Self::Cancellation,
    ];

    /// The name in the ledger and in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Compensation => "compensation",
            Self::Increase => "increase",
            Self::Decrease => "decrease",
            Self::Cancellation => "cancellation",
        }
    }

    /// The number by which the ledger keeps it.
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The kind of a code.
    pub fn from_code(code: i64) -> Option<Self> {
        usize::try_from(code).ok().and_then(|place| Self::ALL.get(place)).copied()
    }

    /// Whether an entry of this kind may move a balance by `delta`, in minor units.
    pub const fn allows(self, delta: i64) -> bool {
        match self {
            Self::Refund | Self::Hold | Self::Decrease => delta < 0,
            Self::Release | Self::Compensation | Self::Increase => delta > 0,
            Self::Cancellation => delta != 0,
        }
    }

    /// Whether a refund is the cause of an entry of this kind; else an adjustment is.
    pub const fn is_of_refund(self) -> bool {
        matches!(self, Self::Refund | Self::Hold | Self::Release | Self::Compensation)
    }
}
