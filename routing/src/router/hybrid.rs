//! What a node with strangers among its peers says to friends who look for their places. Its own place is decided by its
//! identity; theirs move.

use std::collections::BTreeMap;

use super::Router;
use crate::block::Block;
use crate::contact::PeerKind;
use crate::darknet::config::DarknetConfig;
use crate::darknet::message::{Answer, SwapMessage};
use crate::event::{Class, PeerId};
use crate::message::Message;
use crate::opennet::rate::{Allowance, Rate};

/// How often each friend has told its place.
pub(super) type Told = BTreeMap<PeerId, Allowance>;

impl<B: Block> Router<B> {
    /// A friend says where it is, or looks for somebody to swap with, which this node never does.
    pub(super) fn hear_of_place(
        &mut self,
        config: &DarknetConfig,
        from: PeerId,
        message: SwapMessage,
    ) {
        let known = self.shared.peers.peer(from);
        if !known.is_some_and(|known| matches!(known.kind, PeerKind::Friend { .. })) {
            return;
        }
        match message {
            SwapMessage::Place { location, .. } => {
                let rate = Rate {
                    burst: config.places_burst,
                    each: config.places_each,
                };
                let told = self.places_told.entry(from).or_default();
                if told.take(rate, self.shared.now) && self.shared.peers.move_to(from, location) {
                    self.shared.neighbours_changed();
                }
            }
            // So that it does not wait
            SwapMessage::Walk { id, .. } => {
                let answer = SwapMessage::Met {
                    id,
                    answer: Answer::Nobody,
                };
                self.shared.send(from, Message::Swap(answer), Class::Bulk);
            }
            SwapMessage::Met { .. }
            | SwapMessage::Show { .. }
            | SwapMessage::Shown { .. }
            | SwapMessage::Concluded { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::Config;
    use crate::contact::Trust;
    use crate::darknet::drift::Drift;
    use crate::darknet::message::{Purpose, WalkId};
    use crate::event::{Action, Event};
    use crate::hops_to_live::HopsToLive;
    use crate::location::Location;
    use crate::opennet::config::OpennetConfig;
    use crate::time::Time;

    const FRIEND: PeerId = PeerId(1);

    fn at(fraction: f64) -> Location {
        Location::from_fraction(fraction)
    }

    /// A node with strangers, at 0.1, and its friend.
    fn hybrid() -> Router {
        let config = Config {
            opennet: Some(Arc::new(OpennetConfig::default())),
            darknet: Some(Arc::new(DarknetConfig::default())),
            ..Config::default()
        };
        let mut router = Router::new(at(0.1), config, [3; 32]);
        let up = Event::PeerUp {
            peer: FRIEND,
            location: at(0.2),
            kind: PeerKind::Friend {
                trust: Trust::Normal,
            },
        };
        router.handle(Time::ZERO, up);
        while router.poll_action().is_some() {}
        router
    }

    fn hear(router: &mut Router, message: SwapMessage) -> Vec<Action> {
        let event = Event::Message {
            from: FRIEND,
            message: Message::Swap(message),
        };
        router.handle(Time::ZERO, event);
        std::iter::from_fn(|| router.poll_action()).collect()
    }

    fn place(location: Location) -> SwapMessage {
        let drift = Drift::default();
        SwapMessage::Place { location, drift }
    }

    #[test]
    fn a_node_with_strangers_hears_where_its_friends_are_and_stays_where_it_is() {
        let mut router = hybrid();
        hear(&mut router, place(at(0.7)));
        let friend = router.peers().next().unwrap().location;
        assert_eq!((friend, router.location()), (at(0.7), at(0.1)));
        assert!(router.is_settled());
        // Further ones than a burst are ignored until time has passed
        for number in 0..20 {
            hear(&mut router, place(at(f64::from(number) / 100.0)));
        }
        let friend = router.peers().next().unwrap().location;
        assert!(friend < at(0.1), "{friend:?}");
    }

    #[test]
    fn who_looks_for_a_swap_with_it_is_told_at_once_that_there_is_none() {
        let id = WalkId(5);
        let walk = SwapMessage::Walk {
            id,
            hops: HopsToLive::MAX,
            target: at(0.1),
            purpose: Purpose::Look,
        };
        let actions = hear(&mut hybrid(), walk);
        let nobody = SwapMessage::Met {
            id,
            answer: Answer::Nobody,
        };
        assert!(
            actions.iter().any(|action| matches!(
                action,
                Action::Send { to: FRIEND, message: Message::Swap(message), .. } if *message == nobody
            )),
            "{actions:?}"
        );
    }
}
