-- The ledger of the peers: what a plain program that makes refunds would keep.
create table session (token text primary key, user text not null) without rowid;
create table account (
    id text primary key,
    balance integer not null check (balance >= 0)
) without rowid;
create table refund (
    number integer primary key,
    id text not null unique,
    account text not null references account (id),
    amount integer not null,
    method_type text not null,
    created_ms integer not null
);
create table entry (
    key integer primary key,
    account text not null references account (id),
    refund integer not null references refund (number),
    delta integer not null,
    balance integer not null
);
