use super::*;

#[test]
fn the_block_follows_the_acceptance_and_the_publisher_stores_nothing() {
    let block = content();
    let mut bench = Bench::new(&around(&block.key(), 3));
    let mut actions = bench.user_inserts(1, &block);
    let (peer, id) = question(&actions);
    assert_eq!(peer, 1);
    actions.extend(bench.hear(1, Message::Accepted { id }));
    assert_eq!(
        sent(&actions).last().unwrap(),
        &(
            1,
            &Message::Block {
                id,
                block: bytes_of(&block)
            }
        )
    );
    actions.extend(bench.hear(
        1,
        Message::Stored {
            id,
            copies: 4.try_into().unwrap(),
        },
    ));
    let done = actions.last().unwrap();
    let success = InsertSuccess { copies: 4 };
    assert!(
        matches!(done, Action::InsertDone { result: Ok(result), .. } if *result == success),
        "{done:?}"
    );
    assert!(places(&actions).is_empty());
    assert!(bench.router.is_idle());
}

#[test]
fn an_offer_goes_on_before_the_own_store_is_done_and_the_answer_waits_for_it() {
    let block = content();
    let mut bench = Bench::new(&around(&block.key(), 3));
    let two = InsertStage::Replicate(Copies::new(2).unwrap());
    bench.hear(3, offer(9, block.key(), two));
    let stored = bench.hear(
        3,
        Message::Block {
            id: RequestId(9),
            block: bytes_of(&block),
        },
    );
    assert_eq!(places(&stored), [Place::Store]);
    let (peer, id) = question(&stored);
    bench.hear(peer, Message::Accepted { id });
    let actions = bench.hear(
        peer,
        Message::Stored {
            id,
            copies: 1.try_into().unwrap(),
        },
    );
    assert!(sent(&actions).is_empty(), "{actions:?}");
    let actions = bench.kept(&stored, StoreResult::Kept);
    let answer = Message::Stored {
        id: RequestId(9),
        copies: 2.try_into().unwrap(),
    };
    assert_eq!(sent(&actions), [(3, &answer)]);
}

#[test]
fn where_nobody_is_closer_the_block_is_stored_and_three_or_four_more_copies_are_asked_for() {
    let block = content();
    let far = Location::of_key(&block.key()).as_fraction() + 0.5;
    // The router is at 0.1: both peers are farther from the key unless the key is across the ring from 0.1
    let mut bench = Bench::new(&[far, far + 0.001]);
    bench.hear(1, offer(9, block.key(), seek(18)));
    let actions = bench.hear(
        1,
        Message::Block {
            id: RequestId(9),
            block: bytes_of(&block),
        },
    );
    assert_eq!(places(&actions), [Place::Store]);
    let copies = sent(&actions).into_iter().find_map(|(to, message)| {
        if let Message::Offer {
            stage: InsertStage::Replicate(copies),
            ..
        } = message
            && to == 2
        {
            Some(copies.get())
        } else {
            None
        }
    });
    assert!(matches!(copies, Some(3 | 4)), "{actions:?}");
}

#[test]
fn when_a_later_hop_fails_the_insert_succeeds_with_the_copies_there_are() {
    let block = content();
    let mut bench = Bench::new(&around(&block.key(), 3));
    bench.hear(
        3,
        offer(
            9,
            block.key(),
            InsertStage::Replicate(Copies::new(3).unwrap()),
        ),
    );
    let stored = bench.hear(
        3,
        Message::Block {
            id: RequestId(9),
            block: bytes_of(&block),
        },
    );
    bench.kept(&stored, StoreResult::Kept);
    let (peer, id) = question(&stored);
    let actions = bench.hear(
        peer,
        Message::Refused {
            id,
            reason: Refusal::Overloaded,
        },
    );
    let (peer, id) = question(&actions);
    bench.hear(peer, Message::Accepted { id });
    let actions = bench.hear(peer, Message::StoreFailed { id });
    let answer = Message::Stored {
        id: RequestId(9),
        copies: 1.try_into().unwrap(),
    };
    assert_eq!(sent(&actions), [(3, &answer)]);
}

#[test]
fn a_store_that_fails_is_made_up_for_by_the_next_peer() {
    let block = content();
    let mut bench = Bench::new(&around(&block.key(), 2));
    bench.hear(
        2,
        offer(
            9,
            block.key(),
            InsertStage::Replicate(Copies::new(1).unwrap()),
        ),
    );
    let stored = bench.hear(
        2,
        Message::Block {
            id: RequestId(9),
            block: bytes_of(&block),
        },
    );
    let actions = bench.kept(&stored, StoreResult::Failed);
    let (peer, id) = question(&actions);
    assert_eq!(peer, 1);
    let actions = bench.hear(
        peer,
        Message::Refused {
            id,
            reason: Refusal::Loop,
        },
    );
    assert_eq!(
        sent(&actions),
        [(2, &Message::StoreFailed { id: RequestId(9) })]
    );
}

#[test]
fn a_signed_block_is_neither_sent_nor_stored_before_the_store_was_asked() {
    let block = signed(b"new");
    let mut bench = Bench::new(&around(&block.key(), 3));
    bench.hear(
        3,
        offer(
            9,
            block.key(),
            InsertStage::Replicate(Copies::new(2).unwrap()),
        ),
    );
    let offered = bench.hear(
        3,
        Message::Block {
            id: RequestId(9),
            block: bytes_of(&block),
        },
    );
    assert!(places(&offered).is_empty());
    let (peer, id) = question(&offered);
    assert!(sent(&bench.hear(peer, Message::Accepted { id })).is_empty());
    let actions = bench.miss(&offered);
    assert_eq!(places(&actions), [Place::Store]);
    assert_eq!(
        sent(&actions),
        [(
            peer,
            &Message::Block {
                id,
                block: bytes_of(&block)
            }
        )]
    );
}

#[test]
fn a_signed_block_that_is_there_already_comes_back() {
    let (old, new) = (signed(b"old"), signed(b"new"));
    let mut bench = Bench::new(&around(&new.key(), 3));
    bench.hear(
        3,
        offer(
            9,
            new.key(),
            InsertStage::Replicate(Copies::new(2).unwrap()),
        ),
    );
    let actions = bench.hear(
        3,
        Message::Block {
            id: RequestId(9),
            block: bytes_of(&new),
        },
    );
    let (peer, id) = question(&actions);
    let Some(Action::Lookup { ticket, .. }) = actions
        .iter()
        .find(|action| matches!(action, Action::Lookup { .. }))
    else {
        panic!("{actions:?}")
    };
    let actions = bench.tell(Event::LookupDone {
        ticket: *ticket,
        result: LookupResult::Found(old.clone()),
    });
    let collision = Message::Collision {
        id: RequestId(9),
        block: bytes_of(&old),
    };
    assert_eq!(
        sent(&actions),
        [(peer, &Message::Cancel { id }), (3, &collision)]
    );
    assert!(bench.router.is_idle());
}

#[test]
fn who_stored_the_second_version_replaces_it_by_the_first() {
    let (old, new) = (signed(b"old"), signed(b"new"));
    let mut bench = Bench::new(&around(&new.key(), 3));
    bench.hear(
        3,
        offer(
            9,
            new.key(),
            InsertStage::Replicate(Copies::new(2).unwrap()),
        ),
    );
    let offered = bench.hear(
        3,
        Message::Block {
            id: RequestId(9),
            block: bytes_of(&new),
        },
    );
    let (peer, id) = question(&offered);
    bench.miss(&offered);
    bench.hear(peer, Message::Accepted { id });
    let actions = bench.hear(
        peer,
        Message::Collision {
            id,
            block: bytes_of(&old),
        },
    );
    let replaced = actions.iter().any(|action| {
        matches!(action, Action::Store { block, existing: Existing::Replace, .. } if block.bytes() == old.bytes())
    });
    assert!(replaced, "{actions:?}");
    let collision = Message::Collision {
        id: RequestId(9),
        block: bytes_of(&old),
    };
    assert_eq!(sent(&actions), [(3, &collision)]);
}

#[test]
fn a_block_that_passes_ends_fetches_for_it() {
    let block = content();
    let mut bench = Bench::new(&around(&block.key(), 3));
    let (peer, id) = question(&bench.user_fetches(1, block.key()));
    bench.hear(
        3,
        offer(
            9,
            block.key(),
            InsertStage::Replicate(Copies::new(1).unwrap()),
        ),
    );
    let actions = bench.hear(
        3,
        Message::Block {
            id: RequestId(9),
            block: bytes_of(&block),
        },
    );
    assert!(
        actions
            .iter()
            .any(|action| matches!(action, Action::FetchDone { result: Ok(_), .. })),
        "{actions:?}"
    );
    assert!(sent(&actions).contains(&(peer, &Message::Cancel { id })));
}

#[test]
fn an_insert_goes_on_when_the_peer_it_came_from_is_gone_or_cancels() {
    let block = content();
    let begin = || {
        let mut bench = Bench::new(&around(&block.key(), 3));
        bench.hear(3, offer(9, block.key(), seek(18)));
        let actions = bench.hear(
            3,
            Message::Block {
                id: RequestId(9),
                block: bytes_of(&block),
            },
        );
        let question = question(&actions);
        (bench, question)
    };
    let (mut bench, (peer, id)) = begin();
    bench.tell(Event::PeerDown { peer: PeerId(3) });
    let actions = bench.hear(peer, Message::Accepted { id });
    assert_eq!(sent(&actions).len(), 1, "the block is sent on: {actions:?}");

    let (mut bench, (peer, id)) = begin();
    let actions = bench.hear(3, Message::Cancel { id: RequestId(9) });
    assert!(actions.is_empty(), "{actions:?}");
    let actions = bench.hear(peer, Message::Accepted { id });
    assert_eq!(sent(&actions).len(), 1, "the block is sent on: {actions:?}");
    assert_eq!(bench.router.load().peer_requests, 1, "it still counts");
}

#[test]
fn an_offer_without_a_block_is_forgotten() {
    let mut bench = Bench::new(&[0.5]);
    bench.hear(1, offer(9, key_at(0.5), seek(18)));
    assert!(!bench.router.is_idle());
    let actions = bench.wait(Duration::from_secs(10));
    assert_eq!(
        sent(&actions),
        [(1, &Message::StoreFailed { id: RequestId(9) })]
    );
    assert!(bench.router.is_idle());

    bench.hear(1, offer(9, key_at(0.5), seek(18)));
    bench.hear(1, Message::Cancel { id: RequestId(9) });
    assert!(bench.router.is_idle());
}
