-- A page behind a row of the index by name.
select id, full_name, kind, importance, created_at, name_key from customer
  where archived_at is null and (name_key, id) > ('\x{name_key}', '{customer}') order by name_key, id limit 51;
