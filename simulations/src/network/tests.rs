use routing::{Action, Block, Class, Lookahead, Message, OpennetConfig, PeerKind, RequestId};

use super::*;
use crate::behaviour::{Direction, Hostile};
use crate::elided_block::ElidedBlock;

#[test]
fn a_dial_links_both_ends_as_strangers() {
    let mut network = strangers(2);
    join(&mut network, 1, 0);
    network.run_for(Duration::from_secs(20));
    for (node, other) in [(0, 1), (1, 0)] {
        let peer = network.router(node).peers().next().expect("it is linked");
        assert_eq!(peer.location, network.location(other));
        let PeerKind::Stranger { contact, dialled } = peer.kind else {
            panic!("{:?} is no stranger", peer.kind)
        };
        assert_eq!(*dialled, node == 1);
        assert_eq!(network.node_of(contact), Some(other));
        assert_eq!(contact.location(), network.location(other));
    }
}

#[test]
fn a_dial_leads_nowhere_where_the_other_is_down_or_full() {
    let mut network = strangers(2);
    network.stop_node(0);
    join(&mut network, 1, 0);
    network.run_for(Duration::from_secs(20));
    assert_eq!(network.linked_with(1).count(), 0);

    let mut network = strangers(2);
    network.settings.strangers_max = 0;
    join(&mut network, 1, 0);
    network.run_for(Duration::from_secs(20));
    assert_eq!(network.linked_with(1).count(), 0);
}

#[test]
fn who_hangs_up_is_heard_out_first() {
    for bandwidth in [
        None,
        Some(Bandwidth {
            up: 1_000,
            down: 1_000,
        }),
    ] {
        let mut network = strangers(2);
        network.connect(0, 1);
        for node in [0, 1] {
            network.set_bandwidth(node, bandwidth);
        }
        network.watch(1);
        for id in 0..50 {
            let message = Message::Cancel { id: RequestId(id) };
            network.act(
                0,
                Action::Send {
                    to: PeerId(1),
                    message,
                    class: Class::Bulk,
                },
            );
        }
        network.act(0, Action::HangUp { peer: PeerId(1) });
        assert_eq!(network.router(1).load().peers, 1, "nobody knows yet");
        network.run();
        assert_eq!(network.take_observations().len(), 50, "{bandwidth:?}");
        assert_eq!(network.router(1).load().peers, 0);
        assert_eq!(network.linked_with(1).count(), 0);
    }
}

#[test]
fn what_was_sent_over_an_earlier_link_does_not_come_over_a_later_one() {
    let mut network = strangers(2);
    network.connect(0, 1);
    network.watch(1);
    network.inject(0, 1, Message::Cancel { id: RequestId(1) });
    network.disconnect(0, 1);
    network.connect(0, 1);
    network.inject(0, 1, Message::Cancel { id: RequestId(2) });
    network.run();
    let seen = network.take_observations();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].message.id(), Some(RequestId(2)));
    assert_eq!((seen[0].other, seen[0].direction), (0, Direction::In));
}

#[test]
fn a_crash_is_noticed_later_and_a_stop_at_once() {
    let mut network = strangers(3);
    network.connect(0, 1);
    network.connect(2, 1);
    network.crash_node(0);
    assert_eq!(network.linked_with(1).count(), 2);
    network.run_for(Duration::from_secs(29));
    assert_eq!(network.linked_with(1).count(), 2);
    network.stop_node(2);
    assert_eq!(network.linked_with(1).collect::<Vec<_>>(), [0]);
    network.run_for(Duration::from_secs(1));
    assert_eq!(network.linked_with(1).count(), 0);
    assert_eq!(network.running_len(), 1);
}

#[test]
fn a_node_added_later_finds_what_others_have() {
    let mut network = ring(20, Settings::default());
    let block = ElidedBlock::content(1);
    network.insert(0, block.clone());
    network.run();
    let node = network.add_node(routing::Location::from_fraction(0.5));
    network.connect(node, 3);
    let fetch = network.fetch(node, block.key());
    network.run();
    let report = network.report(fetch);
    assert!(report.is_routed_success());
    assert!(
        report
            .hops
            .is_some_and(|hops| hops >= 1 && hops <= report.asked)
    );
}

#[test]
fn hostile_nodes_hide_a_block_from_those_who_have_no_other_way() {
    for hostile in [
        Hostile::Silent,
        Hostile::Denying,
        Hostile::Stalling,
        Hostile::Forging,
    ] {
        let mut network = Network::new(&Topology::line(3, 1), Settings::default(), 1);
        network.give(2, ElidedBlock::content(1));
        network.set_behaviour(1, Box::new(hostile));
        let fetch = network.fetch(0, ElidedBlock::content(1).key());
        network.run();
        assert!(!network.report(fetch).is_success(), "{hostile:?}");
    }
}

#[test]
fn a_thin_access_makes_a_block_late() {
    let took = |bandwidth| {
        let settings = Settings {
            bandwidth,
            ..Settings::default()
        };
        let mut network = Network::new(&Topology::line(2, 1), settings, 1);
        network.give(1, ElidedBlock::content(1));
        let fetch = network.fetch(0, ElidedBlock::content(1).key());
        network.run();
        assert!(network.report(fetch).is_success());
        network.report(fetch).duration().expect("it has ended")
    };
    let free = took(None);
    let thin = took(Some(Bandwidth {
        up: 32_800,
        down: 65_600,
    }));
    let extra = thin.saturating_sub(free);
    // One second up, half a second down, and some for the small messages
    assert!(
        extra > Duration::from_millis(1_400) && extra < Duration::from_millis(1_600),
        "{extra:?}"
    );
}

#[test]
fn requests_of_a_node_that_stops_are_not_waited_for() {
    let mut network = ring(20, Settings::default());
    network.fetch(0, ElidedBlock::content(1).key());
    network.fetch(5, ElidedBlock::content(2).key());
    network.stop_node(0);
    assert_eq!(network.open_requests(), 1);
    assert!(!network.run_until_ended(Duration::from_millis(1)));
    assert!(network.run_until_ended(Duration::from_secs(60)));
}

fn strangers(nodes: usize) -> Network<ElidedBlock> {
    let opennet = OpennetConfig {
        seed: true,
        ..OpennetConfig::default()
    };
    let settings = Settings {
        config: Config {
            opennet: Some(opennet.into()),
            lookahead: Lookahead::Off,
            ..Config::default()
        },
        ..Settings::default()
    };
    let mut network = Network::new(&Topology::default(), settings, 1);
    for _ in 0..nodes {
        network.add_stranger();
    }
    network
}

fn ring(nodes: usize, settings: Settings) -> Network<ElidedBlock> {
    Network::new(&Topology::small_world(nodes, 4, 1), settings, 1)
}

/// A node joins the opennet through a seed node.
fn join(network: &mut Network<ElidedBlock>, node: usize, seed: usize) {
    for node in [seed, node] {
        let contact = network.contact(node);
        network.tell(node, Event::OwnContact { contact });
    }
    let seeds = vec![network.contact(seed)];
    let remembered = Vec::new();
    network.tell(node, Event::Join { remembered, seeds });
}
