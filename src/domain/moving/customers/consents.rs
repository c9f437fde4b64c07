//! Consents that a file brings (rule C2): none is raised without proof and day, and a withdrawal always counts.

use super::{Around, Standing, points};
use crate::domain::customers::consents::EARLIEST;
use crate::domain::moving::batches::Fault;
use crate::intake::RejectCode;
use crate::intake::customers::{ConsentCell, CustomerField, CustomerRow, consent_field};
use crate::intake::table::fault;
use chrono::{DateTime, Utc};
use entity::consent;
use entity::enums::ConsentMethod;
use entity::ids::{ConsentId, ContactPointId};

/// Adds the row's statements: what was given is about the row's own contact points, what was withdrawn about all that the
/// customer has.
pub(super) fn add(
    around: &Around<'_>,
    standing: &mut Standing,
    told: &CustomerRow,
    left_out: &mut Vec<Fault<CustomerField>>,
) {
    for cell in &told.consents {
        let at = cell
            .at
            .map(|at| around.taker.company.time_zone.instant(at))
            .filter(|at| *at >= EARLIEST);
        let in_use = standing
            .points
            .iter()
            .filter(|point| point.removed_at.is_none());
        let about: Vec<ContactPointId> = in_use
            .filter(|point| {
                !cell.granted
                    || told
                        .contact_points
                        .iter()
                        .any(|value| points::is(point, value))
            })
            .map(|point| point.id)
            .collect();
        if cell.granted {
            let lack = match (&cell.evidence, at) {
                (None, _) => Some("has nothing that proves it; map consent_evidence"),
                (_, None) => {
                    Some("has no day, from 1990 on, on which it was given; map consent_at")
                }
                _ if about.is_empty() => Some("names no contact point that it is about"),
                _ => None,
            };
            if let Some(lack) = lack {
                let reason = format!("{lack}: it was left out, the rest of the row came in");
                let field = consent_field(cell.purpose);
                left_out.push(fault(field, RejectCode::NoEvidence, &reason));
                continue;
            }
        }
        for point in about {
            state(around, standing, cell, at, point);
        }
    }
}

/// Adds a statement that the file did not bring before.
fn state(
    around: &Around<'_>,
    standing: &mut Standing,
    cell: &ConsentCell,
    at: Option<DateTime<Utc>>,
    point: ContactPointId,
) {
    let evidence = cell
        .evidence
        .clone()
        .unwrap_or_else(|| format!("export of {}", around.taker.source));
    let is_known = standing.consents.iter().any(|known| {
        known.contact_point_id == point
            && known.purpose == cell.purpose
            && known.granted == cell.granted
            && known.method == ConsentMethod::Import
            && known.evidence.as_ref() == Some(&evidence)
            // Without a day it is what the file said already, whenever that was.
            && at.is_none_or(|at| at == known.at)
    });
    if is_known {
        return;
    }
    let now = around.ctx.now();
    standing.consents.push(consent::Model {
        id: ConsentId::new(),
        contact_point_id: point,
        purpose: cell.purpose,
        granted: cell.granted,
        method: ConsentMethod::Import,
        evidence: Some(evidence),
        at: at.map_or(now, |at| at.min(now)),
        recorded_by: around.ctx.viewer.staff_id(),
        recorded_at: now,
    });
}
