//! What payment gateways collected, by what they know of it: a reference.
//!
//! What must stay true: against one reference, a gateway is never asked for more than it collected
//! under it, also where payments and refunds say otherwise. Two references are one if a gateway may
//! take them for one.

use super::facts::keys::PaymentKey;
use super::money::MinorUnits;

/// A reference in the form in which two are compared: without white space and characters that show
/// nothing, letters folded, those of full width as the ASCII that they are. Processors trim what
/// they get, and databases behind some of them pass over all of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceKey(String);

impl ReferenceKey {
    /// The form of a reference as it is sent to a gateway.
    pub fn of(reference: &str) -> Self {
        let kept =
            reference.chars().filter(|shown| !shown.is_whitespace() && !is_invisible(*shown));
        Self(kept.map(narrow).flat_map(char::to_lowercase).collect())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character shows nothing by itself: a soft hyphen, what joins or directs others, a byte
/// order mark.
const fn is_invisible(character: char) -> bool {
    matches!(character, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2064}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// The character of ASCII that one of full width is; any other is itself.
fn narrow(character: char) -> char {
    match character {
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(character) - 0xFEE0).unwrap_or(character)
        }
        other => other,
    }
}

/// What a gateway collected under a reference, and what of it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collected {
    /// What it collected, in minor units of the payment's currency.
    pub amount: MinorUnits,
    /// What it was asked to give back and did not decline, for whichever refund.
    pub sent: MinorUnits,
}

impl Collected {
    /// Nothing was collected.
    pub const NOTHING: Self = Self { amount: MinorUnits::ZERO, sent: MinorUnits::ZERO };

    /// What it may still be asked for; never below zero.
    pub fn left(&self) -> MinorUnits {
        MinorUnits::new(self.amount.units().saturating_sub(self.sent.units()).max(0))
    }
}

/// A payment that a gateway knows by a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPayment {
    /// The payment.
    pub key: PaymentKey,
    /// Its PaymentNumber.
    pub number: String,
    /// The gateway.
    pub gateway: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_gateway_may_take_for_one_reference_is_one() {
        let key = |text| ReferenceKey::of(text);
        for same in ["ch_77", " ch_77", "CH_77\t", "c h_7\u{a0}7", "Ch_77\u{3000}"] {
            assert_eq!(key(same), key("ch_77"), "{same:?}");
        }
        // Regression: a second payment of one charge, by a name with a character that is not seen.
        for same in ["ch\u{200B}_77", "\u{FEFF}ch_77", "ch_\u{AD}77", "ch_\u{FF17}7", "ＣＨ＿７７"]
        {
            assert_eq!(key(same), key("ch_77"), "{same:?}");
        }
        assert_eq!(key("ÄB"), key("äb"));
        assert_eq!(key(" CH_77").as_str(), "ch_77");
        assert_ne!(key("ch_77"), key("ch_78"));
        assert_ne!(key("ch_77"), key("ch77"));
    }

    #[test]
    fn what_was_sent_beyond_leaves_nothing() {
        let collected = |amount, sent| Collected {
            amount: MinorUnits::new(amount),
            sent: MinorUnits::new(sent),
        };
        assert_eq!(collected(50, 20).left(), MinorUnits::new(30));
        assert_eq!(collected(50, 150).left(), MinorUnits::ZERO);
    }
}
