use proptest::prelude::*;

use super::*;
use crate::finding::{CoarseLocation, Finding, Neighbourhood};

const PEERS: u32 = 4;

#[test]
fn a_peer_has_a_bounded_number_of_requests_and_bulk_leaves_room_for_real_time() {
    let config = Config {
        requests_per_peer_max: 8,
        ..Config::default()
    };
    let mut bench = Bench::with_config(config, &[0.5, 0.6]);
    let bulk = |id: u64| {
        let key = key_at(f64::from(u32::try_from(id).unwrap()) / 100.0);
        Message::Fetch {
            id: RequestId(id),
            key,
            hops_to_live: HopsToLive::MAX,
            tie_break: 300,
            class: Class::Bulk,
        }
    };
    let overloaded = |id| Message::Refused {
        id: RequestId(id),
        reason: Refusal::Overloaded,
    };
    for id in 0..6 {
        assert!(sent(&bench.hear(1, bulk(id))).is_empty());
    }
    assert_eq!(sent(&bench.hear(1, bulk(6))), [(1, &overloaded(6))]);
    assert!(
        sent(&bench.hear(2, bulk(7))).is_empty(),
        "another peer has a share of its own"
    );
    for id in 10..12 {
        assert!(
            sent(&bench.hear(
                1,
                fetch(
                    id,
                    key_at(0.7 + f64::from(u32::try_from(id).unwrap()) / 100.0),
                    18
                )
            ))
            .is_empty()
        );
    }
    assert_eq!(
        sent(&bench.hear(1, fetch(12, key_at(0.99), 18))),
        [(1, &overloaded(12))]
    );
}

#[test]
fn a_friend_of_low_trust_has_half_of_a_friends_requests() {
    let config = Config {
        requests_per_peer_max: 8,
        ..Config::default()
    };
    let mut bench = Bench::with_config(config, &[0.5]);
    for (peer, trust, admitted) in [
        (2, Trust::Low, 4),
        (3, Trust::Normal, 8),
        (4, Trust::High, 8),
    ] {
        bench.tell(Event::PeerUp {
            peer: PeerId(peer),
            location: Location::from_fraction(0.6),
            kind: PeerKind::Friend { trust },
        });
        let refused = (0..10)
            .flat_map(|id| {
                let place = f64::from(peer) / 10.0 + f64::from(id) / 1000.0;
                bench.hear(peer, fetch(u64::from(peer * 100 + id), key_at(place), 18))
            })
            .filter(|action| matches!(action, Action::Send { .. }))
            .count();
        assert_eq!(10 - refused, admitted, "{trust:?}");
    }
}

#[test]
fn a_request_counts_until_the_store_has_answered_it_though_its_asker_has_left() {
    let config = Config {
        requests_per_peer_max: 8,
        requests_max: 12,
        ..Config::default()
    };
    let overloaded = |id| Message::Refused {
        id: RequestId(id),
        reason: Refusal::Overloaded,
    };
    let mut bench = Bench::with_config(config, &[0.5, 0.6]);
    let mut lookups = Vec::new();
    for id in 0..8 {
        lookups.extend(bench.hear(1, fetch(id, key_at(0.5), 18)));
        bench.hear(1, Message::Cancel { id: RequestId(id) });
    }
    assert_eq!(lookups.len(), 8);
    let actions = bench.hear(1, fetch(8, key_at(0.5), 18));
    assert_eq!(sent(&actions), [(1, &overloaded(8))]);

    // A new link does not help: there is a bound for all together
    let location = Location::from_fraction(0.5);
    for peer in [3, 4] {
        bench.tell(Event::PeerUp {
            peer: PeerId(peer),
            location,
            kind: PeerKind::Friend {
                trust: Trust::Normal,
            },
        });
    }
    bench.tell(Event::PeerDown { peer: PeerId(1) });
    for id in 20..24 {
        lookups.extend(bench.hear(3, fetch(id, key_at(0.5), 18)));
        bench.hear(3, Message::Cancel { id: RequestId(id) });
    }
    assert_eq!(lookups.len(), 12);
    let actions = bench.hear(4, fetch(30, key_at(0.5), 18));
    assert_eq!(sent(&actions), [(4, &overloaded(30))]);

    assert!(!bench.router.is_idle());
    assert!(bench.miss(&lookups).is_empty());
    assert!(bench.router.is_idle());
    assert!(sent(&bench.hear(3, fetch(31, key_at(0.5), 18))).is_empty());
}

#[test]
fn a_look_into_the_store_that_took_too_long_counts_as_well() {
    let config = Config {
        requests_per_peer_max: 1,
        ..Config::default()
    };
    let mut bench = Bench::with_config(config, &[0.5]);
    let lookup = bench.hear(1, fetch(1, key_at(0.5), 0));
    let actions = bench.wait(Duration::from_secs(3));
    assert!(
        matches!(sent(&actions).last(), Some((1, Message::NotFound { .. }))),
        "{actions:?}"
    );
    let actions = bench.hear(1, fetch(2, key_at(0.7), 0));
    assert!(matches!(sent(&actions)[..], [(1, Message::Refused { .. })]));
    bench.miss(&lookup);
    assert!(sent(&bench.hear(1, fetch(3, key_at(0.7), 0))).is_empty());
}

#[test]
fn a_user_who_asks_and_leaves_has_a_bound_too() {
    let config = Config {
        local_requests_max: 3,
        ..Config::default()
    };
    let mut bench = Bench::with_config(config, &[0.5]);
    let mut ask = |id| {
        let actions = bench.tell(Event::Fetch {
            id: LocalId(id),
            key: key_at(0.5),
            class: Class::RealTime,
            effort: Effort::Once,
            anonymity: crate::Anonymity::Off,
        });
        bench.tell(Event::Cancel { id: LocalId(id) });
        matches!(actions[..], [Action::Lookup { .. }])
    };
    assert_eq!([1, 2, 3, 4].map(&mut ask), [true, true, true, false]);
}

#[test]
fn an_overworked_store_makes_an_overloaded_node_for_peers_and_not_for_the_user() {
    let mut bench = Bench::new(&[0.5, 0.6]);
    let key = key_at(0.5);
    let mut lookup = bench.hear(2, fetch(9, key, 18));
    let overloaded = Message::Refused {
        id: RequestId(9),
        reason: Refusal::Overloaded,
    };
    let actions = bench.unavailable(&lookup);
    assert_eq!(sent(&actions), [(2, &overloaded)]);
    assert!(bench.router.is_idle());

    lookup = bench.hear(2, fetch(9, key, 18));
    bench.tell(Event::Fetch {
        id: LocalId(1),
        key,
        class: Class::RealTime,
        effort: Effort::Once,
        anonymity: crate::Anonymity::Off,
    });
    let actions = bench.unavailable(&lookup);
    assert_eq!(sent(&actions)[0], (2, &overloaded));
    assert_eq!(question(&actions).0, 1, "the user's search goes on");
}

#[test]
fn a_signed_block_is_not_placed_where_the_store_cannot_say_whether_there_is_another() {
    let block = signed(b"new");
    let mut bench = Bench::new(&around(&block.key(), 3));
    bench.hear(3, offer(9, block.key(), seek(18)));
    let mut actions = bench.hear(
        3,
        Message::Block {
            id: RequestId(9),
            block: bytes_of(&block),
        },
    );
    let (peer, id) = question(&actions);
    actions.extend(bench.hear(peer, Message::Accepted { id }));
    let ended = bench.unavailable(&actions);
    let overloaded = Message::Refused {
        id: RequestId(9),
        reason: Refusal::Overloaded,
    };
    assert_eq!(
        sent(&ended),
        [(peer, &Message::Cancel { id }), (3, &overloaded)]
    );
    assert!(places(&actions).is_empty() && places(&ended).is_empty());

    let actions = bench.user_inserts(1, &block);
    let ended = bench.unavailable(&actions);
    assert!(
        matches!(
            ended.last(),
            Some(Action::InsertDone {
                result: Err(InsertFailure::Overloaded),
                ..
            })
        ),
        "{ended:?}"
    );
    assert!(bench.router.is_idle());
}

#[test]
fn one_id_twice_ends_the_link() {
    let mut bench = Bench::new(&[0.5, 0.6]);
    bench.asked_for(2, 9, key_at(0.5), 18);
    let actions = bench.hear(2, fetch(9, key_at(0.7), 18));
    assert!(
        matches!(
            actions[0],
            Action::Disconnect {
                peer: PeerId(2),
                reason: Misbehaviour::DuplicateRequest
            }
        ),
        "{actions:?}"
    );
    assert!(bench.router.is_idle(), "what the peer asked for is over");
    assert!(
        bench.hear(2, fetch(10, key_at(0.7), 18)).is_empty(),
        "it is not listened to any longer"
    );
}

#[test]
fn a_block_that_does_not_fit_its_key_ends_the_link() {
    let mut bench = Bench::new(&[0.5, 0.6]);
    let (peer, id) = question(&bench.user_fetches(1, key_at(0.5)));
    let actions = bench.hear(
        peer,
        Message::Found {
            id,
            block: bytes_of(&content()),
        },
    );
    let Action::Disconnect { reason, .. } = actions[0] else {
        panic!("{actions:?}")
    };
    assert_eq!(reason, Misbehaviour::InvalidBlock);
    assert_eq!(question(&actions).0, 2, "the next peer is asked");
}

#[test]
fn an_idle_router_is_small() {
    // The map of peers takes at most twice what its entries take. A million routers of this size fit into 8 GiB
    let peers = 20 * 2 * (size_of::<PeerId>() + size_of::<crate::peers::Peer>());
    let bytes = size_of::<Router>() + peers;
    assert!(bytes < 8_192, "{bytes} bytes");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Any peers, saying anything in any order: tables keep their bounds, and nothing remains when they are gone.
    #[test]
    fn whatever_peers_say_memory_is_bounded_and_everything_ends(steps in prop::collection::vec(step(), 1..600)) {
        let config = Config {
            requests_max: 40,
            requests_per_peer_max: 20,
            inserts_max: 10,
            recently_failed_max: 8,
            interests_max: 10,
            askers_remembered: Duration::from_secs(60),
            subscription: Duration::from_secs(60),
            ..Config::default()
        };
        let mut bench = Bench::with_config(config, &[0.2, 0.4, 0.6, 0.8]);
        let mut asked = Vec::new();
        let mut store_work = Vec::new();
        for step in steps {
            let actions = bench.take(step, &asked);
            store_work.extend(actions.iter().filter(|action| !matches!(action, Action::Send { .. })).cloned());
            prop_assert!(actions.len() <= 80, "{} actions for one event", actions.len());
            asked.extend(sent(&actions).into_iter().filter_map(|(to, message)| Some((to, message.id()?))));
            let load = bench.router.load();
            prop_assert!(load.peer_requests <= 40, "{load:?}");
            prop_assert!(load.fetches + load.inserts <= 50, "{load:?}");
            prop_assert!(load.inserts <= 10, "{load:?}");
            prop_assert!(load.recently_failed <= 8, "{load:?}");
            prop_assert!(load.interests <= 10, "{load:?}");
        }
        for _ in 0..20 {
            store_work.extend(bench.wait(Duration::from_secs(30)));
        }
        // An overworked store answers at last
        bench.miss(&store_work);
        bench.kept(&store_work, StoreResult::Kept);
        prop_assert!(bench.router.is_idle(), "{:?}", bench.router.load());
        prop_assert_eq!(bench.router.next_timeout(), None);
    }
}

/// One thing that hostile peers and an unlucky disk do.
#[derive(Clone, Debug)]
enum Step {
    Says(u32, Message),
    /// A peer answers one of the questions it was asked.
    Answers(prop::sample::Index, Answer),
    /// The store answers all lookups of the next step at once.
    Misses(u32, Message),
    Waits(u64),
    Reconnects(u32),
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Accepted,
    Loop,
    NotFound,
    Stored,
    RightBlock,
}

impl Bench {
    fn take(&mut self, step: Step, asked: &[(u32, RequestId)]) -> Vec<Action> {
        match step {
            Step::Says(from, message) => self.hear(from, message),
            Step::Answers(which, answer) => {
                if asked.is_empty() {
                    return Vec::new();
                }
                let (peer, id) = asked[which.index(asked.len())];
                self.hear(peer, answer.message(id))
            }
            Step::Misses(from, message) => {
                let mut actions = self.hear(from, message);
                actions.extend(self.miss(&actions));
                actions
            }
            Step::Waits(millis) => self.wait(Duration::from_millis(millis)),
            Step::Reconnects(peer) => {
                let location = Location::from_fraction(f64::from(peer) / 5.0);
                self.tell(Event::PeerUp {
                    peer: PeerId(peer),
                    location,
                    kind: PeerKind::Friend {
                        trust: Trust::Normal,
                    },
                })
            }
        }
    }
}

impl Answer {
    fn message(self, id: RequestId) -> Message {
        match self {
            Self::Accepted => Message::Accepted { id },
            Self::Loop => Message::Refused {
                id,
                reason: Refusal::Loop,
            },
            Self::NotFound => Message::NotFound {
                id,
                left: HopsToLive::MAX,
            },
            Self::Stored => Message::Stored {
                id,
                copies: 255.try_into().unwrap(),
            },
            Self::RightBlock => Message::Found {
                id,
                block: bytes_of(&content()),
            },
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let peer = || 1..=PEERS;
    let answer = prop::sample::select(vec![
        Answer::Accepted,
        Answer::Loop,
        Answer::NotFound,
        Answer::Stored,
        Answer::RightBlock,
    ]);
    prop_oneof![
        4 => (peer(), message()).prop_map(|(peer, message)| Step::Says(peer, message)),
        4 => (peer(), message()).prop_map(|(peer, message)| Step::Misses(peer, message)),
        4 => (any::<prop::sample::Index>(), answer).prop_map(|(which, answer)| Step::Answers(which, answer)),
        1 => (0..4_000_u64).prop_map(Step::Waits),
        1 => peer().prop_map(Step::Reconnects),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    // Fewer ids would end most links at once; the block that is known has one of the keys
    let id = any::<u16>().prop_map(|id| RequestId(id.into()));
    let key = prop_oneof![
        Just(content().key()),
        (0..60_u8).prop_map(|place| key_at(f64::from(place) / 60.0))
    ];
    let stage = prop_oneof![
        (0..=18_u8).prop_map(seek),
        (0..=18_u8).prop_map(|hops| InsertStage::Inside(HopsToLive::new(hops).unwrap())),
        (0..=18_u8).prop_map(|hops| InsertStage::Outward(HopsToLive::new(hops).unwrap())),
        (1..=8_u8).prop_map(|copies| InsertStage::Replicate(Copies::new(copies).unwrap())),
        Just(InsertStage::Repair),
    ];
    (id, key, 0..=50_u8, stage, 0..9_u8).prop_map(|(id, key, hops, stage, kind)| match kind {
        0 => fetch(id.0, key, hops),
        1 => offer(id.0, key, stage),
        2 => Message::Block {
            id,
            block: bytes_of(&content()),
        },
        3 => Message::Cancel { id },
        4 => Message::Finding(Finding::Subscribe { key }),
        5 => Message::Finding(Finding::Unsubscribe { key }),
        6 => Message::Finding(Finding::Appeared { key }),
        7 => {
            let places = [hops, hops / 2].map(|place| CoarseLocation::from([place, 0]));
            Message::Finding(Finding::Neighbours(Neighbourhood::new(places.into_iter())))
        }
        _ => Message::Found {
            id,
            block: BlockBytes(Bytes::from_static(b"nonsense")),
        },
    })
}
