-- A sum with every row, over its columns, by which a row that was changed behind the gateway's back
-- is known.
--
-- Programs make the sums; here is what makes it known where one is missing. A program of the step
-- before writes rows without a sum and leaves the one of a row that it changes: that is taken away,
-- because it is of what the row was. Such a writer is known by how it has statements planned, which
-- is the same in every program of the steps before; what anyone else changes keeps its sum and so is
-- found. The next start of a program that may gives the rows of the tables in "unsummed" their sums.

-- So that no batch is in the middle of these tables.
select number from turn for update;
-- What the first step refers to is looked at now: a table with checks to come cannot be altered.
set constraints all immediate;

create table unsummed (
    name text collate "C" primary key,
    -- Rows without a sum came since their sums were last begun to be made.
    is_new bigint not null default 1 check (is_new in (0, 1))
);

-- It writes to "unsummed" whatever the role may that writes the row.
create function ledger_without_sum() returns trigger language plpgsql
    security definer set search_path from current as $$
begin
    if tg_op = 'UPDATE' then
        if current_setting('enable_seqscan') <> 'off'
            or current_setting('plan_cache_mode') <> 'force_generic_plan'
        then
            return new;
        end if;
        new.sum := null;
    end if;
    insert into unsummed (name) values (tg_table_name)
        on conflict (name) do update set is_new = 1 where unsummed.is_new = 0;
    return new;
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array[
        'meta', 'tenant', 'user', 'session', 'gateway', 'account_row', 'payment_method',
        'refund_invoice_payment', 'idempotency', 'inquiry', 'query_locator', 'query_mark',
        'invoice', 'payment', 'invoice_payment', 'audit_object', 'adjustment', 'custom_field',
        'exchange', 'settlement_event', 'event', 'webhook', 'delivery', 'credit_memo',
        'invoice_line', 'invoice_adjustment', 'collected', 'sending', 'operator_value',
        'balance', 'refund_row', 'entry_row', 'audit_source', 'audit_row', 'credit_memo_line',
        'credit_memo_part', 'payment_method_snapshot', 'refund_detail',
        'refund_credit_memo_line', 'gateway_identity', 'oauth_client', 'oauth_token'
    ] loop
        execute format('alter table %I add column sum bigint', name);
        execute format('create trigger comes_without_sum before insert on %I for each row '
            'when (new.sum is null) execute function ledger_without_sum()', name);
        execute format('create trigger changes_without_sum before update on %I for each row '
            'when (new.sum is not distinct from old.sum and old.* is distinct from new.*) '
            'execute function ledger_without_sum()', name);
        insert into unsummed values (name);
    end loop;
end
$$;

-- A sum may be added to what is never changed otherwise.
drop trigger entry_is_never_changed on entry_row;
create trigger entry_is_never_changed before update of
        key, account, kind, delta, balance, refund, adjustment, at_ms
    or delete or truncate on entry_row
    execute function ledger_refuse('ledger entries are never updated or deleted');
drop trigger audit_is_never_changed on audit_row;
create trigger audit_is_never_changed before update of
        key, at_ms, source, request_id, first_refund, refund_count, refunds, idempotency_key
    or delete or truncate on audit_row
    execute function ledger_refuse('the audit is never updated or deleted');
drop trigger audit_object_is_never_changed on audit_object;
create trigger audit_object_is_never_changed before update of
        key, audit, object, id, refund, facts
    or delete or truncate on audit_object
    execute function ledger_refuse('the audit is never updated or deleted');
drop trigger audit_source_is_never_changed on audit_source;
create trigger audit_source_is_never_changed before update of
        key, "user", actor, door, version, address, operation, object
    or delete or truncate on audit_source
    execute function ledger_refuse('the audit is never updated or deleted');
drop trigger exchange_is_never_changed on exchange;
create trigger exchange_is_never_changed before update of
        key, refund, gateway, kind, gateway_state, reason_code, reason_text, reference_id,
        request, response, operator, at_ms, audit
    or delete or truncate on exchange
    execute function ledger_refuse('exchanges are never updated or deleted');
drop trigger sending_is_never_changed on sending;
create trigger sending_is_never_changed before update of
        key, reference, gateway, refund, kind, amount, at_ms
    or delete or truncate on sending
    execute function ledger_refuse('what was sent to gateways is never updated or deleted');
