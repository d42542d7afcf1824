-- A sum over the columns of each row, so that a bit that flipped anywhere in one is found when the
-- row is read, and by `check`.
--
-- What is summed, and in which order, is said in `ledger/record/sum.rs`; a column without a value
-- adds nothing, so that one that is added behind the others leaves the sums as they are. Every row
-- has a sum from here on: one without is damaged.

drop trigger exchange_is_never_updated;
drop trigger sending_is_never_updated;
drop trigger entry_is_never_updated;
drop trigger audit_is_never_updated;
drop trigger audit_source_is_never_updated;
drop trigger audit_object_is_never_updated;

alter table account_row add column sum integer;
update account_row set sum = row_sum(key, id, number, name, currency, opening, opened,
        default_payment_method, gateway, parent, status, kept, created_by, created_ms, updated_by,
        updated_ms, custom);
alter table balance add column sum integer;
update balance set sum = row_sum(account, units, newest_entry, newest_refund);
alter table payment_method add column sum integer;
update payment_method set sum = row_sum(key, id, account, type, status, gateway, kept, created_by,
        created_ms, updated_by, updated_ms, custom);
alter table meta add column sum integer;
update meta set sum = row_sum(key, value);
alter table payment add column sum integer;
update payment set sum = row_sum(key, id, number, account, type, status, amount, refunded,
        applied, to_credit_balance, draft_credit, effective_date, payment_method, gateway,
        is_settled, reference_id, comment, kept, created_by, created_ms, updated_by, updated_ms,
        custom);
alter table invoice_payment add column sum integer;
update invoice_payment set sum = row_sum(key, id, invoice, payment, amount, refunded, moved,
        created_by, created_ms, updated_ms, custom);
alter table invoice add column sum integer;
update invoice set sum = row_sum(key, id, number, account, date, amount, opening, balance,
        created_ms, updated_ms, custom);
alter table refund_invoice_payment add column sum integer;
update refund_invoice_payment set sum = row_sum(key, refund, invoice_payment, amount, created_ms,
        updated_ms);
alter table collected add column sum integer;
update collected set sum = row_sum(reference, gateway, payment, amount, excess, sent);
alter table adjustment add column sum integer;
update adjustment set sum = row_sum(key, account, type, amount, invoice, payment, status,
        adjustment_date, accounting_code, comment, reason_code, reference_id,
        transferred_to_accounting, created_by, created_ms, updated_by, updated_ms, cancelled_ms,
        custom);
alter table inquiry add column sum integer;
update inquiry set sum = row_sum(refund, first_sent_ms, attempts, next_ms);
alter table exchange add column sum integer;
update exchange set sum = row_sum(key, refund, gateway, kind, gateway_state, reason_code,
        reason_text, reference_id, request, response, operator, audit, at_ms);
alter table settlement_event add column sum integer;
update settlement_event set sum = row_sum(id, refund, gateway_state);
alter table sending add column sum integer;
update sending set sum = row_sum(key, reference, gateway, refund, kind, amount, at_ms);
alter table audit_source add column sum integer;
update audit_source set sum = row_sum(key, user, actor, door, version, address, operation,
        object);
alter table audit_row add column sum integer;
update audit_row set sum = row_sum(key, at_ms, source, request_id, first_refund, refund_count,
        refunds, idempotency_key);
alter table idempotency add column sum integer;
update idempotency set sum = row_sum(user, operation, key, fingerprint, answer, at_ms);
alter table event add column sum integer;
update event set sum = row_sum(key, account, refund, kind, payload, at_ms);
alter table audit_object add column sum integer;
update audit_object set sum = row_sum(key, audit, object, id, refund, facts);
alter table webhook add column sum integer;
update webhook set sum = row_sum(name, collected);
alter table delivery add column sum integer;
update delivery set sum = row_sum(webhook, event, account, attempts, since_ms, next_ms,
        last_error, is_given_up);
alter table invoice_line add column sum integer;
update invoice_line set sum = row_sum(key, id, invoice, item, name, amount, created_ms);
alter table invoice_adjustment add column sum integer;
update invoice_adjustment set sum = row_sum(key, id, number, invoice, line, type, amount, status,
        adjustment_date, accounting_code, comment, reason_code, reference_id,
        transferred_to_accounting, created_by, created_ms, updated_by, updated_ms, cancelled_by,
        cancelled_ms, custom);
alter table refund_row add column sum integer;
update refund_row set sum = row_sum(number, created_ms, salt, account, previous, amount, type,
        source_type, method_type, payment_method, status, refund_day, created_by, audit,
        method_choice, source_before, entry, payment, comment, reason_code, soft_descriptor,
        soft_descriptor_phone, gateway, gateway_options, gateway_state, gateway_response,
        gateway_response_code, reference_id, second_reference_id, submitted_ms, settled_ms,
        cancelled_ms, compensated_ms, updated_ms, updated_by, transferred_to_accounting, custom);
alter table entry_row add column sum integer;
update entry_row set sum = row_sum(key, account, kind, delta, balance, refund, adjustment, at_ms);
alter table tenant add column sum integer;
update tenant set sum = row_sum(key, value);
alter table gateway add column sum integer;
update gateway set sum = row_sum(name, active, non_referenced_refunds, method_types, rules,
        duplicate_window_s, require_settled, refund_window_days);
alter table custom_field add column sum integer;
update custom_field set sum = row_sum(object, name, type, length, is_required, is_advanced);
alter table operator_value add column sum integer;
update operator_value set sum = row_sum(object, key);
alter table credit_memo add column sum integer;
update credit_memo set sum = row_sum(key, id, number, account, date, status, amount, applied,
        refunded, comment, reason_code, created_by, created_ms, updated_by, updated_ms, posted_by,
        posted_ms, cancelled_ms);
alter table credit_memo_line add column sum integer;
update credit_memo_line set sum = row_sum(key, id, memo, item, name, amount, refunded, created_ms,
        updated_ms);
alter table credit_memo_part add column sum integer;
update credit_memo_part set sum = row_sum(key, memo, invoice, amount, seeded, created_ms,
        updated_ms);
alter table payment_method_snapshot add column sum integer;
update payment_method_snapshot set sum = row_sum(key, id, method, type, status, gateway, kept,
        created_ms);
alter table refund_detail add column sum integer;
update refund_detail set sum = row_sum(refund, credit_memo, snapshot, transaction_type,
        reconciliation_status, reconciliation_reason, payout_id, notes, rates);
alter table refund_credit_memo_line add column sum integer;
update refund_credit_memo_line set sum = row_sum(key, refund, line, amount, created_ms);
alter table gateway_identity add column sum integer;
update gateway_identity set sum = row_sum(name, id, number);
alter table user add column sum integer;
update user set sum = row_sum(key, id, username, password_hash, permissions, is_disabled,
        permissions_said, permissions_by_operator, orgs);
alter table session add column sum integer;
update session set sum = row_sum(token_hash, user, last_used_ms);
alter table oauth_client add column sum integer;
update oauth_client set sum = row_sum(id, secret_hash, user);
alter table oauth_token add column sum integer;
update oauth_token set sum = row_sum(token_hash, client, ends_ms);
alter table query_locator add column sum integer;
update query_locator set sum = row_sum(id, user, query, newest, size, last_used_ms);
alter table query_mark add column sum integer;
update query_mark set sum = row_sum(locator, at_offset, after_key);

create trigger exchange_is_never_updated before update on exchange
begin
    select raise(abort, 'exchanges are never updated');
end;
create trigger sending_is_never_updated before update on sending
begin
    select raise(abort, 'what was sent to gateways is never updated');
end;
create trigger entry_is_never_updated before update on entry_row
begin
    select raise(abort, 'ledger entries are never updated');
end;
create trigger audit_is_never_updated before update on audit_row
begin
    select raise(abort, 'the audit is never updated');
end;
create trigger audit_source_is_never_updated before update on audit_source
begin
    select raise(abort, 'the audit is never updated');
end;
create trigger audit_object_is_never_updated before update on audit_object
begin
    select raise(abort, 'the audit is never updated');
end;
