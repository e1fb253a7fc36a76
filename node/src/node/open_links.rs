//! Opens the port for links, for friends only or for strangers as well.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crypto::Identity;
use routing::places::Stage;
use routing::{DarknetConfig, OnionConfig, OpennetConfig, peers_for_bandwidth};
use tokio::sync::mpsc;

use super::StartError;
use super::opennet::Opennet;
use super::remembered::RememberedFile;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::link::{Endpoint, LinkConfig, LinkEvent, StrangerLimits};
use crate::reference::{ReferenceMakeError, public_addresses};

/// A port that is open, and the node's part in the opennet if it has one.
pub(super) struct OpenLinks {
    pub(super) endpoint: Endpoint,
    pub(super) events: mpsc::Receiver<LinkEvent>,
    pub(super) opennet: Option<Opennet>,
    /// Where the peers of the opennet are kept.
    pub(super) remembered: Option<RememberedFile>,
}

impl OpenLinks {
    /// # Errors
    /// If the port cannot be had, or the node's addresses do not fit into a record.
    pub(super) fn open(
        data_dir: &DataDir,
        identity: &Identity,
        config: &Config,
    ) -> Result<Self, StartError> {
        let link = LinkConfig {
            strangers: stranger_limits(config),
            ..LinkConfig::default()
        };
        let (endpoint, events) = Endpoint::bind(identity, config.link.listen, link)?;
        let open = config.opennet.enabled;
        let remembered = open.then(|| RememberedFile::new(data_dir.path(), identity.id()));
        let opennet = remembered
            .as_ref()
            .map(|file| open_to_strangers(identity, config, &endpoint, file))
            .transpose()?;
        Ok(Self {
            endpoint,
            events,
            opennet,
            remembered,
        })
    }
}

/// What strangers may take, if they may link with us.
fn stranger_limits(config: &Config) -> Option<StrangerLimits> {
    let limits = if config.opennet.introduce {
        StrangerLimits::of_a_seed()
    } else {
        StrangerLimits::default()
    };
    config.opennet.enabled.then_some(limits)
}

/// How long the node waits between two blocks of its store to whose copies it sees. Each causes at most three questions of
/// some 80 bytes with as many answers, half a kilobyte a second in all, and one block read from the disk. A store of 10 GiB
/// that is full is walked through in eleven days, two thirds of which are signed blocks.
const REPAIR_INTERVAL: Duration = Duration::from_secs(1);

/// The router's numbers, as far as the owner decides them. Whether the node has `settled` among its friends decides how it
/// looks for a place there.
pub(super) fn router_config(config: &Config, settled: bool) -> routing::Config {
    let upload = config.link.upload.as_bytes();
    let peers_max = config.opennet.peers_max;
    let opennet = OpennetConfig {
        peers_max: peers_max.map_or_else(|| peers_for_bandwidth(upload), usize::from),
        seed: config.opennet.introduce,
        ..OpennetConfig::default()
    };
    let onion = OnionConfig {
        delay: config.anonymity.delay,
        cover: config.anonymity.cover,
        ..OnionConfig::default()
    };
    let darknet = DarknetConfig {
        stage: if settled { Stage::Settle } else { Stage::Drift },
        ..DarknetConfig::default()
    };
    routing::Config {
        repair_interval: Some(REPAIR_INTERVAL),
        // With strangers among the peers the router only hears of its friends' places
        darknet: Some(Arc::new(darknet)),
        upload: NonZeroU64::new(upload),
        opennet: config.opennet.enabled.then(|| Arc::new(opennet)),
        onion: Some(Arc::new(onion)),
        ..routing::Config::default()
    }
}

/// Tells strangers who call how this node can be reached.
fn open_to_strangers(
    identity: &Identity,
    config: &Config,
    endpoint: &Endpoint,
    remembered: &RememberedFile,
) -> Result<Opennet, ReferenceMakeError> {
    let own = public_addresses(endpoint.local_addr(), &config.link.announce);
    let opennet = Opennet::new(identity, &own, &config.opennet.seeds, remembered.read())?;
    endpoint.introduce_as(opennet.record());
    Ok(opennet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ByteSize, Overrides};

    #[test]
    fn the_upload_decides_what_is_taken_on_and_how_many_strangers_are_peers() {
        let with = |upload, peers: &[(&str, &str)]| {
            let overrides = Overrides {
                upload: Some(ByteSize::bytes(upload)),
                opennet: Some(true),
                ..Overrides::default()
            };
            let variables = peers
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()));
            let config = Config::resolve(None, variables, &overrides).unwrap();
            let router = router_config(&config, true);
            let strangers = router.opennet.map(|opennet| opennet.peers_max);
            (router.upload.map(NonZeroU64::get), strangers)
        };
        assert_eq!(with(140_000, &[]), (Some(140_000), Some(20)));
        assert_eq!(with(1_000_000, &[]), (Some(1_000_000), Some(54)));
        let fixed = [("WARREN_OPENNET_PEERS_MAX", "30")];
        assert_eq!(with(1_000_000, &fixed), (Some(1_000_000), Some(30)));
    }
}
