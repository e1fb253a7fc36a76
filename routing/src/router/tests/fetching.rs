use super::*;
use crate::Origin;

#[test]
fn the_closest_peer_is_asked_first_and_the_next_when_it_does_not_accept() {
    let mut bench = Bench::new(&[0.9, 0.45, 0.6]);
    let actions = bench.user_fetches(1, key_at(0.5));
    let (peer, id) = question(&actions);
    assert_eq!(peer, 2);

    assert!(sent(&bench.wait(Duration::from_millis(2_999))).is_empty());
    let actions = bench.wait(Duration::from_millis(1));
    assert_eq!(sent(&actions)[0], (2, &Message::Cancel { id }));
    assert_eq!(question(&actions).0, 3);
}

#[test]
fn a_peer_that_accepted_is_given_time_for_each_hop_and_then_up() {
    let mut bench = Bench::new(&[0.5, 0.6]);
    // From peer 2 with two hops to live: peer 1 is asked with one
    let actions = bench.asked_for(2, 9, key_at(0.5), 2);
    let (peer, id) = question(&actions);
    bench.hear(peer, Message::Accepted { id });
    assert!(sent(&bench.wait(Duration::from_millis(2_900))).is_empty());
    let actions = bench.wait(Duration::from_secs(3));
    let left = HopsToLive::new(1).unwrap();
    let not_found = Message::NotFound {
        id: RequestId(9),
        left,
    };
    assert_eq!(
        sent(&actions),
        [(1, &Message::Cancel { id }), (2, &not_found)]
    );
    assert!(bench.router.is_idle());
}

#[test]
fn a_dead_end_gives_back_what_is_left_and_the_next_peer_gets_it() {
    let mut bench = Bench::new(&[0.5, 0.6, 0.9]);
    let actions = bench.asked_for(3, 9, key_at(0.5), 10);
    let (peer, id) = question(&actions);
    let left = HopsToLive::new(4).unwrap();
    let actions = bench.hear(peer, Message::NotFound { id, left });
    let (peer, id) = question(&actions);
    assert!(
        matches!(sent(&actions)[0].1, Message::Fetch { hops_to_live, .. } if *hops_to_live == left)
    );
    // Nothing left ends the search
    let actions = bench.hear(
        peer,
        Message::NotFound {
            id,
            left: HopsToLive::ZERO,
        },
    );
    let answer = Message::NotFound {
        id: RequestId(9),
        left: HopsToLive::ZERO,
    };
    assert_eq!(sent(&actions), [(3, &answer)]);
}

#[test]
fn ids_change_from_hop_to_hop() {
    let mut bench = Bench::new(&[0.5, 0.6]);
    let actions = bench.asked_for(2, 9, key_at(0.5), 10);
    assert_ne!(question(&actions).1, RequestId(9));
}

#[test]
fn a_block_from_the_store_is_accepted_and_found_at_once() {
    let block = content();
    let mut bench = Bench::new(&[0.5]);
    let actions = bench.hear(1, fetch(9, block.key(), 18));
    let Action::Lookup { ticket, .. } = actions[0] else {
        panic!("{actions:?}")
    };
    let actions = bench.tell(Event::LookupDone {
        ticket,
        result: LookupResult::Found(block.clone()),
    });
    let id = RequestId(9);
    let expected = [
        (1, &Message::Accepted { id }),
        (
            1,
            &Message::Found {
                id,
                block: bytes_of(&block),
            },
        ),
    ];
    assert_eq!(sent(&actions), expected);
    assert!(places(&actions).is_empty());
}

#[test]
fn the_store_is_told_who_wants_to_know() {
    let origins = |actions: &[Action]| -> Vec<Origin> {
        let lookups = actions.iter().filter_map(|action| {
            if let Action::Lookup { origin, .. } = action {
                Some(*origin)
            } else {
                None
            }
        });
        lookups.collect()
    };
    let key = key_at(0.5);
    let by_user = Event::Fetch {
        id: LocalId(1),
        key,
        class: Class::RealTime,
        effort: Effort::Once,
        anonymity: crate::Anonymity::Off,
    };
    let mut bench = Bench::new(&[0.4, 0.6]);
    assert_eq!(origins(&bench.tell(by_user.clone())), [Origin::User]);
    assert_eq!(origins(&bench.hear(1, fetch(9, key, 18))), []);
    let mut bench = Bench::new(&[0.4, 0.6]);
    assert_eq!(origins(&bench.hear(1, fetch(9, key, 18))), [Origin::Peer]);
    assert_eq!(origins(&bench.tell(by_user)), []);
}

#[test]
fn a_relay_caches_far_from_the_origin_and_no_node_caches_what_its_user_reads() {
    let block = content();
    let cached = |hops: Option<u8>| {
        let mut bench = Bench::new(&[0.5, 0.6]);
        let actions = match hops {
            Some(hops) => bench.asked_for(2, 9, block.key(), hops),
            None => bench.user_fetches(9, block.key()),
        };
        let (peer, id) = question(&actions);
        let actions = bench.hear(
            peer,
            Message::Found {
                id,
                block: bytes_of(&block),
            },
        );
        let found = Message::Found {
            id: RequestId(9),
            block: bytes_of(&block),
        };
        match hops {
            Some(_) => assert_eq!(sent(&actions), [(2, &found)]),
            None => assert!(
                matches!(&actions[..], [Action::FetchDone { result: Ok(_), .. }]),
                "{actions:?}"
            ),
        }
        places(&actions)
    };
    assert_eq!(cached(Some(16)), [Place::Cache]);
    assert_eq!(cached(Some(18)), []);
    assert_eq!(cached(None), []);
}

#[test]
fn what_failed_lately_is_refused_to_peers_and_never_to_the_user() {
    let mut bench = Bench::new(&[0.5, 0.6, 0.7, 0.8, 0.9]);
    let key = key_at(0.5);
    let mut actions = bench.asked_for(5, 9, key, 18);
    for _ in 0..4 {
        let (peer, id) = question(&actions);
        actions = bench.hear(
            peer,
            Message::NotFound {
                id,
                left: HopsToLive::MAX,
            },
        );
    }
    assert_eq!(sent(&actions).len(), 1, "answered: {actions:?}");

    let actions = bench.hear(4, fetch(1, key, 17));
    let loops = Message::Refused {
        id: RequestId(1),
        reason: Refusal::Loop,
    };
    assert_eq!(sent(&actions), [(4, &loops)]);
    bench.wait(Duration::from_secs(2));
    let actions = bench.hear(4, fetch(1, key, 17));
    let failed = Message::Refused {
        id: RequestId(1),
        reason: Refusal::RecentlyFailed {
            retry_after_ms: 13_000,
        },
    };
    assert_eq!(sent(&actions), [(4, &failed)]);

    // Those that failed come last
    assert_eq!(question(&bench.user_fetches(1, key)).0, 5);
    bench.tell(Event::Cancel { id: LocalId(1) });

    bench.wait(Duration::from_secs(13));
    assert_eq!(question(&bench.asked_for(4, 1, key, 17)).0, 1);
}

#[test]
fn a_peer_may_wait_for_a_search_only_with_a_larger_budget() {
    let mut bench = Bench::new(&[0.5, 0.6, 0.7, 0.8]);
    let key = key_at(0.5);
    let (peer, id) = question(&bench.asked_for(2, 20, key, 10));
    let refused = |id| Message::Refused {
        id: RequestId(id),
        reason: Refusal::Loop,
    };
    // The search runs with nine
    assert_eq!(sent(&bench.hear(3, fetch(30, key, 8))), [(3, &refused(30))]);
    let accepted = Message::Accepted { id: RequestId(40) };
    assert_eq!(sent(&bench.hear(4, fetch(40, key, 10))), [(4, &accepted)]);

    // Peer 3 began to search with more than is left here by now: it would refuse
    let actions = bench.hear(
        peer,
        Message::NotFound {
            id,
            left: HopsToLive::new(5).unwrap(),
        },
    );
    assert!(
        sent(&actions)
            .iter()
            .all(|(_, message)| matches!(message, Message::NotFound { .. }))
    );
    assert_eq!(sent(&actions).len(), 2);
}

#[test]
fn who_waited_for_a_weak_search_gets_a_stronger_one() {
    let mut bench = Bench::new(&[0.5, 0.6]);
    let key = key_at(0.5);
    let (peer, id) = question(&bench.asked_for(2, 20, key, 3));
    assert!(
        sent(&bench.tell(Event::Fetch {
            id: LocalId(1),
            key,
            class: Class::RealTime,
            effort: Effort::Once,
            anonymity: crate::Anonymity::Off,
        }))
        .is_empty()
    );

    let actions = bench.hear(
        peer,
        Message::NotFound {
            id,
            left: HopsToLive::ZERO,
        },
    );
    assert!(
        matches!(sent(&actions)[0], (2, Message::NotFound { .. })),
        "{actions:?}"
    );
    assert!(
        sent(&actions).iter().any(|(to, message)| *to == 1
            && matches!(message, Message::Fetch { hops_to_live, .. } if hops_to_live.get() >= 17)),
        "{actions:?}"
    );
}

#[test]
fn a_lost_peer_is_replaced_and_a_lost_asker_takes_its_search_along() {
    let mut bench = Bench::new(&[0.5, 0.6, 0.7]);
    let key = key_at(0.5);
    assert_eq!(question(&bench.asked_for(3, 9, key, 10)).0, 1);
    let (peer, id) = question(&bench.tell(Event::PeerDown { peer: PeerId(1) }));
    assert_eq!(peer, 2);
    let actions = bench.tell(Event::PeerDown { peer: PeerId(3) });
    assert_eq!(sent(&actions), [(2, &Message::Cancel { id })]);
    assert!(bench.router.is_idle());
}

#[test]
fn the_user_is_told_what_kind_of_failure_it_was() {
    let refused = |reason| move |id| Message::Refused { id, reason };
    assert_eq!(
        failure(|id| Message::NotFound {
            id,
            left: HopsToLive::MAX
        }),
        FetchFailure::NotFound
    );
    assert_eq!(failure(refused(Refusal::Loop)), FetchFailure::RouteNotFound);
    assert_eq!(
        failure(refused(Refusal::Overloaded)),
        FetchFailure::Overloaded
    );
    let later = failure(refused(Refusal::RecentlyFailed {
        retry_after_ms: 60_000,
    }));
    let retry_after = Duration::from_secs(15);
    assert_eq!(
        later,
        FetchFailure::RecentlyFailed { retry_after },
        "a peer cannot put the user off for long"
    );
}

#[test]
fn a_probe_does_not_wait_for_the_searches_of_others() {
    let pauses = |effort| {
        let mut bench = Bench::new(&[0.5]);
        let asked = bench.tell(Event::Fetch {
            id: LocalId(1),
            key: key_at(0.5),
            class: Class::RealTime,
            effort,
            anonymity: crate::Anonymity::Off,
        });
        let mut actions = bench.miss(&asked);
        let begun = bench.now;
        loop {
            if let Some(Action::FetchDone { result, .. }) = actions.last() {
                return (bench.now.since(begun) > Duration::ZERO, result.clone());
            }
            actions = if sent(&actions).is_empty() {
                bench.wait(bench.router.next_timeout().unwrap() - bench.now)
            } else {
                let (peer, id) = question(&actions);
                let reason = Refusal::Loop;
                bench.hear(peer, Message::Refused { id, reason })
            };
        }
    };
    let retry_after = Duration::from_secs(2);
    assert_eq!(
        pauses(Effort::Probe),
        (false, Err(FetchFailure::RecentlyFailed { retry_after }))
    );
    for patient in [Effort::Once, Effort::Thorough] {
        let waited = (true, Err(FetchFailure::RouteNotFound));
        assert_eq!(pauses(patient), waited);
    }
}

#[test]
fn without_peers_there_is_no_route() {
    let actions = Bench::new(&[]).user_fetches(1, key_at(0.5));
    let done = actions.last().unwrap();
    assert!(
        matches!(
            done,
            Action::FetchDone {
                result: Err(FetchFailure::RouteNotFound),
                ..
            }
        ),
        "{done:?}"
    );
}

/// What the user is told when the only peer always answers the same.
fn failure(answer: impl Fn(RequestId) -> Message) -> FetchFailure {
    let mut bench = Bench::new(&[0.5]);
    let mut actions = bench.user_fetches(1, key_at(0.5));
    loop {
        if let Some(Action::FetchDone {
            result: Err(failure),
            ..
        }) = actions.last()
        {
            return *failure;
        }
        actions = if sent(&actions).is_empty() {
            bench.wait(bench.router.next_timeout().unwrap() - bench.now)
        } else {
            let (peer, id) = question(&actions);
            bench.hear(peer, answer(id))
        };
    }
}
