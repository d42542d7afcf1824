//! Adding up what was sent to gateways against what they collected.
//!
//! Nothing here trusts the counter: what was sent is added up from its rows, and those are compared
//! with the refunds that there are. What a deleted refund sent is known by its rows alone.

use super::rows::known;
use super::sending;
use crate::domain::money::{Currency, MinorUnits};
use crate::ledger::audit::Findings;
use rusqlite::Connection;

/// What selects those for which a check fails, what they are, and what that means.
const CHECKS: [[&str; 3]; 5] = [
    [
        "reference",
        "select collected.reference || ' at ' || collected.gateway from collected left join ( \
             select reference, gateway, sum(iif(kind = 'sent', amount, -amount)) as sent \
             from sending group by reference, gateway) as gone \
         on gone.reference = collected.reference and gone.gateway = collected.gateway \
         where collected.sent <> coalesce(gone.sent, 0)",
        "what was sent against it is not what its rows add up to",
    ],
    [
        "reference",
        "select distinct reference || ' at ' || gateway from sending where not exists ( \
             select 1 from collected where collected.reference = sending.reference \
             and collected.gateway = sending.gateway) \
         and refund in (select refund from sending group by refund having count(*) = 1)",
        "was sent against, and nothing was collected under it",
    ],
    [
        "refund",
        // Of refunds that nothing was sent for and that give back no payment, nothing is expected.
        "select printf('R-%08d', refund.number) from ( \
             select refund as number from sending \
             union select number from refund where payment is not null) as named \
         join refund on refund.number = named.number left join ( \
             select refund, sum(iif(kind = 'sent', amount, -amount)) as net from sending \
             group by refund) as gone on gone.refund = refund.number \
         where coalesce(gone.net, 0) <> iif(refund.type = 'External' or refund.payment is null \
             or refund.status = 'Error' or refund.compensated_ms is not null, 0, refund.amount)",
        "what was sent against its payment does not fit its amount and status",
    ],
    [
        "payment",
        // A draft, and one that was given up, was never collected.
        "select number from payment where type = 'Electronic' and gateway is not null \
         and status <> 'Draft' and status <> 'Canceled' and not exists ( \
             select 1 from collected where collected.gateway = payment.gateway \
             and collected.reference = gateway_reference(coalesce(reference_id, number)))",
        "its gateway collected nothing under its reference",
    ],
    [
        "payment",
        "select payment.number from collected join payment on payment.key = collected.payment \
         where payment.amount <> collected.amount or payment.gateway is not collected.gateway \
         or gateway_reference(coalesce(reference_id, number)) <> collected.reference",
        "what its gateway collected is not what it says",
    ],
];

/// Complains about everything that does not add up, and about money that was sent and had never
/// been collected.
pub(super) fn check(connection: &Connection, findings: &mut Findings) -> rusqlite::Result<()> {
    sending::add_function(connection)?;
    for [about, select, problem] in CHECKS {
        let mut statement = connection.prepare(select)?;
        let wrong = statement.query_map([], |row| row.get::<_, String>(0))?;
        for name in wrong {
            findings.complain(format!("{about} {}: {problem}", name?));
        }
    }
    check_excess(connection, findings)
}

/// What ledgers let happen before they kept count.
fn check_excess(connection: &Connection, findings: &mut Findings) -> rusqlite::Result<()> {
    let select = "select reference, collected.gateway, sent, collected.amount, account.currency \
                  from collected join payment on payment.key = collected.payment \
                  join account on account.key = payment.account where sent > collected.amount \
                  order by reference, collected.gateway";
    let mut statement = connection.prepare(select)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (reference, gateway): (String, String) = (row.get(0)?, row.get(1)?);
        let currency = known(row, 4, Currency::from_code)?;
        let [sent, collected] =
            [row.get(2)?, row.get(3)?].map(|units| currency.format(MinorUnits::new(units)));
        findings.complain(format!(
            "reference {reference} at {gateway}: {sent} {} was sent against it, of which \
             {collected} had been collected",
            currency.code()
        ));
    }
    Ok(())
}
