//! `regulars staff`: the accounts of staff from the command line, above all the first administrator's.
//!
//! Called by the command line. Goes through the same services as the API, on behalf of the program itself;
//! a running server sees each change within two seconds.

use super::terminal;
use crate::access::{Ctx, Grant, Place};
use crate::domain::organization::staff::{self, NewStaff};
use crate::domain::organization::staff_list::{self, StaffMember};
use crate::domain::organization::{company_sign_in, passwords, regions, stores};
use crate::error::{Code, Error, Result};
use clap::{Args, Subcommand};
use entity::enums::Role;
use entity::values::Email;
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::io::{BufRead, IsTerminal, Read, Write};

/// What to do with accounts.
#[derive(Clone, Debug, Subcommand)]
pub enum StaffCommand {
    /// Make an account for a member of staff.
    Create {
        /// The address they sign in with.
        email: String,
        /// The full name.
        #[arg(long)]
        name: String,
        /// A role: ADMIN, HEADQUARTERS, MARKETER, ANALYST, REGION_MANAGER@REGION-CODE,
        /// STORE_MANAGER@STORE-CODE or ASSOCIATE@STORE-CODE. May be given several times.
        #[arg(long = "role", value_name = "ROLE[@CODE]", required = true)]
        roles: Vec<String>,
        /// Where the password comes from.
        #[command(flatten)]
        password: PasswordSource,
    },
    /// List all accounts with their roles.
    List,
    /// Switch an account off: its sessions end within two seconds.
    Disable {
        /// The address of the account.
        email: String,
    },
    /// Forget who an account is at the company's sign-in provider: the next sign-in with its address links it anew.
    Unlink {
        /// The address of the account.
        email: String,
    },
    /// Set somebody's password anew and end all their sessions.
    ResetPassword {
        /// The address of the account.
        email: String,
        /// Where the password comes from.
        #[command(flatten)]
        password: PasswordSource,
    },
}

/// Where a password comes from: asked for at a terminal, generated otherwise.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct PasswordSource {
    /// Read the password from the first line of standard input.
    #[arg(long, conflicts_with = "generate")]
    pub password_stdin: bool,
    /// Generate a password and print it once.
    #[arg(long)]
    pub generate: bool,
}

/// Runs a command, with the context of the program itself.
///
/// # Errors
/// Those of the services; [`Error::BadRequest`] for what cannot be read or written.
pub async fn run(ctx: &Ctx, command: StaffCommand) -> Result<()> {
    match command {
        StaffCommand::Create {
            email,
            name,
            roles,
            password,
        } => {
            let grants = parse_roles(ctx, &roles).await?;
            let (password, generated) = read_password(password)?;
            let new = NewStaff {
                email,
                name,
                grants,
                password: Some(password.clone()),
                demo: false,
            };
            let member = staff::create(ctx, &new).await?;
            print(&format!("{} can sign in now", member.row.email))?;
            print_generated(generated.then_some(&password))
        }
        StaffCommand::List => print(&table(ctx, &staff_list::all(ctx).await?).await?),
        StaffCommand::Disable { email } => {
            let member = find(ctx, &email).await?;
            staff::disable(ctx, member.row.id).await?;
            print(&format!("{} is switched off", member.row.email))
        }
        StaffCommand::Unlink { email } => {
            let member = find(ctx, &email).await?;
            let was_linked = company_sign_in::unlink(ctx, member.row.id).await?;
            print(&if was_linked {
                format!("{} is linked to nobody any more", member.row.email)
            } else {
                format!("{} was linked to nobody", member.row.email)
            })
        }
        StaffCommand::ResetPassword { email, password } => {
            let member = find(ctx, &email).await?;
            let (password, generated) = read_password(password)?;
            staff::reset_password(ctx, member.row.id, Some(&password)).await?;
            print(&format!(
                "{} has a new password; all sessions have ended",
                member.row.email
            ))?;
            print_generated(generated.then_some(&password))
        }
    }
}

async fn find(ctx: &Ctx, email: &str) -> Result<StaffMember> {
    let parsed = Email::parse(email)
        .map_err(|error| Error::user(Code::Invalid, "email", format!("email {error}")))?;
    staff_list::by_email(ctx, &parsed)
        .await?
        .ok_or_else(|| Error::not_found("email", "account"))
}

async fn parse_roles(ctx: &Ctx, roles: &[String]) -> Result<Vec<Grant>> {
    let wrong = |message: String| Error::user(Code::Invalid, "role", message);
    let mut grants = Vec::with_capacity(roles.len());
    for text in roles {
        let (word, code) = match text.split_once('@') {
            Some((word, code)) => (word, Some(code)),
            None => (text.as_str(), None),
        };
        let role: Role = word
            .to_ascii_uppercase()
            .replace('-', "_")
            .parse()
            .map_err(|_| {
                wrong(format!(
                    "{word} is no role; `regulars staff create --help` names them"
                ))
            })?;
        let place = match (role, code) {
            (Role::RegionManager, None) => {
                return Err(wrong(format!(
                    "{role} is held in a region: write --role {role}@REGION-CODE"
                )));
            }
            (Role::StoreManager | Role::Associate, None) => {
                return Err(wrong(format!(
                    "{role} is held in a store: write --role {role}@STORE-CODE"
                )));
            }
            (_, None) => Place::Company,
            (Role::Admin | Role::Headquarters | Role::Marketer | Role::Analyst, Some(_)) => {
                return Err(wrong(format!(
                    "{role} is held in the whole company: write --role {role}"
                )));
            }
            (Role::RegionManager, Some(code)) => {
                let found = regions::all(ctx)
                    .await?
                    .into_iter()
                    .find(|region| region.code == code);
                Place::Region(
                    found
                        .ok_or_else(|| wrong(format!("there is no region {code}")))?
                        .id,
                )
            }
            (Role::StoreManager | Role::Associate, Some(code)) => {
                let found = stores::by_code(ctx, code).await?;
                Place::Store(
                    found
                        .ok_or_else(|| wrong(format!("there is no store {code}")))?
                        .id,
                )
            }
        };
        grants.push(Grant { role, place });
    }
    Ok(grants)
}

/// The password, and whether it was generated.
fn read_password(source: PasswordSource) -> Result<(SecretString, bool)> {
    let unreadable = |error: std::io::Error| {
        Error::BadRequest(format!("the password cannot be read: {error}").into())
    };
    if source.password_stdin {
        let mut line = String::new();
        // More than any password has: a file given by mistake is not read whole.
        std::io::stdin()
            .lock()
            .take(8192)
            .read_line(&mut line)
            .map_err(unreadable)?;
        let password = line.trim_end_matches(['\r', '\n']);
        return Ok((SecretString::from(password), false));
    }
    if source.generate || !std::io::stdin().is_terminal() {
        return Ok((passwords::generate(), true));
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(SecretString::from)
            .map_err(unreadable)
    };
    let (once, again) = (ask("Password: ")?, ask("Once more: ")?);
    if once.expose_secret() != again.expose_secret() {
        return Err(Error::user(
            Code::Invalid,
            "password",
            "the two passwords differ",
        ));
    }
    Ok((once, false))
}

async fn table(ctx: &Ctx, members: &[StaffMember]) -> Result<String> {
    let regions: HashMap<_, _> = regions::all(ctx)
        .await?
        .into_iter()
        .map(|region| (region.id, region.code))
        .collect();
    let stores = stores::codes(ctx).await?;
    let rows = members.iter().map(|member| {
        let roles: Vec<String> = member
            .grants
            .iter()
            .map(|grant| {
                let code = match grant.place {
                    Place::Company => None,
                    Place::Region(id) => regions.get(&id),
                    Place::Store(id) => stores.get(&id),
                };
                code.map_or_else(
                    || grant.role.to_string(),
                    |code| format!("{}@{code}", grant.role),
                )
            })
            .collect();
        let state = match (&member.row.disabled_at, &member.row.password_hash) {
            (Some(_), _) => "off",
            (None, None) => "no password",
            (None, Some(_)) => "on",
        };
        [
            member.row.email.clone(),
            member.row.name.clone(),
            state.to_owned(),
            roles.join(" "),
        ]
    });
    let head = ["EMAIL", "NAME", "STATE", "ROLES"].map(str::to_owned);
    Ok(terminal::table(
        &std::iter::once(head).chain(rows).collect::<Vec<_>>(),
    ))
}

fn print(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{text}")
        .map_err(|error| Error::BadRequest(format!("cannot write: {error}").into()))
}

fn print_generated(password: Option<&SecretString>) -> Result<()> {
    match password {
        Some(password) => print(&format!(
            "the password, shown this once: {}",
            password.expose_secret()
        )),
        None => Ok(()),
    }
}
