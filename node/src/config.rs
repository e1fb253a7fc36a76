//! What the owner of a node sets: `warren.toml` in the data folder, environment variables and flags.
//!
//! A [`Config`] exists only when every value in it is allowed. For each key the first of these wins: a flag
//! ([`Overrides`]), the environment (`WARREN_STORE_SIZE` for `size` in `[store]`), the file, the default. One table,
//! in `keys`, holds every key with its documentation, its default and its check, so that the generated file, the
//! environment and the error messages cannot drift apart.

mod byte_size;
mod error;
mod keys;
mod load;
mod settings;
mod spelling;
mod values;

pub use byte_size::{ByteSize, ByteSizeError};
pub use error::{ConfigError, Origin};
pub use load::{CONFIG_FILE_NAME, Overrides};
pub use settings::{
    AnonymitySettings, FcpSettings, FproxySettings, LimitSettings, LinkSettings, LogLevel,
    LogSettings, NAME_LEN_MAX, NodeSettings, OPENNET_PEERS_MAX, OPENNET_PEERS_MIN, OpennetSettings,
    SEEDS_MAX, STORE_SIZE_MIN, Settings, StoreSettings, SyncPolicy,
};

pub(crate) use values::is_name;

use std::ops::Deref;

/// Settings that passed every check. They are read through `Deref`; nothing can change them afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config(Settings);

impl Deref for Config {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.0
    }
}

#[cfg(test)]
mod tests;
