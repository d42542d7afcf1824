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
    kind text not null check (kind = 'refund' or kind = 'inquiry' or kind = 'settlement'
        or kind = 'operator'),
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
    -- How many exchanges brought no verdict.
    attempts integer not null check (attempts >= 0),
    -- Null when nobody asks any more and an operator has to settle it.
    next_ms integer
) strict;
create index inquiry_by_time on inquiry (next_ms) where next_ms is not null;
insert into inquiry (refund, first_sent_ms, attempts, next_ms)
    select number, created_ms, 0, created_ms from refund where status = 'Processing';

-- When the money of a refund was put back because its gateway rejected it after all.
alter table refund add column compensated_ms integer
    check (compensated_ms is null or status = 'Processed');

-- The ids under which gateways' settlements were told, so that each counts once. What was told
-- outlives a refund that was deleted.
create table settlement_event (
    id text primary key,
    refund integer not null,
    gateway_state text not null check (gateway_state in ('Settled', 'FailedToSettle'))
) strict, without rowid;

-- What happened to refunds, for those who listen; in order, and removed by its age.
create table event (
    key integer primary key,
    account integer not null references account (key),
    refund integer not null,
    kind text not null,
    payload text not null,
    at_ms integer not null
) strict;

-- Up to which event each webhook has its deliveries.
create table webhook (
    name text primary key,
    collected integer not null
) strict, without rowid;

-- What a webhook still has to get. Of the events of an account that wait, only the first has a
-- moment, so that they arrive in order. What was given up is kept.
create table delivery (
    webhook text not null,
    event integer not null references event (key),
    account integer not null references account (key),
    attempts integer not null check (attempts >= 0),
    since_ms integer not null,
    next_ms integer,
    last_error text,
    is_given_up integer not null check (is_given_up in (0, 1)),
    primary key (webhook, event),
    check (is_given_up = 0 or next_ms is null)
) strict, without rowid;
create index delivery_by_event on delivery (event);
create index delivery_by_time on delivery (webhook, next_ms) where next_ms is not null;
create index delivery_waiting on delivery (webhook, account, event) where is_given_up = 0;
