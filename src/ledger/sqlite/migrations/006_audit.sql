-- Who changed what, when, from where, and by which way: one row a call, only ever added to.
create table audit (
    key integer primary key,
    at_ms integer not null,
    -- A user of the ledger, or else the name of an operator or a gateway.
    user integer references user (key),
    actor text check (length(actor) <= 255),
    door text not null,
    version text check (length(version) <= 32),
    address text check (length(address) <= 45),
    request_id text check (length(request_id) <= 64),
    operation text not null,
    object text not null,
    -- The numbers of the refunds that the call created or settled, a JSON array.
    refunds text,
    idempotency_key text check (length(idempotency_key) <= 255),
    check ((user is null) = (actor is not null))
) strict;

create trigger audit_is_never_updated before update on audit
begin
    select raise(abort, 'the audit is never updated');
end;

create trigger audit_is_never_deleted before delete on audit
begin
    select raise(abort, 'the audit is never deleted');
end;

-- What a call touched beside those refunds, and what became of it.
create table audit_object (
    key integer primary key,
    audit integer not null references audit (key),
    object text not null,
    id text not null check (length(id) <= 255),
    -- The number, where it is a refund, whether or not that is still there.
    refund integer,
    facts text not null -- a JSON object
) strict;
create index audit_object_by_audit on audit_object (audit);
create index audit_object_by_id on audit_object (id) where refund is null;
create index audit_object_by_refund on audit_object (refund) where refund is not null;

create trigger audit_object_is_never_updated before update on audit_object
begin
    select raise(abort, 'the audit is never updated');
end;

create trigger audit_object_is_never_deleted before delete on audit_object
begin
    select raise(abort, 'the audit is never deleted');
end;

-- The call that made each; none for what was made before there was an audit.
alter table refund add column audit integer;
-- What the decision stood on and no other row tells: how the method was chosen, and what the source
-- had to give before.
alter table refund add column method_choice text;
alter table refund add column source_before integer;
alter table exchange add column audit integer;
