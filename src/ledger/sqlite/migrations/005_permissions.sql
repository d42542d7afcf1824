-- More permissions than there were, and users who can be shut out.

-- Whether the user may log in. One who may not has no session either.
alter table user add column is_disabled integer not null default 0 check (is_disabled in (0, 1));

-- Which permissions were asked about when the user's were last said, one bit each. Users of earlier
-- schemas were asked about six; of the others a seed may still say what it likes.
alter table user add column permissions_said integer not null default 63
    check (permissions_said >= 0);

-- Which of them an operator has changed since: there, a seed gives way.
alter table user add column permissions_by_operator integer not null default 0
    check (permissions_by_operator >= 0);
