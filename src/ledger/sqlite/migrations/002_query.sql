-- What queries need: the refunds and the methods of an account, and the places where page sets stand.

create index refund_by_account on refund (account);
create index payment_method_by_account on payment_method (account);

-- A query whose results do not fit one page. The set ends at the newest row of its first page's
-- moment; the conditions are JSON of the program's own making.
create table query_locator (
    id blob primary key check (length(id) = 16),
    user integer not null references user (key),
    query text not null,
    newest integer not null,
    size integer not null check (size >= 0),
    last_used_ms integer not null
) strict, without rowid;
create index query_locator_by_last_use on query_locator (last_used_ms);
create index query_locator_by_user on query_locator (user, last_used_ms);

-- After which row the page at an offset begins, so that a change to earlier rows never moves it.
create table query_mark (
    locator blob not null references query_locator (id) on delete cascade,
    at_offset integer not null check (at_offset > 0),
    after_key integer not null,
    primary key (locator, at_offset)
) strict, without rowid;
