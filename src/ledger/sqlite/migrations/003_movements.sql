-- Refunds of payments beside those of credit balances, and entries that adjustments make beside
-- those that refunds make. The columns say what may be there; who fills them is in the code.

alter table account add column custom text;
alter table payment_method add column custom text;

-- What clients set on accounts and methods. `kept` are values that are only kept and given back, a
-- JSON object by the names of their fields: of a card or a bank account, never more than a mask.
alter table account add column status text not null default 'Active'
    check (status in ('Draft', 'Active', 'Canceled'));
alter table account add column kept text not null default '{}';
alter table account add column created_by integer references user (key);
alter table account add column created_ms integer;
alter table account add column updated_by integer references user (key);
alter table account add column updated_ms integer;
alter table payment_method add column kept text not null default '{}';
alter table payment_method add column created_by integer references user (key);
alter table payment_method add column created_ms integer;
alter table payment_method add column updated_by integer references user (key);
alter table payment_method add column updated_ms integer;
-- Who has it as the default, and what used it, is asked when a method is to be deleted.
create index account_by_default_method on account (default_payment_method)
    where default_payment_method is not null;

-- What customers were asked for. A negative invoice owes the customer, and can feed a credit
-- balance. `opening` is the balance that it began with.
create table invoice (
    key integer primary key,
    id text not null unique check (length(id) = 32),
    number text not null unique,
    account integer not null references account (key),
    date text not null check (length(date) = 10),
    amount integer not null,
    opening integer not null check (opening between min(0, amount) and max(0, amount)),
    balance integer not null check (balance between min(0, amount) and max(0, amount)),
    created_ms integer not null,
    updated_ms integer not null,
    custom text
) strict;
create index invoice_by_account on invoice (account);

-- What customers paid. `refunded` is what refunds gave back or hold.
create table payment (
    key integer primary key,
    id text not null unique check (length(id) = 32),
    number text not null unique,
    account integer not null references account (key),
    type text not null check (type in ('External', 'Electronic')),
    status text not null check (status in ('Processed', 'Canceled', 'Voided')),
    amount integer not null check (amount > 0),
    refunded integer not null check (refunded between 0 and amount),
    -- What of it became credit balance (an overpayment), by adjustments.
    to_credit_balance integer not null check (to_credit_balance between 0 and amount),
    effective_date text not null check (length(effective_date) = 10),
    payment_method integer references payment_method (key),
    gateway text,
    is_settled integer not null check (is_settled in (0, 1)),
    reference_id text,
    comment text,
    kept text not null default '{}',
    created_by integer references user (key),
    created_ms integer not null,
    updated_by integer references user (key),
    updated_ms integer not null,
    custom text
) strict;
create index payment_by_account on payment (account);
create index payment_by_method on payment (payment_method) where payment_method is not null;

-- Which part of a payment pays which invoice.
create table invoice_payment (
    key integer primary key,
    id text not null unique check (length(id) = 32),
    invoice integer not null references invoice (key),
    payment integer not null references payment (key),
    amount integer not null check (amount > 0),
    refunded integer not null check (refunded between 0 and amount),
    created_by integer references user (key),
    created_ms integer not null,
    updated_ms integer not null,
    custom text,
    unique (payment, invoice)
) strict;
create index invoice_payment_by_invoice on invoice_payment (invoice);

-- The same refunds, with what a referenced one needs.
--
-- Every check against more than two texts is a chain here, not `in (…)`: of such a list SQLite builds
-- a table for each row that is written, and the lists of `refund` and `entry` took half of the time
-- that a refund's statements take.
create table plain_entry as select * from entry;
drop table entry;
create table wider_refund (
    number integer primary key,
    created_ms integer not null,
    salt integer not null check (salt between 0 and 16777215),
    account integer not null references account (key),
    amount integer not null check (amount > 0),
    type text not null check (type in ('External', 'Electronic')),
    source_type text not null check (source_type in ('Payment', 'CreditBalance')),
    method_type text not null,
    payment_method integer references payment_method (key),
    status text not null check (status = 'Processed' or status = 'Processing'
        or status = 'Error' or status = 'Canceled'),
    refund_date text not null check (length(refund_date) = 10),
    comment text,
    reason_code text,
    soft_descriptor text,
    soft_descriptor_phone text,
    created_by integer not null references user (key),
    updated_ms integer,
    gateway text,
    gateway_options text, -- a JSON array
    gateway_state text,
    gateway_response text,
    gateway_response_code text,
    reference_id text,
    submitted_ms integer,
    -- A referenced refund gives back a payment, and only it does.
    payment integer references payment (key),
    cancelled_ms integer,
    settled_ms integer,
    second_reference_id text,
    transferred_to_accounting text,
    -- Who changed it last; null as long as only its creator and its gateway have.
    updated_by integer references user (key),
    -- Values of custom fields, a JSON object by their names.
    custom text,
    -- Its first entry in the ledger, so that an account's movements are found through its refunds.
    entry integer,
    check ((payment is not null) = (source_type = 'Payment')),
    check (type = 'External' or (gateway is not null and payment_method is not null)),
    check (status <> 'Processing' or type = 'Electronic')
) strict;
insert into wider_refund (number, created_ms, salt, account, amount, type, source_type,
        method_type, payment_method, status, refund_date, comment, reason_code, soft_descriptor,
        soft_descriptor_phone, created_by, updated_ms, gateway, gateway_options, gateway_state,
        gateway_response, gateway_response_code, reference_id, submitted_ms, entry)
    select number, created_ms, salt, account, amount, type, source_type,
        method_type, payment_method, status, refund_date, comment, reason_code, soft_descriptor,
        soft_descriptor_phone, created_by, updated_ms, gateway, gateway_options, gateway_state,
        gateway_response, gateway_response_code, reference_id, submitted_ms, first.key
    from refund left join (
        select refund, min(key) as key from plain_entry where kind in ('refund', 'hold')
        group by refund
    ) as first on first.refund = refund.number;
drop table refund;
alter table wider_refund rename to refund;
-- Few refunds are ever in Processing; finding them must not read the others.
create index refund_in_processing on refund (number) where status = 'Processing';
create index refund_by_account on refund (account);
create index refund_by_payment on refund (payment) where payment is not null;
create index refund_by_payment_method on refund (payment_method)
    where payment_method is not null;

-- Which part of a refund takes back which part of its payment.
create table refund_invoice_payment (
    key integer primary key,
    refund integer not null references refund (number) on delete cascade,
    invoice_payment integer not null references invoice_payment (key),
    amount integer not null check (amount > 0),
    created_ms integer not null,
    updated_ms integer not null
) strict;
create index refund_invoice_payment_by_refund on refund_invoice_payment (refund);
create index refund_invoice_payment_by_part on refund_invoice_payment (invoice_payment);

-- An adjustment of a credit balance that somebody asked for. Those that refunds make are not here:
-- they are their refund's entry. Its first entry is its number and its id.
create table adjustment (
    key integer primary key,
    account integer not null references account (key),
    type text not null check (type in ('Increase', 'Decrease')),
    amount integer not null check (amount > 0),
    invoice integer references invoice (key),
    payment integer references payment (key),
    status text not null check (status in ('Processed', 'Canceled')),
    adjustment_date text not null check (length(adjustment_date) = 10),
    accounting_code text,
    comment text,
    reason_code text,
    reference_id text,
    transferred_to_accounting text,
    created_by integer not null references user (key),
    created_ms integer not null,
    updated_by integer references user (key),
    updated_ms integer not null,
    cancelled_ms integer,
    custom text,
    check ((invoice is null) = (payment is not null))
) strict;
create index adjustment_by_account on adjustment (account);
create index adjustment_by_invoice on adjustment (invoice) where invoice is not null;
create index adjustment_by_payment on adjustment (payment) where payment is not null;

-- Fields that the tenant declared for an object, by the seed.
create table custom_field (
    object text not null,
    name text not null,
    type text not null check (type in ('string', 'decimal', 'boolean', 'date')),
    length integer,
    is_required integer not null check (is_required in (0, 1)),
    is_advanced integer not null check (is_advanced in (0, 1)),
    primary key (object, name)
) strict, without rowid;

-- The same entries, which may now come from an adjustment as well as from a refund.
create table entry (
    key integer primary key,
    account integer not null references account (key),
    kind text not null,
    delta integer not null check (delta <> 0),
    balance integer not null check (balance >= 0),
    refund integer references refund (number),
    adjustment integer references adjustment (key),
    at_ms integer not null,
    -- Refunds take; a release or a compensation gives back. A cancellation turns either way.
    check (
        ((kind = 'refund' or kind = 'hold') and refund is not null and delta < 0)
        or ((kind = 'release' or kind = 'compensation') and refund is not null and delta > 0)
        or (kind = 'increase' and refund is null and delta > 0)
        or (kind = 'decrease' and refund is null and delta < 0)
        or (kind = 'cancellation' and refund is null)
    ),
    check ((refund is null) = (adjustment is not null))
) strict;
insert into entry (key, account, kind, delta, balance, refund, at_ms)
    select key, account, kind, delta, balance, refund, at_ms from plain_entry;
drop table plain_entry;
-- Few entries have to be found from what made them; the rest pay for no index.
-- What a refund took is given back once at most.
create unique index entry_giving_back on entry (refund) where kind in ('release', 'compensation');
create index entry_by_adjustment on entry (adjustment) where adjustment is not null;

create trigger entry_is_never_updated before update on entry
begin
    select raise(abort, 'ledger entries are never updated');
end;

create trigger entry_is_never_deleted before delete on entry
begin
    select raise(abort, 'ledger entries are never deleted');
end;
