//! What the reset of one account of a test ledger needs to know before its rows go.
//!
//! What must stay true: the number of a refund whose gateway may still answer is never given again.

use crate::domain::facts::AccountKey;
use crate::domain::id::ObjectId;
use crate::ledger::books::BooksError;
use crate::ledger::record::Field;
use crate::ledger::records::{ACCOUNT_BY_ID, Account, Balance};
use crate::ledger::unit::Unit;

/// The account that is to be forgotten, whose numbers of refunds are used up; none is not there.
pub fn begin(unit: &mut Unit<'_>, id: &ObjectId) -> Result<Option<AccountKey>, BooksError> {
    let account: Option<Account> = unit.find(&ACCOUNT_BY_ID, &[id.stored()])?;
    let Some(account) = account else { return Ok(None) };
    let balance: Option<Balance> = unit.peek(&(account.key,))?;
    if let Some(newest) = balance.and_then(|balance| balance.newest_refund) {
        unit.never_give_again(newest)?;
    }
    Ok(Some(account.key))
}
