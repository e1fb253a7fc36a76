//! Routers that are friends, in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::decision::{Commitment, badness};
use super::message::{Answer, Consent, Purpose, WalkId};
use super::outward::NO_WAY;
use super::*;
use crate::config::Config;
use crate::contact::{PeerKind, Trust};
use crate::event::Event;
use crate::hops_to_live::HopsToLive;
use crate::router::Router;

mod offering;
mod surveying;

struct Friends {
    routers: Vec<Router>,
    links: Vec<BTreeSet<usize>>,
    /// Messages on their way.
    arrivals: BTreeMap<(Time, u64), (usize, usize, SwapMessage)>,
    sent: u64,
    moves: usize,
    now: Time,
}

impl Friends {
    /// Nodes at random places, linked around a ring that has nothing to do with them: each with the next four, and one far.
    fn new(nodes: usize, config: &DarknetConfig) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let config = Config {
            darknet: Some(Arc::new(config.clone())),
            ..Config::default()
        };
        let mut links = vec![BTreeSet::new(); nodes];
        let mut link = |a: usize, b: usize| {
            links[a].insert(b);
            links[b].insert(a);
        };
        for node in 0..nodes {
            (1..=4).for_each(|step| link(node, (node + step) % nodes));
            link(node, (node + nodes / 3) % nodes);
        }
        let mut friends = Self {
            routers: (0..nodes)
                .map(|node| {
                    let place = Location::from_bits(random.next_u64());
                    Router::new(place, config.clone(), [u8::try_from(node).unwrap(); 32])
                })
                .collect(),
            links,
            arrivals: BTreeMap::new(),
            sent: 0,
            moves: 0,
            now: Time::ZERO,
        };
        for node in 0..nodes {
            for friend in friends.links[node].clone() {
                let up = Event::PeerUp {
                    peer: handle(friend),
                    location: friends.routers[friend].location(),
                    kind: PeerKind::Friend {
                        trust: Trust::Normal,
                    },
                };
                friends.routers[node].handle(Time::ZERO, up);
                friends.carry_out(node);
            }
        }
        friends
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let arrival = self.arrivals.first_key_value().map(|(&(at, _), _)| at);
            let timeouts = self.routers.iter().map(Router::next_timeout).enumerate();
            let (timeout, node) = timeouts
                .filter_map(|(node, at)| Some((at?, node)))
                .min()
                .unwrap();
            let next = arrival.map_or(timeout, |arrival| arrival.min(timeout));
            if next > end {
                break;
            }
            self.now = next;
            if arrival == Some(next) {
                let (_, (to, from, message)) = self.arrivals.pop_first().unwrap();
                let from = handle(from);
                let message = Message::Swap(message);
                self.routers[to].handle(next, Event::Message { from, message });
                self.carry_out(to);
            } else {
                self.routers[node].handle_timeout(next);
                self.carry_out(node);
            }
        }
        self.now = end;
    }

    fn carry_out(&mut self, node: usize) {
        while let Some(action) = self.routers[node].poll_action() {
            match action {
                Action::Send {
                    to,
                    message: Message::Swap(message),
                    ..
                } => {
                    self.sent += 1;
                    let at = (self.now + Duration::from_millis(20), self.sent);
                    self.arrivals.insert(at, (to.0 as usize, node, message));
                }
                Action::Moved { .. } => self.moves += 1,
                Action::Send { .. } => {}
                Action::Lookup { .. }
                | Action::Store { .. }
                | Action::NextStored { .. }
                | Action::Appeared { .. }
                | Action::Remember { .. }
                | Action::FetchDone { .. }
                | Action::InsertDone { .. }
                | Action::Dial { .. }
                | Action::HangUp { .. }
                | Action::Disconnect { .. } => panic!("nobody asked for it"),
            }
        }
    }

    fn places(&self) -> Vec<Location> {
        self.routers.iter().map(Router::location).collect()
    }

    /// Over all nodes.
    fn badness(&self) -> i64 {
        let places = self.places();
        let of = |node: usize| {
            badness(
                places[node],
                self.links[node].iter().map(|&friend| places[friend]),
            )
        };
        (0..places.len()).map(of).sum::<i64>() / logarithm::ONE
    }
}

fn handle(node: usize) -> PeerId {
    PeerId(u32::try_from(node).unwrap())
}

#[test]
fn friends_come_near_each_other_and_no_place_is_lost() {
    // Without surveys places are only exchanged
    let config = DarknetConfig {
        survey_rounds: u32::MAX,
        ..DarknetConfig::default()
    };
    let mut friends = Friends::new(60, &config);
    let before: BTreeSet<_> = friends.places().into_iter().collect();
    let badness = friends.badness();
    friends.run_for(config.interval * 300);
    let after: BTreeSet<_> = friends.places().into_iter().collect();
    let lost = before.difference(&after).count();
    // The last of a swap may be under way
    assert!(
        lost <= 1,
        "{lost} of 60 places lost in {} moves",
        friends.moves
    );
    let better = badness - friends.badness();
    assert!(
        better > 60 * 9,
        "half a power of two for each friendship: {better}"
    );
}

#[test]
fn friends_hear_of_every_move() {
    let config = DarknetConfig::default();
    let mut friends = Friends::new(20, &config);
    // Nobody moves while all learn where their surroundings are
    friends.run_for(config.interval * (config.spread_rounds + 30));
    assert!(friends.moves > 0);
    let quiet = Duration::from_millis(500);
    friends.run_for(quiet);
    let places = friends.places();
    let known = friends
        .routers
        .iter()
        .enumerate()
        .flat_map(|(node, router)| {
            router
                .peers()
                .map(move |peer| (node, peer.peer.0 as usize, peer.location))
        });
    let stale = known
        .filter(|&(_, friend, location)| location != places[friend])
        .count();
    assert!(stale <= 10, "{stale} of 200 beliefs are old");
}

/// A router alone with its friends 1 to 4, all played by the test.
fn alone(config: DarknetConfig) -> Router {
    with_friends(Config {
        darknet: Some(Arc::new(config)),
        ..Config::default()
    })
}

fn with_friends(config: Config) -> Router {
    let mut router: Router = Router::new(Location::from_fraction(0.1), config, [7; 32]);
    for peer in 1..=4 {
        let up = Event::PeerUp {
            peer: PeerId(peer),
            location: Location::from_fraction(f64::from(peer) / 5.0),
            kind: PeerKind::Friend {
                trust: Trust::Normal,
            },
        };
        router.handle(Time::ZERO, up);
    }
    router
}

fn replies(router: &mut Router, from: u32, message: SwapMessage) -> Vec<(u32, SwapMessage)> {
    let message = Message::Swap(message);
    while router.poll_action().is_some() {}
    router.handle(
        Time::ZERO,
        Event::Message {
            from: PeerId(from),
            message,
        },
    );
    std::iter::from_fn(|| router.poll_action())
        .filter_map(|action| {
            if let Action::Send {
                to,
                message: Message::Swap(message),
                ..
            } = action
            {
                Some((to.0, message))
            } else {
                None
            }
        })
        .collect()
}

fn opening(nonce: u8, place: f64) -> decision::Opening {
    decision::Opening {
        nonce: [nonce; 16],
        location: Location::from_fraction(place),
        drift: Drift::default(),
    }
}

/// Of a node that swaps from its first round on.
fn moves_at_once() -> DarknetConfig {
    DarknetConfig {
        spread_rounds: 0,
        ..DarknetConfig::default()
    }
}

fn asks(id: u64, commitment: Commitment) -> SwapMessage {
    SwapMessage::Walk {
        id: WalkId(id),
        hops: HopsToLive::ZERO,
        target: Location::from_fraction(0.1),
        purpose: Purpose::Swap {
            commitment,
            stage: Stage::Settle,
        },
    }
}

#[test]
fn who_shows_something_else_than_it_committed_to_gets_nothing() {
    for (shows, answers) in [
        (opening(1, 0.3), 1),
        (opening(2, 0.3), 0),
        (opening(1, 0.31), 0),
    ] {
        let mut router = alone(moves_at_once());
        let met = replies(&mut router, 1, asks(5, opening(1, 0.3).commitment()));
        assert!(matches!(
            met[..],
            [(
                1,
                SwapMessage::Met {
                    answer: Answer::Swap { .. },
                    ..
                }
            )]
        ));
        let show = SwapMessage::Show {
            id: WalkId(5),
            opening: shows,
        };
        let shown = replies(&mut router, 1, show);
        assert_eq!(usize::from(!shown.is_empty()), answers, "{shown:?}");
    }
}

#[test]
fn who_has_strangers_too_stays_hears_of_its_friends_and_passes_their_walks_on() {
    let mut router = with_friends(Config {
        darknet: Some(Arc::default()),
        opennet: Some(Arc::default()),
        ..Config::default()
    });
    let place = router.location();
    let location = Location::from_fraction(0.11);
    let moved = SwapMessage::Place {
        location,
        drift: Drift::default(),
        steps_out: NO_WAY,
    };
    replies(&mut router, 2, moved);
    let known = router.peers().find(|peer| peer.peer == PeerId(2)).unwrap();
    assert_eq!(known.location, location);
    // Nobody is nearer to the target than the router, which cannot swap: the walk goes on to the next best
    let mut walk = asks(5, opening(1, 0.3).commitment());
    if let SwapMessage::Walk { hops, .. } = &mut walk {
        *hops = HopsToLive::new(2).unwrap();
    }
    let passed = replies(&mut router, 1, walk);
    assert!(
        matches!(passed[..], [(2, SwapMessage::Walk { .. })]),
        "{passed:?}"
    );
    let ended = replies(&mut router, 1, asks(6, opening(1, 0.3).commitment()));
    let nobody = SwapMessage::Met {
        id: WalkId(6),
        answer: Answer::Nobody,
    };
    assert_eq!(ended, [(1, nobody)]);
    router.handle_timeout(Time::from_micros(600_000_000));
    assert!(router.location() == place && router.is_settled());
}

/// A friend, and how many steps it says it is from there to somebody with strangers.
fn tells_steps(router: &mut Router, from: u32, steps_out: u8) {
    let place = SwapMessage::Place {
        location: Location::from_fraction(f64::from(from) / 5.0),
        drift: Drift::default(),
        steps_out,
    };
    replies(router, from, place);
}

#[test]
fn who_has_friends_only_knows_the_shortest_ways_to_strangers() {
    let mut router = alone(DarknetConfig::default());
    let ways = |router: &Router| router.ways_out().to_vec();
    assert_eq!(ways(&router), []);
    for (from, steps) in [(1, 3), (2, 0), (3, 0), (4, NO_WAY)] {
        tells_steps(&mut router, from, steps);
    }
    assert_eq!(ways(&router), [PeerId(2), PeerId(3)]);
    router.handle(Time::ZERO, Event::PeerDown { peer: PeerId(3) });
    tells_steps(&mut router, 2, 200);
    assert_eq!(ways(&router), [PeerId(1)]);
    tells_steps(&mut router, 1, NO_WAY);
    assert_eq!(ways(&router), []);
}

#[test]
fn who_only_learns_where_its_surroundings_are_does_not_move() {
    let mut router = alone(DarknetConfig::default());
    let met = replies(&mut router, 1, asks(5, opening(1, 0.3).commitment()));
    let nobody = |(_, message): &(u32, SwapMessage)| {
        matches!(
            message,
            SwapMessage::Met {
                answer: Answer::Nobody,
                ..
            }
        )
    };
    assert!(met.iter().any(nobody), "{met:?}");
}

#[test]
fn one_swap_at_a_time_and_a_bounded_number_of_walks_from_each_friend() {
    let mut router = alone(moves_at_once());
    let commitment = opening(1, 0.3).commitment();
    let free = |replies: &[(u32, SwapMessage)]| {
        replies.iter().any(|(_, message)| {
            matches!(
                message,
                SwapMessage::Met {
                    answer: Answer::Swap { .. },
                    ..
                }
            )
        })
    };
    assert!(free(&replies(&mut router, 1, asks(1, commitment))));
    assert!(!free(&replies(&mut router, 2, asks(1, commitment))));
    let passed = (2..100)
        .filter(|&id| {
            let walk = SwapMessage::Walk {
                id: WalkId(id),
                hops: HopsToLive::MAX,
                target: Location::from_fraction(0.61),
                purpose: Purpose::Look,
            };
            replies(&mut router, 1, walk).iter().any(|&(to, _)| to == 3)
        })
        .count();
    assert_eq!(
        passed, 19,
        "twenty in a burst, one of which asked for a swap"
    );
}

fn anything() -> impl Strategy<Value = SwapMessage> {
    let parts = (0..4_u64, any::<f64>(), 0..6_u8, any::<bool>(), 0..=18_u8);
    parts.prop_map(|(id, place, kind, given, hops)| {
        let id = WalkId(id);
        let opening = opening(1, place);
        let (consent, commitment) = (Consent::from(given), opening.commitment());
        let target = opening.location;
        let stage = if given { Stage::Drift } else { Stage::Settle };
        let purpose = if given {
            Purpose::Look
        } else {
            Purpose::Swap { commitment, stage }
        };
        let hops = HopsToLive::new(hops).unwrap();
        match kind {
            0 => SwapMessage::Place {
                location: target,
                drift: Drift::default(),
                steps_out: hops.get(),
            },
            1 => SwapMessage::Walk {
                id,
                hops,
                target,
                purpose,
            },
            2 => SwapMessage::Met {
                id,
                answer: Answer::Swap { commitment, stage },
            },
            3 => SwapMessage::Show { id, opening },
            4 => SwapMessage::Shown {
                id,
                opening,
                consent,
            },
            _ => SwapMessage::Concluded { id, consent },
        }
    })
}

proptest! {
    /// Friends that say anything in any order.
    #[test]
    fn whatever_friends_say_tables_are_bounded_and_walks_end(
        steps in prop::collection::vec((1..=4_u32, anything(), 0..20_u64), 1..300),
    ) {
        let mut router = alone(DarknetConfig { walks_max: 40, ..DarknetConfig::default() });
        let mut now = Time::ZERO;
        for (from, message, seconds) in steps {
            now = now + Duration::from_secs(seconds);
            router.handle_timeout(now);
            let message = Message::Swap(message);
            router.handle(now, Event::Message { from: PeerId(from), message });
            let actions = std::iter::from_fn(|| router.poll_action()).count();
            prop_assert!(actions < 40, "{} actions", actions);
            let darknet = router.darknet.as_ref().unwrap();
            // Own looks and swaps are few and need no place in the bound
            prop_assert!(darknet.walks.len() <= 40 + 16, "{}", darknet.walks.len());
        }
        for peer in 1..=4 {
            router.handle(now, Event::PeerDown { peer: PeerId(peer) });
        }
        router.handle_timeout(now + Duration::from_secs(60));
        let darknet = router.darknet.as_ref().unwrap();
        prop_assert_eq!(darknet.walks.len(), 0);
        prop_assert!(darknet.next_timeout().is_none());
    }
}
