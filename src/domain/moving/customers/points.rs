//! Contact points that a file brings: added where the customer has none like it.

use super::Standing;
use crate::access::Ctx;
use crate::domain::moving::batches::Fault;
use crate::intake::RejectCode;
use crate::intake::customers::{CustomerField, CustomerRow};
use crate::intake::table::fault;
use entity::contact_point;
use entity::ids::ContactPointId;
use entity::values::{ContactKind, ContactValue};

/// Contact points of one customer, at most; as in the API.
const MOST: usize = 50;

/// Adds the row's contact points.
pub(super) fn add(
    ctx: &Ctx,
    standing: &mut Standing,
    told: &CustomerRow,
    left_out: &mut Vec<Fault<CustomerField>>,
) {
    for value in &told.contact_points {
        let mut same = standing.points.iter().filter(|point| is(point, value));
        if same.clone().any(|point| point.removed_at.is_none()) {
            continue;
        }
        if same.next().is_some() {
            let reason = "was taken off the customer's file here, and stays off";
            left_out.push(fault(field(value.kind), RejectCode::Contradiction, reason));
            continue;
        }
        let in_use = standing
            .points
            .iter()
            .filter(|point| point.removed_at.is_none());
        if in_use.clone().count() >= MOST {
            let reason = "is one more than the 50 that a customer can have; remove one first";
            left_out.push(fault(field(value.kind), RejectCode::TooMany, reason));
            continue;
        }
        let is_first = !in_use.clone().any(|point| point.kind == value.kind);
        standing.points.push(contact_point::Model {
            id: ContactPointId::new(),
            customer_id: standing.row.id,
            kind: value.kind,
            value: value.normal.clone(),
            label: None,
            preferred: is_first,
            verified_at: None,
            created_at: ctx.now(),
            removed_at: None,
            removed_by: None,
        });
    }
}

/// Is the contact point this one?
pub(super) fn is(point: &contact_point::Model, value: &ContactValue) -> bool {
    point.kind == value.kind && point.value == value.normal
}

fn field(kind: ContactKind) -> CustomerField {
    match kind {
        ContactKind::Mobile => CustomerField::Mobile,
        ContactKind::Landline => CustomerField::Landline,
        ContactKind::WeChat => CustomerField::WeChat,
        ContactKind::Qq => CustomerField::Qq,
        ContactKind::Email | ContactKind::Other => CustomerField::Email,
    }
}
