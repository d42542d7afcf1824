-- The orgs that a user may name in Zuora-Org-Ids, a JSON array; none: the tenant has no orgs.
alter table user add column orgs text;
