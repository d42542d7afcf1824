-- Narrow rows for what every refund writes, and views by the old names for what reads them.
--
-- A refund writes three rows at the end of three tables and changes one narrow balance; nothing is
-- written in an order of its own, so that a commit touches few pages. Texts of closed sets are
-- codes here, in the order of the program's own lists, and days are counted from 1970-01-01. What
-- the checks and the foreign keys of the wide tables repeated is guarded by the program before it
-- writes, and by `check`.

-- Accounts keep what seldom changes. What every refund changes stands beside them: the credit
-- balance, the entry that made it what it is, and the newest refund, from which each refund leads to
-- the account's one before it.
create table balance (
    account integer primary key,
    units integer not null check (units >= 0),
    newest_entry integer,
    newest_refund integer
) strict;
insert into balance (account, units, newest_entry, newest_refund)
    select key, balance, (
        select max(entry.key) from entry where entry.account = account.key
    ), (
        select max(refund.number) from refund where refund.account = account.key
    ) from account;
alter table account drop column balance;
alter table account rename to account_row;

create table refund_row (
    number integer primary key,
    created_ms integer not null,
    salt integer not null,
    account integer not null,
    -- The number of the account's refund before this one.
    previous integer,
    amount integer not null,
    type integer not null,
    source_type integer not null,
    method_type integer not null,
    payment_method integer,
    status integer not null,
    refund_day integer not null,
    created_by integer not null,
    audit integer,
    method_choice integer,
    source_before integer,
    -- Its first entry.
    entry integer,
    payment integer,
    comment text,
    reason_code text,
    soft_descriptor text,
    soft_descriptor_phone text,
    gateway text,
    gateway_options text, -- a JSON array
    gateway_state integer,
    gateway_response text,
    gateway_response_code text,
    reference_id text,
    second_reference_id text,
    submitted_ms integer,
    settled_ms integer,
    cancelled_ms integer,
    compensated_ms integer,
    updated_ms integer,
    updated_by integer,
    transferred_to_accounting text,
    custom text
) strict;
insert into refund_row select number, created_ms, salt, account,
    lag(number) over (partition by account order by number), amount,
    iif(type = 'External', 0, 1), iif(source_type = 'Payment', 0, 1),
    case method_type when 'ACH' then 0 when 'BankTransfer' then 1 when 'Cash' then 2
        when 'Check' then 3 when 'CreditCard' then 4 when 'CreditCardReferenceTransaction' then 5
        when 'DebitCard' then 6 when 'Other' then 7 when 'PayPal' then 8
        when 'WireTransfer' then 9 end,
    payment_method,
    case status when 'Processed' then 0 when 'Processing' then 1 when 'Error' then 2
        when 'Canceled' then 3 end,
    unixepoch(refund_date) / 86400, created_by, audit,
    case method_choice when 'named' then 0 when 'default' then 1 when 'payment' then 2
        when 'type' then 3 end,
    source_before, entry, payment, comment, reason_code, soft_descriptor, soft_descriptor_phone,
    gateway, gateway_options,
    case gateway_state when 'MarkedForSubmission' then 0 when 'Submitted' then 1
        when 'NotSubmitted' then 2 when 'Settled' then 3 when 'FailedToSettle' then 4 end,
    gateway_response, gateway_response_code, reference_id, second_reference_id, submitted_ms,
    settled_ms, cancelled_ms, compensated_ms, updated_ms, updated_by, transferred_to_accounting,
    custom
    from refund order by number;

create table entry_row (
    key integer primary key,
    account integer not null,
    kind integer not null,
    delta integer not null,
    balance integer not null,
    refund integer,
    adjustment integer,
    at_ms integer not null
) strict;
insert into entry_row select key, account,
    case kind when 'refund' then 0 when 'hold' then 1 when 'release' then 2
        when 'compensation' then 3 when 'increase' then 4 when 'decrease' then 5
        when 'cancellation' then 6 end,
    delta, balance, refund, adjustment, at_ms from entry order by key;

-- Who acts by which way, and what is done: one row for all records that share it. What is absent is
-- 0 or an empty text, so that a row is found by all of it.
create table audit_source (
    key integer primary key,
    user integer not null,
    actor text not null,
    door text not null,
    version text not null,
    address text not null,
    operation text not null,
    object text not null,
    unique (user, actor, door, version, address, operation, object)
) strict;
insert into audit_source (user, actor, door, version, address, operation, object)
    select distinct coalesce(user, 0), coalesce(actor, ''), door, coalesce(version, ''),
        coalesce(address, ''), operation, object from audit;

create table audit_row (
    key integer primary key,
    at_ms integer not null,
    source integer not null,
    request_id text,
    -- The numbers of the refunds that the call created or settled: a first one and how many follow
    -- each other from it, or else a JSON array.
    first_refund integer,
    refund_count integer,
    refunds text,
    idempotency_key text
) strict;
insert into audit_row
    select audit.key, at_ms, audit_source.key, request_id, null, null, refunds, idempotency_key
    from audit join audit_source on audit_source.user = coalesce(audit.user, 0)
        and audit_source.actor = coalesce(audit.actor, '')
        and audit_source.door = audit.door
        and audit_source.version = coalesce(audit.version, '')
        and audit_source.address = coalesce(audit.address, '')
        and audit_source.operation = audit.operation
        and audit_source.object = audit.object
    order by audit.key;

-- What refers to the tables that are made anew.
create table refund_part as select * from refund_invoice_payment;
create table old_inquiry as select * from inquiry;
create table old_audit_object as select * from audit_object;
drop table refund_invoice_payment;
drop table inquiry;
drop table audit_object;
drop table entry;
drop table refund;
drop table audit;

create table refund_invoice_payment (
    key integer primary key,
    refund integer not null references refund_row (number) on delete cascade,
    invoice_payment integer not null references invoice_payment (key),
    amount integer not null check (amount > 0),
    created_ms integer not null,
    updated_ms integer not null
) strict;
insert into refund_invoice_payment select * from refund_part;
drop table refund_part;
create index refund_invoice_payment_by_refund on refund_invoice_payment (refund);
create index refund_invoice_payment_by_part on refund_invoice_payment (invoice_payment);

create table inquiry (
    refund integer primary key references refund_row (number) on delete cascade,
    -- Null as long as it is certain that the order never left.
    first_sent_ms integer,
    -- How many exchanges brought no verdict.
    attempts integer not null check (attempts >= 0),
    -- Null when the gateway is not asked any more and an operator has to settle it.
    next_ms integer
) strict;
insert into inquiry select * from old_inquiry;
drop table old_inquiry;
create index inquiry_by_time on inquiry (next_ms) where next_ms is not null;

create table audit_object (
    key integer primary key,
    audit integer not null references audit_row (key),
    object text not null,
    id text not null check (length(id) <= 255),
    -- The number, where it is a refund, whether or not that is still there.
    refund integer,
    facts text not null -- a JSON object
) strict;
insert into audit_object select * from old_audit_object;
drop table old_audit_object;
create index audit_object_by_audit on audit_object (audit);
create index audit_object_by_id on audit_object (id) where refund is null;
create index audit_object_by_refund on audit_object (refund) where refund is not null;

-- Few refunds have a payment or a method to be found by, and few entries give something back.
create index refund_by_payment on refund_row (payment) where payment is not null;
create index refund_by_payment_method on refund_row (payment_method)
    where payment_method is not null;
-- What a refund took is given back once at most.
create unique index entry_giving_back on entry_row (refund) where kind in (2, 3);
create index entry_by_adjustment on entry_row (adjustment) where adjustment is not null;

create trigger entry_is_never_updated before update on entry_row
begin
    select raise(abort, 'ledger entries are never updated');
end;
create trigger entry_is_never_deleted before delete on entry_row
begin
    select raise(abort, 'ledger entries are never deleted');
end;
create trigger audit_is_never_updated before update on audit_row
begin
    select raise(abort, 'the audit is never updated');
end;
create trigger audit_is_never_deleted before delete on audit_row
begin
    select raise(abort, 'the audit is never deleted');
end;
create trigger audit_source_is_never_updated before update on audit_source
begin
    select raise(abort, 'the audit is never updated');
end;
create trigger audit_source_is_never_deleted before delete on audit_source
begin
    select raise(abort, 'the audit is never deleted');
end;
create trigger audit_object_is_never_updated before update on audit_object
begin
    select raise(abort, 'the audit is never updated');
end;
create trigger audit_object_is_never_deleted before delete on audit_object
begin
    select raise(abort, 'the audit is never deleted');
end;

-- A row of what was collected is written with all its columns; what must stay is that they do.
drop trigger collected_stays_once_money_went;
create trigger collected_stays_once_money_went before update on collected
when old.sent > 0 and (new.reference is not old.reference or new.gateway is not old.gateway
    or new.payment is not old.payment or new.amount is not old.amount
    or new.excess is not old.excess)
begin
    select raise(abort, 'what a gateway gave back of stays as it was collected');
end;
-- One that nothing was given back of gets another reference as another row.
drop trigger collected_is_never_deleted;
create trigger collected_is_never_deleted before delete on collected when old.sent > 0
begin
    select raise(abort, 'what a gateway gave back of is never deleted');
end;

-- The rows as they are read: each name of a closed set for its code, each day as a text.
create view account as
    select *, (select units from balance where balance.account = account_row.key) as balance
    from account_row;

create view refund as
    select number, created_ms, salt, account, previous, amount,
        iif(type = 0, 'External', 'Electronic') as type,
        iif(source_type = 0, 'Payment', 'CreditBalance') as source_type,
        case method_type when 0 then 'ACH' when 1 then 'BankTransfer' when 2 then 'Cash'
            when 3 then 'Check' when 4 then 'CreditCard'
            when 5 then 'CreditCardReferenceTransaction' when 6 then 'DebitCard'
            when 7 then 'Other' when 8 then 'PayPal' when 9 then 'WireTransfer' end as method_type,
        payment_method,
        case status when 0 then 'Processed' when 1 then 'Processing' when 2 then 'Error'
            when 3 then 'Canceled' end as status,
        date(refund_day * 86400, 'unixepoch') as refund_date,
        created_by, audit,
        case method_choice when 0 then 'named' when 1 then 'default' when 2 then 'payment'
            when 3 then 'type' end as method_choice,
        source_before, entry, payment, comment, reason_code, soft_descriptor,
        soft_descriptor_phone, gateway, gateway_options,
        case gateway_state when 0 then 'MarkedForSubmission' when 1 then 'Submitted'
            when 2 then 'NotSubmitted' when 3 then 'Settled' when 4 then 'FailedToSettle' end
            as gateway_state,
        gateway_response, gateway_response_code, reference_id, second_reference_id, submitted_ms,
        settled_ms, cancelled_ms, compensated_ms, updated_ms, updated_by,
        transferred_to_accounting, custom
    from refund_row;

create view entry as
    select key, account,
        case kind when 0 then 'refund' when 1 then 'hold' when 2 then 'release'
            when 3 then 'compensation' when 4 then 'increase' when 5 then 'decrease'
            when 6 then 'cancellation' end as kind,
        delta, balance, refund, adjustment, at_ms
    from entry_row;

create view audit as
    select audit_row.key, at_ms, nullif(user, 0) as user, nullif(actor, '') as actor, door,
        nullif(version, '') as version, nullif(address, '') as address, request_id, operation,
        object,
        coalesce(refunds, iif(first_refund is null, null, (
            with recursive next (number) as (
                select first_refund union all
                select number + 1 from next where number + 1 < first_refund + refund_count)
            select json_group_array(number) from next))) as refunds,
        idempotency_key
    from audit_row join audit_source on audit_source.key = audit_row.source;
