//! Loading the payments of a seed, and which invoices they pay.
//!
//! What began with a seed moves on: gateways settle payments. So a seed that is loaded again is
//! compared with how things began, not with how they stand.

use super::{Loader, Refusal, dangling, differs, or_none, stable_id, unfit, units};
use crate::domain::facts::{PartKey, PaymentKey};
use crate::domain::money::MinorUnits;
use crate::domain::vocabulary::{PaymentStatus, PaymentType};
use crate::ledger::record::{ByName, DayText, Field};
use crate::ledger::records::{
    Account, Invoice, METHOD_BY_ID, Method, PART_BY_INVOICE, PART_BY_PAYMENT, PAYMENT_BY_ID,
    PAYMENT_BY_NUMBER, Part, Payment,
};
use crate::ledger::seed::{SeedPart, SeedPayment};
use crate::ledger::work::sending;

impl Loader<'_, '_> {
    pub(super) fn payment(&mut self, payment: &SeedPayment) -> Result<(), Refusal> {
        let object = format!("payment `{}`", payment.id);
        let owner = self.owner(&object, &payment.account)?;
        let amount = units(owner.currency, &object, "amount", payment.amount)?;
        self.check_gateway(&object, "gateway", payment.gateway.as_deref())?;
        let method = self.method_of(&object, payment, &owner)?;
        let known = self.known_payment(&object, payment, &owner, amount)?;
        let is_new = known.is_none();
        let key = match known {
            Some(key) => key,
            None => self.add_payment(&object, payment, &owner, (amount, method))?,
        };
        for part in &payment.applied {
            self.part(&object, (key, is_new), payment, part, &owner)?;
        }
        Ok(())
    }

    /// The key of a payment that is there already, once nothing of it differs.
    fn known_payment(
        &mut self,
        object: &str,
        payment: &SeedPayment,
        owner: &Account,
        amount: MinorUnits,
    ) -> Result<Option<PaymentKey>, Refusal> {
        let stored: Option<Payment> = self.unit.find(&PAYMENT_BY_ID, &[payment.id.stored()])?;
        let Some(stored) = stored else { return Ok(None) };
        let account: Account = self.unit.existing(&(stored.account,))?;
        let method = match stored.payment_method {
            Some(key) => self.unit.get::<Method>(&(key,))?.map(|method| method.id.clone()),
            None => None,
        };
        // Where the seed names no gateway, the one that was found stays.
        let seeded_gateway = payment.gateway.clone().or_else(|| stored.gateway.clone());
        let shown = |amount| owner.currency.format(amount);
        let is_settled = stored.is_settled;
        let pairs = [
            ("number", stored.number, payment.number.clone()),
            ("account", account.id.to_string(), owner.id.to_string()),
            (
                "type",
                stored.payment_type.0.name().to_owned(),
                payment.payment_type.name().to_owned(),
            ),
            ("amount", shown(stored.amount), shown(amount)),
            (
                "effective_date",
                stored.effective_date.0.to_string(),
                payment.effective_date.to_string(),
            ),
            ("payment_method", or_none(method), or_none(payment.payment_method.as_ref())),
            ("gateway", or_none(stored.gateway), or_none(seeded_gateway)),
            ("reference_id", or_none(stored.reference_id), or_none(payment.reference_id.as_ref())),
            // One that was not settled may have been since.
            ("settled", is_settled.to_string(), (is_settled || payment.is_settled).to_string()),
        ];
        self.compare(object, pairs)?;
        Ok(Some(stored.key))
    }

    fn add_payment(
        &mut self,
        object: &str,
        payment: &SeedPayment,
        owner: &Account,
        (amount, method): (MinorUnits, Option<Method>),
    ) -> Result<PaymentKey, Refusal> {
        let number = [payment.number.stored()];
        if let Some(other) = self.unit.find::<Payment>(&PAYMENT_BY_NUMBER, &number)? {
            let object = format!("payment number `{}`", payment.number);
            return Err(differs(&object, ("id", other.id.to_string(), payment.id.to_string())));
        }
        let (method, of_method) = method.map(|one| (one.key, one.gateway)).unzip();
        let gateway = match payment.payment_type {
            PaymentType::External => None,
            PaymentType::Electronic => {
                let named = payment.gateway.clone().or_else(|| of_method.flatten());
                let named = named.or_else(|| owner.gateway.clone());
                Some(named.unwrap_or_else(|| self.tenant.default_gateway.clone()))
            }
        };
        let (reference_key, reference) = match &payment.reference_id {
            Some(reference) => ("reference_id", reference),
            None => ("number", &payment.number),
        };
        if let Some(gateway) = &gateway {
            self.check_reference(object, reference_key, reference, gateway)?;
        }
        let key = PaymentKey(self.unit.next_key::<Payment>()?);
        let created = self.beginning_of(payment.effective_date);
        self.unit.insert(Payment {
            key,
            id: payment.id.clone(),
            number: payment.number.clone(),
            account: owner.key,
            payment_type: ByName(payment.payment_type),
            status: ByName(PaymentStatus::Processed),
            amount,
            applied: MinorUnits::ZERO,
            refunded: MinorUnits::ZERO,
            to_credit_balance: MinorUnits::ZERO,
            draft_credit: MinorUnits::ZERO,
            effective_date: DayText(payment.effective_date),
            payment_method: method,
            gateway: gateway.clone(),
            is_settled: payment.is_settled,
            reference_id: payment.reference_id.clone(),
            comment: None,
            kept: "{}".to_owned(),
            created_by: None,
            created_ms: created,
            updated_by: None,
            updated_ms: created,
            custom: None,
        })?;
        self.add();
        if let Some(gateway) = &gateway {
            sending::claim(self.unit, gateway, reference, key, amount)?;
        }
        Ok(key)
    }

    /// That a gateway knows no other payment by a reference.
    fn check_reference(
        &mut self,
        object: &str,
        key: &'static str,
        reference: &str,
        gateway: &str,
    ) -> Result<(), Refusal> {
        let known = sending::known_by(self.unit, reference)?;
        match known.iter().find(|known| known.gateway == gateway) {
            None => Ok(()),
            Some(other) => {
                let number = &other.number;
                let why = format!("is how gateway `{gateway}` knows payment `{number}` already");
                Err(unfit(object, key, reference, &why))
            }
        }
    }

    /// The part of a payment that pays an invoice. Only a new payment gets new parts.
    fn part(
        &mut self,
        object: &str,
        (key, is_new): (PaymentKey, bool),
        payment: &SeedPayment,
        part: &SeedPart,
        owner: &Account,
    ) -> Result<(), Refusal> {
        let amount = units(owner.currency, object, "applied", part.amount)?;
        let invoice = self.invoice_of(object, part, owner)?;
        if !is_new {
            let parts: Vec<Part> = self.unit.all(&PART_BY_PAYMENT, &[key.stored()])?;
            let stored = parts.iter().find(|one| one.invoice == invoice.key);
            let shown = |amount| format!("{}: {}", part.invoice, owner.currency.format(amount));
            let (stored, seeded) = (or_none(stored.map(|one| shown(one.amount))), shown(amount));
            return match stored == seeded {
                true => Ok(()),
                false => Err(differs(object, ("applied", stored, seeded))),
            };
        }
        self.add_part(object, (key, payment), (&invoice, part, amount), owner)
    }

    fn add_part(
        &mut self,
        object: &str,
        (key, payment): (PaymentKey, &SeedPayment),
        (invoice, part, amount): (&Invoice, &SeedPart, MinorUnits),
        owner: &Account,
    ) -> Result<(), Refusal> {
        if invoice.amount <= MinorUnits::ZERO {
            let why = "is no invoice that can be paid: its amount is not above 0";
            return Err(unfit(object, "applied", &part.invoice, why));
        }
        let id = stable_id(&format!("invoice payment:{}:{}", payment.id, invoice.id));
        let created = self.beginning_of(payment.effective_date);
        let part_key = PartKey(self.unit.next_key::<Part>()?);
        self.unit.insert(Part {
            key: part_key,
            id,
            invoice: invoice.key,
            payment: key,
            amount,
            moved: MinorUnits::ZERO,
            refunded: MinorUnits::ZERO,
            created_by: None,
            created_ms: created,
            updated_ms: created,
            custom: None,
        })?;
        self.unit.change::<Payment>(&(key,), |payment| {
            payment.applied = MinorUnits::new(payment.applied.units() + amount.units());
        })?;
        let parts: Vec<Part> = self.unit.all(&PART_BY_INVOICE, &[invoice.key.stored()])?;
        let paid: i64 = parts.iter().map(|one| one.amount.units() - one.refunded.units()).sum();
        let covered = invoice.amount.units() - invoice.balance.units();
        if paid > covered {
            let shown = |units| owner.currency.format(MinorUnits::new(units));
            let (paid, covered) = (shown(paid), shown(covered));
            let why =
                format!("has {paid} applied to it, but its balance leaves room for {covered}");
            return Err(unfit(object, "applied", &part.invoice, &why));
        }
        Ok(())
    }

    /// The method of a payment, which has to be the account's or that of none, and one that a
    /// gateway can be paid by if the payment is electronic.
    fn method_of(
        &mut self,
        object: &str,
        payment: &SeedPayment,
        owner: &Account,
    ) -> Result<Option<Method>, Refusal> {
        let Some(id) = &payment.payment_method else { return Ok(None) };
        let key = "payment_method";
        let method: Option<Method> = self.unit.find(&METHOD_BY_ID, &[id.stored()])?;
        let method = method.ok_or_else(|| dangling(object, key, id.as_str()))?;
        if method.account.is_some_and(|account| account != owner.key) {
            return Err(unfit(object, key, id.as_str(), "belongs to another account"));
        }
        let method_type = method.method_type.0;
        if payment.payment_type == PaymentType::Electronic && !method_type.is_electronic() {
            let why = format!("is of type {}, which no gateway can be paid by", method_type.name());
            return Err(unfit(object, key, id.as_str(), &why));
        }
        Ok(Some(method))
    }
}
