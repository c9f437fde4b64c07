//! Settings that can be read but should not be served with.

use super::load::{ConfigError, Configuration};
use super::oidc;
use std::time::Duration;

/// What the program is started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Real customers' data: unsafe settings are refused.
    Serve,
    /// A demonstration with invented data.
    Demo,
}

/// Refuses settings that contradict each other, and outside a demonstration those that are unsafe.
///
/// # Errors
/// All that is wrong at once, each with what to do.
pub fn check(configuration: &Configuration, mode: Mode) -> Result<(), ConfigError> {
    let mut wrong = contradictions(configuration);
    if mode == Mode::Serve {
        wrong.extend(dangers(configuration));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(ConfigError(wrong))
    }
}

fn contradictions(configuration: &Configuration) -> Vec<String> {
    let settings = &configuration.settings;
    let mut wrong = Vec::new();
    let mut refuse = |is_wrong: bool, message: &str| {
        if is_wrong {
            wrong.push(message.to_owned());
        }
    };
    let (server, database, security) = (&settings.server, &settings.database, &settings.security);
    refuse(
        database.connections == 0 || database.connections > 1000,
        "database.connections must be 1 to 1000",
    );
    refuse(
        database.statement_timeout.is_zero() || database.lock_timeout.is_zero(),
        "database.statement_timeout and database.lock_timeout must be longer than nothing: a statement \
         without end would hold its connection for ever",
    );
    let limits = &settings.limits;
    refuse(
        limits.budget > 0 && (limits.budget < limits.cost || limits.budget_per_second == 0),
        "limits.budget must be 0, or at least limits.cost with something restored in each second: else there are \
         requests that pass every limit and never run",
    );
    let retention = &settings.retention;
    refuse(
        retention.idempotency_days == 0 || retention.event_days == 0 || retention.audit_days == 0,
        "retention.idempotency_days, event_days and audit_days must be at least 1",
    );
    let transfers = &settings.transfers;
    refuse(
        transfers.upload_timeout.is_zero() || transfers.upload_bytes == 0,
        "transfers.upload_timeout and transfers.upload_bytes must be more than nothing",
    );
    refuse(
        transfers.upload_bytes > transfers.total_bytes
            || transfers.total_bytes > i64::MAX.unsigned_abs(),
        "transfers.upload_bytes must not be more than transfers.total_bytes",
    );
    refuse(
        server.operation_timeout.is_zero(),
        "server.operation_timeout must be longer than nothing",
    );
    refuse(
        server.body_bytes < 1024,
        "server.body_bytes must be at least 1024",
    );
    refuse(
        server.connections == 0,
        "server.connections must be at least 1",
    );
    refuse(
        security.access_token_lifetime < Duration::from_secs(30)
            || security.access_token_lifetime > security.refresh_token_lifetime
            || security.refresh_token_lifetime > security.session_lifetime,
        "security.access_token_lifetime must be at least 30s, not longer than refresh_token_lifetime, and \
         that not longer than session_lifetime",
    );
    refuse(
        security.attempts_by_account == 0
            || security.attempts_by_address == 0
            || security.attempts_window.is_zero(),
        "security.attempts_by_account, attempts_by_address and attempts_window must be more than nothing: \
         otherwise nobody can sign in",
    );
    wrong.extend(oidc::contradictions(settings));
    wrong
}

fn dangers(configuration: &Configuration) -> Vec<String> {
    let settings = &configuration.settings;
    let (server, security) = (&settings.server, &settings.security);
    let mut wrong = Vec::new();
    if server
        .cors_origins
        .iter()
        .any(|origin| origin.contains('*'))
    {
        wrong.push(
            "server.cors_origins must name each origin: `*` would let any web page use a signed-in browser"
                .to_owned(),
        );
    }
    for network in &server.trusted_proxies {
        // A proxy has an address of its own; half of the world has not.
        let shortest = if network.addr().is_ipv4() { 8 } else { 16 };
        if network.prefix_len() < shortest {
            wrong.push(format!(
                "server.trusted_proxies must not hold {network}: anybody could then pretend to any address; \
                 name the proxies' own network"
            ));
        }
    }
    if server.body_bytes > 64 * 1024 * 1024 {
        wrong.push("server.body_bytes must be at most 67108864".to_owned());
    }
    if security.access_token_lifetime > Duration::from_secs(3600) {
        wrong.push("security.access_token_lifetime must be at most 1h".to_owned());
    }
    if security.attempts_by_account > 100 || security.attempts_by_address > 10_000 {
        wrong.push(
            "security.attempts_by_account must be at most 100 and attempts_by_address at most 10000"
                .to_owned(),
        );
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_fit_to_serve() {
        check(&Configuration::default(), Mode::Serve).unwrap();
    }

    #[test]
    fn unsafe_settings_are_refused_outside_a_demonstration() {
        type Change = fn(&mut Configuration);
        let cases: [(Change, &str); 4] = [
            (
                |c| c.settings.server.cors_origins = vec!["*".to_owned()],
                "cors_origins",
            ),
            (
                |c| c.settings.server.trusted_proxies = vec!["0.0.0.0/0".parse().unwrap()],
                "trusted_proxies",
            ),
            (
                |c| c.settings.server.trusted_proxies = vec!["::/0".parse().unwrap()],
                "trusted_proxies",
            ),
            (
                |c| c.settings.security.access_token_lifetime = Duration::from_secs(86_400),
                "access_token_lifetime",
            ),
        ];
        for (change, name) in cases {
            let mut configuration = Configuration::default();
            change(&mut configuration);
            let error = check(&configuration, Mode::Serve).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            check(&configuration, Mode::Demo).unwrap();
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let mut configuration = Configuration::default();
        configuration.settings.database.connections = 0;
        configuration.settings.server.body_bytes = 0;
        let error = check(&configuration, Mode::Demo).unwrap_err();
        assert_eq!(error.0.len(), 2, "{error}");
    }
}
