-- The first schema of a ledger. An applied migration is never edited; changes come as new files.
--
-- Keys are integers that never leave the ledger. Amounts are integer minor units of the account's
-- currency, moments are Unix milliseconds, days are texts like 2026-01-02.

-- What the ledger is: its kind, its salt, its counters.
create table meta (
    key text primary key,
    value text not null
) strict, without rowid;

-- Settings of the tenant, by the key of the seed file. A missing key has its default.
create table tenant (
    key text primary key,
    value text not null
) strict, without rowid;

create table user (
    key integer primary key,
    id text not null unique check (length(id) = 32),
    username text not null unique,
    password_hash text not null,
    permissions integer not null check (permissions >= 0)
) strict;

-- A session is known only by the SHA-256 of its token.
create table session (
    token_hash blob primary key check (length(token_hash) = 32),
    user integer not null references user (key),
    last_used_ms integer not null
) strict, without rowid;
create index session_by_last_use on session (last_used_ms);

-- The built-in sandbox exists without a row, as long as no seed configures it.
create table gateway (
    name text primary key,
    active integer not null check (active in (0, 1)),
    non_referenced_refunds integer not null check (non_referenced_refunds in (0, 1)),
    method_types text, -- a JSON array; null means all
    rules text not null -- a JSON array of the sandbox's script
) strict, without rowid;

-- opening + sum of its entries = balance, and never below zero.
create table account (
    key integer primary key,
    id text not null unique check (length(id) = 32),
    number text not null unique,
    name text not null,
    currency text not null check (length(currency) = 3),
    opening integer not null check (opening >= 0),
    balance integer not null check (balance >= 0),
    default_payment_method integer references payment_method (key),
    gateway text
) strict;

create table payment_method (
    key integer primary key,
    id text not null unique check (length(id) = 32),
    account integer references account (key),
    type text not null,
    status text not null,
    gateway text
) strict;

-- The number of a refund is its key. Its id is made of created_ms, salt and number.
create table refund (
    number integer primary key,
    created_ms integer not null,
    salt integer not null check (salt between 0 and 16777215),
    account integer not null references account (key),
    amount integer not null check (amount > 0),
    type text not null check (type in ('External', 'Electronic')),
    source_type text not null check (source_type in ('Payment', 'CreditBalance')),
    method_type text not null,
    payment_method integer references payment_method (key),
    status text not null check (status in ('Processed', 'Processing', 'Error', 'Canceled')),
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
    check (type = 'External' or (gateway is not null and payment_method is not null)),
    check (status <> 'Processing' or type = 'Electronic')
) strict;
-- Few refunds are ever in Processing; finding them must not read the others.
create index refund_in_processing on refund (number) where status = 'Processing';

-- Every movement of a credit balance, with the balance after it. Only ever added to.
create table entry (
    key integer primary key,
    account integer not null references account (key),
    kind text not null check (kind in ('refund', 'hold', 'release')),
    delta integer not null check (delta <> 0),
    balance integer not null check (balance >= 0),
    refund integer not null references refund (number),
    at_ms integer not null,
    check ((kind = 'release') = (delta > 0))
) strict;

create trigger entry_is_never_updated before update on entry
begin
    select raise(abort, 'ledger entries are never updated');
end;

create trigger entry_is_never_deleted before delete on entry
begin
    select raise(abort, 'ledger entries are never deleted');
end;

-- Stored answers, in the transaction of the work that they tell of.
create table idempotency (
    user integer not null references user (key),
    operation text not null,
    key text not null,
    fingerprint blob not null check (length(fingerprint) = 32),
    answer blob not null,
    at_ms integer not null,
    primary key (user, operation, key)
) strict, without rowid;
create index idempotency_by_age on idempotency (at_ms);
