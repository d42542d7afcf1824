-- Credit memos, unapplied payments, and what only the refunds of these have.

-- What of a payment pays invoices: the sum of what is left of its parts. What is neither applied nor
-- refunded, nor became credit balance, is unapplied, and never below zero.
alter table payment add column applied integer not null default 0
    check (applied >= 0 and applied + refunded + to_credit_balance + draft_credit <= amount);
update payment set applied = (
    select coalesce(sum(part.amount - part.refunded), 0) from invoice_payment as part
    where part.payment = payment.key);

-- A part that was unapplied as a whole stays, because refunds that ended may refer to it. Only the
-- check of the table changes, so its text is replaced, as SQLite documents it.
pragma writable_schema = on;
update sqlite_schema set sql = replace(sql,
    'amount integer not null check (amount > 0)', 'amount integer not null check (amount >= 0)')
    where type = 'table' and name = 'invoice_payment';
pragma writable_schema = reset;
-- What was applied and unapplied of it since it was made.
alter table invoice_payment add column moved integer not null default 0;

-- A credit memo. What is neither applied nor refunded is unapplied.
create table credit_memo (
    key integer primary key,
    id text not null unique check (length(id) = 32),
    number text not null unique,
    account integer not null references account_row (key),
    date text not null check (length(date) = 10),
    status text not null check (status = 'Draft' or status = 'Posted' or status = 'Canceled'),
    amount integer not null check (amount > 0),
    applied integer not null check (applied >= 0),
    refunded integer not null check (refunded >= 0),
    comment text,
    reason_code text,
    created_by integer references user (key),
    created_ms integer not null,
    updated_by integer references user (key),
    updated_ms integer not null,
    posted_by integer references user (key),
    posted_ms integer,
    cancelled_ms integer,
    constraint never_more_than_it_is_worth check (applied + refunded <= amount),
    check (status = 'Posted' or applied + refunded = 0)
) strict;
create index credit_memo_by_account on credit_memo (account);

-- What it is for, line by line: items, and the taxes on them, each with an id of its own.
create table credit_memo_line (
    key integer primary key,
    id text not null unique check (length(id) = 32),
    memo integer not null references credit_memo (key),
    -- Of a tax, the item that it is on; null for an item.
    item integer references credit_memo_line (key),
    name text,
    amount integer not null check (amount > 0),
    refunded integer not null check (refunded between 0 and amount),
    created_ms integer not null,
    updated_ms integer not null
) strict;
create index credit_memo_line_by_memo on credit_memo_line (memo);
create index credit_memo_line_by_item on credit_memo_line (item) where item is not null;

-- What of it is applied to which invoice; zero once all came back. What a seed applied is in the
-- invoice's opening balance already, and `seeded` says how much that was.
create table credit_memo_part (
    key integer primary key,
    memo integer not null references credit_memo (key),
    invoice integer not null references invoice (key),
    amount integer not null check (amount >= 0),
    seeded integer not null default 0 check (seeded >= 0),
    created_ms integer not null,
    updated_ms integer not null,
    unique (memo, invoice)
) strict;
create index credit_memo_part_by_invoice on credit_memo_part (invoice);

-- A payment method as it was when a refund went to it.
create table payment_method_snapshot (
    key integer primary key,
    id text not null unique check (length(id) = 32),
    method integer not null references payment_method (key),
    type text not null,
    status text not null,
    gateway text,
    kept text not null,
    created_ms integer not null
) strict;
create index payment_method_snapshot_by_method on payment_method_snapshot (method);

-- What only refunds by the v1 operations have, beside their row.
create table refund_detail (
    refund integer primary key references refund_row (number) on delete cascade,
    credit_memo integer references credit_memo (key),
    snapshot integer references payment_method_snapshot (key),
    transaction_type text check (transaction_type = 'Chargeback'
        or transaction_type = 'PaymentReversal'),
    reconciliation_status text,
    reconciliation_reason text,
    payout_id text,
    notes text not null, -- a JSON object: accounting codes, fields for NetSuite
    rates text -- a JSON array
) strict;
create index refund_detail_by_memo on refund_detail (credit_memo) where credit_memo is not null;
create index refund_detail_by_snapshot on refund_detail (snapshot) where snapshot is not null;

-- What a refund takes of which item or tax of its credit memo.
create table refund_credit_memo_line (
    key integer primary key,
    refund integer not null references refund_row (number) on delete cascade,
    line integer not null references credit_memo_line (key),
    amount integer not null check (amount > 0),
    created_ms integer not null
) strict;
create index refund_credit_memo_line_by_refund on refund_credit_memo_line (refund);
create index refund_credit_memo_line_by_line on refund_credit_memo_line (line);

-- By which id and number clients of the v1 operations know a gateway.
create table gateway_identity (
    name text primary key,
    id text not null unique check (length(id) = 32),
    number text not null unique
) strict, without rowid;

-- The same view, which knows refunds of credit memos.
drop view refund;
create view refund as
    select number, created_ms, salt, account, previous, amount,
        iif(type = 0, 'External', 'Electronic') as type,
        case source_type when 0 then 'Payment' when 1 then 'CreditBalance'
            when 2 then 'CreditMemo' end as source_type,
        case method_type when 0 then 'ACH' when 1 then 'BankTransfer' when 2 then 'Cash'
            when 3 then 'Check' when 4 then 'CreditCard'
            when 5 then 'CreditCardReferenceTransaction' when 6 then 'DebitCard'
            when 7 then 'Other' when 8 then 'PayPal' when 9 then 'WireTransfer' end as method_type,
        payment_method,
        case status when 0 then 'Processed' when 1 then 'Processing' when 2 then 'Error'
            when 3 then 'Canceled' end as status,
        date(refund_day * 86400, 'unixepoch') as refund_date,
        created_by, audit,
        case method_choice when 0 then 'named' when 1 then 'default' when 2 then 'payment'
            when 3 then 'type' end as method_choice,
        source_before, entry, payment, comment, reason_code, soft_descriptor,
        soft_descriptor_phone, gateway, gateway_options,
        case gateway_state when 0 then 'MarkedForSubmission' when 1 then 'Submitted'
            when 2 then 'NotSubmitted' when 3 then 'Settled' when 4 then 'FailedToSettle' end
            as gateway_state,
        gateway_response, gateway_response_code, reference_id, second_reference_id, submitted_ms,
        settled_ms, cancelled_ms, compensated_ms, updated_ms, updated_by,
        transferred_to_accounting, custom
    from refund_row;
