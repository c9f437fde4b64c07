//! Pages in the order of names for stores and staff, of which a company has hundreds or thousands, not a million: the
//! names of the whole list are read and put in order here, by the same keys as customers have stored, and only the
//! page's rows are read whole.
//!
//! Called by [`super::stores`] and [`super::staff_list`]. Orders alike on both engines, and follows the company's
//! locale at once when it changes.

use crate::db::{Page, PageRequest, Sort, SortKey};
use crate::error::{Error, Result};
use entity::values::Collation;
use sea_orm::Value;
use uuid::Uuid;

/// A place in the order: the name's key and the id, compared bytewise.
type Place = (Vec<u8>, Uuid);

/// The ids of a page of these.
///
/// # Errors
/// [`Error::BadRequest`] when the page is bounded by a row of a list in another order.
pub(super) fn page<K: Copy + Into<Uuid>>(
    named: impl IntoIterator<Item = (K, String)>,
    collation: &Collation,
    sort: Sort,
    page: &PageRequest,
) -> Result<Page<K>> {
    let after = page.bounds.after.as_ref().map(place).transpose()?;
    let before = page.bounds.before.as_ref().map(place).transpose()?;
    let (low, high) = match sort {
        Sort::Ascending => (after, before),
        Sort::Descending => (before, after),
    };
    let mut rows: Vec<(Place, K)> = named
        .into_iter()
        .map(|(id, name)| ((collation.key(&name).into_bytes(), id.into()), id))
        .filter(|(place, _)| {
            low.as_ref().is_none_or(|low| place > low)
                && high.as_ref().is_none_or(|high| place < high)
        })
        .collect();
    rows.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    // In the direction in which the page is read.
    if (sort == Sort::Descending) != page.backward {
        rows.reverse();
    }
    // One more than asked for tells whether there is a next page.
    let most = usize::try_from(page.size.saturating_add(1)).unwrap_or(usize::MAX);
    Ok(page.cut(rows.into_iter().map(|(_, id)| id).take(most).collect()))
}

fn place(key: &SortKey) -> Result<Place> {
    match (&key.value, &key.id) {
        (Value::Bytes(Some(bytes)), Value::Uuid(Some(id))) => Ok((bytes.to_vec(), *id)),
        // The API's cursors are bound to their list and its order, and so never are of another.
        _ => Err(Error::BadRequest(
            "the cursor is not one of a list in the order of names".into(),
        )),
    }
}
