//! Refunds as CSV, page after page.
//!
//! What must stay true: no more than a page is in memory; a file that is not whole is seen to break
//! off; a cell that a spreadsheet would take for a formula begins with an apostrophe; how many
//! files are made at once is bounded.

use crate::console::answer;
use crate::console::form;
use crate::console::refund_rows::{RefundRow, read};
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::{Answered, Console};
use crate::http::{BrokenOff, Part};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::mpsc;

/// How many refunds a page of the export has.
const PAGE_ROWS: &str = "500";
/// How many pages a file has at most: a million refunds.
const PAGES_MAX: u32 = 2_000;

/// The heads of the columns, in the order of [`cells`].
const COLUMNS: [&str; 21] = [
    "Number",
    "Id",
    "Status",
    "Type",
    "SourceType",
    "MethodType",
    "Amount",
    "Currency",
    "RefundDate",
    "AccountId",
    "AccountNumber",
    "AccountName",
    "PaymentNumber",
    "Gateway",
    "GatewayState",
    "GatewayResponseCode",
    "GatewayResponse",
    "ReferenceId",
    "ReasonCode",
    "Comment",
    "CreatedDate",
];

/// The refunds of a query, as a file.
pub(super) async fn csv(console: &Console, visitor: &Visitor, filters: &str) -> Answered {
    let Ok(place) = Arc::clone(&console.exports).try_acquire_owned() else {
        return Err(Trouble::new(503, "Others export already. Try again in a moment."));
    };
    // The first page is read before anything is sent, so that what is wrong can still be said.
    let query = format!("{filters}&limit={PAGE_ROWS}");
    let (inside, act) = (console.inside.clone(), visitor.act(console));
    let mut page = read(&inside, act.clone(), &query).await?;
    let (sender, parts) = mpsc::channel(1);
    tokio::spawn(async move {
        let _place = place;
        let mut head = Some(COLUMNS.map(str::to_owned).to_vec());
        for _ in 0..PAGES_MAX {
            let rows = page.refunds.iter().map(|row| cells(row).map(safe).to_vec());
            if sender.send(written(head.take().into_iter().chain(rows))).await.is_err() {
                return;
            }
            let Some(next) = &page.next else { return };
            let cursor = form::encoded_pairs(&[("cursor", next.clone())]);
            page = match read(&inside, act.clone(), &format!("{query}&{cursor}")).await {
                Ok(page) => page,
                Err(_) => break,
            };
        }
        // The client may be gone, in which case it does not matter.
        let _ = sender.send(Err(BrokenOff)).await;
    });
    Ok(answer::csv("refunds.csv", parts))
}

fn written(rows: impl Iterator<Item = Vec<String>>) -> Part {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    for row in rows {
        writer.write_record(&row).map_err(|_| BrokenOff)?;
    }
    writer.into_inner().map(Bytes::from).map_err(|_| BrokenOff)
}

fn cells(row: &RefundRow) -> [&str; COLUMNS.len()] {
    [
        &row.number,
        &row.id,
        &row.status,
        &row.refund_type,
        &row.source_type,
        &row.method_type,
        &row.amount,
        &row.currency,
        &row.refund_date,
        &row.account,
        &row.account_number,
        &row.account_name,
        any(&row.payment_number),
        any(&row.gateway),
        any(&row.gateway_state),
        any(&row.gateway_response_code),
        any(&row.gateway_response),
        any(&row.reference_id),
        any(&row.reason_code),
        any(&row.comment),
        &row.created,
    ]
}

fn any(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

/// A cell that no spreadsheet takes for a formula.
fn safe(cell: &str) -> String {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_cell_is_one_cell() {
        let rows = [vec![safe("=1+1"), safe("@x"), safe("-5"), safe("a,\"b\"\nc"), safe("12.00")]];
        let text = written(rows.into_iter()).unwrap();
        assert_eq!(text, "'=1+1,'@x,'-5,\"a,\"\"b\"\"\nc\",12.00\r\n");
    }
}
