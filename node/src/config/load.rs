//! Reading the configuration from file, environment and flags, and writing the file on the first start.

use super::error::{ConfigError, Origin};
use super::keys::{KEYS, Key, Kind, SECTIONS, Value};
use super::settings::{LogLevel, Settings, SyncPolicy};
use super::spelling::nearest;
use super::{ByteSize, Config};
use crate::client::Hiding;
use crate::reference::Reference;
use rand::RngExt;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Name of the configuration file in the data folder.
pub const CONFIG_FILE_NAME: &str = "warren.toml";

/// Largest configuration file that is read, in bytes; the generated one has about 3 KiB.
const FILE_LEN_MAX: u64 = 1 << 20;

/// Ports drawn for the link: above the ports of common services, below those that systems hand out to outgoing
/// connections (from 32768 on Linux, 49152 elsewhere).
const LINK_PORTS: RangeInclusive<u16> = 10_240..=32_767;

/// What the flags of a program set. `None` leaves a value to the environment, the file and the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `node.name`
    pub name: Option<String>,
    /// `link.listen`
    pub link_listen: Option<SocketAddr>,
    /// `link.announce`
    pub announce: Option<Vec<SocketAddr>>,
    /// `link.upload`
    pub upload: Option<ByteSize>,
    /// `opennet.enabled`
    pub opennet: Option<bool>,
    /// `opennet.seeds`
    pub seeds: Option<Vec<Reference>>,
    /// `opennet.introduce`
    pub introduce: Option<bool>,
    /// `anonymity.hops`
    pub anonymity: Option<u8>,
    /// `anonymity.allow_off`
    pub allow_anonymity_off: Option<bool>,
    /// `store.size`
    pub store_size: Option<ByteSize>,
    /// `store.cache`
    pub cache_size: Option<ByteSize>,
    /// `store.sync`
    pub sync: Option<SyncPolicy>,
    /// `fcp.enabled`
    pub fcp_enabled: Option<bool>,
    /// `fcp.listen`
    pub fcp_listen: Option<SocketAddr>,
    /// `fproxy.enabled`
    pub fproxy_enabled: Option<bool>,
    /// `fproxy.listen`
    pub fproxy_listen: Option<SocketAddr>,
    /// `limits.upload_dir`
    pub upload_dir: Option<PathBuf>,
    /// `limits.memory`
    pub memory: Option<ByteSize>,
    /// `log.level`
    pub log_level: Option<LogLevel>,
}

impl Config {
    /// Reads the configuration of the node in `data_dir`: its `warren.toml`, which is written with all defaults if
    /// missing, the process environment and `overrides`.
    ///
    /// # Errors
    /// [`ConfigError`] names the file or variable, the key and what is allowed.
    pub fn load(data_dir: &Path, overrides: &Overrides) -> Result<Self, ConfigError> {
        let file = data_dir.join(CONFIG_FILE_NAME);
        let text = match read_bounded(&file) {
            Err(source) if source.kind() == ErrorKind::NotFound => write_default(&file)?,
            other => other.map_err(|source| ConfigError::Read {
                file: file.clone(),
                source,
            })?,
        };
        Self::resolve(Some((&file, &text)), std::env::vars(), overrides)
    }

    /// The configuration from given sources; reads neither disk nor process environment.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn resolve(
        file: Option<(&Path, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
        overrides: &Overrides,
    ) -> Result<Self, ConfigError> {
        let mut draft = Draft {
            settings: Settings::default(),
            origins: BTreeMap::new(),
        };
        if let Some((path, text)) = file {
            draft.take_file(path, text)?;
        }
        for (variable, text) in environment {
            draft.take_variable(&variable, &text)?;
        }
        for (path, value) in overrides.entries() {
            let key = key_of(path).expect("a test compares the overrides with the table of keys");
            draft.take(key, &value, Origin::Flag)?;
        }
        draft.finish()
    }

    /// The file written on the first start: every key with its documentation and its default.
    pub fn default_file_text(link_port: u16) -> String {
        let mut settings = Settings::default();
        settings.link.listen.set_port(link_port);
        let mut text = String::from(
            "# Configuration of this Warren node, read when it starts. Flags and the environment come first: the key\n\
             # `size` of [store], for example, is also the variable WARREN_STORE_SIZE.\n",
        );
        for (section, doc) in SECTIONS {
            let _ = write!(text, "\n# {doc}\n[{section}]\n");
            for key in KEYS.iter().filter(|key| key.section == section) {
                for line in key.doc {
                    let _ = writeln!(text, "# {line}");
                }
                let _ = match (key.show)(&settings) {
                    Some(value) => writeln!(text, "{} = {value}", key.name),
                    None => writeln!(text, "# {} = \"/path\"", key.name),
                };
            }
        }
        text
    }
}

impl Overrides {
    /// The values that are set, by path of their key.
    fn entries(&self) -> Vec<(&'static str, Value)> {
        let text = |value: &dyn ToString| Value::Text(value.to_string());
        let entries = [
            ("node.name", self.name.as_ref().map(|v| text(v))),
            ("link.listen", self.link_listen.as_ref().map(|v| text(v))),
            ("link.announce", self.announce.as_deref().map(list)),
            ("link.upload", self.upload.as_ref().map(|v| text(v))),
            ("opennet.enabled", self.opennet.map(Value::Flag)),
            ("opennet.seeds", self.seeds.as_deref().map(list)),
            ("opennet.introduce", self.introduce.map(Value::Flag)),
            ("anonymity.hops", self.anonymity.as_ref().map(|v| text(v))),
            (
                "anonymity.allow_off",
                self.allow_anonymity_off.map(Value::Flag),
            ),
            ("store.size", self.store_size.as_ref().map(|v| text(v))),
            ("store.cache", self.cache_size.as_ref().map(|v| text(v))),
            ("store.sync", self.sync.as_ref().map(|v| text(v))),
            ("fcp.enabled", self.fcp_enabled.map(Value::Flag)),
            ("fcp.listen", self.fcp_listen.as_ref().map(|v| text(v))),
            ("fproxy.enabled", self.fproxy_enabled.map(Value::Flag)),
            (
                "fproxy.listen",
                self.fproxy_listen.as_ref().map(|v| text(v)),
            ),
            (
                "limits.upload_dir",
                self.upload_dir.as_ref().map(|v| text(&v.display())),
            ),
            ("limits.memory", self.memory.as_ref().map(|v| text(v))),
            ("log.level", self.log_level.as_ref().map(|v| text(v))),
        ];
        entries
            .into_iter()
            .filter_map(|(path, value)| Some((path, value?)))
            .collect()
    }
}

/// Settings on their way to a [`Config`], with the source of each key that was set.
struct Draft {
    settings: Settings,
    origins: BTreeMap<String, Origin>,
}

impl Draft {
    fn take(&mut self, key: &Key, value: &Value, origin: Origin) -> Result<(), ConfigError> {
        if (key.set)(&mut self.settings, value).is_none() {
            return Err(refused(key, origin, &show(value)));
        }
        self.origins.insert(key.path(), origin);
        Ok(())
    }

    fn take_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let table: toml::Table = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            file: path.to_owned(),
            message: error.to_string(),
        })?;
        let origin = || Origin::File(path.to_owned());
        for (section, content) in &table {
            let keys = match content {
                toml::Value::Table(keys) if SECTIONS.iter().any(|(name, _)| name == section) => {
                    keys
                }
                _ => return Err(unknown(origin(), section)),
            };
            for (name, value) in keys {
                let path = format!("{section}.{name}");
                let key = key_of(&path).ok_or_else(|| unknown(origin(), &path))?;
                let value = value_of(value)
                    .ok_or_else(|| refused(key, origin(), &shorten(&value.to_string())))?;
                self.take(key, &value, origin())?;
            }
        }
        Ok(())
    }

    fn take_variable(&mut self, variable: &str, text: &str) -> Result<(), ConfigError> {
        let origin = Origin::Environment(variable.to_owned());
        let Some(key) = KEYS.iter().find(|key| key.variable() == variable) else {
            return if variable.starts_with("WARREN_") && !is_foreign(variable) {
                Err(unknown_variable(variable))
            } else {
                Ok(())
            };
        };
        let value = match key.kind {
            Kind::Text => Value::Text(text.to_owned()),
            Kind::List => Value::List(
                text.split(',')
                    .map(|item| item.trim().to_owned())
                    .filter(|item| !item.is_empty())
                    .collect(),
            ),
            Kind::Flag => match text {
                "1" | "true" | "yes" | "on" => Value::Flag(true),
                "0" | "false" | "no" | "off" => Value::Flag(false),
                _ => return Err(refused(key, origin, &shorten(text))),
            },
        };
        self.take(key, &value, origin)
    }

    /// Checks what concerns more than one key.
    fn finish(self) -> Result<Config, ConfigError> {
        let Settings { fcp, fproxy, .. } = &self.settings;
        let listeners = [
            ("fcp", fcp.listen, fcp.enabled && !fcp.allow_remote),
            (
                "fproxy",
                fproxy.listen,
                fproxy.enabled && !fproxy.allow_remote,
            ),
        ];
        for (section, listen, loopback_only) in listeners {
            if loopback_only && !listen.ip().is_loopback() {
                let origin = self
                    .origins
                    .get(&format!("{section}.listen"))
                    .cloned()
                    .unwrap_or(Origin::Default);
                return Err(ConfigError::RemoteListener {
                    origin,
                    section,
                    listen,
                });
            }
        }
        if fcp.enabled && fproxy.enabled && fcp.listen == fproxy.listen && fcp.listen.port() != 0 {
            return Err(ConfigError::SameListener(fcp.listen));
        }
        let anonymity = &self.settings.anonymity;
        if anonymity.hiding == Hiding::Off && !anonymity.allow_off {
            let origin = self.origins.get("anonymity.hops").cloned();
            return Err(ConfigError::AnonymityOff {
                origin: origin.unwrap_or(Origin::Default),
            });
        }
        Ok(Config(self.settings))
    }
}

fn list(items: &[impl ToString]) -> Value {
    Value::List(items.iter().map(ToString::to_string).collect())
}

fn key_of(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path() == path)
}

fn value_of(value: &toml::Value) -> Option<Value> {
    match value {
        toml::Value::String(text) => Some(Value::Text(text.clone())),
        toml::Value::Integer(number) => Some(Value::Text(number.to_string())),
        toml::Value::Boolean(flag) => Some(Value::Flag(*flag)),
        toml::Value::Array(items) => {
            let texts: Option<Vec<String>> = items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect();
            texts.map(Value::List)
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("\"{}\"", shorten(text)),
        Value::Flag(flag) => flag.to_string(),
        Value::List(items) => shorten(&format!("{items:?}")),
    }
}

/// Keeps an error on one line of a terminal, whatever stands in the file.
fn shorten(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(60)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

fn refused(key: &Key, origin: Origin, found: &str) -> ConfigError {
    ConfigError::Value {
        origin,
        key: key.path(),
        found: found.to_owned(),
        allowed: key.allowed.to_owned(),
    }
}

fn unknown(origin: Origin, written: &str) -> ConfigError {
    let (section, name) = written.split_once('.').unwrap_or(("", written));
    let sections = SECTIONS.iter().map(|(name, _)| (*name).to_owned());
    ConfigError::UnknownKey {
        origin,
        key: shorten(written),
        nearest: meant(section, name)
            .map(Key::path)
            .or_else(|| nearest(written, sections)),
    }
}

/// Variables that begin like the configuration's and belong to something else: a flag of `warren`, and the size that a
/// test takes.
const FOREIGN_VARIABLES: [&str; 2] = ["WARREN_DATA_DIR", "WARREN_LARGE_FILE_MIB"];

/// Beginning of the variables by which tests tell something to the processes that they start.
const TEST_VARIABLES: &str = "WARREN_TEST_";

fn is_foreign(variable: &str) -> bool {
    FOREIGN_VARIABLES.contains(&variable) || variable.starts_with(TEST_VARIABLES)
}

fn unknown_variable(variable: &str) -> ConfigError {
    let written = variable.trim_start_matches("WARREN_").to_ascii_lowercase();
    let (section, name) = written.split_once('_').unwrap_or(("", &written));
    let foreign = FOREIGN_VARIABLES.map(str::to_owned);
    ConfigError::UnknownKey {
        origin: Origin::Environment(variable.to_owned()),
        key: shorten(variable),
        nearest: meant(section, name)
            .map(Key::variable)
            .or_else(|| nearest(variable, foreign.into_iter())),
    }
}

/// The key that was meant by a `name` in a `section`. The right name in the wrong section comes first, if only one has
/// it: several would make it a guess. Then a slip in a name of that section; keys of other sections are spelt alike by
/// chance. Only where there is no such section, a slip anywhere.
fn meant(section: &str, name: &str) -> Option<&'static Key> {
    let mut named = KEYS.iter().filter(|key| key.name == name);
    let misplaced = named.next().filter(|_| named.next().is_none());
    let slip = || {
        let path = if SECTIONS.iter().any(|(known, _)| *known == section) {
            let here = KEYS.iter().filter(|key| key.section == section);
            let name = nearest(name, here.map(|key| key.name.to_owned()))?;
            format!("{section}.{name}")
        } else {
            nearest(&format!("{section}.{name}"), KEYS.iter().map(Key::path))?
        };
        key_of(&path)
    };
    misplaced.or_else(slip)
}

fn read_bounded(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let opened = fs::File::open(file)?;
    if opened.metadata()?.len() > FILE_LEN_MAX {
        return Err(std::io::Error::new(
            ErrorKind::FileTooLarge,
            "a configuration has at most 1 MiB",
        ));
    }
    opened.take(FILE_LEN_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn write_default(file: &Path) -> Result<String, ConfigError> {
    let text = Config::default_file_text(rand::rng().random_range(LINK_PORTS));
    crate::data_dir::write_new_file(file, text.as_bytes(), 0o600).map_err(|source| {
        ConfigError::Write {
            file: file.to_owned(),
            source,
        }
    })?;
    Ok(text)
}
