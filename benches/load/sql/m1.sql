-- What recording a visit reads and writes, in one transaction of two statements; ids grow with time, as the program's.
\set n random(1, {picks})
\set a random(200, 90000)
\set r random(1, 9000000000000000)
begin;
select c.id as customer, k.store_id as store, k.staff_id as staff, m.id as membership, m.tier_id as tier,
    t.visits, t.receipts, t.bought_minor as bought, t.returned_minor as returned,
    exists (select 1 from purchase p where p.source = 'ideal' and p.receipt_number = :r::text) as known,
    (select r.id from arrival r where r.customer_id = c.id and r.store_id = k.store_id and r.business_date = now()::date
      and r.visit_id is null order by r.at limit 1) as arrival,
    (select w.id from announced_visit w where w.customer_id = c.id and w.store_id = k.store_id and w.state = 'ANNOUNCED'
      and w.day_from <= now() and w.day_until > now() order by w.expected_at, w.id limit 1) as announced,
    (select array_agg((l.id, l.level, l.spend_threshold_minor))::text from tier l where l.programme_id = m.programme_id) as ladder
  from load.pick k join customer c on c.id = k.customer_id join customer_total t on t.customer_id = c.id
  left join membership m on m.customer_id = c.id
  where k.n = :n for no key update of c
\gset
with v as (insert into visit (id, customer_id, store_id, channel, at, business_date, served_by_id, outcome, history, recorded_at)
    values (load.id(), :customer::uuid, :store::uuid, 'IN_STORE', now(), now()::date, :staff::uuid, 'PURCHASE', false, now()) returning id),
  p as (insert into purchase (id, visit_id, customer_id, source, receipt_number, content_hash, bought_minor, returned_minor)
    select load.id(), v.id, :customer::uuid, 'ideal', :r::text, sha256(:r::text::bytea), 3 * :a::bigint, 0 from v returning id),
  l as (insert into purchase_line (id, purchase_id, line, sku, name, category, quantity_milli, amount_minor)
    select load.id(), p.id, x.line, x.sku, x.name, 'Tea', 1000, :a::bigint from p,
      (values (1, 'TEA-001', 'Tea 1'), (2, 'TEA-002', 'Tea 2'), (3, 'TEA-003', 'Tea 3')) x (line, sku, name)),
  t as (update customer_total set visits = visits + 1, receipts = receipts + 1, bought_minor = bought_minor + 3 * :a::bigint,
    last_visit_on = now()::date, last_visit_at = now(), last_purchase_on = now()::date where customer_id = :customer::uuid),
  a as (insert into audit_entry (id, at, actor_kind, actor_id, action, address, request_id, customer_count, detail)
    select load.id(), now(), 'STAFF', :staff::uuid, 'visit.record', '127.0.0.1', load.id(), 1,
      jsonb_build_object('visit', v.id, 'store', :store::uuid) from v returning id),
  b as (insert into audit_customer (customer_id, entry_id) select :customer::uuid, a.id from a),
  e as (insert into event (kind, customer_id, store_id, subject_id, at, actor_kind, actor_id, payload)
    select x.kind, :customer::uuid, :store::uuid, v.id, now(), 'STAFF', :staff::uuid,
      jsonb_build_object('channel', 'IN_STORE', 'outcome', 'PURCHASE', 'businessDate', now()::date, 'purchase', p.id,
        'boughtMinor', 3 * :a::bigint, 'returnedMinor', 0)
    from v, p, (values ('visit.recorded'), ('customer.arrived')) x (kind)),
  s as (insert into sight (customer_id, scope_id, cause, until) values (:customer::uuid, :store::uuid, 'arrived', now() + interval '12 hours')
    on conflict (customer_id, scope_id, cause) do update set until = excluded.until)
select v.id from v;
commit;
