//! What can be wrong with a configuration, told so that it can be put right.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The configuration file.
    File(PathBuf),
    /// An environment variable, by name.
    Environment(String),
    /// A flag of the program.
    Flag,
    /// Nobody set it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Flag => f.write_str("command line"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file exists and cannot be read.
    #[error("cannot read {}: {source}", .file.display())]
    Read {
        /// The configuration file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The default file cannot be written.
    #[error("cannot write the default configuration to {}: {source}", .file.display())]
    Write {
        /// The configuration file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{} is not valid TOML: {message}", .file.display())]
    Syntax {
        /// The configuration file.
        file: PathBuf,
        /// Line, column and reason.
        message: String,
    },
    /// A key that means nothing.
    #[error("{origin}: there is no key `{key}`{}", did_you_mean(.nearest.as_deref()))]
    UnknownKey {
        /// Where it stands.
        origin: Origin,
        /// The key as written, with its section.
        key: String,
        /// The valid key that is spelt most like it, if one is close.
        nearest: Option<String>,
    },
    /// A value that is not allowed.
    #[error("{origin}: `{key}` is {found}; allowed is {allowed}")]
    Value {
        /// Where it stands.
        origin: Origin,
        /// The key with its section.
        key: String,
        /// The value as written, shortened.
        found: String,
        /// What may stand there.
        allowed: String,
    },
    /// A listener that other machines could reach, without the key that accepts it.
    #[error(
        "{origin}: `{section}.listen` is {listen}, which other machines can reach, and whoever reaches it controls \
         this node; use a loopback address such as 127.0.0.1:{}, or set `{section}.allow_remote = true`",
        .listen.port()
    )]
    RemoteListener {
        /// Where the address stands.
        origin: Origin,
        /// `fcp` or `fproxy`.
        section: &'static str,
        /// The refused address.
        listen: SocketAddr,
    },
    /// No anonymity, without the key that accepts it.
    #[error(
        "{origin}: `anonymity.hops` is 0, with which the nodes next to this one see what its user asks for; use 2, 4, 6 or 8, \
         or accept that with `anonymity.allow_off = true` or the flag --neighbours-may-see-keys"
    )]
    AnonymityOff {
        /// Where the number stands.
        origin: Origin,
    },
    /// Both listeners on one address.
    #[error("`fcp.listen` and `fproxy.listen` are both {0}; give one of them another port")]
    SameListener(SocketAddr),
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || "; the generated warren.toml lists every key".to_owned(),
        |nearest| format!("; did you mean `{nearest}`?"),
    )
}
