//! `regulars demo`: fills a database with an invented retailer, serves it, and says what to try.
//!
//! Called by the command line. Keeps to a data directory of its own, so that it never meets a shop's real data; the
//! filling itself refuses a database that holds any.

use super::terminal::say;
use super::{Global, serve};
use crate::app::{App, House, StartError, logging};
use crate::config::{Configuration, Mode};
use crate::demo::{self, ACCOUNTS, CURRENCY, PASSWORD, Scale, Summary};
use clap::Args;
use entity::values::SystemClock;
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Where the demonstration is kept when nothing else is said.
const DATA: &str = "data-demo";

/// What the demonstration is like.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Address and port to listen on; port 0 takes any free one.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// How many customers.
    #[arg(long, value_name = "N", default_value_t = Scale::default().customers, value_parser = count, allow_hyphen_values = true)]
    customers: u32,
    /// How many visits, about; twelve for each customer when not given.
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    visits: Option<u32>,
    /// How many stores.
    #[arg(long, value_name = "N", default_value_t = Scale::default().stores, value_parser = count, allow_hyphen_values = true)]
    stores: u32,
    /// What everything is made of: the same seed on the same day makes the same shop.
    #[arg(long, value_name = "N", default_value_t = Scale::default().seed)]
    seed: u64,
    /// Only fill the database.
    #[arg(long)]
    no_serve: bool,
}

/// Reads how many; what is too few or too many is said by [`Scale::check`].
fn count(text: &str) -> Result<u32, &'static str> {
    text.parse()
        .map_err(|_| "give a whole number, such as 2000")
}

impl DemoArgs {
    fn scale(&self) -> Scale {
        let usual = Scale::default();
        Scale {
            customers: self.customers,
            visits: self.visits.unwrap_or_else(|| {
                self.customers
                    .saturating_mul(usual.visits / usual.customers)
            }),
            stores: self.stores,
            seed: self.seed,
            days: usual.days,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// A database with other data in it; whatever stands in the way of starting; a server that fails.
pub(super) async fn run(mut global: Global, args: DemoArgs) -> Result<ExitCode, StartError> {
    // Before anything is made for it.
    args.scale().check()?;
    let mut configuration = global.configuration(args.listen.clone())?;
    if configuration.is_default("database.data") {
        global.data = Some(PathBuf::from(DATA));
        configuration = global.configuration(args.listen.clone())?;
    }
    logging::start(&configuration.settings)?;
    let house = House::open(configuration, Mode::Demo, Arc::new(SystemClock)).await?;
    let summary = fill(&house, &args.scale()).await?;
    say(&filled(&summary, &house.configuration));
    if args.no_serve {
        house.close().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let signals = serve::Signals::new()?;
    let running = App::build(house).await?.start().await?;
    say(&welcome(&format!("http://{}", running.address()), &summary));
    serve::until_told_to_stop(running, signals).await
}

async fn fill(house: &House, scale: &Scale) -> Result<Summary, StartError> {
    // Drawn on a terminal only; what is there already is passed over too fast to be seen.
    let bar = ProgressBar::with_draw_target(
        Some(u64::from(scale.customers)),
        ProgressDrawTarget::stderr(),
    );
    let outcome = demo::fill(&house.ctx, scale, |done| bar.set_position(done.into())).await;
    bar.finish_and_clear();
    Ok(outcome?)
}

fn filled(summary: &Summary, configuration: &Configuration) -> String {
    let database = &configuration.settings.database;
    let place = match &database.url {
        // The address may hold a password.
        Some(_) => "the PostgreSQL server".to_owned(),
        None => database.data.display().to_string(),
    };
    if summary.customers == 0 {
        return format!(
            "The demonstration with {} customers is in {place}.",
            summary.known
        );
    }
    format!(
        "Made {} customers with {} visits in {place}.",
        summary.customers, summary.visits
    )
}

/// What is said when the server listens: where, the accounts, and three requests that work when they are pasted
/// into a shell.
fn welcome(address: &str, summary: &Summary) -> String {
    let mut text = format!(
        "\nregulars listens on {address}/graphql\n\n\
         Accounts, all with the password {PASSWORD}:\n"
    );
    for (email, role, sees) in ACCOUNTS {
        // Writing to a text does not fail.
        let _ = writeln!(text, "  {email:<26} {:<15} {sees}", role.as_str());
    }
    let sign_in = format!(
        "mutation {{ sessionCreate(input: {{email: \"manager@demo.example\", password: \"{PASSWORD}\"}}) \
         {{ session {{ accessToken refreshToken expiresAt }} userErrors {{ code field message }} }} }}"
    );
    let customers = "{ customers(first: 5) { nodes { fullName card { number status } memberships { tier { name } } \
                     totals { visits lastVisitOn } } } }";
    let visit = format!(
        "mutation {{ visitRecord(input: {{cardNumber: \"{}\", purchase: {{receipt: {{source: \"try\", number: \"1\"}}, \
         lines: [{{sku: \"TEA-005\", name: \"Jasmine pearls 100 g\", category: \"Tea\", quantity: \"2\", \
         amount: {{amount: \"236.00\", currencyCode: \"{CURRENCY}\"}}}}]}}}}) \
         {{ visit {{ id at outcome }} userErrors {{ code field message }} }} }}",
        summary.sample_card
    );
    let _ = write!(
        text,
        "\nThree requests to try. Sign in as the manager of the first store, and keep the token:\n\n  \
         TOKEN=$({} | sed 's/.*\"accessToken\":\"\\([^\"]*\\)\".*/\\1/')\n\n\
         Ask who the customers are, with their cards:\n\n  {}\n\n\
         Record that {} has come and bought tea (twice gives the same visit: the receipt has a number):\n\n  {}\n",
        curl(address, None, &sign_in),
        curl(address, Some("$TOKEN"), customers),
        summary.sample_name,
        curl(address, Some("$TOKEN"), &visit),
    );
    text
}

/// A request as it is typed into a shell. The document has no single quotes.
fn curl(address: &str, token: Option<&str>, document: &str) -> String {
    let bearer = token.map_or_else(String::new, |token| {
        format!(" -H \"Authorization: Bearer {token}\"")
    });
    let body = serde_json::json!({ "query": document });
    format!("curl -s {address}/graphql{bearer} -H 'Content-Type: application/json' -d '{body}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_names_everything_and_can_be_pasted() {
        let summary = Summary {
            sample_card: "8812 3456 7890 1234".to_owned(),
            sample_name: "王芳".to_owned(),
            ..Summary::default()
        };
        let text = welcome("http://127.0.0.1:8080", &summary);
        for (email, role, _) in ACCOUNTS {
            assert!(
                text.contains(email) && text.contains(role.as_str()),
                "{email}"
            );
        }
        assert!(text.contains(PASSWORD));
        let requests: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("curl -s"))
            .collect();
        assert_eq!(requests.len(), 3);
        for request in requests {
            let (_, body) = request.split_once("-d '").unwrap();
            let (body, _) = body.split_once('\'').unwrap();
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            async_graphql::parser::parse_query(body["query"].as_str().unwrap()).unwrap();
        }
    }
}
