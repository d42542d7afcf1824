-- Lines of invoices, and adjustments of invoices and of their lines.

-- A Charge raises the balance of an invoice above its amount, so only a negative invoice has an
-- upper bound: zero. The column is made anew, because a check cannot be changed; its default is
-- for the rows that were there, and every insert names a balance.
alter table invoice add column adjusted_balance integer not null default 0
    check (adjusted_balance >= min(0, amount) and (amount >= 0 or adjusted_balance <= 0));
update invoice set adjusted_balance = balance;
alter table invoice drop column balance;
alter table invoice rename column adjusted_balance to balance;

-- What an invoice asks for, line by line: charges, and the tax on them, each with an id of its own.
create table invoice_line (
    key integer primary key,
    id text not null unique check (length(id) = 32),
    invoice integer not null references invoice (key),
    -- Of a tax, the charge that it is on; null for a charge.
    item integer references invoice_line (key),
    name text,
    amount integer not null,
    created_ms integer not null
) strict;
create index invoice_line_by_invoice on invoice_line (invoice);
create index invoice_line_by_item on invoice_line (item) where item is not null;

-- An adjustment of an invoice (line is null) or of one of its lines.
create table invoice_adjustment (
    key integer primary key,
    id text not null unique check (length(id) = 32),
    number text not null unique,
    invoice integer not null references invoice (key),
    line integer references invoice_line (key),
    type text not null check (type in ('Credit', 'Charge')),
    amount integer not null check (amount > 0),
    status text not null check (status in ('Processed', 'Canceled')),
    adjustment_date text not null check (length(adjustment_date) = 10),
    accounting_code text,
    comment text,
    reason_code text,
    reference_id text,
    transferred_to_accounting text,
    created_by integer not null references user (key),
    created_ms integer not null,
    updated_by integer not null references user (key),
    updated_ms integer not null,
    cancelled_by integer references user (key),
    cancelled_ms integer,
    custom text,
    check ((status = 'Canceled') = (cancelled_ms is not null)),
    check ((status = 'Canceled') = (cancelled_by is not null))
) strict;
create index invoice_adjustment_by_invoice on invoice_adjustment (invoice);
create index invoice_adjustment_by_line on invoice_adjustment (line) where line is not null;
