//! A reader that gives out only so many bytes until its caller says that the next piece begins, so
//! that one piece of a file of any size has a bound.

use crate::domain::number::saturated;
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// A reader with a budget.
pub(super) struct Budget<R> {
    inner: R,
    left: Rc<Cell<u64>>,
    whole: u64,
}

/// Renews the budget of a reader that is no longer at hand.
#[derive(Clone)]
pub(super) struct Renewal {
    left: Rc<Cell<u64>>,
    whole: u64,
}

impl Renewal {
    /// A new piece begins.
    pub(super) fn renew(&self) {
        self.left.set(self.whole);
    }
}

impl<R: Read> Budget<R> {
    /// A reader of pieces of at most `whole` bytes, as far as buffers around it let that be seen.
    pub(super) fn new(inner: R, whole: u64) -> Self {
        Self { inner, left: Rc::new(Cell::new(whole)), whole }
    }

    /// The handle for a new piece.
    pub(super) fn renewal(&self) -> Renewal {
        Renewal { left: Rc::clone(&self.left), whole: self.whole }
    }
}

impl<R: Read> Read for Budget<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = saturated::<u64>(read);
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Ok(read)
            }
            None => {
                Err(io::Error::other(format!("an exchange is larger than {} bytes", self.whole)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_bounded_and_the_whole_is_not() {
        let mut reader = Budget::new(&[7_u8; 10][..], 4);
        let renewal = reader.renewal();
        let mut four = [0; 4];
        for _ in 0..2 {
            reader.read_exact(&mut four).unwrap();
            renewal.renew();
        }
        reader.read_exact(&mut four[..1]).unwrap();
        let mut reader = Budget::new(&[7_u8; 10][..], 4);
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("larger than 4 bytes"), "{error}");
    }
}
