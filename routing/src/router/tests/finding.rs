//! Ways that are chosen by what peers say, and second tries.

use super::*;
use crate::event::Effort;
use crate::finding::{CoarseLocation, Finding, Neighbourhood};

#[test]
fn a_peer_is_told_of_the_others_when_they_have_settled_and_not_again_before_the_interval_is_over() {
    let mut bench = Bench::with_config(Config::default(), &[0.2, 0.4]);
    assert_eq!(told(&bench.wait(Duration::from_millis(1_900))), []);
    let actions = bench.wait(Duration::from_millis(100));
    assert_eq!(
        told(&actions),
        [(1, places(&[0.2, 0.4])), (2, places(&[0.2, 0.4]))]
    );
    bench.tell(Event::PeerDown { peer: PeerId(1) });
    assert_eq!(told(&bench.wait(Duration::from_millis(29_900))), []);
    let actions = bench.wait(Duration::from_millis(100));
    assert_eq!(told(&actions), [(2, places(&[0.4]))]);
    assert_eq!(bench.router.next_timeout(), None);
}

#[test]
fn nodes_of_the_opennet_do_not_hear_of_friends() {
    let mut bench = Bench::with_config(Config::default(), &[0.2]);
    for (peer, place) in [(2, 0.4), (3, 0.6)] {
        let peers = &mut bench.router.shared.peers;
        peers.connect(PeerId(peer), Location::from_fraction(place), stranger());
        peers.adopt(PeerId(peer));
    }
    let actions = bench.wait(Duration::from_secs(2));
    let (all, strangers) = (places(&[0.2, 0.4, 0.6]), places(&[0.4, 0.6]));
    assert_eq!(
        told(&actions),
        [(1, all), (2, strangers.clone()), (3, strangers)]
    );
}

#[test]
fn a_peer_with_a_peer_near_the_key_comes_before_one_that_is_closer_itself() {
    let mut bench = Bench::with_config(Config::default(), &[0.45, 0.8]);
    bench.hear(
        2,
        Message::Finding(Finding::Neighbours(places(&[0.49, 0.3]))),
    );
    assert_eq!(question(&bench.user_fetches(1, key_at(0.5))).0, 2);
    assert_eq!(question(&bench.user_fetches(2, key_at(0.44))).0, 1);
    // What it said before counts no longer
    bench.hear(2, Message::Finding(Finding::Neighbours(places(&[0.3]))));
    assert_eq!(question(&bench.user_fetches(3, key_at(0.501))).0, 1);
}

#[test]
fn a_peer_that_is_there_comes_before_one_that_says_it_has_a_peer_there() {
    let mut bench = Bench::with_config(Config::default(), &[0.8, 0.5]);
    bench.hear(1, Message::Finding(Finding::Neighbours(places(&[0.5]))));
    assert_eq!(question(&bench.user_fetches(1, key_at(0.5))).0, 2);
    // This node's own place, said back to it, leads nowhere
    bench.hear(1, Message::Finding(Finding::Neighbours(places(&[0.1]))));
    assert_eq!(question(&bench.user_fetches(2, key_at(0.2))).0, 2);
}

/// It says that it has peers everywhere, and finds nothing. The others are honest and find everything.
#[test]
fn a_peer_that_lies_about_its_peers_is_not_believed_for_long() {
    let honest: Vec<f64> = (1..10).map(|peer| f64::from(peer) * 0.1 + 0.003).collect();
    let mut bench = Bench::with_config(Config::default(), &honest);
    for peer in 1..9 {
        let own: Vec<f64> = (0..10)
            .map(|place| f64::from(place * 10 + peer) * 0.01)
            .collect();
        bench.hear(peer, Message::Finding(Finding::Neighbours(places(&own))));
    }
    let everywhere: Vec<f64> = (0..100)
        .map(|place| f64::from(place) * 0.01 + 0.005)
        .collect();
    bench.hear(
        9,
        Message::Finding(Finding::Neighbours(places(&everywhere))),
    );
    let mut caught = Vec::new();
    for number in 0..400_u32 {
        let place = f64::from(number % 97) / 97.0 + 0.001;
        let key = key_at(place);
        let (peer, id) = question(&bench.hear_fetch(key, number));
        caught.push(peer == 9);
        let block = Message::NotFound {
            id,
            left: HopsToLive::ZERO,
        };
        if peer == 9 {
            bench.hear(9, block);
        } else {
            bench
                .router
                .shared
                .peers
                .ended_by_claim(PeerId(peer), crate::lookahead::Claim::Paid);
            bench.tell(Event::Cancel {
                id: LocalId(u64::from(number)),
            });
        }
        bench.wait(Duration::from_secs(20));
    }
    let at_first = caught[..30].iter().filter(|caught| **caught).count();
    let at_last = caught[300..].iter().filter(|caught| **caught).count();
    assert!(at_first >= 8, "it does attract requests: {at_first} of 30");
    assert!(at_last <= 20, "{at_last} of the last 100");
}

#[test]
fn what_the_user_does_not_find_is_tried_once_more_with_a_long_budget_and_another_way_first() {
    let mut bench = Bench::new(&[0.5, 0.6]);
    let actions = bench.user_fetches_thoroughly(1, key_at(0.5));
    let (peer, id) = question(&actions);
    assert_eq!((peer, hops(&actions) <= 18), (1, true));
    let actions = bench.hear(
        peer,
        Message::NotFound {
            id,
            left: HopsToLive::ZERO,
        },
    );
    let (peer, id) = question(&actions);
    assert_eq!((peer, hops(&actions) >= 49), (2, true), "{actions:?}");
    let actions = bench.hear(
        peer,
        Message::NotFound {
            id,
            left: HopsToLive::new(30).unwrap(),
        },
    );
    let (peer, id) = question(&actions);
    assert_eq!((peer, hops(&actions)), (1, 30));
    let actions = bench.hear(
        peer,
        Message::NotFound {
            id,
            left: HopsToLive::ZERO,
        },
    );
    let [Action::FetchDone { result, .. }] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!(*result, Err(FetchFailure::NotFound));
    assert!(bench.router.is_idle());
}

#[test]
fn no_second_try_follows_where_nobody_could_be_asked_or_the_user_wants_none() {
    let mut bench = Bench::new(&[]);
    let actions = bench.user_fetches_thoroughly(1, key_at(0.5));
    assert!(
        matches!(actions.last(), Some(Action::FetchDone { .. })),
        "{actions:?}"
    );

    let mut bench = Bench::new(&[0.5]);
    let (peer, id) = question(&bench.user_fetches(1, key_at(0.5)));
    let actions = bench.hear(
        peer,
        Message::NotFound {
            id,
            left: HopsToLive::ZERO,
        },
    );
    assert!(
        matches!(actions[..], [Action::FetchDone { .. }]),
        "{actions:?}"
    );
}

#[test]
fn a_peer_has_to_earn_its_long_fetches_and_gets_back_what_it_may_not_spend_here() {
    let mut bench = Bench::new(&[0.5, 0.6]);
    let mut given = Vec::new();
    for number in 0..10_u8 {
        let key = key_at(0.5 + f64::from(number) * 0.001);
        let actions = bench.asked_for(2, u64::from(number), key, 40);
        given.push(hops(&actions));
        let (peer, id) = question(&actions);
        let actions = bench.hear(
            peer,
            Message::NotFound {
                id,
                left: HopsToLive::ZERO,
            },
        );
        let Message::NotFound { left, .. } = sent(&actions)[0].1 else {
            panic!("{actions:?}")
        };
        let withheld = if given[given.len() - 1] > 18 { 0 } else { 21 };
        assert_eq!(left.get(), withheld);
    }
    // 64 from the start and 4 more with each; one takes 21
    assert_eq!(given, [39, 39, 39, 18, 18, 39, 18, 18, 18, 18]);
    bench.asked_for(2, 100, key_at(0.6), 18);
    assert_eq!(hops(&bench.asked_for(2, 200, key_at(0.7), 40)), 39);
}

#[test]
fn a_friend_of_low_trust_does_not_hear_where_other_friends_are() {
    let mut bench = Bench::with_config(Config::default(), &[0.3, 0.4]);
    bench.tell(Event::PeerUp {
        peer: PeerId(3),
        location: Location::from_fraction(0.5),
        kind: PeerKind::Friend { trust: Trust::Low },
    });
    let heard = told(&bench.wait(Config::default().neighbours_settle));
    let all = places(&[0.3, 0.4, 0.5]);
    assert_eq!(heard, [(1, all.clone()), (2, all), (3, places(&[]))]);
}

impl Bench {
    fn user_fetches_thoroughly(&mut self, id: u64, key: BlockKey) -> Vec<Action> {
        let mut actions = self.tell(Event::Fetch {
            id: LocalId(id),
            key,
            class: Class::RealTime,
            effort: Effort::Thorough,
            anonymity: crate::Anonymity::Off,
        });
        actions.extend(self.miss(&actions));
        actions
    }

    fn hear_fetch(&mut self, key: BlockKey, number: u32) -> Vec<Action> {
        self.user_fetches(u64::from(number), key)
    }
}

fn stranger() -> PeerKind {
    PeerKind::Stranger {
        contact: Contact {
            node: crypto::Identity::from_seed(&[7; 32]).id(),
            record: Bytes::new(),
        },
        dialled: true,
    }
}

fn places(places: &[f64]) -> Neighbourhood {
    let places = places.iter().map(|&place| Location::from_fraction(place));
    Neighbourhood::new(places.map(CoarseLocation::of))
}

/// Who was told of which places.
fn told(actions: &[Action]) -> Vec<(u32, Neighbourhood)> {
    let told = sent(actions).into_iter().filter_map(|(to, message)| {
        if let Message::Finding(Finding::Neighbours(places)) = message {
            Some((to, places.clone()))
        } else {
            None
        }
    });
    told.collect()
}

/// The budget of the fetch among `actions`.
fn hops(actions: &[Action]) -> u8 {
    let fetches = sent(actions).into_iter().filter_map(|(_, message)| {
        if let Message::Fetch { hops_to_live, .. } = message {
            Some(hops_to_live.get())
        } else {
            None
        }
    });
    fetches.last().expect("a fetch was sent")
}
