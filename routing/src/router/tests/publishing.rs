//! What peers can tell of the user's own inserts: nothing.

use super::*;

#[test]
fn a_peer_that_offered_a_block_cannot_tell_whether_the_user_or_another_peer_placed_it() {
    for block in [content(), signed(b"payload")] {
        // Nobody else is closer, so that whoever brings the block it would be stored here first
        let far = Location::of_key(&block.key()).as_fraction() + 0.5;
        let peers = [far, far + 0.001, far + 0.002];
        let seen = |by_user: bool| {
            let mut bench = Bench::new(&peers);
            bench.hear(1, offer(9, block.key(), seek(18)));
            let mut actions = if by_user {
                bench.user_inserts(1, &block)
            } else {
                bench.hear(2, offer(8, block.key(), seek(18)));
                bench.hear(2, block_of(8, &block))
            };
            actions.extend(bench.miss(&actions));
            // The block that the peer sends too late, a second offer, and taking the first one back
            actions.extend(bench.hear(1, block_of(9, &block)));
            actions.extend(bench.hear(1, offer(10, block.key(), seek(18))));
            actions.extend(bench.hear(1, Message::Cancel { id: RequestId(9) }));
            let stored = places(&actions);
            let heard: Vec<_> = sent(&actions)
                .into_iter()
                .filter(|(to, message)| {
                    *to == 1 && [Some(RequestId(9)), Some(RequestId(10))].contains(&message.id())
                })
                .map(|(_, message)| message.clone())
                .collect();
            (heard, stored)
        };
        let loops = |id| Message::Refused {
            id: RequestId(id),
            reason: Refusal::Loop,
        };
        let heard = vec![loops(9), loops(10)];
        assert_eq!(seen(true), (heard.clone(), vec![]), "the user's");
        assert_eq!(seen(false), (heard, vec![Place::Store]), "a peer's");
    }
}

#[test]
fn an_insert_of_a_peer_looks_the_same_with_and_without_the_user() {
    let block = content();
    let two = InsertStage::Replicate(Copies::new(2).unwrap());
    let seen = |published: bool, cancelled: bool| {
        let mut bench = Bench::new(&around(&block.key(), 3));
        bench.hear(3, offer(9, block.key(), two));
        let mut actions = bench.hear(3, block_of(9, &block));
        if published {
            assert!(bench.user_inserts(1, &block).is_empty());
        }
        if cancelled {
            actions.extend(bench.hear(3, Message::Cancel { id: RequestId(9) }));
        }
        let (peer, id) = question(&actions);
        actions.extend(bench.hear(peer, Message::Accepted { id }));
        let copies = 1.try_into().unwrap();
        actions.extend(bench.hear(peer, Message::Stored { id, copies }));
        actions.extend(bench.kept(&actions, StoreResult::Kept));
        let done = actions
            .iter()
            .filter(|action| matches!(action, Action::InsertDone { result: Ok(_), .. }))
            .count();
        assert_eq!(done, usize::from(published), "{actions:?}");
        assert!(bench.router.is_idle());
        let messages: Vec<_> = sent(&actions)
            .into_iter()
            .map(|(to, message)| (to, message.clone()))
            .collect();
        (messages, places(&actions))
    };
    for cancelled in [false, true] {
        let (messages, stored) = seen(true, cancelled);
        assert_eq!(stored, [Place::Store]);
        assert_eq!((messages, stored), seen(false, cancelled));
    }
}

#[test]
fn a_user_who_cancels_leaves_the_inserts_of_peers_alone_and_ends_the_own() {
    let block = content();
    let cancel = Event::Cancel { id: LocalId(1) };
    let mut bench = Bench::new(&around(&block.key(), 3));
    bench.hear(3, offer(9, block.key(), seek(18)));
    let (peer, id) = question(&bench.hear(3, block_of(9, &block)));
    bench.user_inserts(1, &block);
    bench.tell(Event::PeerDown { peer: PeerId(3) });
    assert!(sent(&bench.tell(cancel.clone())).is_empty());
    let actions = bench.hear(peer, Message::Accepted { id });
    assert_eq!(sent(&actions).len(), 1, "{actions:?}");

    let mut bench = Bench::new(&around(&block.key(), 3));
    let (peer, id) = question(&bench.user_inserts(1, &block));
    let actions = bench.tell(cancel);
    assert_eq!(sent(&actions), [(peer, &Message::Cancel { id })]);
    assert!(bench.router.is_idle());
}

fn block_of(id: u64, block: &VerifiedBlock) -> Message {
    Message::Block {
        id: RequestId(id),
        block: bytes_of(block),
    }
}
