-- Four statements, each for all parents at once.
select array_agg(id)::text as ids from (
    select id, full_name, importance from customer where home_store_id = '{store}' and archived_at is null
    order by name_key, id limit 21) c
\gset
select customer_id, number, status, valid_until from card where customer_id = any(:ids::uuid[]);
select array_agg(id)::text as visits from unnest(:ids::uuid[]) p(customer), lateral (
    select id, at, outcome from visit where customer_id = p.customer order by at desc, id desc limit 6) v
\gset
select p.visit_id, p.id, p.bought_minor - p.returned_minor, l.id, l.sku, l.quantity_milli, l.amount_minor
  from purchase p left join purchase_line l on l.purchase_id = p.id
  where p.visit_id = any(:visits::uuid[]) order by p.id, l.line;
