//! Files of customers that another system kept: made, or filled in where receipts or an earlier file have brought the
//! customer.
//!
//! What is known is never overwritten, but for guesses: the name and store that receipts brought along, and what every
//! new file says of itself, as long as nobody has changed the file since. A row that contradicts what is known is
//! rejected whole.

use super::batches::{Fate, Fault, Take, Taken};
use super::holders::{self, Holder};
use super::open;
use super::options::MoveOptions;
use crate::access::{Action, Ctx, audit, sight};
use crate::db::{Batch, Engine, Tx, among, prefer_indexes};
use crate::domain::customers::completeness::uncounted;
use crate::domain::customers::fill::{self as files, Reference};
use crate::domain::customers::keepers;
use crate::domain::organization::{self, CompanySettings, fixed};
use crate::error::Result;
use crate::events::{self, NewEvent};
use crate::intake::customers::{CustomerField, CustomerRow};
use crate::intake::{Placed, RejectCode};
use entity::ids::{CustomerId, StaffId, StoreId};
use entity::{consent, contact_point, customer, customer_note, open_reference};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

mod consents;
mod points;
mod rules;

/// Takes customers in.
#[derive(Debug)]
pub(super) struct Taker {
    source: String,
    file: String,
    company: Arc<CompanySettings>,
    /// Stores that have not closed, by their code.
    stores: HashMap<String, StoreId>,
}

/// A customer as they are, and as they will be.
#[derive(Clone, Debug)]
struct Standing {
    row: customer::Model,
    /// As read; none of a new one.
    before: Option<customer::Model>,
    /// See [`Holder::version`].
    left_at: Option<i64>,
    /// Has a row of this batch told of the customer? From then on nothing is a guess any more.
    told: bool,
    points: Vec<contact_point::Model>,
    consents: Vec<consent::Model>,
    notes: Vec<customer_note::Model>,
    open: Vec<open_reference::Model>,
    /// How many of each were there before.
    known: [usize; 4],
}

impl Standing {
    /// Of a customer alone.
    fn of(row: customer::Model, before: Option<customer::Model>) -> Self {
        Self {
            row,
            before,
            left_at: None,
            told: false,
            points: Vec::new(),
            consents: Vec::new(),
            notes: Vec::new(),
            open: Vec::new(),
            known: [0; 4],
        }
    }

    /// Has nobody changed the file since an import left it?
    fn is_untouched(&self) -> bool {
        self.before.is_none() || self.row.version == self.left_at.unwrap_or(1)
    }

    /// Have only receipts brought the customer so far?
    fn is_bare(&self) -> bool {
        !self.told && self.before.is_some() && self.left_at.is_none() && self.is_untouched()
    }

    fn counts(&self) -> [usize; 4] {
        [
            self.points.len(),
            self.consents.len(),
            self.notes.len(),
            self.open.len(),
        ]
    }

    fn file_differs(&self) -> bool {
        self.before.as_ref() != Some(&self.row)
    }
}

/// What the rows of a batch refer to.
struct Around<'a> {
    ctx: &'a Ctx,
    taker: &'a Taker,
    holders: HashMap<String, Holder>,
    /// Staff by their address, and whether they may keep customers.
    keepers: HashMap<String, (StaffId, bool)>,
}

impl Taker {
    /// For one file.
    pub async fn new(
        ctx: &Ctx,
        options: &MoveOptions,
        company: Arc<CompanySettings>,
    ) -> Result<Self> {
        let stores = organization::stores::open_by_code(ctx).await?;
        Ok(Self {
            source: options.source.clone(),
            file: options.file.clone(),
            company,
            stores,
        })
    }

    /// Computes what becomes of the rows, from what the connection reads; gives who is to be written, each with their
    /// numbers in the file.
    async fn compute(
        &self,
        connection: &impl ConnectionTrait,
        ctx: &Ctx,
        rows: &[Placed<CustomerRow>],
    ) -> Result<(Taken<CustomerField>, Vec<(BTreeSet<String>, Standing)>)> {
        let mut numbers = BTreeSet::new();
        for Placed { row, .. } in rows {
            numbers.insert(row.number.clone());
            numbers.extend(row.referred_by.clone());
            numbers.extend(row.gift_from.clone());
        }
        let holders = holders::of_numbers(connection, ctx, &self.source, numbers).await?;
        let mut known: HashMap<&str, CustomerId> = HashMap::new();
        for placed in rows {
            if let Some(holder) = holders.get(&placed.row.number)
                && !holder.is_erased
            {
                known.insert(&placed.row.number, holder.id);
            }
        }
        let ids: Vec<CustomerId> = known.values().copied().collect();
        let mut standings = read(connection, ctx, ids, rows).await?;
        for holder in known.keys().filter_map(|number| holders.get(*number)) {
            // Who has two numbers is who they are under both.
            if let Some(standing) = standings.get_mut(&holder.id) {
                standing.left_at = standing.left_at.max(holder.version);
            }
        }
        let addresses = rows.iter().filter_map(|placed| placed.row.keeper.clone());
        let around = Around {
            ctx,
            taker: self,
            holders,
            keepers: staff_of(connection, addresses.collect()).await?,
        };
        let mut taken = Taken::new();
        let mut named: BTreeMap<CustomerId, BTreeSet<String>> = BTreeMap::new();
        for (place, placed) in rows.iter().enumerate() {
            let number = placed.row.number.as_str();
            if around.is_erased(number) {
                taken.fates.push(Err(erased()));
                continue;
            }
            let before = known.get(number).and_then(|id| standings.get(id)).cloned();
            let is_new = before.is_none();
            let mut standing = before.unwrap_or_else(|| around.stranger(&placed.row));
            let (was, counts) = (standing.row.clone(), standing.counts());
            let mut left_out = Vec::new();
            let fate = match around.apply(&mut standing, placed, &mut left_out) {
                Err(fault) => Err(fault),
                Ok(()) if is_new => Ok(Fate::Made),
                Ok(()) if standing.row == was && standing.counts() == counts => Ok(Fate::Known),
                // Merged or erased since the numbers were read: the next import finds whoever the file is now.
                Ok(())
                    if standing.row.archived_at.is_some()
                        || standing.row.merged_into_id.is_some()
                        || standing.row.erased_at.is_some() =>
                {
                    Err(put_away())
                }
                Ok(()) => Ok(Fate::Changed),
            };
            if fate.is_ok() {
                let faults = left_out.into_iter().map(|fault| (place, fault));
                taken.left_out.extend(faults);
                let id = standing.row.id;
                standing.told = true;
                known.insert(number, id);
                named.entry(id).or_default().insert(number.to_owned());
                standings.insert(id, standing);
            }
            taken.fates.push(fate);
        }
        let touched = named
            .into_iter()
            .filter_map(|(id, numbers)| {
                let standing = standings.remove(&id)?;
                let is_changed = standing.file_differs() || standing.counts() != standing.known;
                is_changed.then_some((numbers, standing))
            })
            .collect();
        Ok((taken, touched))
    }

    /// Writes what has changed.
    async fn write(
        &self,
        tx: &Tx,
        ctx: &Ctx,
        touched: Vec<(BTreeSet<String>, Standing)>,
    ) -> Result<()> {
        if touched.is_empty() {
            return Ok(());
        }
        fixed::hold_locale(&**tx, ctx, &self.company.locale).await?;
        let (mut batch, mut concerned) = (Batch::new(), Vec::new());
        let (mut made, mut filled) = (0_u64, 0_u64);
        let mut rows: Vec<customer::Model> = Vec::new();
        let mut references: Vec<Reference> = Vec::new();
        for (numbers, standing) in &touched {
            let mut row = standing.row.clone();
            concerned.push(row.id);
            if standing.before.is_none() {
                made += 1;
            } else {
                filled += 1;
            }
            if standing.before.is_some() && standing.file_differs() {
                row.version += 1;
                row.updated_at = ctx.now();
            }
            let left_at = if standing.is_untouched() {
                row.version
            } else {
                standing.left_at.unwrap_or(0)
            };
            if standing.left_at != Some(left_at) {
                references.extend(numbers.iter().map(|number| Reference {
                    source: self.source.clone(),
                    number: number.clone(),
                    id: row.id,
                    version: left_at,
                    is_new: standing.before.is_none(),
                }));
            }
            if standing.file_differs() {
                rows.push(row);
            }
        }
        files::files(&mut batch, &rows);
        files::totals(
            &mut batch,
            touched
                .iter()
                .filter(|(_, standing)| standing.before.is_none())
                .map(|(_, standing)| standing.row.id),
        );
        let renamed = touched.iter().filter(|(_, standing)| {
            standing.before.as_ref().is_none_or(|before| {
                before.full_name != standing.row.full_name
                    || before.employer != standing.row.employer
            })
        });
        files::searches(&mut batch, renamed.map(|(_, standing)| &standing.row));
        files::references(&mut batch, references);
        for (_, standing) in &touched {
            let [points, consents, notes, open] = standing.known;
            files::contact_points(&mut batch, standing.points.iter().skip(points));
            files::consents(&mut batch, standing.consents.iter().skip(consents));
            files::notes(&mut batch, standing.notes.iter().skip(notes));
            open::gather(&mut batch, standing.open.iter().skip(open));
        }
        let payload = json!({ "source": self.source, "made": made, "filled": filled });
        let entry = audit::Entry::new(ctx, "customer.import")
            .about(concerned.iter().copied())
            .detail(payload.clone());
        audit::gather(&mut batch, &[entry]);
        batch.write(&**tx).await?;
        let known = touched.iter().filter(|(_, it)| it.before.is_some());
        uncounted(&**tx, known.map(|(_, it)| it.row.id)).await?;
        let event = NewEvent {
            kind: "customers.imported",
            customer: None,
            store: None,
            subject: CustomerId::new().into(),
            payload,
        };
        events::record(&**tx, ctx, &[event]).await
    }
}

impl Take for Taker {
    type Row = CustomerRow;

    async fn take(
        &mut self,
        ctx: &Ctx,
        rows: &[Placed<CustomerRow>],
        dry_run: bool,
    ) -> Result<Taken<CustomerField>> {
        let taker = &*self;
        if dry_run {
            let (taken, _) = taker.compute(ctx.db.read(), ctx, rows).await?;
            return Ok(taken);
        }
        ctx.db
            .write(|tx| async move {
                prefer_indexes(&*tx).await?;
                let (taken, touched) = taker.compute(&*tx, ctx, rows).await?;
                taker.write(&tx, ctx, touched).await?;
                Ok(taken)
            })
            .await
    }

    fn identity(row: &CustomerRow) -> &str {
        &row.number
    }
}

/// Locks and reads the known customers of a batch, with what the rows may add to.
async fn read(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    ids: Vec<CustomerId>,
    rows: &[Placed<CustomerRow>],
) -> Result<HashMap<CustomerId, Standing>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    sight::lock_customers(connection, ctx, Action::CustomerManage, ids.clone()).await?;
    let engine = Engine::of(connection);
    let files = customer::Entity::find()
        .filter(among(engine, customer::Column::Id, ids.clone()))
        .all(connection)
        .await?;
    let points = contact_point::Entity::find()
        .filter(among(
            engine,
            contact_point::Column::CustomerId,
            ids.clone(),
        ))
        .all(connection)
        .await?;
    let mut consents = Vec::new();
    if rows.iter().any(|placed| !placed.row.consents.is_empty()) {
        let of = points.iter().map(|point| point.id);
        consents = consent::Entity::find()
            .filter(among(engine, consent::Column::ContactPointId, of))
            .all(connection)
            .await?;
    }
    let mut notes = Vec::new();
    if rows.iter().any(|placed| placed.row.note.is_some()) {
        notes = customer_note::Entity::find()
            .filter(among(
                engine,
                customer_note::Column::CustomerId,
                ids.clone(),
            ))
            .all(connection)
            .await?;
    }
    let subjects = ids.iter().map(ToString::to_string).collect();
    let open = open::of_subjects(connection, subjects).await?;
    let mut standings: HashMap<CustomerId, Standing> = files
        .into_iter()
        .map(|row| (row.id, Standing::of(row.clone(), Some(row))))
        .collect();
    let owners: HashMap<_, _> = points.iter().map(|row| (row.id, row.customer_id)).collect();
    for row in points {
        if let Some(standing) = standings.get_mut(&row.customer_id) {
            standing.points.push(row);
        }
    }
    for row in consents {
        let owner = owners.get(&row.contact_point_id);
        if let Some(standing) = owner.and_then(|owner| standings.get_mut(owner)) {
            standing.consents.push(row);
        }
    }
    for row in notes {
        if let Some(standing) = standings.get_mut(&row.customer_id) {
            standing.notes.push(row);
        }
    }
    for ((_, subject), row) in open {
        let owner = subject.parse().ok().map(CustomerId);
        if let Some(standing) = owner.and_then(|owner| standings.get_mut(&owner)) {
            standing.open.push(row);
        }
    }
    for standing in standings.values_mut() {
        standing.known = standing.counts();
    }
    Ok(standings)
}

fn erased() -> Fault<CustomerField> {
    let reason = holders::ERASED.to_owned();
    (Some(CustomerField::Customer), RejectCode::Erased, reason)
}

fn put_away() -> Fault<CustomerField> {
    (
        None,
        RejectCode::PutAway,
        "the customer's file was put away here; take it out again first".to_owned(),
    )
}

/// Whoever works here under these addresses, and whether they may keep customers.
async fn staff_of(
    connection: &impl ConnectionTrait,
    addresses: HashSet<String>,
) -> Result<HashMap<String, (StaffId, bool)>> {
    if addresses.is_empty() {
        return Ok(HashMap::new());
    }
    keepers::by_address(connection, addresses.into_iter().collect()).await
}
