//! The steps of one evaluation.

use super::{STEPS_MAX, XPathError};
use std::cell::Cell;

/// How many bytes of text count as a step.
const BYTES_A_STEP: usize = 8;

/// What is left of the steps of one evaluation.
pub(super) struct Budget(Cell<u32>);

impl Budget {
    pub(super) fn new() -> Self {
        Self(Cell::new(STEPS_MAX))
    }

    /// Takes a number of steps.
    pub(super) fn spend(&self, steps: usize) -> Result<(), XPathError> {
        let steps = u32::try_from(steps).map_err(|_| XPathError::Exhausted)?;
        let left = self.0.get().checked_sub(steps).ok_or(XPathError::Exhausted)?;
        self.0.set(left);
        Ok(())
    }

    /// Takes the steps that a text costs.
    pub(super) fn spend_on(&self, text: &str) -> Result<(), XPathError> {
        self.spend(text.len() / BYTES_A_STEP + 1)
    }
}
