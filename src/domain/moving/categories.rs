//! The categories that rows of products name: by code where there is one, or by a path of names, which is made where it
//! is missing.

use crate::access::Ctx;
use crate::domain::catalog::categories::{self, NewCategory, own_language};
use crate::domain::organization::CompanySettings;
use crate::error::{Code, Error, Result};
use entity::category;
use entity::ids::CategoryId;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The tree as it is known while a file comes in.
#[derive(Debug, Default)]
pub(super) struct Categories {
    by_code: HashMap<String, CategoryId>,
    by_name: HashMap<(Option<CategoryId>, String), CategoryId>,
}

/// Where a row's product belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In this category.
    In(CategoryId),
    /// In one that a dry run does not make.
    WouldBeMade,
    /// In none: there are as many as there can be, or the tree is as deep as it can be.
    NoRoom,
}

impl Categories {
    /// Reads the tree. Categories that were put away take no product.
    pub async fn read(ctx: &Ctx, company: &CompanySettings) -> Result<Self> {
        let mut found = Self::default();
        for row in categories::all(ctx).await? {
            if row.archived_at.is_none() {
                found.keep(company, &row)?;
            }
        }
        Ok(found)
    }

    fn keep(&mut self, company: &CompanySettings, row: &category::Model) -> Result<()> {
        self.by_code.insert(row.code.clone(), row.id);
        let own = own_language(&company.locale)?;
        let names = categories::names(row)?;
        let name = names.in_language(&own, &own).to_owned();
        self.by_name.entry((row.parent_id, name)).or_insert(row.id);
        Ok(())
    }

    /// The category of this code.
    pub fn of_code(&self, code: &str) -> Option<CategoryId> {
        self.by_code.get(code).copied()
    }

    /// The category at the end of a path of names in the company's own language; what is missing of it is made.
    pub async fn of_path(
        &mut self,
        ctx: &Ctx,
        company: &CompanySettings,
        path: &[String],
        dry_run: bool,
    ) -> Result<Place> {
        let mut parent = None;
        for (depth, name) in path.iter().enumerate() {
            if let Some(id) = self.by_name.get(&(parent, name.clone())) {
                parent = Some(*id);
                continue;
            }
            if dry_run {
                return Ok(Place::WouldBeMade);
            }
            let code = code(path.get(..=depth).unwrap_or(path));
            let new = NewCategory {
                code: code.clone(),
                names: vec![(company.locale.clone(), name.clone())],
                parent,
            };
            let row = match categories::create(ctx, &new).await {
                Ok(row) => row,
                Err(Error::User(errors)) => {
                    // Another import may have made it meanwhile.
                    let made = categories::all(ctx).await?;
                    match made.into_iter().find(|row| row.code == code) {
                        Some(row) if errors.iter().any(|error| error.code == Code::Taken) => row,
                        _ => return Ok(Place::NoRoom),
                    }
                }
                Err(error) => return Err(error),
            };
            self.keep(company, &row)?;
            parent = Some(row.id);
        }
        Ok(parent.map_or(Place::NoRoom, Place::In))
    }
}

/// The code of a category that a path makes: the same for the same path, since names need not be fit for one.
fn code(path: &[String]) -> String {
    let mut hash = Sha256::new();
    for name in path {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
    }
    let digits: String = hash
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("path-{digits}")
}
