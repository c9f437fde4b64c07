//! Cards that a file brings, as they were printed. Whoever's holder, programme or tier is not there yet waits.

use super::batches::{Fate, Fault, Take, Taken, contradiction};
use super::options::MoveOptions;
use super::{holders, open};
use crate::access::{Ctx, audit};
use crate::db::{Batch, prefer_indexes};
use crate::domain::cards::arrivals::{Arrival, Hall, Outcome};
use crate::domain::organization::CompanySettings;
use crate::error::{Error, Result};
use crate::events::{self, NewEvent};
use crate::intake::cards::{CardField, CardRow};
use crate::intake::table::fault;
use crate::intake::{Placed, RejectCode};
use entity::enums::OpenReferenceKind;
use entity::ids::{CardId, CustomerId, OpenReferenceId};
use entity::open_reference;
use sea_orm::ConnectionTrait;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// Takes cards in.
#[derive(Debug)]
pub(super) struct Taker {
    source: String,
    file: String,
    company: Arc<CompanySettings>,
}

/// What becomes of a batch of cards.
struct Computed<'a> {
    taken: Taken<CardField>,
    hall: Hall<'a>,
    /// Cards that wait from now on.
    waiting: Vec<open_reference::Model>,
    /// References of cards that wait no longer.
    closed: Vec<OpenReferenceId>,
}

impl Taker {
    /// For one file.
    pub fn new(options: &MoveOptions, company: Arc<CompanySettings>) -> Self {
        Self {
            source: options.source.clone(),
            file: options.file.clone(),
            company,
        }
    }

    async fn compute<'a>(
        &'a self,
        connection: &impl ConnectionTrait,
        ctx: &'a Ctx,
        rows: &[Placed<CardRow>],
    ) -> Result<Computed<'a>> {
        let numbers = rows
            .iter()
            .map(|placed| placed.row.customer.clone())
            .collect();
        let holders = holders::of_numbers(connection, ctx, &self.source, numbers).await?;
        let arrivals: Vec<Option<Arrival>> = rows
            .iter()
            .map(|placed| {
                let holder = holders.get(&placed.row.customer)?;
                if holder.is_erased {
                    return None;
                }
                Some(arrival(&placed.row, holder.id))
            })
            .collect();
        let present: Vec<&Arrival> = arrivals.iter().flatten().collect();
        let mut hall = Hall::open(connection, ctx, &self.company, &present).await?;
        let subjects = rows.iter().map(|placed| placed.row.number.clone());
        let mut open = open::of_subjects(connection, subjects.collect()).await?;
        let (mut taken, mut waiting, mut closed) = (Taken::new(), Vec::new(), Vec::new());
        for (placed, arrival) in rows.iter().zip(&arrivals) {
            let row = &placed.row;
            if holders
                .get(&row.customer)
                .is_some_and(|holder| holder.is_erased)
            {
                let reason = holders::ERASED.to_owned();
                let fault = (Some(CardField::Customer), RejectCode::Erased, reason);
                taken.fates.push(Err(fault));
                continue;
            }
            let outcome = arrival.as_ref().map(|arrival| hall.admit(arrival));
            let key = (OpenReferenceKind::Card, row.number.clone());
            let fate = match outcome {
                Some(Outcome::Made) => {
                    closed.extend(open.remove(&key).map(|known| known.id));
                    Ok(Fate::Made)
                }
                Some(Outcome::Known) => Ok(Fate::Known),
                waits @ (None | Some(Outcome::NoProgramme | Outcome::NoTier)) => {
                    let mut reference = open::new(
                        open::Origin {
                            source: &self.source,
                            file: &self.file,
                            line: placed.line,
                            at: ctx.now(),
                        },
                        OpenReferenceKind::Card,
                        &row.number,
                        &row.customer,
                    );
                    let detail = serde_json::to_value(row)
                        .map_err(|error| Error::internal(format!("a card cannot wait: {error}")))?;
                    reference.detail = Some(detail);
                    if let Some(outcome) = waits {
                        reference.reason = why(outcome).to_owned();
                    }
                    match open.get(&key) {
                        Some(known) if known.detail == reference.detail => Ok(Fate::Known),
                        Some(_) => Err(contradiction(CardField::Number)),
                        None => {
                            open.insert(key, reference.clone());
                            waiting.push(reference);
                            Ok(Fate::Made)
                        }
                    }
                }
                Some(outcome) => Err(refusal(outcome)),
            };
            taken.fates.push(fate);
        }
        // A card that waited since an earlier row of this very batch is not there to be closed, but not written either.
        let gone: Vec<OpenReferenceId> = closed.clone();
        waiting.retain(|reference| !gone.contains(&reference.id));
        Ok(Computed {
            taken,
            hall,
            waiting,
            closed,
        })
    }
}

impl Take for Taker {
    type Row = CardRow;

    async fn take(
        &mut self,
        ctx: &Ctx,
        rows: &[Placed<CardRow>],
        dry_run: bool,
    ) -> Result<Taken<CardField>> {
        let taker = &*self;
        if dry_run {
            return Ok(taker.compute(ctx.db.read(), ctx, rows).await?.taken);
        }
        ctx.db
            .write(|tx| async move {
                prefer_indexes(&*tx).await?;
                let computed = taker.compute(&*tx, ctx, rows).await?;
                open::close(&*tx, computed.closed).await?;
                let mut batch = Batch::new();
                open::gather(&mut batch, &computed.waiting);
                write(&*tx, ctx, &taker.source, batch, &computed.hall).await?;
                Ok(computed.taken)
            })
            .await
    }

    fn identity(row: &CardRow) -> &str {
        &row.number
    }
}

/// Writes new cards, with one event and one audit entry.
async fn write(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    source: &str,
    mut batch: Batch,
    hall: &Hall<'_>,
) -> Result<()> {
    let concerned = hall.concerned();
    let count = concerned.len();
    let payload = json!({ "source": source, "cards": count });
    hall.gather(&mut batch);
    if count > 0 {
        let entry = audit::Entry::new(ctx, "card.import")
            .about(concerned)
            .detail(payload.clone());
        audit::gather(&mut batch, &[entry]);
    }
    batch.write(tx).await?;
    if count > 0 {
        let event = NewEvent {
            kind: "cards.imported",
            customer: None,
            store: None,
            subject: CardId::new().into(),
            payload,
        };
        events::record(tx, ctx, &[event]).await?;
    }
    Ok(())
}

/// Lets cards in that have waited, now that their holders are there; says why the others wait on. In the caller's
/// transaction.
pub(super) async fn admit_waiting(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    company: &CompanySettings,
    found: Vec<open::Found>,
) -> Result<u64> {
    let mut arrivals = Vec::new();
    for reference in found {
        let row: CardRow = serde_json::from_value(reference.detail.clone().unwrap_or_default())
            .map_err(|error| Error::internal(format!("a card that waits: {error}")))?;
        let arrival = arrival(&row, CustomerId(reference.target));
        arrivals.push((reference, arrival));
    }
    let present: Vec<&Arrival> = arrivals.iter().map(|(_, arrival)| arrival).collect();
    let mut hall = Hall::open(tx, ctx, company, &present).await?;
    let (mut closed, mut sources) = (Vec::new(), HashMap::new());
    let mut reasons = Vec::new();
    for (reference, arrival) in &arrivals {
        match hall.admit(arrival) {
            Outcome::Made | Outcome::Known => {
                closed.push(reference.id);
                sources.insert(reference.source.clone(), ());
            }
            outcome => {
                let reason = why(outcome);
                if reference.reason != reason {
                    reasons.push((reference.id, reason));
                }
            }
        }
    }
    let count = closed.len() as u64;
    open::close(tx, closed).await?;
    open::explain(tx, &reasons).await?;
    let sources: Vec<String> = sources.into_keys().collect();
    write(tx, ctx, &sources.join(", "), Batch::new(), &hall).await?;
    Ok(count)
}

fn arrival(row: &CardRow, customer: CustomerId) -> Arrival {
    Arrival {
        number: row.number.clone(),
        customer,
        programme: row.programme.clone(),
        tier: row.tier.clone(),
        tier_since: row.tier_since,
        status: row.status,
        issued_on: row.issued_on,
        valid_until: row.valid_until,
    }
}

/// Why a card does not come in.
fn why(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Made | Outcome::Known => "it came in",
        Outcome::NoProgramme => "no programme has this code yet",
        Outcome::NoTier => "the programme has no tier of this name yet",
        Outcome::WhichProgramme => "there are several programmes; the file must say which one",
        Outcome::OtherHolder => "the card is another customer's here",
        Outcome::OtherProgramme => "the card is one of another programme here",
        Outcome::OtherStatus => "the card has another status here",
        Outcome::OtherTier => "the holder was granted another tier here",
        Outcome::SecondActive => "the holder has an active card already",
        Outcome::PutAway => "the holder's file was put away here",
    }
}

fn refusal(outcome: Outcome) -> Fault<CardField> {
    let second = "is a second active card of the same member; freeze or replace one of the two";
    let many = "is empty, and there are several programmes; say which one";
    match outcome {
        Outcome::SecondActive => fault(CardField::Status, RejectCode::SecondActiveCard, second),
        Outcome::WhichProgramme => fault(CardField::Programme, RejectCode::Missing, many),
        Outcome::PutAway => (
            Some(CardField::Customer),
            RejectCode::PutAway,
            "the holder's file was put away here; take it out again first".to_owned(),
        ),
        Outcome::OtherHolder => contradiction(CardField::Customer),
        Outcome::OtherProgramme => contradiction(CardField::Programme),
        Outcome::OtherTier => contradiction(CardField::Tier),
        Outcome::OtherStatus
        | Outcome::Made
        | Outcome::Known
        | Outcome::NoProgramme
        | Outcome::NoTier => contradiction(CardField::Status),
    }
}
