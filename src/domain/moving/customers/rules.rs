//! What becomes of a customer's file when a row tells of them: the rules by which it is filled in.

use super::{Around, Standing, consents, points};
use crate::domain::customers::{Address, bulk};
use crate::domain::moving::batches::{Fault, contradiction, fill};
use crate::domain::moving::{open, resolve};
use crate::intake::customers::{CustomerField, CustomerRow};
use crate::intake::table::fault;
use crate::intake::{Placed, RejectCode};
use entity::enums::{AcquisitionSource, CustomerKind, Importance, OpenReferenceKind};
use entity::ids::CustomerId;
use entity::{customer, customer_note, open_reference};

impl Around<'_> {
    /// Somebody whom nobody has brought yet.
    pub(super) fn stranger(&self, row: &CustomerRow) -> Standing {
        let name = row.full_name.clone();
        let full_name = name.unwrap_or_else(|| bulk::placeholder(&row.number));
        let now = self.ctx.now();
        let row = customer::Model {
            id: CustomerId::new(),
            kind: row.kind.unwrap_or(CustomerKind::Person),
            name_key: self.key(&full_name),
            // Told by whoever writes the file.
            match_key: None,
            // Counted by a job, when all of the file has come.
            completeness: None,
            completeness_rules: 0,
            full_name,
            salutation: None,
            gender: None,
            birth_date: None,
            language: None,
            region_name: None,
            address: None,
            employer: None,
            position: None,
            occupation: None,
            income_band: None,
            income_provenance: None,
            income_noted_by: None,
            income_reason: None,
            income_noted_at: None,
            price_sensitivity: None,
            buying_purpose: None,
            stated_need: None,
            motive: None,
            acquisition_source: row.acquisition_source.or(Some(AcquisitionSource::Import)),
            referred_by_id: None,
            gift_from_id: None,
            keeper_id: None,
            home_store_id: None,
            importance: row.importance.unwrap_or(Importance::Regular),
            archived_at: None,
            merged_into_id: None,
            erased_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        Standing::of(row, None)
    }

    /// Is this the number of somebody who was erased?
    pub(super) fn is_erased(&self, number: &str) -> bool {
        self.holders
            .get(number)
            .is_some_and(|holder| holder.is_erased)
    }

    fn key(&self, name: &str) -> Vec<u8> {
        self.taker.company.collation.key(name).into_bytes()
    }

    /// Takes a row into a customer's file. What it cannot take goes to `left_out`; when it fails, the standing is not
    /// to be used.
    pub(super) fn apply(
        &self,
        standing: &mut Standing,
        placed: &Placed<CustomerRow>,
        left_out: &mut Vec<Fault<CustomerField>>,
    ) -> Result<(), Fault<CustomerField>> {
        use CustomerField as F;
        let told = &placed.row;
        let (is_bare, is_untouched) = (standing.is_bare(), standing.is_untouched());
        self.name(standing, told)?;
        let row = &mut standing.row;
        if let Some(kind) = told.kind
            && kind != row.kind
        {
            if !(is_untouched && row.kind == CustomerKind::Person) {
                return Err(contradiction(F::Kind));
            }
            row.kind = kind;
        }
        if let Some(importance) = told.importance
            && importance != row.importance
        {
            if !(is_untouched && row.importance == Importance::Regular) {
                return Err(contradiction(F::Importance));
            }
            row.importance = importance;
        }
        let import = Some(AcquisitionSource::Import);
        let is_guess = is_untouched && row.acquisition_source == import;
        let source = told.acquisition_source.as_ref();
        fill(
            F::AcquisitionSource,
            &mut row.acquisition_source,
            source,
            is_guess,
        )?;
        fill(F::Gender, &mut row.gender, told.gender.as_ref(), false)?;
        // A tag is the same in capitals.
        let same = |one: &String| {
            let other = told.language.as_ref();
            other.is_some_and(|other| one.eq_ignore_ascii_case(other))
        };
        if !row.language.as_ref().is_some_and(same) {
            fill(
                F::Language,
                &mut row.language,
                told.language.as_ref(),
                false,
            )?;
        }
        for (field, known, told) in [
            (F::Salutation, &mut row.salutation, &told.salutation),
            (F::BirthDate, &mut row.birth_date, &told.birth_date),
            (F::Region, &mut row.region_name, &told.region),
            (F::Employer, &mut row.employer, &told.employer),
            (F::Position, &mut row.position, &told.position),
            (F::Occupation, &mut row.occupation, &told.occupation),
        ] {
            fill(field, known, told.as_ref(), false)?;
        }
        let address = told.address.as_ref().and_then(|cells| {
            serde_json::to_value(Address {
                lines: cells.lines.clone(),
                postal_code: cells.postal_code.clone(),
                city: cells.city.clone(),
                country: cells.country.clone(),
            })
            .ok()
        });
        fill(F::Address, &mut row.address, address.as_ref(), false)?;
        self.relations(standing, placed, is_bare)?;
        points::add(self.ctx, standing, told, left_out);
        consents::add(self, standing, told, left_out);
        if let Some(text) = &told.note
            && !standing.notes.iter().any(|note| note.text == *text)
        {
            standing.notes.push(customer_note::Model {
                id: entity::ids::NoteId::new(),
                customer_id: standing.row.id,
                author_id: self.ctx.viewer.staff_id(),
                text: text.clone(),
                written_at: self.ctx.now(),
            });
        }
        Ok(())
    }

    fn name(
        &self,
        standing: &mut Standing,
        told: &CustomerRow,
    ) -> Result<(), Fault<CustomerField>> {
        let Some(name) = &told.full_name else {
            return Ok(());
        };
        let known = &standing.row.full_name;
        if known == name {
            return Ok(());
        }
        if !(standing.is_bare() || *known == bulk::placeholder(&told.number)) {
            return Err(contradiction(CustomerField::Name));
        }
        standing.row.name_key = self.key(name);
        standing.row.full_name = name.clone();
        Ok(())
    }

    /// Home store, keeper, and other customers.
    fn relations(
        &self,
        standing: &mut Standing,
        placed: &Placed<CustomerRow>,
        is_bare: bool,
    ) -> Result<(), Fault<CustomerField>> {
        use CustomerField as F;
        let told = &placed.row;
        let origin = open::Origin {
            source: &self.taker.source,
            file: &self.taker.file,
            line: placed.line,
            at: self.ctx.now(),
        };
        if let Some(code) = &told.home_store {
            let home = standing.row.home_store_id;
            match self.taker.stores.get(code) {
                Some(store) => {
                    fill(
                        F::HomeStore,
                        &mut standing.row.home_store_id,
                        Some(store),
                        is_bare,
                    )?;
                }
                None if home.is_some() && !is_bare => return Err(contradiction(F::HomeStore)),
                None => {
                    let kind = OpenReferenceKind::HomeStore;
                    let mut row = open::new(origin, kind, standing.row.id, code);
                    row.instead_of = home.map(Into::into);
                    refer(standing, F::HomeStore, row)?;
                }
            }
        }
        if let Some(address) = &told.keeper {
            match self.keepers.get(address) {
                Some((keeper, true)) => {
                    fill(F::Keeper, &mut standing.row.keeper_id, Some(keeper), false)?;
                }
                Some((keeper, false)) if standing.row.keeper_id == Some(*keeper) => {}
                _ if standing.row.keeper_id.is_some() => return Err(contradiction(F::Keeper)),
                unfit => {
                    let kind = OpenReferenceKind::Keeper;
                    let mut row = open::new(origin, kind, standing.row.id, address);
                    if unfit.is_some() {
                        row.reason = resolve::UNFIT.to_owned();
                    }
                    refer(standing, F::Keeper, row)?;
                }
            }
        }
        for (field, kind, number, known) in [
            (
                F::ReferredBy,
                OpenReferenceKind::ReferredBy,
                &told.referred_by,
                standing.row.referred_by_id,
            ),
            (
                F::GiftFrom,
                OpenReferenceKind::GiftFrom,
                &told.gift_from,
                standing.row.gift_from_id,
            ),
        ] {
            // Whoever was erased is not named again, not even as a referrer.
            let Some(number) = number.as_ref().filter(|number| !self.is_erased(number)) else {
                continue;
            };
            let other = self.holders.get(number).map(|holder| holder.id);
            if other == Some(standing.row.id) {
                return Err(fault(
                    field,
                    RejectCode::RefersToItself,
                    "is the customer themself under another number; name another customer",
                ));
            }
            match known {
                Some(known) if Some(known) == other => {}
                Some(_) => return Err(contradiction(field)),
                // The other one may come later in the file, or the two may close a circle: it is looked at in the end.
                None => refer(
                    standing,
                    field,
                    open::new(origin, kind, standing.row.id, number),
                )?,
            }
        }
        Ok(())
    }
}

/// Keeps a reference that is open, once.
fn refer(
    standing: &mut Standing,
    field: CustomerField,
    row: open_reference::Model,
) -> Result<(), Fault<CustomerField>> {
    match standing.open.iter().find(|known| known.kind == row.kind) {
        Some(known) if known.wanted == row.wanted => {}
        Some(_) => return Err(contradiction(field)),
        None => standing.open.push(row),
    }
    Ok(())
}
