//! Adding up what was sent to gateways against what they collected.
//!
//! Nothing here trusts the counter: what was sent is added up from its rows, and those are compared
//! with the refunds that there are. What a deleted refund sent is known by its rows alone.

use super::Check;
use crate::domain::money::{Currency, MinorUnits};
use crate::ledger::audit::Findings;
use crate::ledger::books::BooksError;
use crate::ledger::reader::Reader;

/// All of them.
const CHECKS: [Check; 5] = [
    Check {
        about: "reference",
        select: "select collected.reference || ' at ' || collected.gateway from collected \
         left join ( \
             select reference, gateway, \
                 sum(case when kind = 'sent' then amount else -amount end) as sent \
             from sending group by reference, gateway) as gone \
         on gone.reference = collected.reference and gone.gateway = collected.gateway \
         where collected.sent <> coalesce(gone.sent, 0)",
        problem: "what was sent against it is not what its rows add up to",
    },
    Check {
        about: "reference",
        select: "select distinct reference || ' at ' || gateway from sending where not exists ( \
             select 1 from collected where collected.reference = sending.reference \
             and collected.gateway = sending.gateway) \
         and refund in (select refund from sending group by refund having count(*) = 1)",
        problem: "was sent against, and nothing was collected under it",
    },
    Check {
        about: "refund",
        // Of refunds that nothing was sent for and that give back no payment, nothing is expected.
        select: "select refund.number from ( \
             select refund as number from sending \
             union select number from refund where payment is not null) as named \
         join refund on refund.number = named.number left join ( \
             select refund, sum(case when kind = 'sent' then amount else -amount end) as net \
             from sending \
             group by refund) as gone on gone.refund = refund.number \
         where coalesce(gone.net, 0) <> case when refund.type = 'External' \
             or refund.payment is null or refund.status = 'Error' \
             or refund.compensated_ms is not null then 0 else refund.amount end",
        problem: "what was sent against its payment does not fit its amount and status",
    },
    Check {
        about: "payment",
        // A draft, and one that was given up, was never collected.
        select: "select number from payment where type = 'Electronic' and gateway is not null \
         and status <> 'Draft' and status <> 'Canceled' and not exists ( \
             select 1 from collected where collected.gateway = payment.gateway \
             and collected.reference = gateway_reference(coalesce(reference_id, number)))",
        problem: "its gateway collected nothing under its reference",
    },
    Check {
        about: "payment",
        select: "select payment.number from collected \
         join payment on payment.key = collected.payment \
         where payment.amount <> collected.amount \
         or payment.gateway is distinct from collected.gateway \
         or gateway_reference(coalesce(reference_id, number)) <> collected.reference",
        problem: "what its gateway collected is not what it says",
    },
];

/// Complains about everything that does not add up, and about money that was sent and had never
/// been collected.
pub(super) fn check(reader: &mut dyn Reader, findings: &mut Findings) -> Result<(), BooksError> {
    super::run(reader, &CHECKS, findings)?;
    check_excess(reader, findings)
}

/// What ledgers let happen before they kept count.
fn check_excess(reader: &mut dyn Reader, findings: &mut Findings) -> Result<(), BooksError> {
    let select = "select reference, collected.gateway, sent, collected.amount, account.currency \
                  from collected join payment on payment.key = collected.payment \
                  join account on account.key = payment.account where sent > collected.amount \
                  order by reference, collected.gateway";
    reader.each(select, &[], |row| {
        let (reference, gateway): (String, String) = (row.get(0)?, row.get(1)?);
        let currency: Currency = row.get(4)?;
        let (sent, collected): (MinorUnits, MinorUnits) = (row.get(2)?, row.get(3)?);
        let (sent, collected) = (currency.format(sent), currency.format(collected));
        findings.complain(format!(
            "reference {reference} at {gateway}: {sent} {} was sent against it, of which \
             {collected} had been collected",
            currency.code()
        ));
        Ok(())
    })
}
