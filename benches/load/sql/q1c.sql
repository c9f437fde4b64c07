-- The same with contact points, the entry of the audit log left out: nobody who reads by hand writes one.
select c.id, c.full_name, c.kind, c.importance, c.created_at, c.version, k.number, k.status, k.valid_until,
    p.id, p.kind, p.value, p.preferred
  from customer c left join card k on k.customer_id = c.id and k.status = 'ACTIVE'
  left join contact_point p on p.customer_id = c.id and p.removed_at is null
  where c.id = '{customer}' order by p.kind, p.preferred desc, p.id;
