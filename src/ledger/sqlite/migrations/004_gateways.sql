-- What an electronic refund's life with its gateway leaves behind.

-- What the sandbox refuses as documented gateways do; null and 0 switch it off.
alter table gateway add column duplicate_window_s integer check (duplicate_window_s > 0);
alter table gateway add column require_settled integer not null default 0
    check (require_settled in (0, 1));
alter table gateway add column refund_window_days integer check (refund_window_days > 0);

-- Every exchange with a gateway about a refund: what RefundTransactionLog shows. Only ever added
-- to; what is told of a refund outlives one that was deleted.
create table exchange (
    key integer primary key,
    refund integer not null,
    gateway text not null,
    kind text not null check (kind in ('refund', 'inquiry', 'settlement', 'operator')),
    gateway_state text not null,
    reason_code text,
    reason_text text,
    reference_id text,
    -- What was sent and received, without secrets.
    request text check (length(cast(request as blob)) <= 4096),
    response text check (length(cast(response as blob)) <= 4096),
    -- Who decided, where no gateway did.
    operator text,
    at_ms integer not null,
    check ((operator is not null) = (kind = 'operator'))
) strict;
create index exchange_by_refund on exchange (refund);

create trigger exchange_is_never_updated before update on exchange
begin
    select raise(abort, 'exchanges are never updated');
end;

create trigger exchange_is_never_deleted before delete on exchange
begin
    select raise(abort, 'exchanges are never deleted');
end;

-- When a refund in Processing is asked about next; the row goes when the refund ends.
create table inquiry (
    refund integer primary key references refund (number) on delete cascade,
    -- Null as long as it is certain that the order never left.
    first_sent_ms integer,
    last_sent_ms integer,
    -- How many exchanges brought no verdict.
    attempts integer not null check (attempts >= 0),
    -- Null when nobody asks any more and an operator has to settle it.
    next_ms integer,
    check ((first_sent_ms is null) = (last_sent_ms is null))
) strict;
create index inquiry_by_time on inquiry (next_ms) where next_ms is not null;
insert into inquiry (refund, first_sent_ms, last_sent_ms, attempts, next_ms)
    select number, created_ms, created_ms, 0, created_ms from refund where status = 'Processing';

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
