//! Reading the configuration from its sources, each value with where it came from.

use super::reference::{Variable, reference};
use super::sections::Settings;
use figment::error::Kind;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Names the configuration file.
const FILE_VARIABLE: &str = "REGULARS_CONFIG";
/// How hosting platforms name the database; [`URL_VARIABLE`] goes before it.
const URL_ALIAS: &str = "DATABASE_URL";
const URL_VARIABLE: &str = "REGULARS_DATABASE_URL";

/// Beginnings of names that are not settings of the program: those of its test suite, and those that Kubernetes
/// puts into every container beside a service called `regulars`.
const FOREIGN: [&str; 4] = [
    "REGULARS_TEST_",
    "REGULARS_REFERENCE_DATA",
    "REGULARS_SERVICE_",
    "REGULARS_PORT",
];

/// The configuration cannot be used; the operator puts it right. Never tells a secret's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

impl ConfigError {
    pub(super) fn one(message: impl Into<String>) -> Self {
        Self(vec![message.into()])
    }
}

/// What the command line may set; it goes before every other source.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// The data directory.
    pub data: Option<PathBuf>,
    /// The database's address.
    pub database_url: Option<String>,
    /// Where to listen.
    pub listen: Option<String>,
}

/// All settings and where they came from.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    /// The settings.
    pub settings: Settings,
    sources: BTreeMap<String, String>,
}

impl Configuration {
    /// Reads the configuration.
    ///
    /// # Errors
    /// What is wrong with it, all of it at once where possible.
    pub fn load(
        options: &Options,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let environment = own(environment)?;
        let file = options
            .file
            .clone()
            .or_else(|| environment.get(FILE_VARIABLE).map(PathBuf::from));
        let mut figment = Figment::new();
        if let Some(file) = &file {
            let text = std::fs::read_to_string(file).map_err(|error| {
                ConfigError::one(format!("cannot read {}: {error}", file.display()))
            })?;
            figment = figment.merge(Named {
                name: file.display().to_string(),
                inner: Toml::string(&text),
            });
        }
        figment = figment
            .merge(from_environment(&environment)?)
            .merge(from_options(options));
        let mut settings = figment.extract::<Settings>().map_err(|errors| {
            ConfigError(errors.into_iter().map(|error| explain(&error)).collect())
        })?;
        let mut sources: BTreeMap<String, String> = reference()
            .into_iter()
            .filter_map(|variable| {
                let key = path(&variable);
                let metadata = figment.find_metadata(&key)?;
                Some((key, metadata.name.clone().into_owned()))
            })
            .collect();
        let (database, oidc) = (&mut settings.database, &mut settings.oidc);
        for (key, value, file, what) in [
            (
                "database.url",
                &mut database.url,
                &database.url_file,
                "the address of the database",
            ),
            (
                "oidc.client_secret",
                &mut oidc.client_secret,
                &oidc.client_secret_file,
                "the secret that the provider has given",
            ),
        ] {
            let Some(file) = file else { continue };
            if value.is_some() {
                return Err(ConfigError::one(format!(
                    "set either {key} or {key}_file, not both"
                )));
            }
            *value = Some(text_in(file, what)?);
            sources.insert(key.to_owned(), format!("the file {}", file.display()));
        }
        Ok(Self { settings, sources })
    }

    /// Where the setting `section.key` came from: the file's name, a variable, an option; `default` otherwise.
    pub fn source(&self, key: &str) -> &str {
        self.sources.get(key).map_or("default", String::as_str)
    }

    /// Is the setting `section.key` left as it comes?
    pub fn is_default(&self, key: &str) -> bool {
        !self.sources.contains_key(key)
    }
}

/// What a file holds, where it is seen by nobody who sees the variables.
fn text_in(file: &Path, what: &str) -> Result<SecretString, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| ConfigError::one(format!("cannot read {}: {error}", file.display())))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(ConfigError::one(format!(
            "{} is empty: it must hold {what}",
            file.display()
        )));
    }
    Ok(SecretString::from(text))
}

fn path(variable: &Variable) -> String {
    format!("{}.{}", variable.section, variable.key)
}

/// The variables that are ours.
fn own(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let known = reference();
    let mut ours = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, value) in environment {
        let Ok(name) = name.into_string() else {
            continue;
        };
        let is_foreign = FOREIGN.iter().any(|prefix| name.starts_with(prefix));
        if name != URL_ALIAS && (!name.starts_with("REGULARS_") || is_foreign) {
            continue;
        }
        let is_known = name == URL_ALIAS
            || name == FILE_VARIABLE
            || known.iter().any(|variable| variable.name == name);
        if !is_known {
            let near = nearest(&name, known.iter().map(|variable| variable.name));
            wrong.push(format!(
                "there is no setting {name}{}",
                near.map(|near| format!("; did you mean {near}?"))
                    .unwrap_or_default()
            ));
            continue;
        }
        match value.into_string() {
            Ok(value) => {
                ours.insert(name, value);
            }
            Err(_) => wrong.push(format!("{name} is not text in UTF-8")),
        }
    }
    if wrong.is_empty() {
        Ok(ours)
    } else {
        wrong.sort();
        Err(ConfigError(wrong))
    }
}

/// A source of values, each under its own name so that it can be told where a value came from.
struct Values {
    name: String,
    values: Vec<(String, String)>,
}

impl Provider for Values {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut all = Dict::new();
        for (key, value) in &self.values {
            if let Some((section, key)) = key.split_once('.')
                && let Value::Dict(_, entries) = all
                    .entry(section.to_owned())
                    .or_insert_with(|| Value::from(Dict::new()))
            {
                entries.insert(key.to_owned(), Value::from(value.clone()));
            }
        }
        Ok(Profile::Default.collect(all))
    }
}

/// A source under another name.
struct Named<P> {
    name: String,
    inner: P,
}

impl<P: Provider> Provider for Named<P> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        self.inner.data()
    }
}

fn from_environment(environment: &BTreeMap<String, String>) -> Result<Figment, ConfigError> {
    let mut figment = Figment::new();
    for variable in reference() {
        let alias = (variable.name == URL_VARIABLE).then_some(URL_ALIAS);
        for name in alias.into_iter().chain([variable.name]) {
            // An empty variable counts as one that is not set: compose files cannot say it otherwise.
            if let Some(value) = environment.get(name).filter(|value| !value.is_empty()) {
                figment = figment.merge(Values {
                    name: format!("the variable {name}"),
                    values: vec![(path(&variable), value.clone())],
                });
            }
        }
    }
    Ok(figment)
}

fn from_options(options: &Options) -> Figment {
    let data = options.data.as_ref().map(|path| path.display().to_string());
    [
        ("--data", "database.data", data),
        (
            "--database-url",
            "database.url",
            options.database_url.clone(),
        ),
        ("--listen", "server.listen", options.listen.clone()),
    ]
    .into_iter()
    .filter_map(|(option, key, value)| Some((option, key, value?)))
    .fold(Figment::new(), |figment, (option, key, value)| {
        figment.merge(Values {
            name: format!("the option {option}"),
            values: vec![(key.to_owned(), value)],
        })
    })
}

/// Says what is wrong, where, and what may have been meant; never shows a value.
fn explain(error: &figment::Error) -> String {
    let place = error.path.join(".");
    let source = error
        .metadata
        .as_ref()
        .map(|metadata| format!(" (from {})", metadata.name))
        .unwrap_or_default();
    match &error.kind {
        Kind::UnknownField(name, known) => {
            let near = nearest(name, known.iter().copied());
            let hint = near.map(|near| format!("; did you mean {near}?"));
            // The path may already end with the name that is not known.
            let table = match place.strip_suffix(name.as_str()) {
                Some(table) => table.trim_end_matches('.'),
                None => place.as_str(),
            };
            let dot = if table.is_empty() { "" } else { "." };
            format!(
                "there is no setting {table}{dot}{name}{}{source}",
                hint.unwrap_or_default()
            )
        }
        Kind::Message(message) => format!("{place} {message}{source}"),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
            format!("{place} must be {expected}{source}")
        }
        // A syntax error of the file: the text has no values in it but a line of the file.
        _ => format!("{place}: cannot be read{source}"),
    }
}

/// The nearest of the known names, when one is near.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn load(file: Option<&str>, environment: &[(&str, &str)]) -> Result<Configuration, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("regulars.toml");
        let options = Options {
            file: file.map(|text| {
                std::fs::write(&path, text).unwrap();
                path.clone()
            }),
            ..Options::default()
        };
        load_with(&options, environment)
    }

    fn load_with(options: &Options, environment: &[(&str, &str)]) -> Result<Configuration, String> {
        let environment = environment
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Configuration::load(options, environment).map_err(|error| error.to_string())
    }

    #[test]
    fn the_later_source_wins() {
        let file =
            "[server]\nlisten = \"127.0.0.1:1\"\nbody_bytes = 5\n[database]\nconnections = 3\n";
        let read = load(Some(file), &[("REGULARS_LISTEN", "127.0.0.1:2")]).unwrap();
        assert_eq!(read.settings.server.listen.port(), 2);
        assert_eq!(read.settings.server.body_bytes, 5);
        assert_eq!(read.settings.database.connections, 3);
        assert_eq!(read.source("server.listen"), "the variable REGULARS_LISTEN");
        assert!(read.source("server.body_bytes").ends_with("regulars.toml"));
        assert_eq!(read.source("server.compress"), "default");
        let options = Options {
            listen: Some("127.0.0.1:3".to_owned()),
            ..Options::default()
        };
        let read = load_with(&options, &[("REGULARS_LISTEN", "127.0.0.1:2")]).unwrap();
        assert_eq!(read.settings.server.listen.port(), 3);
        assert_eq!(read.source("server.listen"), "the option --listen");
    }

    #[test]
    fn the_database_address_has_an_alias() {
        let url = |environment: &[(&str, &str)]| {
            let url = load(None, environment).unwrap().settings.database.url;
            url.map(|url| url.expose_secret().to_owned())
        };
        assert_eq!(
            url(&[("DATABASE_URL", "postgres://a")]).unwrap(),
            "postgres://a"
        );
        let both = [
            ("DATABASE_URL", "postgres://a"),
            ("REGULARS_DATABASE_URL", "postgres://b"),
        ];
        assert_eq!(url(&both).unwrap(), "postgres://b");
        assert_eq!(url(&[("DATABASE_URL", "")]), None);
    }

    #[test]
    fn unknown_names_are_refused_with_the_nearest() {
        let error = load(None, &[("REGULARS_LISTENN", "x")]).unwrap_err();
        assert_eq!(
            error,
            "there is no setting REGULARS_LISTENN; did you mean REGULARS_LISTEN?"
        );
        let error = load(Some("[server]\nlisten_on = \"x\"\n"), &[]).unwrap_err();
        assert!(
            error.starts_with("there is no setting server.listen_on; did you mean listen? (from "),
            "{error}"
        );
        let error = load(Some("[sever]\nlisten = \"x\"\n"), &[]).unwrap_err();
        assert!(
            error.starts_with("there is no setting sever; did you mean server?"),
            "{error}"
        );
        for name in [
            "REGULARS_TEST_POSTGRES",
            "REGULARS_SERVICE_HOST",
            "REGULARS_PORT_80_TCP",
        ] {
            load(None, &[(name, "x")]).unwrap();
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_value() {
        let error = load(None, &[("REGULARS_OPERATION_TIMEOUT", "soon")]).unwrap_err();
        assert_eq!(
            error,
            "server.operation_timeout must be a number with its unit (ms, s, m, h, d), such as 30s \
             (from the variable REGULARS_OPERATION_TIMEOUT)"
        );
        let error = load(Some("[security]\nsecret_key = {hunter2 = 1}\n"), &[]).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        let error = load(Some("[security\nsecret_key = \"hunter2\"\n"), &[]).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn nothing_secret_is_in_the_debug_output() {
        let environment = [
            ("REGULARS_SECRET_KEY", "hunter2-key"),
            ("REGULARS_METRICS_TOKEN", "hunter2-token"),
            ("REGULARS_OIDC_CLIENT_SECRET", "hunter2-secret"),
            ("DATABASE_URL", "postgres://a:hunter2@b/c"),
        ];
        let text = format!("{:?}", load(None, &environment).unwrap());
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn the_address_of_the_database_may_be_in_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("url");
        std::fs::write(&file, "postgres://a:hunter2@b/c\n").unwrap();
        let name = file.display().to_string();
        let variable = ("REGULARS_DATABASE_URL_FILE", name.as_str());
        let read = load(None, &[variable]).unwrap();
        let url = read.settings.database.url.as_ref().unwrap();
        assert_eq!(url.expose_secret(), "postgres://a:hunter2@b/c");
        assert_eq!(read.source("database.url"), format!("the file {name}"));
        let both = load(None, &[variable, ("DATABASE_URL", "postgres://d/e")]).unwrap_err();
        assert!(
            both.contains("not both") && !both.contains("hunter2"),
            "{both}"
        );
        std::fs::write(&file, "\n").unwrap();
        assert!(load(None, &[variable]).unwrap_err().contains("is empty"));
        std::fs::remove_file(&file).unwrap();
        assert!(load(None, &[variable]).unwrap_err().contains("cannot read"));
    }
}
