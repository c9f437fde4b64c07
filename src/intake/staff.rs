//! Rows of staff: who works where, in which role.

use std::io::Read;

use entity::enums::Role;
use entity::values::Email;
use serde::{Deserialize, Serialize};

use super::mapping::fields;
use super::reject::RejectCode;
use super::table::{Fault, RowKind, Table, fault, missing};

/// Characters of a name.
const LONGEST_NAME: usize = 200;
/// Characters of all roles of one person.
const LONGEST_ROLES: usize = 4000;

fields! {
    /// What a row of staff can tell.
    StaffField needs [Email, Name] {
        /// The address they sign in with.
        Email = "email",
        /// The full name.
        Name = "name",
        /// Their roles with their places, such as `ASSOCIATE@main;MARKETER`.
        Roles = "roles",
        /// Are they switched off?
        Disabled = "disabled",
    }
}

/// A role, with the code of the store or region in which it is held; none for one that is held everywhere.
pub type HeldRole = (Role, Option<String>);

/// What a row says of a member of staff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffRow {
    /// The address, in normal form.
    pub email: String,
    /// The full name.
    pub name: String,
    /// Roles, with the code of a store or region where they are held in one.
    pub roles: Vec<HeldRole>,
    /// Are they switched off?
    pub disabled: bool,
}

impl RowKind for StaffRow {
    type Field = StaffField;

    fn read<R: Read>(table: &Table<R, StaffField>) -> Result<Self, Fault<StaffField>> {
        use StaffField as F;
        let email = table.parsed(F::Email, RejectCode::BadEmail, |text| {
            Email::parse(text).map(|email| email.normal().to_owned())
        })?;
        let name = table.folded_line(F::Name, LONGEST_NAME)?;
        Ok(Self {
            email: email.ok_or_else(|| missing(F::Email))?,
            name: name.ok_or_else(|| missing(F::Name))?,
            roles: roles(
                &table
                    .folded_line(F::Roles, LONGEST_ROLES)?
                    .unwrap_or_default(),
            )
            .map_err(|(code, reason)| fault(F::Roles, code, &reason))?,
            disabled: table.yes_or_no(F::Disabled)?.unwrap_or(false),
        })
    }
}

fn roles(text: &str) -> Result<Vec<HeldRole>, (RejectCode, String)> {
    let mut roles = Vec::new();
    for part in text
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let (word, place) = match part.split_once('@') {
            Some((word, place)) => (word.trim(), Some(place.trim().to_owned())),
            None => (part, None),
        };
        let role: Role = word
            .to_uppercase()
            .replace([' ', '-'], "_")
            .parse()
            .map_err(|_| {
                let reason =
                    "has a role that there is none; write roles like ASSOCIATE@main;MARKETER";
                (RejectCode::UnknownWord, reason.to_owned())
            })?;
        let held_in = match role {
            Role::RegionManager => Some("region"),
            Role::StoreManager | Role::Associate => Some("store"),
            _ => None,
        };
        match (held_in, &place) {
            (Some(_), Some(_)) | (None, None) => {}
            (Some(kind), None) => {
                let reason = format!("has {role}, which is held in a {kind}: write {role}@CODE");
                return Err((RejectCode::BadValue, reason));
            }
            (None, Some(_)) => {
                let reason =
                    format!("has {role}, which is held in the whole company: write {role}");
                return Err((RejectCode::BadValue, reason));
            }
        }
        if !roles.contains(&(role, place.clone())) {
            roles.push((role, place));
        }
    }
    Ok(roles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_stand_with_their_places() {
        assert_eq!(
            roles(" associate@main ; MARKETER;store-manager@bund;MARKETER;").unwrap(),
            [
                (Role::Associate, Some("main".to_owned())),
                (Role::Marketer, None),
                (Role::StoreManager, Some("bund".to_owned())),
            ]
        );
        assert_eq!(roles(""), Ok(Vec::new()));
        for (text, code) in [
            ("KING", RejectCode::UnknownWord),
            ("ASSOCIATE", RejectCode::BadValue),
            ("ADMIN@main", RejectCode::BadValue),
        ] {
            assert_eq!(roles(text).unwrap_err().0, code, "{text}");
        }
    }
}
