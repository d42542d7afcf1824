//! Which built-in seed `serve` loads: none, that of the two documented refunds of a credit balance,
//! or the same with what is refunded under Invoice Settlement.

use crate::domain::toml_text::meant;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::str::FromStr;

/// A choice of built-in seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demo {
    /// None.
    Off,
    /// Accounts with credit balances.
    CreditBalance,
    /// The same under Invoice Settlement, with a credit memo and an unapplied payment.
    InvoiceSettlement,
}

/// The name of the demo of Invoice Settlement.
const INVOICE_SETTLEMENT: &str = "invoice-settlement";

impl fmt::Display for Demo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Off => "false",
            Self::CreditBalance => "true",
            Self::InvoiceSettlement => INVOICE_SETTLEMENT,
        })
    }
}

impl FromStr for Demo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" | "t" | "1" => Ok(Self::CreditBalance),
            "false" | "no" | "off" | "n" | "f" | "0" => Ok(Self::Off),
            INVOICE_SETTLEMENT => Ok(Self::InvoiceSettlement),
            _ => {
                let meant = meant(text, ["true", "false", INVOICE_SETTLEMENT]);
                Err(format!("possible are true, false and {INVOICE_SETTLEMENT}{meant}"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Demo {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(Written)
    }
}

/// A truth value, or the name of a demo.
struct Written;

impl Visitor<'_> for Written {
    type Value = Demo;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("true, false or \"invoice-settlement\"")
    }

    fn visit_bool<E: Error>(self, is_on: bool) -> Result<Demo, E> {
        Ok(if is_on { Demo::CreditBalance } else { Demo::Off })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Demo, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_is_read_as_it_is_shown() {
        for demo in [Demo::Off, Demo::CreditBalance, Demo::InvoiceSettlement] {
            assert_eq!(demo.to_string().parse(), Ok(demo));
        }
        assert!("settlement".parse::<Demo>().is_err());
        let misspelt = "invoice-setlement".parse::<Demo>().unwrap_err();
        assert!(misspelt.ends_with("did you mean `invoice-settlement`?"), "{misspelt}");
    }
}
