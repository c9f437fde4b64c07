-- A customer with the card in use: one statement by primary key.
select c.id, c.full_name, c.kind, c.importance, c.created_at, c.version, k.number, k.status, k.valid_until
  from customer c left join card k on k.customer_id = c.id and k.status = 'ACTIVE' where c.id = '{customer}';
