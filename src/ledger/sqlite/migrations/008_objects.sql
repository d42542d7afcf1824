-- Accounts below others, the tenant's own payment methods, payments that are still drafts, and when
-- and by whom everything was made.

-- The account that one belongs below.
alter table account add column parent integer references account (key);
create index account_by_parent on account (parent) where parent is not null;
-- Since when the opening balance is there; null where nobody said.
alter table account add column opened text check (length(opened) = 10);

-- What a seed made before seeds said when: since the first thing that happened here, if anything
-- did, and else since now. Nobody made it, and that is what null says.
update account set created_ms = coalesce((select min(at_ms) from entry),
    (select min(created_ms) from refund), cast(unixepoch('subsec') * 1000 as integer))
    where created_ms is null;
update account set updated_ms = created_ms where updated_ms is null;
update payment_method set created_ms = coalesce((select min(at_ms) from entry),
    (select min(created_ms) from refund), cast(unixepoch('subsec') * 1000 as integer))
    where created_ms is null;
update payment_method set updated_ms = created_ms where updated_ms is null;

-- The methods that every tenant has. They belong to no account, have the same ids in every ledger,
-- and were there before it was (2007-01-01 of the Pacific), so that ledgers compare.
insert into payment_method (id, type, status, kept, created_ms, updated_ms) values
    ('c734069ef291f62717f7c390e0c0fd55', 'Check', 'Active', '{"Name":"Check"}',
        1167638400000, 1167638400000),
    ('61934f5aff784a1a2b6ab4bd8ae646ca', 'Cash', 'Active', '{"Name":"Cash"}',
        1167638400000, 1167638400000),
    ('2983abc7c19b8d4b0ae3c07a041a7138', 'WireTransfer', 'Active', '{"Name":"WireTransfer"}',
        1167638400000, 1167638400000),
    ('1c629c8e55a26b654b5c193df7bffcbf', 'Other', 'Active', '{"Name":"Other"}',
        1167638400000, 1167638400000);

-- A payment may be a draft, which has moved nothing yet. Only a check of the table changes, so its
-- text is replaced, as SQLite documents it; other tables refer to this one, which forbids a copy.
pragma writable_schema = on;
update sqlite_schema set sql = replace(sql,
    'check (status in (''Processed'', ''Canceled'', ''Voided''))',
    'check (status = ''Processed'' or status = ''Draft'' or status = ''Canceled'' or status = ''Voided'')')
    where type = 'table' and name = 'payment';
pragma writable_schema = reset;
-- What of a draft becomes credit balance once it is Processed.
alter table payment add column draft_credit integer not null default 0
    check (draft_credit >= 0 and (draft_credit = 0 or status = 'Draft'));
