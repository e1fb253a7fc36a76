//! Copies that are counted and made up for.

use super::*;

#[test]
fn the_closest_node_asks_the_next_ones_and_sends_the_block_to_those_who_lack_it() {
    // The router is at 0.1, the closest; four peers follow it
    let mut bench = repairing(&[0.2, 0.3, 0.12, 0.4]);
    let block = content_near_the_router();
    let asked = bench.walk_to(Some(block.key()));
    assert_eq!(question(&asked).0, 3, "the closest one first");
    let (peer, id) = question(&asked);
    let copies = std::num::NonZeroU8::MIN;
    let (peer, id) = question(&bench.hear(peer, Message::Stored { id, copies }));
    assert_eq!(peer, 1);
    let actions = bench.hear(peer, Message::Accepted { id });
    let sent_to = bench.answer_lookups(&actions, &LookupResult::Found(block.clone()));
    assert!(
        matches!(sent(&sent_to)[..], [(1, Message::Block { .. })]),
        "{sent_to:?}"
    );
    let (peer, id) = question(&bench.hear(peer, Message::Stored { id, copies }));
    assert_eq!(peer, 2);
    let actions = bench.hear(peer, Message::StoreFailed { id });
    assert!(sent(&actions).is_empty(), "three others make four copies");
    assert!(bench.router.is_idle());
    let next = bench.wait(Duration::from_secs(1));
    assert!(matches!(next[..], [Action::NextStored { after }] if after == Some(block.key())));
}

#[test]
fn a_node_that_is_not_the_closest_asks_the_one_that_is() {
    let mut bench = repairing(&[0.2, 0.3, 0.12, 0.4]);
    let asked = bench.walk_to(Some(key_at(0.31)));
    let (peer, id) = question(&asked);
    assert_eq!(peer, 2);
    let copies = std::num::NonZeroU8::MIN;
    assert!(bench.hear(peer, Message::Stored { id, copies }).is_empty());
    assert!(bench.router.is_idle());
}

#[test]
fn lost_and_silent_peers_are_passed_by_and_the_walk_begins_again_after_a_pause() {
    let mut bench = repairing(&[0.2, 0.12]);
    let (peer, _) = question(&bench.walk_to(Some(key_at(0.1))));
    assert_eq!(peer, 2);
    let actions = bench.tell(Event::PeerDown { peer: PeerId(2) });
    let (peer, id) = question(&actions);
    assert_eq!(peer, 1);
    let actions = bench.wait(Duration::from_secs(10));
    assert_eq!(sent(&actions), [(1, &Message::Cancel { id })]);
    assert!(bench.walk_to(None).is_empty());
    assert!(bench.wait(Duration::from_secs(599)).is_empty());
    let again = bench.wait(Duration::from_secs(1));
    assert!(
        matches!(again[..], [Action::NextStored { after: None }]),
        "{again:?}"
    );
}

#[test]
fn a_peer_that_counts_copies_is_told_or_sends_the_block_which_is_stored() {
    let block = content();
    for there in [true, false] {
        let mut bench = Bench::new(&[0.2, 0.3]);
        let actions = bench.hear(1, offer(5, block.key(), InsertStage::Repair));
        let result = if there {
            LookupResult::Found(block.clone())
        } else {
            LookupResult::Missing
        };
        let answer = bench.answer_lookups(&actions, &result);
        if there {
            assert!(
                matches!(sent(&answer)[..], [(1, Message::Stored { .. })]),
                "{answer:?}"
            );
        } else {
            let accepted = Message::Accepted { id: RequestId(5) };
            assert_eq!(sent(&answer), [(1, &accepted)]);
            let id = RequestId(5);
            let actions = bench.hear(
                1,
                Message::Block {
                    id,
                    block: bytes_of(&block),
                },
            );
            assert_eq!(places(&actions), [Place::Store]);
            let actions = bench.kept(&actions, StoreResult::Kept);
            assert!(
                matches!(sent(&actions)[..], [(1, Message::Stored { .. })]),
                "{actions:?}"
            );
        }
        assert!(bench.router.is_idle());
    }
}

#[test]
fn nobody_can_leave_a_block_in_this_way_with_a_node_far_from_its_key() {
    let around = around(&key_at(0.5), 9);
    let mut bench = Bench::new(&around);
    let actions = bench.hear(1, offer(5, key_at(0.5), InsertStage::Repair));
    assert!(
        matches!(sent(&actions)[..], [(1, Message::Refused { .. })]),
        "{actions:?}"
    );
    assert!(bench.router.is_idle());
}

#[test]
fn who_counts_copies_and_leaves_leaves_nothing_behind() {
    let mut bench = Bench::new(&[0.2, 0.3]);
    let asked = bench.hear(1, offer(5, key_at(0.5), InsertStage::Repair));
    bench.hear(1, Message::Cancel { id: RequestId(5) });
    let again = bench.hear(1, offer(6, key_at(0.5), InsertStage::Repair));
    bench.tell(Event::PeerDown { peer: PeerId(1) });
    assert_eq!(bench.router.load().inserts, 0);
    assert!(bench.miss(&asked).is_empty() && bench.miss(&again).is_empty());
    assert!(bench.router.is_idle());
}

#[test]
fn a_peer_that_offers_what_it_counts_copies_of_has_one_offer_open() {
    for second in [seek(5), InsertStage::Repair] {
        let mut bench = Bench::new(&[0.2, 0.3]);
        let key = key_at(0.5);
        let counted = bench.hear(1, offer(5, key, InsertStage::Repair));
        let offered = bench.hear(1, offer(6, key, second));
        let answers = [bench.miss(&offered), bench.miss(&counted)].concat();
        let refused = |answer: &&Action| {
            matches!(
                answer,
                Action::Send {
                    message: Message::Refused { .. },
                    ..
                }
            )
        };
        assert_eq!(answers.iter().filter(refused).count(), 1, "{answers:?}");
        bench.wait(Duration::from_secs(600));
        assert_eq!(bench.router.load().inserts, 0);
        assert!(bench.router.is_idle(), "{second:?}");
    }
}

#[test]
fn a_peer_that_lacks_a_block_is_sent_it_once_however_often_it_accepts() {
    let mut bench = repairing(&[0.2, 0.12]);
    let block = content_near_the_router();
    let (peer, id) = question(&bench.walk_to(Some(block.key())));
    let actions = bench.hear(peer, Message::Accepted { id });
    let first = bench.answer_lookups(&actions, &LookupResult::Found(block));
    assert_eq!(sent(&first).len(), 1, "{first:?}");
    let again = bench.hear(peer, Message::Accepted { id });
    assert!(sent(&again).is_empty(), "{again:?}");
    let (next, _) = question(&bench.hear(peer, Message::StoreFailed { id }));
    assert_ne!(next, peer);
}

/// A router that counts copies, a second after it began.
fn repairing(places: &[f64]) -> Bench {
    let config = Config {
        lookahead: Lookahead::Off,
        repair_interval: Some(Duration::from_secs(1)),
        ..Config::default()
    };
    Bench::with_config(config, places)
}

impl Bench {
    /// The next key is asked for, and this is it.
    fn walk_to(&mut self, key: Option<BlockKey>) -> Vec<Action> {
        let actions = self.wait(Duration::from_secs(1));
        assert!(
            matches!(actions[..], [Action::NextStored { .. }]),
            "{actions:?}"
        );
        self.tell(Event::NextStored { key })
    }
}

/// A block that is closer to the router than to any of its peers in these tests.
pub(super) fn content_near_the_router() -> VerifiedBlock {
    let blocks = (0..1_000_u16).map(|number| {
        let file_key = FileKey::random(&mut ChaCha8Rng::seed_from_u64(number.into()));
        let sealed = ContentKey::seal(file_key, ContentExtra::default(), b"content");
        sealed.unwrap().1
    });
    let near = |block: &VerifiedBlock| {
        let place = Location::of_key(&block.key()).as_fraction();
        (0.08..0.105).contains(&place)
    };
    blocks.into_iter().find(near).unwrap()
}
