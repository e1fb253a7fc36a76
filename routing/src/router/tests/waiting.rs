//! Those who asked for a block before it came, and those who want to be told.

use super::*;
use crate::finding::Finding;

#[test]
fn who_asked_too_early_is_told_when_an_insert_has_ended_here() {
    let mut bench = Bench::new(&[0.2, 0.3]);
    let block = content();
    ask_in_vain(&mut bench, block.key());
    let actions = insert(&mut bench, &block);
    assert_eq!(news(&actions), [(2, appeared(block.key()))], "{actions:?}");
    // Once
    let actions = insert(&mut bench, &block);
    assert_eq!(news(&actions), []);
}

#[test]
fn nobody_is_told_when_the_time_for_it_is_over() {
    let mut bench = Bench::new(&[0.2, 0.3]);
    let block = content();
    ask_in_vain(&mut bench, block.key());
    assert_eq!(bench.router.load().interests, 1);
    bench.wait(Duration::from_secs(676));
    assert_eq!(bench.router.load().interests, 0);
    assert_eq!(news(&insert(&mut bench, &block)), []);
}

/// Peer 2 asked, peer 1 did not find it and says later that it is there.
#[test]
fn news_of_what_was_asked_for_pass_on_once_and_the_fetch_that_follows_takes_the_same_way() {
    let mut bench = Bench::new(&[0.9, 0.2, 0.5]);
    let key = key_at(0.5);
    let actions = bench.asked_for(2, 1, key, 3);
    let (first, id) = question(&actions);
    assert_eq!(first, 3);
    let left = HopsToLive::new(1).unwrap();
    let (second, id) = question(&bench.hear(first, Message::NotFound { id, left }));
    assert_eq!(second, 1);
    bench.hear(
        second,
        Message::NotFound {
            id,
            left: HopsToLive::ZERO,
        },
    );

    assert_eq!(news(&bench.hear(1, appeared(key))), [(2, appeared(key))]);
    assert_eq!(news(&bench.hear(1, appeared(key))), [], "once");
    let actions = bench.asked_for(2, 2, key, 3);
    assert_eq!(question(&actions).0, 1, "and not the closest, which is 3");
}

#[test]
fn news_that_nobody_asked_for_are_ignored_and_cost_merit() {
    let mut bench = Bench::new(&[0.2, 0.3]);
    ask_in_vain(&mut bench, key_at(0.5));
    for _ in 0..100 {
        // This one asked itself, and was not asked
        assert!(bench.hear(2, appeared(key_at(0.5))).is_empty());
        assert!(bench.hear(1, appeared(key_at(0.6))).is_empty());
    }
    assert!(
        bench
            .router
            .shared
            .peers
            .peer(PeerId(2))
            .unwrap()
            .merit
            .is_bad()
    );
}

#[test]
fn a_subscription_goes_to_the_next_node_that_is_closer_and_is_renewed() {
    let mut bench = Bench::new(&[0.45, 0.9]);
    let key = key_at(0.5);
    let actions = bench.tell(Event::Subscribe { key });
    let subscribe = Message::Finding(Finding::Subscribe { key });
    assert_eq!(news(&actions), [(1, subscribe)]);
    let mut renewals = 0;
    for _ in 0..60 {
        let actions = bench.wait(Duration::from_secs(60));
        renewals += news(&actions).len();
    }
    assert!((4..=8).contains(&renewals), "{renewals} in an hour");
    assert_eq!(news(&bench.hear(1, appeared(key))), []);
    let actions = bench.tell(Event::Unsubscribe { key });
    assert_eq!(news(&actions), [], "it has come");
}

#[test]
fn the_user_is_told_and_asked_nothing_else() {
    let mut bench = Bench::new(&[0.45, 0.9]);
    let key = key_at(0.5);
    bench.tell(Event::Subscribe { key });
    let actions = bench.hear(1, appeared(key));
    assert!(
        matches!(actions[..], [Action::Appeared { key: told }] if told == key),
        "{actions:?}"
    );
}

#[test]
fn a_lost_peer_is_replaced_and_the_last_who_leaves_ends_the_chain() {
    let mut bench = Bench::new(&[0.45, 0.44, 0.15]);
    let key = key_at(0.5);
    let actions = bench.hear(3, Message::Finding(Finding::Subscribe { key }));
    let subscribe = Message::Finding(Finding::Subscribe { key });
    assert_eq!(news(&actions), [(1, subscribe.clone())]);
    let actions = bench.tell(Event::PeerDown { peer: PeerId(1) });
    assert_eq!(news(&actions), [(2, subscribe)]);
    let unsubscribe = Message::Finding(Finding::Unsubscribe { key });
    let actions = bench.hear(3, unsubscribe.clone());
    assert_eq!(news(&actions), [(2, unsubscribe)]);
}

#[test]
fn one_subscription_costs_one_message_and_a_peer_has_a_bounded_number() {
    let mut bench = Bench::new(&[0.45, 0.15, 0.16]);
    let mut passed_on = 0;
    for number in 0..1_000_u16 {
        let key = key_at(0.5 + f64::from(number) * 1e-5);
        for peer in [2, 2] {
            let actions = bench.hear(peer, Message::Finding(Finding::Subscribe { key }));
            passed_on += news(&actions).len();
        }
    }
    assert_eq!(passed_on, 256);
    assert_eq!(bench.router.load().interests, 256);
    let key = key_at(0.7);
    let actions = bench.hear(3, Message::Finding(Finding::Subscribe { key }));
    assert_eq!(news(&actions).len(), 1, "others have room");
}

/// Peer 2 asks for `key`; peer 1 does not find it.
fn ask_in_vain(bench: &mut Bench, key: BlockKey) {
    let (peer, id) = question(&bench.asked_for(2, 1, key, 3));
    assert_eq!(peer, 1);
    let left = HopsToLive::ZERO;
    bench.hear(peer, Message::NotFound { id, left });
}

/// Peer 1 inserts the block, and this node is where it is stored.
fn insert(bench: &mut Bench, block: &VerifiedBlock) -> Vec<Action> {
    let stage = InsertStage::Replicate(Copies::new(1).unwrap());
    bench.hear(1, offer(50, block.key(), stage));
    let id = RequestId(50);
    let actions = bench.hear(
        1,
        Message::Block {
            id,
            block: bytes_of(block),
        },
    );
    bench.kept(&actions, StoreResult::Kept)
}

const fn appeared(key: BlockKey) -> Message {
    Message::Finding(Finding::Appeared { key })
}

/// The messages about those who wait among `actions`.
fn news(actions: &[Action]) -> Vec<(u32, Message)> {
    let about = |message: &Message| matches!(message, Message::Finding(_));
    let sent = sent(actions).into_iter();
    sent.filter(|(_, message)| about(message))
        .map(|(to, message)| (to, message.clone()))
        .collect()
}
