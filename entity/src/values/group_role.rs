//! Which role a group of the company's directory stands for: `store-bund=STORE_MANAGER@store:bund`.
//!
//! Called by the configuration; carried out by the company's sign-in, which knows whether there is such a place.

use std::fmt;

use thiserror::Error;

use crate::enums::Role;

/// Why a mapping is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GroupRoleError {
    /// There is no group or no role.
    #[error("must be GROUP=ROLE, GROUP=ROLE@region:CODE or GROUP=ROLE@store:CODE")]
    Malformed,
    /// The role is none.
    #[error(
        "names a role that there is not; roles are ADMIN, HEADQUARTERS, REGION_MANAGER, STORE_MANAGER, ASSOCIATE, \
         MARKETER and ANALYST"
    )]
    UnknownRole,
    /// The role is not held there.
    #[error(
        "names a role in a place where it is not held: REGION_MANAGER needs @region:CODE, STORE_MANAGER and ASSOCIATE \
         @store:CODE, the others none"
    )]
    WrongPlace,
}

/// Where a role is held, by the company's own codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceCode {
    /// In the whole company.
    Company,
    /// In the region with this code.
    Region(String),
    /// In the store with this code.
    Store(String),
}

/// A group and the role that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRole {
    /// The group, as the provider names it.
    pub group: String,
    /// The role.
    pub role: Role,
    /// Where it is held.
    pub place: PlaceCode,
}

impl GroupRole {
    /// Reads a mapping. The group may hold an equals sign itself.
    pub fn parse(text: &str) -> Result<Self, GroupRoleError> {
        let (group, held) = text.rsplit_once('=').ok_or(GroupRoleError::Malformed)?;
        let (role, place) = match held.split_once('@') {
            Some((role, place)) => (role, Some(place)),
            None => (held, None),
        };
        let (group, role) = (group.trim(), role.trim());
        if group.is_empty() || group.chars().any(char::is_control) {
            return Err(GroupRoleError::Malformed);
        }
        let role: Role = role.parse().map_err(|_| GroupRoleError::UnknownRole)?;
        let place = place.map(str::trim).map(|place| place.split_once(':'));
        let place = match (role, place) {
            (Role::Admin | Role::Headquarters | Role::Marketer | Role::Analyst, None) => {
                PlaceCode::Company
            }
            (Role::RegionManager, Some(Some(("region", code)))) if !code.is_empty() => {
                PlaceCode::Region(code.to_owned())
            }
            (Role::StoreManager | Role::Associate, Some(Some(("store", code))))
                if !code.is_empty() =>
            {
                PlaceCode::Store(code.to_owned())
            }
            _ => return Err(GroupRoleError::WrongPlace),
        };
        Ok(Self {
            group: group.to_owned(),
            role,
            place,
        })
    }
}

impl fmt::Display for GroupRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.group, self.role)?;
        match &self.place {
            PlaceCode::Company => Ok(()),
            PlaceCode::Region(code) => write!(f, "@region:{code}"),
            PlaceCode::Store(code) => write!(f, "@store:{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_shown_as_it_is_read() {
        for text in [
            "headquarters=HEADQUARTERS",
            "store-bund=STORE_MANAGER@store:bund",
            "east=REGION_MANAGER@region:east",
            "cn=guides=ASSOCIATE@store:B-1",
        ] {
            assert_eq!(GroupRole::parse(text).unwrap().to_string(), text);
        }
        for (text, why) in [
            ("headquarters", GroupRoleError::Malformed),
            ("=ADMIN", GroupRoleError::Malformed),
            ("x=BOSS", GroupRoleError::UnknownRole),
            ("x=ADMIN@store:bund", GroupRoleError::WrongPlace),
            ("x=ASSOCIATE", GroupRoleError::WrongPlace),
            ("x=ASSOCIATE@bund", GroupRoleError::WrongPlace),
            ("x=ASSOCIATE@region:east", GroupRoleError::WrongPlace),
            ("x=REGION_MANAGER@region:", GroupRoleError::WrongPlace),
        ] {
            assert_eq!(GroupRole::parse(text), Err(why), "{text}");
        }
    }
}
