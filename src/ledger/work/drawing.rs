//! Session tokens, ids of locators and of requests: drawn at random, or, with an id seed, following
//! from it and from counters in the ledger.

use super::numbering;
use crate::domain::id::ObjectId;
use crate::domain::secret::SESSION_CHARS;
use crate::ledger::books::BooksError;
use crate::ledger::unit::Unit;
use sha2::{Digest, Sha256};

/// The counter behind the tokens of a ledger whose ids are seeded.
pub(super) const TOKENS: &str = "session_counter";

/// A new session token: [`SESSION_CHARS`] URL-safe characters.
pub(super) fn session_token(unit: &mut Unit<'_>) -> Result<String, BooksError> {
    let mut bytes = [0_u8; 128];
    match unit.world.id_seed {
        None => fill_randomly(&mut bytes)?,
        Some(seed) => {
            let token = numbering::count_up(unit, TOKENS)?;
            for (part, block) in (0_u64..).zip(bytes.chunks_mut(32)) {
                let source = digest(seed, "session", token.wrapping_mul(4) | part);
                block.copy_from_slice(&source);
            }
        }
    }
    let mut token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    token.truncate(SESSION_CHARS);
    Ok(token)
}

/// The id of a new query locator.
pub fn locator_id(unit: &mut Unit<'_>) -> Result<[u8; 16], BooksError> {
    let mut id = [0_u8; 16];
    match unit.world.id_seed {
        None => fill_randomly(&mut id)?,
        Some(seed) => {
            let source = digest(seed, "locator", numbering::count_up(unit, "locator_counter")?);
            for (byte, drawn) in id.iter_mut().zip(source) {
                *byte = drawn;
            }
        }
    }
    Ok(id)
}

/// With an id seed, the next source of request ids that follows from it.
pub fn request_seed(unit: &mut Unit<'_>) -> Result<Option<[u8; 32]>, BooksError> {
    let Some(seed) = unit.world.id_seed else { return Ok(None) };
    Ok(Some(digest(seed, "requests", numbering::count_up(unit, "request_id_counter")?)))
}

/// Writes something that changes nothing, so that a commit has to reach the disk, which must have
/// room for what a request would write; and there must be the right to write it.
pub fn probe(unit: &mut Unit<'_>) -> Result<(), BooksError> {
    unit.need_room_and_rights()?;
    numbering::count_up(unit, "probes").map(|_| ())
}

/// What follows from an id seed for a purpose and a count.
pub fn digest(seed: u64, purpose: &str, count: u64) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(purpose.as_bytes());
    hash.update(count.to_be_bytes());
    hash.finalize().into()
}

/// The salt of a new ledger's ids.
pub fn drawn_salt() -> Result<u32, BooksError> {
    let mut drawn = [0_u8; 32];
    fill_randomly(&mut drawn)?;
    Ok(salt_of(&drawn))
}

/// The salt that follows from an id seed.
pub fn seeded_salt(id_seed: u64) -> u32 {
    salt_of(&digest(id_seed, "salt", 0))
}

/// The first 24 bits.
fn salt_of(bytes: &[u8; 32]) -> u32 {
    let [first, second, third, ..] = *bytes;
    u32::from_be_bytes([0, first, second, third])
}

/// The id of a gateway, which follows from its name.
pub fn gateway_id(name: &str) -> ObjectId {
    let digest: [u8; 32] = Sha256::digest(format!("gateway:{name}").as_bytes()).into();
    ObjectId::of_digest(&digest)
}

/// Fills bytes from the machine's source of randomness.
pub fn fill_randomly(bytes: &mut [u8]) -> Result<(), BooksError> {
    getrandom::fill(bytes).map_err(|error| BooksError::Engine(error.to_string()))
}
