//! More work than there is room for: peers', and the user's own.

use std::num::NonZeroU64;

use super::*;

#[test]
fn a_peer_is_asked_for_no_more_than_it_allows_and_then_waited_for() {
    let mut bench = Bench::new(&[0.5, 0.6]);
    bench.hear(1, credit(1, 0));
    let (peer, first) = question(&bench.user_fetches(1, key_at(0.5)));
    assert_eq!(peer, 1);
    assert!(sent(&bench.user_fetches(2, key_at(0.501))).is_empty());
    bench.hear(
        1,
        Message::NotFound {
            id: first,
            left: HopsToLive::MAX,
        },
    );
    assert_eq!(question(&bench.wait(Duration::from_millis(100))).0, 1);
}

#[test]
fn a_peer_that_never_has_room_is_waited_for_a_few_times_and_then_passed_by() {
    for ways in [Way::Credit, Way::Refusal, Way::Word] {
        let mut bench = Bench::new(&[0.5, 0.6]);
        if ways == Way::Credit {
            bench.hear(1, credit(0, 0));
        }
        let mut actions = bench.user_fetches(1, key_at(0.5));
        for pause in [100, 200, 400] {
            if ways != Way::Credit {
                let (peer, id) = question(&actions);
                assert_eq!(peer, 1);
                let (left, reason) = (HopsToLive::MAX, Refusal::Overloaded);
                let full = if ways == Way::Word {
                    Message::Congested { id, left }
                } else {
                    Message::Refused { id, reason }
                };
                actions = bench.hear(1, full);
                bench.hear(1, credit(9, 9));
            }
            assert_eq!((sent(&actions), ended(&actions)), (vec![], vec![]));
            actions = bench.wait(Duration::from_millis(pause));
        }
        assert_eq!(question(&actions).0, 2, "{ways:?}");
    }
}

/// How a peer says that it has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Credit,
    Refusal,
    /// There is none behind it.
    Word,
}

#[test]
fn a_peer_that_floods_is_refused_at_once_and_leaves_places_to_a_quiet_one() {
    let mut bench = bounded(&[0.5, 0.6, 0.7]);
    let mut accepted = 0_u32;
    for id in 0..200 {
        let actions = bench.asked_for(1, id, distinct(id), 18);
        if refused(&actions, 1) {
            assert!(
                sent(&actions).iter().all(|(to, _)| *to == 1),
                "nobody else is bothered with what is refused"
            );
        } else {
            accepted += 1;
        }
    }
    // 500 000 bytes a second for one second are 15 blocks; four fifths of the places are one peer's at most
    assert_eq!(accepted, 12);
    for id in 0..2 {
        let actions = bench.asked_for(2, id, distinct(1000 + id), 18);
        assert!(!refused(&actions, 2), "{actions:?}");
    }
}

#[test]
fn bulk_takes_no_places_from_real_time() {
    let mut bench = bounded(&[0.5, 0.6]);
    let mut bulk = 0;
    for id in 0..300 {
        let actions = bench.asked_for_bulk(1, id, distinct(id));
        bulk += usize::from(!refused(&actions, 1));
    }
    assert!((40..60).contains(&bulk), "{bulk}");
    let actions = bench.asked_for(1, 1000, distinct(1000), 18);
    assert!(!refused(&actions, 1), "{actions:?}");
}

#[test]
fn peers_are_told_what_they_may_and_again_after_a_refusal() {
    let mut bench = bounded(&[0.5, 0.6]);
    let told = |actions: &[Action]| -> Vec<u32> {
        let all = sent(actions).into_iter();
        all.filter(|(_, message)| matches!(message, Message::Credit { .. }))
            .map(|(to, _)| to)
            .collect()
    };
    let pause = Duration::from_millis(200);
    assert_eq!(told(&bench.wait(pause)), [1, 2]);
    assert_eq!(told(&bench.wait(pause)), [] as [u32; 0]);
    for id in 0..13 {
        bench.asked_for(1, id, distinct(id), 18);
    }
    for id in 0..13 {
        let id = RequestId(id);
        bench.hear(1, Message::Cancel { id });
    }
    // All is as before, but the first believes that it may have no more than it had
    assert_eq!(told(&bench.wait(pause)), [1, 2]);
    assert_eq!(told(&bench.wait(pause)), [] as [u32; 0]);
}

#[test]
fn who_was_never_told_of_new_credit_finds_out() {
    let mut bench = Bench::new(&[0.5, 0.9]);
    bench.hear(1, credit(0, 0));
    assert!(sent(&bench.user_fetches(1, key_at(0.5))).is_empty());
    bench.tell(Event::Cancel { id: LocalId(1) });
    bench.wait(Duration::from_secs(3));
    for number in 2..6 {
        let place = 0.5 + f64::from(u32::try_from(number).unwrap()) / 1000.0;
        let (peer, id) = question(&bench.user_fetches(number, key_at(place)));
        assert_eq!(peer, 1, "{number}");
        let further = bench.user_fetches(number + 100, key_at(place + 0.01));
        assert!(sent(&further).is_empty(), "one at a time is tried");
        bench.hear(peer, Message::Accepted { id });
    }
}

#[test]
fn a_search_that_ended_for_lack_of_credit_says_nothing_about_the_block() {
    let mut bench = Bench::new(&[0.5, 0.2]);
    let key = key_at(0.5);
    let (peer, id) = question(&bench.asked_for_bulk(2, 1, key));
    assert_eq!(peer, 1);
    let left = HopsToLive::ZERO;
    let actions = bench.hear(1, Message::Congested { id, left });
    assert!(
        matches!(sent(&actions)[..], [(2, Message::Congested { .. })]),
        "{actions:?}"
    );
    assert_eq!(bench.router.load().recently_failed, 0);
    // The same key is looked for again at once, and at the same peer
    let (peer, id) = question(&bench.asked_for_bulk(2, 2, key));
    assert_eq!(peer, 1);
    let actions = bench.hear(1, Message::NotFound { id, left });
    assert!(
        matches!(sent(&actions)[..], [(2, Message::NotFound { .. })]),
        "{actions:?}"
    );
    assert_eq!(bench.router.load().recently_failed, 1);
}

#[test]
fn a_search_waits_for_room_on_its_way_where_it_began_and_makes_no_detour() {
    let mut bench = Bench::new(&[0.5, 0.6, 0.2]);
    bench.hear(1, credit(9, 0));
    let key = key_at(0.5);
    let actions = bench.asked_for_bulk(3, 1, key);
    assert!(
        matches!(
            sent(&actions)[..],
            [
                (3, Message::Accepted { .. }),
                (3, Message::Congested { .. })
            ]
        ),
        "{actions:?}"
    );
    let actions = bench.user_fetches_bulk(1, key);
    assert_eq!((sent(&actions), ended(&actions)), (vec![], vec![]));
    bench.hear(1, credit(9, 1));
    let (peer, id) = question(&bench.wait(Duration::from_millis(400)));
    assert_eq!(peer, 1);
    let left = HopsToLive::MAX;
    let actions = bench.hear(1, Message::Congested { id, left });
    assert!(sent(&actions).is_empty(), "{actions:?}");
    assert_eq!(question(&bench.wait(Duration::from_millis(800))).0, 1);
}

#[test]
fn the_user_hears_that_the_network_has_too_much_to_do() {
    let mut bench = Bench::new(&[0.5]);
    bench.hear(1, credit(0, 0));
    let mut actions = bench.user_fetches(1, key_at(0.5));
    for pause in [100, 200, 400, 800] {
        assert_eq!(ended(&actions), []);
        actions.extend(bench.wait(Duration::from_millis(pause)));
    }
    assert_eq!(ended(&actions), [(1, Err(FetchFailure::Overloaded))]);
    assert!(sent(&actions).is_empty());
}

#[test]
fn what_the_user_asks_for_beyond_the_window_waits_and_can_be_taken_back() {
    let mut bench = Bench::new(&[0.5]);
    let mut questions = Vec::new();
    for id in 0..40 {
        let actions = bench.user_fetches_bulk(id, distinct(id));
        questions.extend(
            sent(&actions)
                .iter()
                .filter_map(|(_, message)| message.id()),
        );
    }
    assert_eq!(questions.len(), 32);
    let actions = bench.tell(Event::Cancel { id: LocalId(32) });
    assert_eq!(ended(&actions), [(32, Err(FetchFailure::Cancelled))]);
    let real_time = bench.user_fetches(100, key_at(0.9));
    assert_eq!(
        sent(&real_time).len(),
        1,
        "a page does not wait behind files"
    );
    let left = HopsToLive::ZERO;
    let actions = bench.hear(
        1,
        Message::NotFound {
            id: questions[0],
            left,
        },
    );
    let actions = bench.miss(&actions);
    let begun: Vec<BlockKey> = sent(&actions)
        .into_iter()
        .filter_map(|(_, message)| {
            if let Message::Fetch { key, .. } = message {
                Some(*key)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(begun, [distinct(33), distinct(34)], "the window has grown");
}

#[test]
fn the_user_has_a_bounded_number_of_requests_waiting_ones_included() {
    let config = Config {
        local_requests_max: 50,
        ..Config::default()
    };
    let mut bench = Bench::with_config(config, &[0.5]);
    for id in 0..50 {
        assert_eq!(ended(&bench.user_fetches_bulk(id, distinct(id))), []);
    }
    let actions = bench.user_fetches_bulk(50, distinct(50));
    assert_eq!(ended(&actions), [(50, Err(FetchFailure::Overloaded))]);
    assert_eq!(bench.router.load().local_requests, 50);
}

#[test]
fn places_come_back_when_requests_end_in_whatever_way() {
    let mut bench = bounded(&[0.5, 0.6]);
    for round in 0..20 {
        for id in 0..12 {
            let actions = bench.asked_for(1, round * 100 + id, distinct(round * 100 + id), 18);
            assert!(!refused(&actions, 1), "{round} {id}");
        }
        for id in 0..12 {
            let id = RequestId(round * 100 + id);
            bench.hear(1, Message::Cancel { id });
        }
    }
    for id in 0..12 {
        bench.asked_for(1, 9000 + id, distinct(9000 + id), 18);
    }
    bench.tell(Event::PeerDown { peer: PeerId(1) });
    for id in 0..12 {
        let actions = bench.asked_for(2, id, distinct(9100 + id), 18);
        assert!(!refused(&actions, 2), "{id}");
    }
}

impl Bench {
    /// The user asks for `key` in the background; the store does not have it.
    fn user_fetches_bulk(&mut self, id: u64, key: BlockKey) -> Vec<Action> {
        let mut actions = self.tell(Event::Fetch {
            id: LocalId(id),
            key,
            class: Class::Bulk,
            effort: Effort::Once,
            anonymity: crate::Anonymity::Off,
        });
        actions.extend(self.miss(&actions));
        actions
    }

    /// A peer asks for `key` in the background; the store does not have it.
    fn asked_for_bulk(&mut self, from: u32, id: u64, key: BlockKey) -> Vec<Action> {
        let message = Message::Fetch {
            id: RequestId(id),
            key,
            hops_to_live: HopsToLive::MAX,
            tie_break: 300,
            class: Class::Bulk,
        };
        let mut actions = self.hear(from, message);
        actions.extend(self.miss(&actions));
        actions
    }
}

/// A router that can send half a megabyte a second.
fn bounded(places: &[f64]) -> Bench {
    let config = Config {
        lookahead: Lookahead::Off,
        upload: NonZeroU64::new(500_000),
        ..Config::default()
    };
    Bench::with_config(config, places)
}

fn credit(real_time: u16, bulk: u16) -> Message {
    Message::Credit { real_time, bulk }
}

/// A key for each number.
fn distinct(number: u64) -> BlockKey {
    let number = u32::try_from(number).unwrap();
    key_at(0.4 + f64::from(number) / 100_000.0)
}

/// Whether a peer is told that there is too much to do.
fn refused(actions: &[Action], peer: u32) -> bool {
    let overloaded = |message: &Message| {
        matches!(
            message,
            Message::Refused {
                reason: Refusal::Overloaded,
                ..
            }
        )
    };
    sent(actions)
        .iter()
        .any(|(to, message)| *to == peer && overloaded(message))
}

/// The user's fetches that ended.
fn ended(actions: &[Action]) -> Vec<(u64, Result<(), FetchFailure>)> {
    actions
        .iter()
        .filter_map(|action| {
            if let Action::FetchDone { id, result } = action {
                let result = result.as_ref().map(drop);
                Some((id.0, result.map_err(|failure| *failure)))
            } else {
                None
            }
        })
        .collect()
}
