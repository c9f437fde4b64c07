//! Who referred whom must not go in circles: checked for many at once.

use crate::db::{Engine, Sql};
use crate::error::Result;
use entity::ids::CustomerId;
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{ArrayType, Value};
use std::collections::HashMap;

/// Everybody from whom a referral may descend, each with who referred them.
#[derive(Debug, Default)]
pub(super) struct Chains(HashMap<CustomerId, CustomerId>);

impl Chains {
    /// Reads the chains above these customers. Others who change a referral wait until the transaction ends.
    pub async fn above(tx: &impl ConnectionTrait, customers: &[CustomerId]) -> Result<Self> {
        if customers.is_empty() {
            return Ok(Self::default());
        }
        let mut sql = Sql::for_connection(tx);
        sql.push("with recursive chain (id, referrer) as (select id, referred_by_id from customer where id ");
        if sql.engine() == Engine::Postgres {
            // The lock that a change of one customer takes too.
            let mut lock = Sql::for_connection(tx);
            lock.push("select pg_advisory_xact_lock(hashtextextended('customer.referred_by', 0))");
            tx.execute_raw(lock.build()).await?;
            let ids = customers.iter().map(|id| Value::from(*id)).collect();
            sql.push("= any(")
                .bind(Value::Array(ArrayType::Uuid, Some(Box::new(ids))))
                .push(")");
        } else {
            let ids: Vec<String> = customers
                .iter()
                .map(|id| id.0.simple().to_string())
                .collect();
            sql.push("in (select unhex(value) from json_each(")
                .bind(serde_json::Value::from(ids).to_string())
                .push("))");
        }
        // `union` drops what was seen, so the walk ends even if there were a circle.
        sql.push(
            " union select customer.id, customer.referred_by_id from customer \
             join chain on customer.id = chain.referrer) \
             select id, referrer from chain where referrer is not null",
        );
        let mut above = HashMap::new();
        for row in tx.query_all_raw(sql.build()).await? {
            above.insert(row.try_get("", "id")?, row.try_get("", "referrer")?);
        }
        Ok(Self(above))
    }

    /// Notes that `referrer` referred `customer`; false, and nothing noted, when that would close a circle.
    pub fn add(&mut self, customer: CustomerId, referrer: CustomerId) -> bool {
        let mut next = Some(referrer);
        let mut steps = 0;
        while let Some(id) = next {
            if id == customer || steps > self.0.len() {
                return false;
            }
            steps += 1;
            next = self.0.get(&id).copied();
        }
        self.0.insert(customer, referrer);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_that_closes_a_circle_is_refused() {
        let [a, b, c, d] = std::array::from_fn(|_| CustomerId::new());
        let mut chains = Chains::default();
        assert!(!chains.add(a, a));
        assert!(chains.add(a, b));
        assert!(chains.add(b, c));
        assert!(!chains.add(c, a), "a was referred by b, b by c");
        assert!(!chains.add(b, a));
        assert!(chains.add(c, d));
        assert!(!chains.add(d, a));
    }
}
