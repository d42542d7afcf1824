//! Whole numbers in a smaller type.

/// A type of whole numbers that has a largest one.
pub trait Bounded {
    /// The largest.
    const LARGEST: Self;
}

macro_rules! bounded {
    ($($number:ty),+) => { $(impl Bounded for $number { const LARGEST: Self = Self::MAX; })+ };
}

bounded!(u8, u16, u32, u64, i32, i64, usize);

/// The number as an `N`; what no `N` can hold, below zero too, is the largest one. For counts,
/// sizes and times that are only shown, compared or waited for; never for money.
pub fn saturated<N: Bounded>(number: impl TryInto<N>) -> N {
    number.try_into().unwrap_or(N::LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_the_largest() {
        assert_eq!(saturated::<u8>(255_u64), 255);
        assert_eq!(saturated::<u8>(256_u64), 255);
        assert_eq!(saturated::<i64>(u64::MAX), i64::MAX);
        assert_eq!(saturated::<u32>(-1_i64), u32::MAX);
    }
}
