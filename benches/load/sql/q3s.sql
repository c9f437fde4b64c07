-- The same within a store.
select id, full_name, kind, importance, created_at, name_key from customer
  where home_store_id = '{store}' and archived_at is null and (name_key, id) > ('\x{name_key}', '{customer}')
  order by name_key, id limit 51;
