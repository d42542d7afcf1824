-- What an operator set since a seed said it: there, the seed gives way. `object` is `tenant` or
-- `gateway NAME`, `key` that of the seed file. (Of users, `permissions_by_operator` says it.)
create table operator_value (
    object text not null,
    key text not null,
    primary key (object, key)
) strict, without rowid;
