//! What one side said in an enquiry: its transcript, entry by entry (rule V1).
use crate::enums::EnquiryAuthor;
use crate::ids::{EnquiryEntryId, StaffId, VisitId};
use sea_orm::entity::prelude::*;

/// What one side said in an enquiry: its transcript, entry by entry (rule V1).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "enquiry_entry")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EnquiryEntryId,
    /// The enquiry.
    pub visit_id: VisitId,
    /// Its place in the transcript, from 1 and without gaps.
    pub place: i64,
    /// When it was said.
    pub at: DateTimeUtc,
    /// Which side said it.
    pub author: EnquiryAuthor,
    /// Which member of staff said it.
    pub staff_id: Option<StaffId>,
    /// What was said.
    pub text: String,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
