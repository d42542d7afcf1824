-- What each gateway collected under which reference, and what it was asked to give back of it.

-- A payment as its gateway knows it: by its ReferenceId, else by its number. `reference` is that
-- without white space and with its letters folded, so that one charge is here once however it is
-- written; `payment` is the one payment that has it.
create table collected (
    reference text not null,
    gateway text not null,
    payment integer not null references payment (key),
    amount integer not null check (amount > 0),
    -- What had been sent beyond the amount before this table kept count.
    excess integer not null default 0 check (excess >= 0),
    sent integer not null default 0,
    primary key (reference, gateway),
    constraint never_more_than_was_collected check (sent between 0 and amount + excess)
) strict, without rowid;
create index collected_by_payment on collected (payment);

create trigger collected_stays_once_money_went
before update of reference, gateway, payment, amount, excess on collected when old.sent > 0
begin
    select raise(abort, 'what a gateway gave back of stays as it was collected');
end;

create trigger collected_is_never_deleted before delete on collected
begin
    select raise(abort, 'what gateways collected is never deleted');
end;

-- Every amount that was sent against it, and every one that was released because its gateway
-- declined it, or never got it, or rejected it after all. Only ever added to; it outlives a refund
-- that was deleted, and is not released by one that was cancelled: its money went out.
create table sending (
    key integer primary key,
    reference text not null,
    gateway text not null,
    refund integer not null,
    kind text not null check (kind = 'sent' or kind = 'released'),
    amount integer not null check (amount > 0),
    at_ms integer not null
) strict;
create unique index sending_of_refund on sending (refund, kind);

create trigger sending_is_never_updated before update on sending
begin
    select raise(abort, 'what was sent to gateways is never updated');
end;

create trigger sending_is_never_deleted before delete on sending
begin
    select raise(abort, 'what was sent to gateways is never deleted');
end;

-- Of payments that had the same reference, the first is taken at its word.
create temp table known_as as
    select key, gateway, amount,
        gateway_reference(coalesce(reference_id, number)) as reference
    from payment where type = 'Electronic' and gateway is not null;

insert into sending (reference, gateway, refund, kind, amount, at_ms)
    select known_as.reference, known_as.gateway, refund.number, 'sent', refund.amount,
        refund.created_ms
    from refund join known_as on known_as.key = refund.payment
    where refund.type = 'Electronic' order by refund.number;
insert into sending (reference, gateway, refund, kind, amount, at_ms)
    select reference, gateway, refund, 'released', amount, at_ms from (
        select sending.reference, sending.gateway, sending.refund, sending.amount,
            coalesce(refund.compensated_ms, refund.updated_ms, refund.created_ms) as at_ms
        from sending join refund on refund.number = sending.refund
        where refund.status = 'Error' or refund.compensated_ms is not null
    ) order by refund;

insert into collected (reference, gateway, payment, amount, excess, sent)
    select first.reference, first.gateway, first.payment, first.amount,
        max(0, coalesce(gone.sent, 0) - first.amount), coalesce(gone.sent, 0)
    from (
        -- The amount is that of the row whose key is the least.
        select reference, gateway, min(key) as payment, amount from known_as
        group by reference, gateway
    ) as first left join (
        select reference, gateway, sum(iif(kind = 'sent', amount, -amount)) as sent from sending
        group by reference, gateway
    ) as gone on gone.reference = first.reference and gone.gateway = first.gateway;
drop table known_as;
