-- OAuth clients and the tokens that were issued to them. Secrets and tokens are kept as hashes.
create table oauth_client (
    id text primary key check (length(id) = 36),
    secret_hash text not null,
    user integer not null references user (key)
) strict, without rowid;

create table oauth_token (
    token_hash blob primary key check (length(token_hash) = 32),
    client text not null references oauth_client (id),
    ends_ms integer not null
) strict, without rowid;

create index oauth_token_by_end on oauth_token (ends_ms);
