//! The greeting: `ClientHello`, `NodeHello`, and one live connection per client name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::RngExt;
use tokio::sync::oneshot;

use super::message::Message;
use super::protocol_error::ProtocolError;

/// The build of Hyphanet whose FCP this server follows; clients want a number of this kind.
const BUILD: u32 = 1506;
/// What clients parse as `N - NAME(id), …`. They send the names back as `Codecs`, which is accepted; Warren
/// compresses its own way.
const COMPRESSION_CODECS: &str = "4 - GZIP(0), BZIP2(1), LZMA(2), LZMA_NEW(3)";

/// Reads the greeting of a client and returns its name.
pub(super) fn client_name(hello: &Message) -> Result<String, ProtocolError> {
    let name = hello.required("Name")?;
    hello.required("ExpectedVersion")?;
    Ok(name.to_owned())
}

/// A fresh connection identifier: 32 hex digits, of which the first is a letter, because some clients take
/// words of digits for numbers.
pub(super) fn connection_identifier() -> String {
    let mut bytes: [u8; 16] = rand::rng().random();
    bytes[0] |= 0xa0;
    data_encoding::HEXLOWER.encode(&bytes)
}

/// The node's greeting. It calls itself `Fred`, as clients expect of what they talk to; `Revision` says what
/// it really is.
pub(super) fn node_hello(connection_identifier: &str) -> Message {
    Message::new("NodeHello")
        .with("FCPVersion", "2.0")
        .with("Node", "Fred")
        .with("Version", version())
        .with("Build", BUILD)
        .with("Revision", concat!("warren-", env!("CARGO_PKG_VERSION")))
        .with("ExtBuild", 29)
        .with("ExtRevision", "v29")
        .with("Testnet", false)
        .with("CompressionCodecs", COMPRESSION_CODECS)
        .with("ConnectionIdentifier", connection_identifier)
        .with("NodeLanguage", "ENGLISH")
}

/// The version in the four parts that clients split.
pub(super) fn version() -> String {
    format!("Fred,0.7,1.0,{BUILD}")
}

/// The names of the clients that are connected.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientNames {
    live: Arc<Mutex<BTreeMap<String, Live>>>,
}

/// The connection that has a name.
#[derive(Debug)]
struct Live {
    connection: u64,
    /// Tells it that it lost the name.
    replaced: oneshot::Sender<()>,
}

/// A connection's hold on its name.
#[derive(Debug)]
pub(super) struct NameHeld {
    names: ClientNames,
    name: String,
    connection: u64,
}

impl ClientNames {
    /// Takes a name for a connection. The connection that had it is told (the returned receiver resolves) and
    /// must close.
    pub(super) fn take(&self, name: &str, connection: u64) -> (NameHeld, oneshot::Receiver<()>) {
        let (replaced, told) = oneshot::channel();
        let earlier = self.live().insert(
            name.to_owned(),
            Live {
                connection,
                replaced,
            },
        );
        if let Some(earlier) = earlier {
            // It may be closing at this moment.
            let _ = earlier.replaced.send(());
        }
        (
            NameHeld {
                names: self.clone(),
                name: name.to_owned(),
                connection,
            },
            told,
        )
    }

    fn live(&self) -> MutexGuard<'_, BTreeMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for NameHeld {
    fn drop(&mut self) {
        let mut live = self.names.live();
        if live
            .get(&self.name)
            .is_some_and(|holder| holder.connection == self.connection)
        {
            live.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_has_the_shape_that_clients_parse() {
        let hello = node_hello(&connection_identifier());
        assert!(hello.field("Build").unwrap().parse::<u32>().is_ok());
        let version: Vec<&str> = hello.field("Version").unwrap().split(',').collect();
        assert_eq!(version.len(), 4);
        assert!(version[3].parse::<u32>().is_ok());
        let (count, codecs) = hello
            .field("CompressionCodecs")
            .unwrap()
            .split_once(" - ")
            .unwrap();
        assert_eq!(count.parse::<usize>().unwrap(), codecs.split(", ").count());
        assert!(
            codecs
                .split(", ")
                .all(|codec| codec.ends_with(')') && codec.contains('('))
        );
    }

    #[test]
    fn a_connection_identifier_never_looks_like_a_number() {
        for _ in 0..100 {
            let identifier = connection_identifier();
            assert_eq!(identifier.len(), 32);
            assert!(
                identifier.starts_with(|first: char| first.is_ascii_lowercase()),
                "{identifier}"
            );
        }
    }

    #[tokio::test]
    async fn a_name_taken_again_is_lost_by_the_older_connection_only() {
        let names = ClientNames::default();
        let (first, told_first) = names.take("jSite", 1);
        let (_second, mut told_second) = names.take("jSite", 2);
        told_first.await.expect("the first connection is told");
        drop(first);
        assert!(
            told_second.try_recv().is_err(),
            "the second keeps the name when the first ends"
        );
        let (_third, _) = names.take("jSite", 3);
        told_second.await.expect("the second is told in turn");
    }
}
