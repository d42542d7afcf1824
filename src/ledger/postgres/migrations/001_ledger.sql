-- A ledger in PostgreSQL: the tables of a ledger in a file, with the names of their columns, all of
-- one step.
--
-- Integers are bigint, also those that are 0 or 1, and texts compare by their bytes, so that rows
-- come in the same order as from a file. Constraints repeat what the records refuse.
--
-- Foreign keys are looked at by COMMIT, because rows are written table by table. Rows that each
-- refund writes (refund_row, entry_row, balance, audit_row, audit_object, event, delivery,
-- idempotency) have none: each would lock a row of another table.

-- Whose turn it is. A batch holds this row locked from its beginning to its end and counts it up by
-- one from what it found there; "world" counts up when rows change that hold for every request.
create table turn (
    key bigint primary key default 1 check (key = 1),
    number bigint not null check (number >= 0),
    world bigint not null check (world >= 0)
) with (fillfactor = 10);
insert into turn (number, world) values (0, 0);

-- The newest batch that each node committed, by which it learns what became of a commit that got no
-- answer.
create table batches (
    node bytea primary key check (length(node) = 16),
    number bigint not null check (number > 0),
    at_ms bigint not null
) with (fillfactor = 10);

create table meta (
    key text collate "C" primary key,
    value text collate "C" not null
);

create table tenant (
    key text collate "C" primary key,
    value text collate "C" not null
);

create table "user" (
    key bigint primary key,
    id text collate "C" not null unique check (length(id) = 32),
    username text collate "C" not null unique,
    password_hash text collate "C" not null,
    permissions bigint not null check (permissions >= 0),
    is_disabled bigint not null default 0 check (is_disabled in (0, 1)),
    permissions_said bigint not null default 63 check (permissions_said >= 0),
    permissions_by_operator bigint not null default 0 check (permissions_by_operator >= 0),
    orgs text collate "C"
);

create table session (
    token_hash bytea primary key check (length(token_hash) = 32),
    "user" bigint not null,
    last_used_ms bigint not null
);

create table gateway (
    name text collate "C" primary key,
    active bigint not null check (active in (0, 1)),
    non_referenced_refunds bigint not null check (non_referenced_refunds in (0, 1)),
    -- A JSON array; null means all.
    method_types text collate "C",
    -- A JSON array of the sandbox's script.
    rules text collate "C" not null,
    duplicate_window_s bigint check (duplicate_window_s > 0),
    require_settled bigint not null default 0 check (require_settled in (0, 1)),
    refund_window_days bigint check (refund_window_days > 0)
);

create table account_row (
    key bigint primary key,
    id text collate "C" not null unique check (length(id) = 32),
    -- Two accounts may swap their numbers in one statement.
    number text collate "C" not null unique deferrable initially immediate,
    name text collate "C" not null,
    currency text collate "C" not null check (length(currency) = 3),
    opening bigint not null check (opening >= 0),
    default_payment_method bigint,
    gateway text collate "C",
    custom text collate "C",
    status text collate "C" not null default 'Active'
        check (status in ('Draft', 'Active', 'Canceled')),
    kept text collate "C" not null default '{}',
    created_by bigint,
    created_ms bigint,
    updated_by bigint,
    updated_ms bigint,
    parent bigint,
    opened text collate "C" check (length(opened) = 10)
);

create table payment_method (
    key bigint primary key,
    id text collate "C" not null unique check (length(id) = 32),
    account bigint,
    type text collate "C" not null,
    status text collate "C" not null,
    gateway text collate "C",
    custom text collate "C",
    kept text collate "C" not null default '{}',
    created_by bigint,
    created_ms bigint,
    updated_by bigint,
    updated_ms bigint
);

create table refund_invoice_payment (
    key bigint primary key,
    refund bigint not null,
    invoice_payment bigint not null,
    amount bigint not null check (amount > 0),
    created_ms bigint not null,
    updated_ms bigint not null
);

create table idempotency (
    "user" bigint not null,
    operation text collate "C" not null,
    key text collate "C" not null,
    fingerprint bytea not null check (length(fingerprint) = 32),
    answer bytea not null,
    at_ms bigint not null,
    primary key ("user", operation, key)
);

create table inquiry (
    refund bigint primary key,
    -- Null as long as it is certain that the order never left.
    first_sent_ms bigint,
    -- How many exchanges brought no verdict.
    attempts bigint not null check (attempts >= 0),
    -- Null when the gateway is not asked any more and an operator has to settle it.
    next_ms bigint
);

create table query_locator (
    id bytea primary key check (length(id) = 16),
    "user" bigint not null,
    query text collate "C" not null,
    newest bigint not null,
    size bigint not null check (size >= 0),
    last_used_ms bigint not null
);

create table query_mark (
    locator bytea not null,
    at_offset bigint not null check (at_offset > 0),
    after_key bigint not null,
    primary key (locator, at_offset)
);

create table invoice (
    key bigint primary key,
    id text collate "C" not null unique check (length(id) = 32),
    number text collate "C" not null unique,
    account bigint not null,
    date text collate "C" not null check (length(date) = 10),
    amount bigint not null,
    opening bigint not null check (opening between least(0, amount) and greatest(0, amount)),
    created_ms bigint not null,
    updated_ms bigint not null,
    custom text collate "C",
    balance bigint not null default 0
        check (balance >= least(0, amount) and (amount >= 0 or balance <= 0))
);

create table payment (
    key bigint primary key,
    id text collate "C" not null unique check (length(id) = 32),
    number text collate "C" not null unique,
    account bigint not null,
    type text collate "C" not null check (type in ('External', 'Electronic')),
    status text collate "C" not null
        check (status in ('Processed', 'Draft', 'Canceled', 'Voided')),
    amount bigint not null check (amount > 0),
    refunded bigint not null check (refunded between 0 and amount),
    -- What of it became credit balance (an overpayment), by adjustments.
    to_credit_balance bigint not null check (to_credit_balance between 0 and amount),
    effective_date text collate "C" not null check (length(effective_date) = 10),
    payment_method bigint,
    gateway text collate "C",
    is_settled bigint not null check (is_settled in (0, 1)),
    reference_id text collate "C",
    comment text collate "C",
    kept text collate "C" not null default '{}',
    created_by bigint,
    created_ms bigint not null,
    updated_by bigint,
    updated_ms bigint not null,
    custom text collate "C",
    draft_credit bigint not null default 0
        check (draft_credit >= 0 and (draft_credit = 0 or status = 'Draft')),
    applied bigint not null default 0
        check (applied >= 0 and applied + refunded + to_credit_balance + draft_credit <= amount)
);

create table invoice_payment (
    key bigint primary key,
    id text collate "C" not null unique check (length(id) = 32),
    invoice bigint not null,
    payment bigint not null,
    amount bigint not null check (amount >= 0),
    refunded bigint not null check (refunded between 0 and amount),
    created_by bigint,
    created_ms bigint not null,
    updated_ms bigint not null,
    custom text collate "C",
    moved bigint not null default 0,
    unique (payment, invoice)
);

create table audit_object (
    key bigint primary key,
    audit bigint not null,
    object text collate "C" not null,
    id text collate "C" not null check (length(id) <= 255),
    -- The number, where it is a refund, whether or not that is still there.
    refund bigint,
    -- A JSON object.
    facts text collate "C" not null
);

create table adjustment (
    key bigint primary key,
    account bigint not null,
    type text collate "C" not null check (type in ('Increase', 'Decrease')),
    amount bigint not null check (amount > 0),
    invoice bigint,
    payment bigint,
    status text collate "C" not null check (status in ('Processed', 'Canceled')),
    adjustment_date text collate "C" not null check (length(adjustment_date) = 10),
    accounting_code text collate "C",
    comment text collate "C",
    reason_code text collate "C",
    reference_id text collate "C",
    transferred_to_accounting text collate "C",
    created_by bigint not null,
    created_ms bigint not null,
    updated_by bigint,
    updated_ms bigint not null,
    cancelled_ms bigint,
    custom text collate "C",
    check ((invoice is null) = (payment is not null))
);

create table custom_field (
    object text collate "C" not null,
    name text collate "C" not null,
    type text collate "C" not null check (type in ('string', 'decimal', 'boolean', 'date')),
    length bigint,
    is_required bigint not null check (is_required in (0, 1)),
    is_advanced bigint not null check (is_advanced in (0, 1)),
    primary key (object, name)
);

create table exchange (
    key bigint primary key,
    refund bigint not null,
    gateway text collate "C" not null,
    kind text collate "C" not null
        check (kind in ('refund', 'inquiry', 'settlement', 'operator')),
    gateway_state text collate "C" not null,
    reason_code text collate "C",
    reason_text text collate "C",
    reference_id text collate "C",
    -- What was sent and received, without secrets.
    request text collate "C" check (octet_length(request) <= 4096),
    response text collate "C" check (octet_length(response) <= 4096),
    -- Who decided, where no gateway did.
    operator text collate "C",
    at_ms bigint not null,
    audit bigint,
    check ((operator is not null) = (kind = 'operator'))
);

create table settlement_event (
    id text collate "C" primary key,
    refund bigint not null,
    gateway_state text collate "C" not null check (gateway_state in ('Settled', 'FailedToSettle'))
);

create table event (
    key bigint primary key,
    account bigint not null,
    refund bigint not null,
    kind text collate "C" not null,
    payload text collate "C" not null,
    at_ms bigint not null
);

create table webhook (
    name text collate "C" primary key,
    collected bigint not null
);

create table delivery (
    webhook text collate "C" not null,
    event bigint not null,
    account bigint not null,
    attempts bigint not null check (attempts >= 0),
    since_ms bigint not null,
    next_ms bigint,
    last_error text collate "C",
    is_given_up bigint not null check (is_given_up in (0, 1)),
    primary key (webhook, event),
    check (is_given_up = 0 or next_ms is null)
);

create table credit_memo (
    key bigint primary key,
    id text collate "C" not null unique check (length(id) = 32),
    number text collate "C" not null unique,
    account bigint not null,
    date text collate "C" not null check (length(date) = 10),
    status text collate "C" not null
        check (status in ('Draft', 'Posted', 'Canceled')),
    amount bigint not null check (amount > 0),
    applied bigint not null check (applied >= 0),
    refunded bigint not null check (refunded >= 0),
    comment text collate "C",
    reason_code text collate "C",
    created_by bigint,
    created_ms bigint not null,
    updated_by bigint,
    updated_ms bigint not null,
    posted_by bigint,
    posted_ms bigint,
    cancelled_ms bigint,
    constraint never_more_than_it_is_worth check (applied + refunded <= amount),
    check (status = 'Posted' or applied + refunded = 0)
);

create table invoice_line (
    key bigint primary key,
    id text collate "C" not null unique check (length(id) = 32),
    invoice bigint not null,
    -- Of a tax, the charge that it is on; null for a charge.
    item bigint,
    name text collate "C",
    amount bigint not null,
    created_ms bigint not null
);

create table invoice_adjustment (
    key bigint primary key,
    id text collate "C" not null unique check (length(id) = 32),
    number text collate "C" not null unique,
    invoice bigint not null,
    line bigint,
    type text collate "C" not null check (type in ('Credit', 'Charge')),
    amount bigint not null check (amount > 0),
    status text collate "C" not null check (status in ('Processed', 'Canceled')),
    adjustment_date text collate "C" not null check (length(adjustment_date) = 10),
    accounting_code text collate "C",
    comment text collate "C",
    reason_code text collate "C",
    reference_id text collate "C",
    transferred_to_accounting text collate "C",
    created_by bigint not null,
    created_ms bigint not null,
    updated_by bigint not null,
    updated_ms bigint not null,
    cancelled_by bigint,
    cancelled_ms bigint,
    custom text collate "C",
    check ((status = 'Canceled') = (cancelled_ms is not null)),
    check ((status = 'Canceled') = (cancelled_by is not null))
);

create table collected (
    reference text collate "C" not null,
    gateway text collate "C" not null,
    payment bigint not null,
    amount bigint not null check (amount > 0),
    -- What had been sent beyond the amount before this table kept count.
    excess bigint not null default 0 check (excess >= 0),
    sent bigint not null default 0,
    primary key (reference, gateway),
    constraint never_more_than_was_collected check (sent between 0 and amount + excess)
);

create table sending (
    key bigint primary key,
    reference text collate "C" not null,
    gateway text collate "C" not null,
    refund bigint not null,
    kind text collate "C" not null check (kind in ('sent', 'released')),
    amount bigint not null check (amount > 0),
    at_ms bigint not null
);

create table operator_value (
    object text collate "C" not null,
    key text collate "C" not null,
    primary key (object, key)
);

create table balance (
    account bigint primary key,
    units bigint not null check (units >= 0),
    newest_entry bigint,
    newest_refund bigint
) with (fillfactor = 50);

create table refund_row (
    number bigint primary key,
    created_ms bigint not null,
    salt bigint not null,
    account bigint not null,
    -- The number of the account's refund before this one.
    previous bigint,
    amount bigint not null check (amount > 0),
    type bigint not null check (type in (0, 1)),
    source_type bigint not null check (source_type in (0, 1, 2)),
    method_type bigint not null,
    payment_method bigint,
    status bigint not null check (status in (0, 1, 2, 3)),
    refund_day bigint not null,
    created_by bigint not null,
    audit bigint,
    method_choice bigint,
    source_before bigint,
    -- Its first entry.
    entry bigint,
    payment bigint,
    comment text collate "C",
    reason_code text collate "C",
    soft_descriptor text collate "C",
    soft_descriptor_phone text collate "C",
    gateway text collate "C",
    -- A JSON array.
    gateway_options text collate "C",
    gateway_state bigint,
    gateway_response text collate "C",
    gateway_response_code text collate "C",
    reference_id text collate "C",
    second_reference_id text collate "C",
    submitted_ms bigint,
    settled_ms bigint,
    cancelled_ms bigint,
    compensated_ms bigint,
    updated_ms bigint,
    updated_by bigint,
    transferred_to_accounting text collate "C",
    custom text collate "C",
    constraint electronic_by_a_gateway
        check (type = 0 or (gateway is not null and payment_method is not null)),
    constraint payment_of_its_source check ((payment is not null) = (source_type = 0)),
    constraint entry_of_its_source check ((entry is not null) = (source_type = 1)),
    constraint processing_is_electronic check (status <> 1 or type = 1),
    constraint compensated_is_processed check (compensated_ms is null or status = 0)
);

create table entry_row (
    key bigint primary key,
    account bigint not null,
    kind bigint not null,
    delta bigint not null,
    balance bigint not null check (balance >= 0),
    refund bigint,
    adjustment bigint,
    at_ms bigint not null,
    constraint moves_as_its_kind check (case
        when kind in (0, 1, 5) then delta < 0
        when kind in (2, 3, 4) then delta > 0
        when kind = 6 then delta <> 0
        else false end),
    constraint refund_of_its_kind check ((refund is not null) = (kind < 4)),
    constraint adjustment_of_its_kind check ((adjustment is not null) = (kind >= 4))
);

create table audit_source (
    key bigint primary key,
    "user" bigint not null,
    actor text collate "C" not null,
    door text collate "C" not null,
    version text collate "C" not null,
    address text collate "C" not null,
    operation text collate "C" not null,
    object text collate "C" not null,
    unique ("user", actor, door, version, address, operation, object)
);

create table audit_row (
    key bigint primary key,
    at_ms bigint not null,
    source bigint not null,
    request_id text collate "C",
    -- The numbers of the refunds that the call created or settled: a first one and how many follow
    -- each other from it, or else a JSON array.
    first_refund bigint,
    refund_count bigint,
    refunds text collate "C",
    idempotency_key text collate "C"
);

create table credit_memo_line (
    key bigint primary key,
    id text collate "C" not null unique check (length(id) = 32),
    memo bigint not null,
    -- Of a tax, the item that it is on; null for an item.
    item bigint,
    name text collate "C",
    amount bigint not null check (amount > 0),
    refunded bigint not null check (refunded between 0 and amount),
    created_ms bigint not null,
    updated_ms bigint not null
);

create table credit_memo_part (
    key bigint primary key,
    memo bigint not null,
    invoice bigint not null,
    amount bigint not null check (amount >= 0),
    seeded bigint not null default 0 check (seeded >= 0),
    created_ms bigint not null,
    updated_ms bigint not null,
    unique (memo, invoice)
);

create table payment_method_snapshot (
    key bigint primary key,
    id text collate "C" not null unique check (length(id) = 32),
    method bigint not null,
    type text collate "C" not null,
    status text collate "C" not null,
    gateway text collate "C",
    kept text collate "C" not null,
    created_ms bigint not null
);

create table refund_detail (
    refund bigint primary key,
    credit_memo bigint,
    snapshot bigint,
    transaction_type text collate "C"
        check (transaction_type in ('Chargeback', 'PaymentReversal')),
    reconciliation_status text collate "C",
    reconciliation_reason text collate "C",
    payout_id text collate "C",
    -- A JSON object: accounting codes, fields for NetSuite.
    notes text collate "C" not null,
    -- A JSON array.
    rates text collate "C"
);

create table refund_credit_memo_line (
    key bigint primary key,
    refund bigint not null,
    line bigint not null,
    amount bigint not null check (amount > 0),
    created_ms bigint not null
);

create table gateway_identity (
    name text collate "C" primary key,
    id text collate "C" not null unique check (length(id) = 32),
    number text collate "C" not null unique
);

create table oauth_client (
    id text collate "C" primary key check (length(id) = 36),
    secret_hash text collate "C" not null,
    "user" bigint not null
);

create table oauth_token (
    token_hash bytea primary key check (length(token_hash) = 32),
    client text collate "C" not null,
    ends_ms bigint not null
);

alter table session add foreign key ("user") references "user"
    deferrable initially deferred;
alter table account_row add foreign key (default_payment_method) references payment_method
    deferrable initially deferred;
alter table account_row add foreign key (created_by) references "user"
    deferrable initially deferred;
alter table account_row add foreign key (updated_by) references "user"
    deferrable initially deferred;
alter table account_row add foreign key (parent) references account_row
    deferrable initially deferred;
alter table payment_method add foreign key (account) references account_row
    deferrable initially deferred;
alter table payment_method add foreign key (created_by) references "user"
    deferrable initially deferred;
alter table payment_method add foreign key (updated_by) references "user"
    deferrable initially deferred;
alter table refund_invoice_payment add foreign key (refund) references refund_row
    on delete cascade deferrable initially deferred;
alter table refund_invoice_payment add foreign key (invoice_payment) references invoice_payment
    deferrable initially deferred;
alter table inquiry add foreign key (refund) references refund_row
    on delete cascade deferrable initially deferred;
alter table query_locator add foreign key ("user") references "user"
    deferrable initially deferred;
alter table query_mark add foreign key (locator) references query_locator
    on delete cascade deferrable initially deferred;
alter table invoice add foreign key (account) references account_row
    deferrable initially deferred;
alter table payment add foreign key (account) references account_row
    deferrable initially deferred;
alter table payment add foreign key (payment_method) references payment_method
    deferrable initially deferred;
alter table payment add foreign key (created_by) references "user"
    deferrable initially deferred;
alter table payment add foreign key (updated_by) references "user"
    deferrable initially deferred;
alter table invoice_payment add foreign key (invoice) references invoice
    deferrable initially deferred;
alter table invoice_payment add foreign key (payment) references payment
    deferrable initially deferred;
alter table invoice_payment add foreign key (created_by) references "user"
    deferrable initially deferred;
alter table adjustment add foreign key (account) references account_row
    deferrable initially deferred;
alter table adjustment add foreign key (invoice) references invoice
    deferrable initially deferred;
alter table adjustment add foreign key (payment) references payment
    deferrable initially deferred;
alter table adjustment add foreign key (created_by) references "user"
    deferrable initially deferred;
alter table adjustment add foreign key (updated_by) references "user"
    deferrable initially deferred;
alter table credit_memo add foreign key (account) references account_row
    deferrable initially deferred;
alter table credit_memo add foreign key (created_by) references "user"
    deferrable initially deferred;
alter table credit_memo add foreign key (updated_by) references "user"
    deferrable initially deferred;
alter table credit_memo add foreign key (posted_by) references "user"
    deferrable initially deferred;
alter table invoice_line add foreign key (invoice) references invoice
    deferrable initially deferred;
alter table invoice_line add foreign key (item) references invoice_line
    deferrable initially deferred;
alter table invoice_adjustment add foreign key (invoice) references invoice
    deferrable initially deferred;
alter table invoice_adjustment add foreign key (line) references invoice_line
    deferrable initially deferred;
alter table invoice_adjustment add foreign key (created_by) references "user"
    deferrable initially deferred;
alter table invoice_adjustment add foreign key (updated_by) references "user"
    deferrable initially deferred;
alter table invoice_adjustment add foreign key (cancelled_by) references "user"
    deferrable initially deferred;
alter table collected add foreign key (payment) references payment
    deferrable initially deferred;
alter table credit_memo_line add foreign key (memo) references credit_memo
    deferrable initially deferred;
alter table credit_memo_line add foreign key (item) references credit_memo_line
    deferrable initially deferred;
alter table credit_memo_part add foreign key (memo) references credit_memo
    deferrable initially deferred;
alter table credit_memo_part add foreign key (invoice) references invoice
    deferrable initially deferred;
alter table payment_method_snapshot add foreign key (method) references payment_method
    deferrable initially deferred;
alter table refund_detail add foreign key (refund) references refund_row
    on delete cascade deferrable initially deferred;
alter table refund_detail add foreign key (credit_memo) references credit_memo
    deferrable initially deferred;
alter table refund_detail add foreign key (snapshot) references payment_method_snapshot
    deferrable initially deferred;
alter table refund_credit_memo_line add foreign key (refund) references refund_row
    on delete cascade deferrable initially deferred;
alter table refund_credit_memo_line add foreign key (line) references credit_memo_line
    deferrable initially deferred;
alter table oauth_client add foreign key ("user") references "user"
    deferrable initially deferred;
alter table oauth_token add foreign key (client) references oauth_client
    deferrable initially deferred;

create index session_by_user on session ("user");
create index session_by_last_use on session (last_used_ms);
create index refund_invoice_payment_by_refund on refund_invoice_payment (refund, key);
create index refund_invoice_payment_by_part on refund_invoice_payment (invoice_payment);
create index idempotency_by_age on idempotency (at_ms);
create index payment_method_by_account on payment_method (account, key);
create index query_locator_by_last_use on query_locator (last_used_ms);
create index query_locator_by_user on query_locator ("user", last_used_ms);
create index account_by_default_method on account_row (default_payment_method, key)
    where default_payment_method is not null;
create index invoice_by_account on invoice (account, key);
create index payment_by_account on payment (account, key);
create index payment_by_method on payment (payment_method, key)
    where payment_method is not null;
create index invoice_payment_by_invoice on invoice_payment (invoice, key);
create index inquiry_by_time on inquiry (next_ms) where next_ms is not null;
create index audit_object_by_audit on audit_object (audit);
create index audit_object_by_id on audit_object (id) where refund is null;
create index credit_memo_line_by_memo on credit_memo_line (memo, key);
create index adjustment_by_account on adjustment (account, key);
create index adjustment_by_invoice on adjustment (invoice) where invoice is not null;
create index audit_object_by_refund on audit_object (refund) where refund is not null;
create index adjustment_by_payment on adjustment (payment) where payment is not null;
create index refund_by_payment on refund_row (payment) where payment is not null;
create index refund_by_payment_method on refund_row (payment_method, number)
    where payment_method is not null;
create index exchange_by_refund on exchange (refund);
create unique index entry_giving_back on entry_row (refund) where kind in (2, 3);
create index entry_by_adjustment on entry_row (adjustment) where adjustment is not null;
create index event_by_account on event (account, key);
create index delivery_by_event on delivery (event);
create index delivery_by_time on delivery (webhook, next_ms) where next_ms is not null;
create index delivery_waiting on delivery (webhook, account, event) where is_given_up = 0;
create index credit_memo_by_account on credit_memo (account, key);
create index invoice_line_by_invoice on invoice_line (invoice, key);
create index invoice_line_by_item on invoice_line (item) where item is not null;
create index invoice_adjustment_by_invoice on invoice_adjustment (invoice);
create index invoice_adjustment_by_line on invoice_adjustment (line, key)
    where line is not null;
create index account_by_parent on account_row (parent, key) where parent is not null;
create index collected_by_payment on collected (payment);
create unique index sending_of_refund on sending (refund, kind);
create index credit_memo_line_by_item on credit_memo_line (item) where item is not null;
create index credit_memo_part_by_invoice on credit_memo_part (invoice);
create index payment_method_snapshot_by_method on payment_method_snapshot (method);
create index refund_detail_by_memo on refund_detail (credit_memo) where credit_memo is not null;
create index refund_detail_by_snapshot on refund_detail (snapshot) where snapshot is not null;
create index refund_credit_memo_line_by_refund on refund_credit_memo_line (refund, key);
create index refund_credit_memo_line_by_line on refund_credit_memo_line (line);
create index oauth_token_by_end on oauth_token (ends_ms);

-- The payment methods that every ledger has.
insert into payment_method (key, id, type, status, kept, created_ms, updated_ms) values
    (1, 'c734069ef291f62717f7c390e0c0fd55', 'Check', 'Active', '{"Name":"Check"}',
        1167638400000, 1167638400000),
    (2, '61934f5aff784a1a2b6ab4bd8ae646ca', 'Cash', 'Active', '{"Name":"Cash"}',
        1167638400000, 1167638400000),
    (3, '2983abc7c19b8d4b0ae3c07a041a7138', 'WireTransfer', 'Active', '{"Name":"WireTransfer"}',
        1167638400000, 1167638400000),
    (4, '1c629c8e55a26b654b5c193df7bffcbf', 'Other', 'Active', '{"Name":"Other"}',
        1167638400000, 1167638400000);

-- What was written is never changed.
create function ledger_refuse() returns trigger language plpgsql as $$
begin
    raise exception '%', tg_argv[0] using errcode = 'restrict_violation';
end
$$;
create trigger entry_is_never_changed before update or delete or truncate on entry_row
    execute function ledger_refuse('ledger entries are never updated or deleted');
create trigger audit_is_never_changed before update or delete or truncate on audit_row
    execute function ledger_refuse('the audit is never updated or deleted');
create trigger audit_object_is_never_changed before update or delete or truncate on audit_object
    execute function ledger_refuse('the audit is never updated or deleted');
create trigger audit_source_is_never_changed before update or delete or truncate on audit_source
    execute function ledger_refuse('the audit is never updated or deleted');
create trigger exchange_is_never_changed before update or delete or truncate on exchange
    execute function ledger_refuse('exchanges are never updated or deleted');
create trigger sending_is_never_changed before update or delete or truncate on sending
    execute function ledger_refuse('what was sent to gateways is never updated or deleted');
create trigger turn_is_never_deleted before delete or truncate on turn
    execute function ledger_refuse('the turn is never deleted');
create trigger collected_is_never_deleted before delete on collected
    for each row when (old.sent > 0)
    execute function ledger_refuse('what a gateway gave back of is never deleted');
create trigger collected_stays_once_money_went before update on collected
    for each row when (old.sent > 0 and (new.reference, new.gateway, new.payment, new.amount,
        new.excess) is distinct from (old.reference, old.gateway, old.payment, old.amount,
        old.excess))
    execute function ledger_refuse('what a gateway gave back of stays as it was collected');

-- What people and queries read: the rows with names in place of codes.
create view account as
    select *, (select units from balance where balance.account = account_row.key) as balance
    from account_row;
create view entry as
    select key, account,
        case kind when 0 then 'refund' when 1 then 'hold' when 2 then 'release'
            when 3 then 'compensation' when 4 then 'increase' when 5 then 'decrease'
            when 6 then 'cancellation' end collate "C" as kind,
        delta, balance, refund, adjustment, at_ms
    from entry_row;
create view refund as
    select number, created_ms, salt, account, previous, amount,
        case type when 0 then 'External' else 'Electronic' end collate "C" as type,
        case source_type when 0 then 'Payment' when 1 then 'CreditBalance'
            when 2 then 'CreditMemo' end collate "C" as source_type,
        case method_type when 0 then 'ACH' when 1 then 'BankTransfer' when 2 then 'Cash'
            when 3 then 'Check' when 4 then 'CreditCard'
            when 5 then 'CreditCardReferenceTransaction' when 6 then 'DebitCard'
            when 7 then 'Other' when 8 then 'PayPal' when 9 then 'WireTransfer' end collate "C"
            as method_type,
        payment_method,
        case status when 0 then 'Processed' when 1 then 'Processing' when 2 then 'Error'
            when 3 then 'Canceled' end collate "C" as status,
        to_char(date '1970-01-01' + refund_day::integer, 'YYYY-MM-DD') collate "C" as refund_date,
        created_by, audit,
        case method_choice when 0 then 'named' when 1 then 'default' when 2 then 'payment'
            when 3 then 'type' end collate "C" as method_choice,
        source_before, entry, payment, comment, reason_code, soft_descriptor,
        soft_descriptor_phone, gateway, gateway_options,
        case gateway_state when 0 then 'MarkedForSubmission' when 1 then 'Submitted'
            when 2 then 'NotSubmitted' when 3 then 'Settled' when 4 then 'FailedToSettle' end
            collate "C" as gateway_state,
        gateway_response, gateway_response_code, reference_id, second_reference_id, submitted_ms,
        settled_ms, cancelled_ms, compensated_ms, updated_ms, updated_by,
        transferred_to_accounting, custom
    from refund_row;
create view audit as
    select audit_row.key, at_ms, nullif("user", 0) as "user", nullif(actor, '') as actor, door,
        nullif(version, '') as version, nullif(address, '') as address, request_id, operation,
        object,
        coalesce(refunds, (
            select '[' || string_agg(number::text, ',' order by number) || ']'
            from generate_series(first_refund, first_refund + refund_count - 1) as number
            where first_refund is not null)) collate "C" as refunds,
        idempotency_key
    from audit_row join audit_source on audit_source.key = audit_row.source;

-- What statements call, and what means the same in a file: ids and numbers as clients see them, case
-- beyond ASCII, the patterns of `like`, exact amounts across currencies.
create function row_id(created_ms bigint, salt bigint, kind bigint, key bigint) returns text
    language sql immutable parallel safe as $$
    select (lpad(to_hex(least(greatest(created_ms, 0), 281474976710655)), 12, '0')
        || lpad(to_hex(salt & 16777215), 6, '0') || to_hex(kind)
        || lpad(to_hex(key), 13, '0')) collate "C"
$$;
create function refund_id(created_ms bigint, salt bigint, number bigint) returns text
    language sql immutable parallel safe as $$ select row_id(created_ms, salt, 0, number) $$;
create function credit_balance_adjustment_id(created_ms bigint, salt bigint, key bigint)
    returns text
    language sql immutable parallel safe as $$ select row_id(created_ms, salt, 1, key) $$;
create function refund_invoice_payment_id(created_ms bigint, salt bigint, key bigint) returns text
    language sql immutable parallel safe as $$ select row_id(created_ms, salt, 2, key) $$;
create function refund_transaction_log_id(created_ms bigint, salt bigint, key bigint) returns text
    language sql immutable parallel safe as $$ select row_id(created_ms, salt, 3, key) $$;
create function numbered(prefix text, number bigint) returns text
    language sql immutable parallel safe as $$
    select (prefix || lpad(number::text, greatest(8, length(number::text)), '0')) collate "C"
$$;
create function refund_number(number bigint) returns text
    language sql immutable parallel safe as $$ select numbered('R-', number) $$;
create function adjustment_number(key bigint) returns text
    language sql immutable parallel safe as $$ select numbered('CBA-', key) $$;
create function folded(value text) returns text
    language sql immutable parallel safe as $$
    select lower(value collate "und-x-icu") collate "C"
$$;
create function is_like(value text, pattern text, case_sensitive bigint) returns boolean
    language sql immutable parallel safe as $$
    select case case_sensitive
        when 1 then value collate "C" like pattern escape ''
        else folded(value) like folded(pattern) escape '' end
$$;
-- Below, at or above zero as the text is below, at or above the decimal; null where it is no decimal.
create function decimal_against(value text, bound text) returns bigint
    language sql immutable parallel safe as $$
    select case when value ~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)$'
        then sign(value::numeric - bound::numeric)::bigint end
$$;
-- The same for an amount in minor units of a currency; null where the currency is not known.
create function amount_against(units bigint, currency text, bound text) returns bigint
    language sql immutable parallel safe as $$
    select sign(units * case
        when currency in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX',
            'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF')
            then 1::numeric
        when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 0.001
        when currency in ('CLF', 'UYW') then 0.0001
        when length(currency) = 3 then 0.01 end - bound::numeric)::bigint
$$;
