-- What an electronic refund's life with its gateway leaves behind.

-- Every exchange with a gateway about a refund: what RefundTransactionLog shows. Only ever added
-- to; what is told of a refund outlives one that was deleted.
create table exchange (
    key integer primary key,
    refund integer not null,
    gateway text not null,
    kind text not null check (kind in ('refund', 'inquiry', 'settlement', 'operator')),
    gateway_state text,
    reason_code text,
    reason_text text,
    reference_id text,
    request text,
    response text,
    at_ms integer not null
) strict;
create index exchange_by_refund on exchange (refund);

-- When a refund in Processing is asked about next; the row goes when the refund ends.
create table inquiry (
    refund integer primary key references refund (number) on delete cascade,
    first_sent_ms integer,
    last_sent_ms integer,
    attempts integer not null check (attempts >= 0),
    next_ms integer not null
) strict;
create index inquiry_by_time on inquiry (next_ms);

-- What happened to refunds, for those who listen; in order, and kept until delivered.
create table event (
    key integer primary key,
    account integer not null references account (key),
    refund integer not null,
    kind text not null,
    payload text not null,
    at_ms integer not null
) strict;
create index event_by_account on event (account, key);

-- How far each webhook has come, by account, so that its events arrive in order.
create table delivery (
    webhook text not null,
    account integer not null references account (key),
    event integer not null references event (key),
    attempts integer not null check (attempts >= 0),
    next_ms integer not null,
    primary key (webhook, account)
) strict, without rowid;
create index delivery_by_time on delivery (next_ms);
