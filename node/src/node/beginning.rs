//! With what a node's router begins: its place on the ring, its numbers, and what it knows of friends.

use crypto::NodeId;
use routing::Location;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::event_loop::Beginning;
use super::hiding_file::HidingFile;
use super::onion_file::OnionFile;
use super::open_links::router_config;
use super::opennet::Opennet;
use super::place_file::{KeptPlace, PlaceFile};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::peers_file::PeersFile;

/// The beginning of the node `me`. A node with strangers is where its identity puts it; one that has friends only where it was
/// last, or there as well at its first start. Tasks keep its place and its guards from then on, which end after the event loop.
pub(super) fn begin(
    data_dir: &DataDir,
    me: &NodeId,
    config: &Config,
    peers: &PeersFile,
    opennet: Option<Opennet>,
) -> (Beginning, Vec<JoinHandle<()>>) {
    let identitys = KeptPlace {
        location: Location::of_node(me),
        settled: false,
    };
    let file = (!config.opennet.enabled).then(|| PlaceFile::new(data_dir.path()));
    let place = file.as_ref().and_then(PlaceFile::read).unwrap_or(identitys);
    let (tell, keep) = file
        .map(|file| {
            let (tell, told) = watch::channel(place);
            (tell, tokio::spawn(file.keep(told)))
        })
        .unzip();
    let onion_file = OnionFile::new(data_dir.path());
    let recalled = onion_file.read();
    let (remember, memories) = watch::channel(None);
    let keep_onion = tokio::spawn(onion_file.keep(memories));
    let friends = peers.peers().iter();
    let beginning = Beginning {
        location: place.location,
        config: router_config(config, place.settled),
        opennet,
        trust: friends
            .map(|friend| (friend.reference.id(), friend.trust))
            .collect(),
        place: tell,
        hiding: HidingFile::open(data_dir.path(), config.anonymity.hiding),
        recalled,
        remember,
    };
    (beginning, keep.into_iter().chain([keep_onion]).collect())
}
