-- What the nodes of one ledger know of each other, and which programs may still write.
--
-- Moments are milliseconds by this server's clock. The tables are unlogged: they are empty after a
-- crash of the server and on a standby that is promoted, and nothing false follows from that.

-- The oldest schema whose programs may still write. Each batch reads it, so that a program that is
-- too old stops at once.
alter table turn add column oldest bigint not null default 1 check (oldest > 0);

-- The processes that serve or work on the ledger. One whose moment has passed is gone.
create unlogged table node (
    id bytea primary key check (length(id) = 16),
    name text collate "C" not null,
    -- The schema that its program knows.
    schema bigint not null,
    ends_ms bigint not null
) with (fillfactor = 50);

-- What one node at a time deals with: its owner's until it is free, or until its owner is gone.
create unlogged table lease (
    kind text collate "C" not null,
    name text collate "C" not null,
    owner bytea not null check (length(owner) = 16),
    free_since_ms bigint,
    primary key (kind, name)
) with (fillfactor = 50);

-- Wrong passwords, as long as they may count against another attempt.
create unlogged table wrong_login (
    name bytea not null check (length(name) = 32),
    address text collate "C" not null,
    at_ms bigint not null
);
create index wrong_login_of_pair on wrong_login (name, address, at_ms);
create index wrong_login_of_address on wrong_login (address, at_ms);
create index wrong_login_by_age on wrong_login (at_ms);
