//! Customers with what hangs on them.
//!
//! A row of CSV holds one contact point of each kind and one consent for each purpose; a JSON object holds all of them.

use super::writer::Record;
use super::{Export, PAGE, moment};
use crate::domain::customers::walk;
use crate::domain::customers::{self, consents, contacts};
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::enums::{ConsentMethod, ContactKind, Purpose};
use entity::ids::{ContactPointId, CustomerId, StaffId};
use entity::{consent, customer};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// The columns of a CSV file.
pub const COLUMNS: &[&str] = &[
    "customer",
    "id",
    "kind",
    "name",
    "salutation",
    "gender",
    "birth_date",
    "language",
    "region",
    "address",
    "postal_code",
    "city",
    "country",
    "mobile",
    "landline",
    "email",
    "wechat",
    "qq",
    "other_contact",
    "consent_service",
    "consent_service_at",
    "consent_service_method",
    "consent_service_evidence",
    "consent_care",
    "consent_care_at",
    "consent_care_method",
    "consent_care_evidence",
    "consent_marketing",
    "consent_marketing_at",
    "consent_marketing_method",
    "consent_marketing_evidence",
    "employer",
    "position",
    "occupation",
    "income_band",
    "income_provenance",
    "income_reason",
    "price_sensitivity",
    "buying_purpose",
    "stated_need",
    "motive",
    "acquisition_source",
    "referred_by",
    "gift_from",
    "keeper",
    "home_store",
    "importance",
    "references",
    "masked",
    "archived_at",
    "created_at",
    "updated_at",
];

/// The kinds of contact points, in the order of their columns.
const KINDS: [ContactKind; 6] = [
    ContactKind::Mobile,
    ContactKind::Landline,
    ContactKind::Email,
    ContactKind::WeChat,
    ContactKind::Qq,
    ContactKind::Other,
];
/// The purposes, in the order of their columns.
const PURPOSES: [Purpose; 3] = [Purpose::Service, Purpose::Care, Purpose::Marketing];
/// What stands where something is not shown.
const MASK: &str = "***";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CustomerRecord {
    customer: String,
    id: Uuid,
    kind: &'static str,
    name: String,
    salutation: Option<String>,
    gender: Option<&'static str>,
    birth_date: Option<String>,
    language: Option<String>,
    region: Option<String>,
    address: Option<customers::Address>,
    contact_points: Vec<ContactRecord>,
    employer: Option<String>,
    position: Option<String>,
    occupation: Option<String>,
    income: Option<IncomeRecord>,
    price_sensitivity: Option<&'static str>,
    buying_purpose: Option<String>,
    stated_need: Option<String>,
    motive: Option<String>,
    acquisition_source: Option<&'static str>,
    referred_by: Option<String>,
    gift_from: Option<String>,
    keeper: Option<String>,
    home_store: Option<String>,
    importance: &'static str,
    references: Vec<ReferenceRecord>,
    /// Are address and contact points masked?
    masked: bool,
    archived_at: Option<String>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContactRecord {
    kind: ContactKind,
    value: String,
    label: Option<String>,
    preferred: bool,
    verified_at: Option<String>,
    consents: Vec<ConsentRecord>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConsentRecord {
    #[serde(skip)]
    said: (Purpose, DateTime<Utc>, ConsentMethod),
    purpose: &'static str,
    granted: bool,
    at: String,
    method: &'static str,
    evidence: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IncomeRecord {
    band: &'static str,
    provenance: Option<&'static str>,
    reason: Option<String>,
    noted_at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReferenceRecord {
    source: String,
    external_id: String,
}

impl CustomerRecord {
    /// The preferred contact point of a kind, or the first one.
    fn contact(&self, kind: ContactKind) -> String {
        let mut of_kind = self
            .contact_points
            .iter()
            .filter(|point| point.kind == kind);
        of_kind
            .next()
            .map(|point| point.value.clone())
            .unwrap_or_default()
    }

    /// What holds for a purpose where only one thing can be said: a consent only when every contact point about which
    /// something was said has it. No file raises consent.
    fn consent(&self, purpose: Purpose) -> Option<&ConsentRecord> {
        self.contact_points
            .iter()
            .flat_map(|point| &point.consents)
            .filter(|consent| consent.said.0 == purpose)
            .max_by_key(|consent| (!consent.granted, consent.said.1))
    }
}

impl Record for CustomerRecord {
    fn rows(&self) -> Vec<Vec<String>> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let word = |word: Option<&'static str>| word.unwrap_or_default().to_owned();
        let address = self.address.clone().unwrap_or_default();
        let mut row = vec![
            self.customer.clone(),
            self.id.to_string(),
            self.kind.to_owned(),
            self.name.clone(),
            text(&self.salutation),
            word(self.gender),
            text(&self.birth_date),
            text(&self.language),
            text(&self.region),
            address.lines.join(", "),
            text(&address.postal_code),
            text(&address.city),
            text(&address.country),
        ];
        row.extend(KINDS.map(|kind| self.contact(kind)));
        for purpose in PURPOSES {
            row.extend(match self.consent(purpose) {
                Some(consent) => [
                    if consent.granted {
                        "GRANTED"
                    } else {
                        "WITHDRAWN"
                    }
                    .to_owned(),
                    consent.at.clone(),
                    consent.method.to_owned(),
                    text(&consent.evidence),
                ],
                None => Default::default(),
            });
        }
        let income = self.income.as_ref();
        let references: Vec<String> = self
            .references
            .iter()
            .map(|reference| format!("{}:{}", reference.source, reference.external_id))
            .collect();
        row.extend([
            text(&self.employer),
            text(&self.position),
            text(&self.occupation),
            word(income.map(|income| income.band)),
            word(income.and_then(|income| income.provenance)),
            income
                .map(|income| text(&income.reason))
                .unwrap_or_default(),
            word(self.price_sensitivity),
            text(&self.buying_purpose),
            text(&self.stated_need),
            text(&self.motive),
            word(self.acquisition_source),
            text(&self.referred_by),
            text(&self.gift_from),
            text(&self.keeper),
            text(&self.home_store),
            self.importance.to_owned(),
            references.join("; "),
            self.masked.to_string(),
            text(&self.archived_at),
            self.created_at.clone(),
            self.updated_at.clone(),
        ]);
        vec![row]
    }
}

/// What belongs to the customers of a page.
struct Around {
    points: HashMap<CustomerId, Vec<contacts::ContactPoint>>,
    consents: HashMap<ContactPointId, Vec<consent::Model>>,
    references: HashMap<CustomerId, Vec<entity::customer_reference::Model>>,
    numbers: HashMap<CustomerId, String>,
    in_full: std::collections::HashSet<CustomerId>,
    keepers: HashMap<StaffId, String>,
}

impl Export {
    /// Writes the next customers; gives their ids.
    pub(super) async fn customers(&mut self) -> Result<Vec<Uuid>> {
        let after = self.after.map(CustomerId);
        let page = walk::walk(&self.ctx, self.changed_since(), after, PAGE).await?;
        let ids: Vec<CustomerId> = page.iter().map(|row| row.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let around = self.around(&page, &ids).await?;
        for row in &page {
            let record = self.customer(row, &around);
            self.writer.write(&record)?;
        }
        Ok(ids.into_iter().map(Uuid::from).collect())
    }

    async fn around(&self, page: &[customer::Model], ids: &[CustomerId]) -> Result<Around> {
        let ctx = &self.ctx;
        let mut points: HashMap<CustomerId, Vec<contacts::ContactPoint>> = HashMap::new();
        let mut named = Vec::new();
        for point in contacts::of_customers(ctx, ids).await? {
            named.push(point.row().id);
            points
                .entry(point.row().customer_id)
                .or_default()
                .push(point);
        }
        let mut said: HashMap<ContactPointId, Vec<consent::Model>> = HashMap::new();
        // One customer may have fifty contact points: the list of a page is asked for in parts.
        for part in named.chunks(5000) {
            for consent in consents::holding(ctx, part).await? {
                said.entry(consent.contact_point_id)
                    .or_default()
                    .push(consent);
            }
        }
        let others: BTreeSet<CustomerId> = page
            .iter()
            .flat_map(|row| [Some(row.id), row.referred_by_id, row.gift_from_id])
            .flatten()
            .collect();
        let others: Vec<CustomerId> = others.into_iter().collect();
        Ok(Around {
            points,
            consents: said,
            references: walk::references(ctx, ids).await?,
            numbers: walk::numbers(ctx, &self.plan.source, &others).await?,
            in_full: customers::in_full(ctx, ids).await?,
            keepers: self
                .staff_addresses(page.iter().filter_map(|row| row.keeper_id))
                .await?,
        })
    }

    fn customer(&self, row: &customer::Model, around: &Around) -> CustomerRecord {
        let number = |id: Option<CustomerId>| around.numbers.get(&id?).cloned();
        let is_full = around.in_full.contains(&row.id);
        CustomerRecord {
            customer: number(Some(row.id)).unwrap_or_default(),
            id: row.id.into(),
            kind: row.kind.as_str(),
            name: row.full_name.clone(),
            salutation: row.salutation.clone(),
            gender: row.gender.map(|gender| gender.as_str()),
            birth_date: row.birth_date.clone(),
            language: row.language.clone(),
            region: row.region_name.clone(),
            address: self.address(row, is_full),
            contact_points: self.contacts(row.id, around),
            employer: row.employer.clone(),
            position: row.position.clone(),
            occupation: row.occupation.clone(),
            income: row.income_band.map(|band| IncomeRecord {
                band: band.as_str(),
                provenance: row.income_provenance.map(|word| word.as_str()),
                reason: row.income_reason.clone(),
                noted_at: row.income_noted_at.map(moment),
            }),
            price_sensitivity: row.price_sensitivity.map(|word| word.as_str()),
            buying_purpose: row.buying_purpose.clone(),
            stated_need: row.stated_need.clone(),
            motive: row.motive.clone(),
            acquisition_source: row.acquisition_source.map(|word| word.as_str()),
            referred_by: number(row.referred_by_id),
            gift_from: number(row.gift_from_id),
            keeper: row
                .keeper_id
                .and_then(|id| around.keepers.get(&id).cloned()),
            home_store: self.store_code(row.home_store_id).map(str::to_owned),
            importance: row.importance.as_str(),
            references: around
                .references
                .get(&row.id)
                .into_iter()
                .flatten()
                .map(|reference| ReferenceRecord {
                    source: reference.source.clone(),
                    external_id: reference.external_id.clone(),
                })
                .collect(),
            masked: !is_full,
            archived_at: row.archived_at.map(moment),
            created_at: moment(row.created_at),
            updated_at: moment(row.updated_at),
        }
    }

    /// An address is a contact detail: who may not contact the customer sees the city and the country.
    fn address(&self, row: &customer::Model, is_full: bool) -> Option<customers::Address> {
        let mut address = walk::address(row)?;
        let hides = !address.lines.is_empty() || address.postal_code.is_some();
        if is_full {
            if hides {
                self.ctx.reads.shown(row.id);
            }
            return Some(address);
        }
        if !address.lines.is_empty() {
            address.lines = vec![MASK.to_owned()];
        }
        address.postal_code = address.postal_code.map(|_| MASK.to_owned());
        Some(address)
    }

    fn contacts(&self, id: CustomerId, around: &Around) -> Vec<ContactRecord> {
        let points = around.points.get(&id).into_iter().flatten();
        points
            .map(|point| {
                let row = point.row();
                let said = around.consents.get(&row.id).into_iter().flatten();
                ContactRecord {
                    kind: row.kind,
                    value: point.value(&self.ctx),
                    label: row.label.clone(),
                    preferred: row.preferred,
                    verified_at: row.verified_at.map(moment),
                    consents: said
                        .map(|consent| ConsentRecord {
                            said: (consent.purpose, consent.at, consent.method),
                            purpose: consent.purpose.as_str(),
                            granted: consent.granted,
                            at: moment(consent.at),
                            method: consent.method.as_str(),
                            evidence: consent.evidence.clone(),
                        })
                        .collect(),
                }
            })
            .collect()
    }
}
