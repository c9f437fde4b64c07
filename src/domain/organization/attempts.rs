//! Attempts to sign in, counted in the database so that the limit holds over all nodes.
//!
//! Called by [`super::sessions`] before any password is hashed, by [`super::client_tokens`] after a wrong secret, and by
//! [`super::company_sign_in`]. Two counters in fixed windows: one by account,
//! whether it exists or not, and one by network address. The table holds keyed hashes only, so it tells
//! nobody which accounts or addresses they are.
//!
//! A window is fixed, not sliding: in the worst case twice the limit within one window's length, across the
//! border of two.

use super::SignInSettings;
use crate::access::{Ctx, network};
use crate::db::Sql;
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

/// The counters that one attempt goes to.
#[derive(Clone, Debug)]
pub struct Attempt {
    account: Vec<u8>,
    address: Option<Vec<u8>>,
}

impl Attempt {
    /// An attempt for an account, as named by whoever tries, from the context's address.
    pub fn new(ctx: &Ctx, account: &str) -> Self {
        Self::labelled(ctx, "account", "address", account)
    }

    /// An attempt of a client to get a token. Counted apart from people: a till that was set up wrongly must not
    /// lock the staff out who sit behind the same address.
    pub fn of_client(ctx: &Ctx, client: &str) -> Self {
        Self::labelled(ctx, "client", "client-address", client)
    }

    fn labelled(ctx: &Ctx, account: &str, address: &str, name: &str) -> Self {
        Self {
            account: ctx.secrets.counter(account, name.as_bytes()),
            address: ctx
                .origin
                .address
                .map(|from| ctx.secrets.counter(address, &network(from))),
        }
    }

    /// A few letters by which entries of the audit log about one account can be put together.
    pub fn trace(&self) -> String {
        self.account
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Counts the attempt.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when there were too many; those of the database.
    pub async fn begin(&self, ctx: &Ctx) -> Result<()> {
        let over = ctx
            .db
            .write(|tx| async move { self.over(&*tx, ctx).await })
            .await?;
        if over.is_none() {
            Ok(())
        } else {
            metrics::counter!("regulars_sign_in_limited_total").increment(1);
            Err(Error::RateLimited)
        }
    }

    /// Counts the attempt within a transaction; gives the end of the window in which there were too many, when there
    /// were.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn over(
        &self,
        tx: &impl ConnectionTrait,
        ctx: &Ctx,
    ) -> Result<Option<DateTime<Utc>>> {
        let rules = &ctx.memory.of::<SignInSettings>();
        // The address first: whoever has used up its attempts cannot use up those of accounts, too.
        if let Some(address) = &self.address {
            let (tries, end) = count(tx, ctx, rules, address).await?;
            if tries > rules.attempts_by_address {
                return Ok(Some(end));
            }
        }
        let (tries, end) = count(tx, ctx, rules, &self.account).await?;
        Ok((tries > rules.attempts_by_account).then_some(end))
    }

    /// Takes the attempt back, since it was right: the account's counter begins anew, the address's is one
    /// lower, so that a shop full of people behind one address can sign in.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn succeeded(&self, tx: &impl ConnectionTrait) -> Result<()> {
        // In the same order as above, so that no two wait for each other.
        if let Some(address) = &self.address {
            let mut sql = Sql::for_connection(tx);
            sql.push("update attempt set count = count - 1 where count > 0 and bucket = ")
                .bind(address.clone());
            tx.execute_raw(sql.build()).await?;
        }
        let mut sql = Sql::for_connection(tx);
        sql.push("delete from attempt where bucket = ")
            .bind(self.account.clone());
        tx.execute_raw(sql.build()).await?;
        Ok(())
    }
}

/// The counter of sign-ins through the company's provider from one network address, apart from those with passwords.
#[derive(Clone, Debug)]
pub struct AddressAttempts(Option<Vec<u8>>);

impl AddressAttempts {
    /// An attempt from the context's address.
    pub fn new(ctx: &Ctx) -> Self {
        let address = ctx.origin.address;
        let bucket = |address| ctx.secrets.counter("company-sign-in", &network(address));
        Self(address.map(bucket))
    }

    /// Counts a step: the way to the provider is one, the way back another.
    ///
    /// # Errors
    /// As [`Attempt::begin`].
    pub async fn begin(&self, ctx: &Ctx) -> Result<()> {
        let rules = &ctx.memory.of::<SignInSettings>();
        let Some(bucket) = &self.0 else { return Ok(()) };
        let (steps, _) = ctx
            .db
            .write(|tx| async move { count(&*tx, ctx, rules, bucket).await })
            .await?;
        if steps <= rules.attempts_by_address.saturating_mul(2) {
            return Ok(());
        }
        metrics::counter!("regulars_sign_in_limited_total").increment(1);
        Err(Error::RateLimited)
    }

    /// Takes both steps back, since somebody came in by them: a shop full of people behind one address can sign in.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn succeeded(&self, tx: &impl ConnectionTrait) -> Result<()> {
        if let Some(bucket) = &self.0 {
            let mut sql = Sql::for_connection(tx);
            sql.push("update attempt set count = case when count > 2 then count - 2 else 0 end where bucket = ")
                .bind(bucket.clone());
            tx.execute_raw(sql.build()).await?;
        }
        Ok(())
    }
}

/// Adds one to a counter, or begins its next window; one statement, so that no two nodes count the same. Gives what it
/// stands at and when its window ends.
async fn count(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    rules: &SignInSettings,
    bucket: &[u8],
) -> Result<(i32, DateTime<Utc>)> {
    let now = ctx.now();
    let end = now + rules.attempts_window;
    let mut sql = Sql::for_connection(tx);
    sql.push("insert into attempt (bucket, window_start, expires_at, count) values (")
        .bind(bucket.to_vec())
        .push(", ")
        .bind(now)
        .push(", ")
        .bind(end)
        .push(", 1) on conflict (bucket) do update set ");
    sql.push("window_start = case when attempt.expires_at <= ")
        .bind(now);
    sql.push(" then excluded.window_start else attempt.window_start end, ");
    // The limit may be passed by millions of attempts, the column's range never.
    sql.push("count = case when attempt.expires_at <= ")
        .bind(now);
    sql.push(
        " then 1 when attempt.count >= 1000000 then attempt.count else attempt.count + 1 end, ",
    );
    sql.push("expires_at = case when attempt.expires_at <= ")
        .bind(now);
    sql.push(" then excluded.expires_at else attempt.expires_at end returning count, expires_at");
    let row = tx
        .query_one_raw(sql.build())
        .await?
        .ok_or_else(|| Error::internal("counting an attempt gave no row"))?;
    Ok((row.try_get("", "count")?, row.try_get("", "expires_at")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_count_as_one() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.2"), network("192.0.2.1"));
    }
}
