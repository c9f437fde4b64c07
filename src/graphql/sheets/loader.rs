//! What the sheets load by key.

use crate::domain::sheets::arrival::{self, Favorite};
use crate::graphql::loaders::{batch_loader, grouped};
use chrono::NaiveDate;
use entity::ids::CustomerId;
use std::collections::HashMap;

/// The categories that a customer likes by what they bought within the year before a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FavoritesOf {
    /// Whose.
    pub customer: CustomerId,
    /// Before which day.
    pub day: NaiveDate,
}

batch_loader!(FavoritesOf => Vec<Favorite>, |ctx, keys| {
    // Usually all siblings ask for the same day.
    let mut by_day: HashMap<NaiveDate, Vec<CustomerId>> = HashMap::new();
    for key in keys {
        by_day.entry(key.day).or_default().push(key.customer);
    }
    let mut found = HashMap::new();
    for (day, customers) in by_day {
        let rows = arrival::favorites(ctx, &customers, day).await?;
        let key = |customer: CustomerId| FavoritesOf { customer, day };
        let wanted: Vec<_> = customers.into_iter().map(key).collect();
        found.extend(grouped(&wanted, rows, |row| key(row.customer_id)));
    }
    found
});
