//! Adding up what refunds and adjustments did to payments, invoices and credit balances.
//!
//! Each check selects what is wrong and says of it what. Nothing here trusts a stored sum: every
//! one is made again from the rows behind it.

use super::Check;

/// All of them. A refund is live while it is Processed or in Processing, unless it was compensated.
pub(super) const CHECKS: [Check; 20] = [
    Check {
        about: "adjustment",
        select: "select adjustment.key from adjustment left join ( \
                     select adjustment as key, \
                         sum(case when kind = case when delta > 0 then 'increase' \
                             else 'decrease' end then 1 else 0 end) as made, \
                         sum(case when kind = 'cancellation' then 0 else delta end) as moved, \
                         sum(case when kind = 'cancellation' then delta else 0 end) \
                             as taken_back \
                     from entry where adjustment is not null group by adjustment) as entries \
                 on entries.key = adjustment.key \
                 where entries.made is distinct from 1 \
                 or moved is distinct from case when type = 'Increase' then amount \
                     else -amount end \
                 or taken_back is distinct from case when status = 'Canceled' then -moved \
                     else 0 end",
        problem: "its entries do not fit its amount and status",
    },
    Check {
        about: "payment",
        select: "select payment.number from payment where refunded <> ( \
                     select coalesce(sum(refund.amount), 0) from refund \
                     where refund.payment = payment.key \
                     and refund.compensated_ms is null \
                     and refund.status in ('Processed', 'Processing'))",
        problem: "what is refunded of it is not what its refunds took",
    },
    Check {
        about: "payment",
        select: "select payment.number from payment where to_credit_balance <> ( \
                     select coalesce(sum(adjustment.amount), 0) from adjustment \
                     where adjustment.payment = payment.key and adjustment.status = 'Processed')",
        problem: "what became credit balance of it is not what its adjustments took",
    },
    Check {
        about: "payment",
        select: "select payment.number from payment where status = 'Draft' \
                 and (refunded <> 0 or to_credit_balance <> 0 \
                     or exists (select 1 from refund where refund.payment = payment.key) \
                     or exists (select 1 from adjustment where adjustment.payment = payment.key))",
        problem: "it is a draft, and money of it has moved",
    },
    Check {
        about: "payment",
        select: "select payment.number from payment where refunded + to_credit_balance \
                 + draft_credit + ( \
                     select coalesce(sum(part.amount - part.refunded), 0) \
                     from invoice_payment as part where part.payment = payment.key) > amount",
        problem: "its parts, its refunds and its credit balance are more than its amount",
    },
    Check {
        about: "payment",
        select: "select payment.number from payment where applied <> ( \
                     select coalesce(sum(part.amount - part.refunded), 0) \
                     from invoice_payment as part where part.payment = payment.key)",
        problem: "what is applied of it is not what is left of its parts",
    },
    Check {
        about: "credit memo",
        select: "select memo.number from credit_memo as memo where refunded <> ( \
                     select coalesce(sum(refund.amount), 0) from refund_detail as detail \
                     join refund on refund.number = detail.refund \
                     where detail.credit_memo = memo.key and refund.compensated_ms is null \
                     and refund.status in ('Processed', 'Processing'))",
        problem: "what is refunded of it is not what its refunds took",
    },
    Check {
        about: "credit memo",
        select: "select memo.number from credit_memo as memo where applied <> ( \
                     select coalesce(sum(part.amount), 0) from credit_memo_part as part \
                     where part.memo = memo.key)",
        problem: "what is applied of it is not what its parts are",
    },
    Check {
        about: "credit memo",
        select: "select memo.number from credit_memo as memo \
                 where applied < 0 or refunded < 0 or applied + refunded > amount \
                 or (status <> 'Posted' and applied + refunded <> 0)",
        problem: "more is taken of it than it is worth, or it is not posted",
    },
    Check {
        about: "credit memo",
        select: "select memo.number from credit_memo as memo join credit_memo_line as line \
                 on line.memo = memo.key group by memo.key \
                 having sum(line.amount) <> memo.amount",
        problem: "its items and taxes do not add up to its amount",
    },
    Check {
        about: "credit memo item",
        select: "select line.id from credit_memo_line as line where refunded <> ( \
                     select coalesce(sum(taken.amount), 0) \
                     from refund_credit_memo_line as taken \
                     join refund on refund.number = taken.refund \
                     where taken.line = line.key and refund.compensated_ms is null \
                     and refund.status in ('Processed', 'Processing'))",
        problem: "what is refunded of it is not what refunds took",
    },
    Check {
        about: "refund",
        select: "select refund.number from refund \
                 left join refund_detail as detail on detail.refund = refund.number \
                 left join credit_memo as memo on memo.key = detail.credit_memo \
                 where (refund.source_type = 'CreditMemo') <> (detail.credit_memo is not null) \
                 or (memo.key is not null and memo.account <> refund.account)",
        problem: "its credit memo does not fit it, or is another account's",
    },
    Check {
        about: "refund",
        select: "select refund.number from refund_credit_memo_line as taken \
                 join refund_row as refund on refund.number = taken.refund \
                 join credit_memo_line as line on line.key = taken.line \
                 left join refund_detail as detail on detail.refund = refund.number \
                 group by refund.number \
                 having sum(taken.amount) <> refund.amount \
                 or count(*) filter ( \
                     where line.memo is distinct from detail.credit_memo) > 0",
        problem: "its items do not make its amount, or are of another credit memo",
    },
    Check {
        about: "part",
        select: "select invoice.number || ' of ' || payment.number from invoice_payment as part \
                 join invoice on invoice.key = part.invoice \
                 join payment on payment.key = part.payment \
                 where part.refunded <> ( \
                     select coalesce(sum(taken.amount), 0) from refund_invoice_payment as taken \
                     join refund on refund.number = taken.refund \
                     where taken.invoice_payment = part.key \
                     and refund.compensated_ms is null \
                     and refund.status in ('Processed', 'Processing'))",
        problem: "what is refunded of it is not what refunds took",
    },
    Check {
        about: "refund",
        select: "select refund.number from refund_invoice_payment as taken \
                 join refund_row as refund on refund.number = taken.refund \
                 join invoice_payment as part on part.key = taken.invoice_payment \
                 group by refund.number \
                 having sum(taken.amount) > refund.amount \
                 or count(*) filter (where part.payment is distinct from refund.payment) > 0",
        problem: "its parts are more than its amount, or of another payment",
    },
    Check {
        about: "invoice",
        // What a seed applied is in the opening balance already, and has no creator; what
        // was moved of it since is not. A payment that was taken back pays nothing.
        select: "select invoice.number from invoice where balance <> opening - ( \
                     select coalesce(sum( \
                         case when payment.status = 'Processed' then part.amount else 0 end \
                         - case when part.created_by is null \
                             then part.amount - part.moved else 0 end), 0) \
                     from invoice_payment as part join payment on payment.key = part.payment \
                     where part.invoice = invoice.key) - ( \
                     select coalesce(sum(part.amount - part.seeded), 0) \
                     from credit_memo_part as part where part.invoice = invoice.key) + ( \
                     select coalesce(sum(taken.amount), 0) from refund_invoice_payment as taken \
                     join refund on refund.number = taken.refund \
                     join invoice_payment as part on part.key = taken.invoice_payment \
                     where part.invoice = invoice.key and refund.status = 'Processed' \
                     and refund.compensated_ms is null) + ( \
                     select coalesce(sum(case when adjustment.type = 'Increase' \
                         then adjustment.amount else -adjustment.amount end), 0) \
                     from adjustment \
                     where adjustment.invoice = invoice.key \
                     and adjustment.status = 'Processed') + ( \
                     select coalesce(sum(case when made.type = 'Charge' then made.amount \
                         else -made.amount end), 0) \
                     from invoice_adjustment as made \
                     where made.invoice = invoice.key and made.status = 'Processed')",
        problem: "its balance is not what payments, refunds and adjustments made of it",
    },
    Check {
        about: "invoice",
        select: "select invoice.number from invoice join invoice_line as line \
                 on line.invoice = invoice.key group by invoice.key \
                 having sum(line.amount) <> invoice.amount",
        problem: "its items and taxes do not add up to its amount",
    },
    Check {
        about: "invoice item",
        select: "select line.id from invoice_line as line join invoice_adjustment as made \
                 on made.line = line.key where made.type = 'Credit' and made.status = 'Processed' \
                 group by line.key having sum(made.amount) > line.amount",
        problem: "credits took more off it than its amount",
    },
    Check {
        about: "adjustment",
        select: "select made.number from invoice_adjustment as made \
                 join invoice_line as line on line.key = made.line \
                 where line.invoice <> made.invoice",
        problem: "the item that it adjusts is another invoice's",
    },
    Check {
        about: "refund",
        select: "select refund.number from refund \
                 join payment on payment.key = refund.payment \
                 where refund.account <> payment.account",
        problem: "its payment is another account's",
    },
];
