//! Blocks that leave the darknet in which they were published.

use std::sync::Arc;

use crypto::Identity;

use super::repairing::content_near_the_router;
use super::*;
use crate::contact::Contact;
use crate::darknet::drift::Drift;
use crate::darknet::message::SwapMessage;
use crate::opennet::message::{OpennetMessage, Ticket};

#[test]
fn a_node_with_strangers_passes_a_block_out_of_a_darknet_on_as_any_other() {
    let block = content();
    let hops = HopsToLive::new(10).unwrap();
    for stage in [InsertStage::Inside(hops), InsertStage::Outward(hops)] {
        let mut bench = bridge(&block.key());
        let actions = bench.brings(&block, stage);
        let (peer, id) = question(&actions);
        assert_eq!(peer, FRIEND, "the closest, whoever it is");
        assert!(matches!(offered(&actions)[..], [InsertStage::Seek(_)]));
        let reason = Refusal::Overloaded;
        let actions = bench.hear(peer, Message::Refused { id, reason });
        assert_eq!(question(&actions).0, STRANGER);
        assert!(matches!(offered(&actions)[..], [InsertStage::Seek(_)]));
    }
}

#[test]
fn where_nobody_is_closer_a_block_is_sent_out_by_the_friend_with_the_shortest_way() {
    let block = content_near_the_router();
    for inside in [true, false] {
        // Nobody is closer than the router
        let mut bench = Bench::with_config(darknet(), &[0.4, 0.5, 0.6]);
        bench.says_steps(2, 3);
        bench.says_steps(3, 1);
        let hops = HopsToLive::new(10).unwrap();
        let stage = if inside {
            InsertStage::Inside(hops)
        } else {
            InsertStage::Seek(hops)
        };
        let actions = bench.brings(&block, stage);
        assert_eq!(places(&actions), [Place::Store]);
        let stages = offered(&actions);
        if inside {
            assert_eq!(question(&actions).0, 3);
            assert!(
                matches!(stages[..], [InsertStage::Outward(_)]),
                "{stages:?}"
            );
        } else {
            assert!(
                matches!(stages[..], [InsertStage::Replicate(_)]),
                "{stages:?}"
            );
        }
    }
}

/// A friend at the very place of the key.
const FRIEND: u32 = 2;

/// A stranger that is closer to the key than the router.
const STRANGER: u32 = 3;

/// A node with friends, one of whom is where a key is, and with a stranger.
fn bridge(key: &BlockKey) -> Bench {
    let config = Config {
        opennet: Some(Arc::default()),
        ..darknet()
    };
    let place = Location::of_key(key);
    let mut bench = Bench::with_config(config, &[0.2, place.as_fraction()]);
    let contacts = (0..100).map(|number| Contact {
        node: Identity::from_seed(&[number; 32]).id(),
        record: Bytes::from_static(b"somewhere"),
    });
    let own = bench.router.location().distance(place);
    let contact = contacts
        .into_iter()
        .find(|contact| contact.location().distance(place) < own)
        .expect("one of a hundred is closer");
    bench.tell(Event::PeerUp {
        peer: PeerId(STRANGER),
        location: contact.location(),
        kind: PeerKind::Stranger {
            contact,
            dialled: false,
        },
    });
    let ticket = Ticket::Neighbour;
    bench.hear(STRANGER, Message::Opennet(OpennetMessage::Adopt { ticket }));
    assert!(bench.router.peers().all(|peer| peer.adopted));
    bench
}

fn darknet() -> Config {
    Config {
        lookahead: Lookahead::Off,
        darknet: Some(Arc::default()),
        ..Config::default()
    }
}

impl Bench {
    /// Friend 1 brings a block.
    fn brings(&mut self, block: &VerifiedBlock, stage: InsertStage) -> Vec<Action> {
        self.hear(1, offer(5, block.key(), stage));
        let message = Message::Block {
            id: RequestId(5),
            block: bytes_of(block),
        };
        self.hear(1, message)
    }

    /// A friend says how many steps it is from there to somebody with strangers.
    fn says_steps(&mut self, friend: u32, steps_out: u8) {
        let known = self.router.peers().find(|peer| peer.peer == PeerId(friend));
        let place = SwapMessage::Place {
            location: known.unwrap().location,
            drift: Drift::default(),
            steps_out,
        };
        self.hear(friend, Message::Swap(place));
    }
}

/// The stages of the offers among `actions`.
fn offered(actions: &[Action]) -> Vec<InsertStage> {
    let stage = |(_, message): (u32, &Message)| {
        if let Message::Offer { stage, .. } = message {
            Some(*stage)
        } else {
            None
        }
    };
    sent(actions).into_iter().filter_map(stage).collect()
}
