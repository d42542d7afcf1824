//! Loading the credit memos of a seed: their items and taxes, and what of them is applied to
//! invoices.
//!
//! What began with a seed moves on: memos are posted, applied and refunded. So a seed that is
//! loaded again is compared with what never changes.

use super::{Loader, Refusal, differs, stable_id, unfit, units};
use crate::domain::facts::{MemoKey, MemoLineKey, MemoPartKey};
use crate::domain::id::ObjectId;
use crate::domain::money::MinorUnits;
use crate::domain::vocabulary::CreditMemoStatus;
use crate::ledger::record::{ByName, DayText, Field};
use crate::ledger::records::{
    Account, CreditMemo, MEMO_BY_ID, MEMO_BY_NUMBER, MEMO_LINE_BY_ID, MemoLine, MemoPart,
};
use crate::ledger::seed::{SeedMemo, SeedMemoItem, SeedPart};
use crate::ledger::work::numbering;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

impl Loader<'_, '_> {
    pub(super) fn credit_memo(&mut self, memo: &SeedMemo) -> Result<(), Refusal> {
        let object = format!("credit_memo `{}`", memo.id);
        let owner = self.owner(&object, &memo.account)?;
        let amount = units(owner.currency, &object, "amount", memo.amount)?;
        let stored: Option<CreditMemo> = self.unit.find(&MEMO_BY_ID, &[memo.id.stored()])?;
        if let Some(stored) = stored {
            return self.known_memo(&object, memo, &owner, (&stored, amount));
        }
        let number = [memo.number.stored()];
        if let Some(other) = self.unit.find::<CreditMemo>(&MEMO_BY_NUMBER, &number)? {
            let object = format!("credit_memo number `{}`", memo.number);
            return Err(differs(&object, ("id", other.id.to_string(), memo.id.to_string())));
        }
        let key = MemoKey(numbering::next_key::<CreditMemo>(self.unit, "credit_memo")?);
        let created = self.beginning_of(memo.date);
        let is_posted = memo.status == CreditMemoStatus::Posted;
        let is_canceled = memo.status == CreditMemoStatus::Canceled;
        self.unit.insert(CreditMemo {
            key,
            id: memo.id.clone(),
            number: memo.number.clone(),
            account: owner.key,
            date: DayText(memo.date),
            status: ByName(memo.status),
            amount,
            applied: MinorUnits::ZERO,
            refunded: MinorUnits::ZERO,
            comment: None,
            reason_code: None,
            created_by: None,
            created_ms: created,
            updated_by: None,
            updated_ms: created,
            posted_by: None,
            posted_ms: is_posted.then_some(created),
            cancelled_ms: is_canceled.then_some(created),
        })?;
        self.add();
        self.add_memo_lines(&object, memo, &owner, (key, created))?;
        for part in &memo.applied {
            self.add_memo_part(&object, part, &owner, (key, created))?;
        }
        Ok(())
    }

    /// Compares a memo that is there with what of it never changes.
    fn known_memo(
        &mut self,
        object: &str,
        memo: &SeedMemo,
        owner: &Account,
        (stored, amount): (&CreditMemo, MinorUnits),
    ) -> Result<(), Refusal> {
        let account = match stored.account == owner.key {
            true => owner.id.clone(),
            false => self.unit.existing::<Account>(&(stored.account,))?.id,
        };
        let shown = |amount| owner.currency.format(amount);
        let pairs = [
            ("number", stored.number.clone(), memo.number.clone()),
            ("account", account.to_string(), owner.id.to_string()),
            ("date", stored.date.0.to_string(), memo.date.to_string()),
            ("amount", shown(stored.amount), shown(amount)),
        ];
        self.compare(object, pairs)
    }

    /// Adds the items of a new memo and the taxes on them.
    fn add_memo_lines(
        &mut self,
        object: &str,
        memo: &SeedMemo,
        owner: &Account,
        of: (MemoKey, DateTime<Utc>),
    ) -> Result<(), Refusal> {
        let whole = [SeedMemoItem { id: None, amount: memo.amount, taxes: Vec::new() }];
        let items = if memo.items.is_empty() { whole.as_slice() } else { memo.items.as_slice() };
        for (place, item) in items.iter().enumerate() {
            let id = item.id.clone();
            let id = id.unwrap_or_else(|| stable_id(&format!("item of:{}:{place}", memo.id)));
            let line = self.add_memo_line(object, (id.clone(), None), item.amount, owner, of)?;
            for (place, tax) in item.taxes.iter().enumerate() {
                let of_tax = tax.id.clone();
                let of_tax = of_tax.unwrap_or_else(|| stable_id(&format!("tax of:{id}:{place}")));
                self.add_memo_line(object, (of_tax, Some(line)), tax.amount, owner, of)?;
            }
        }
        Ok(())
    }

    fn add_memo_line(
        &mut self,
        object: &str,
        (id, item): (ObjectId, Option<MemoLineKey>),
        amount: Decimal,
        owner: &Account,
        (memo, created): (MemoKey, DateTime<Utc>),
    ) -> Result<MemoLineKey, Refusal> {
        if self.unit.any::<MemoLine>(&MEMO_LINE_BY_ID, &[id.stored()])? {
            return Err(unfit(object, "items", id.as_str(), "is the id of another item"));
        }
        let amount = units(owner.currency, object, "items", amount)?;
        let key = MemoLineKey(numbering::next_key::<MemoLine>(self.unit, "credit_memo_line")?);
        self.unit.insert(MemoLine {
            key,
            id,
            memo,
            item,
            name: None,
            amount,
            refunded: MinorUnits::ZERO,
            created_ms: created,
            updated_ms: created,
        })?;
        Ok(key)
    }

    /// Adds what of a new memo is applied to an invoice, whose seeded balance knows of it.
    fn add_memo_part(
        &mut self,
        object: &str,
        part: &SeedPart,
        owner: &Account,
        (memo, created): (MemoKey, DateTime<Utc>),
    ) -> Result<(), Refusal> {
        let amount = units(owner.currency, object, "applied", part.amount)?;
        let invoice = self.invoice_of(object, part, owner)?;
        let covered = invoice.amount.units() - invoice.balance.units();
        if amount.units() > covered {
            let covered = owner.currency.format(MinorUnits::new(covered));
            let why = format!("has only {covered} of its amount covered by its balance");
            return Err(unfit(object, "applied", &part.invoice, &why));
        }
        let key = MemoPartKey(self.unit.next_key::<MemoPart>()?);
        self.unit.insert(MemoPart {
            key,
            memo,
            invoice: invoice.key,
            amount,
            seeded: amount,
            created_ms: created,
            updated_ms: created,
        })?;
        self.unit.change::<CreditMemo>(&(memo,), |memo| {
            memo.applied = MinorUnits::new(memo.applied.units().saturating_add(amount.units()));
        })?;
        Ok(())
    }
}
