//! Finding blocks: the fetches that run at this node, one for each key.
//!
//! A fetch looks into the node's own store, then asks peers one at a time, closest to the key first. Everybody who asks
//! for the key joins it if that cannot make two nodes wait for each other; `docs/ROUTING.md` has the rule and its proof.

use std::collections::BTreeMap;

use crypto::BlockKey;
use smallvec::{SmallVec, smallvec};

use crate::block::Block;
use crate::event::{
    Action, Class, Effort, FetchFailure, LocalId, LookupResult, PeerId, StoreTicket,
};
use crate::hops_to_live::HopsToLive;
use crate::lookahead::Claim;
use crate::message::{BlockBytes, Message, Refusal, RequestId};
use crate::requests::{Asker, Operation, Target};
use crate::shared::Shared;
use search::{Search, Waiting};

mod search;

/// The running fetches by key.
#[derive(Debug, Default)]
pub(crate) struct Fetches {
    /// Boxed: the tree makes room for eleven at a time.
    running: BTreeMap<BlockKey, Box<Search>>,
}

/// A peer's request for a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FetchRequest {
    pub(crate) id: RequestId,
    pub(crate) key: BlockKey,
    pub(crate) rank: Rank,
    pub(crate) class: Class,
}

impl FetchRequest {
    pub(crate) const fn new(id: RequestId, key: BlockKey, rank: Rank, class: Class) -> Self {
        Self {
            id,
            key,
            rank,
            class,
        }
    }
}

/// The user's request for a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UserFetch {
    pub(crate) id: LocalId,
    pub(crate) class: Class,
    pub(crate) effort: Effort,
}

/// The order in which searches for one key may wait for each other: only ever for one of a lower rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// The budget.
    pub(crate) hops_to_live: HopsToLive,
    /// Random; kept where the budget is kept from one hop to the next, so that ranks never rise along a route.
    pub(crate) tie_break: u16,
}

/// Somebody who waits for a fetch.
#[derive(Clone, Copy, Debug)]
struct Requester {
    asker: Asker,
    class: Class,
    /// Of its request at this node.
    rank: Rank,
    /// What it may search beyond that, but not here: it gets it back.
    withheld: u8,
    /// What is still to be done if it fails.
    effort: Effort,
}

type Requesters = SmallVec<[Requester; 1]>;

impl Fetches {
    /// Starts or joins a fetch for the node's own user.
    pub(crate) fn user_asks<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        key: BlockKey,
        UserFetch { id, class, effort }: UserFetch,
    ) {
        if !shared.admits_local() {
            shared.actions.push_back(Action::FetchDone {
                id,
                result: Err(FetchFailure::Overloaded),
            });
            return;
        }
        shared.begin(Asker::User(id), target(key), class);
        let requester = Requester {
            asker: Asker::User(id),
            class,
            rank: shared.own_rank(),
            withheld: 0,
            effort,
        };
        // Nobody else waits for what the user waits for, so that joining is always safe
        match self.running.get_mut(&key) {
            Some(search) => search.requesters.push(requester),
            None => self.start(shared, key, requester),
        }
    }

    /// Starts, joins or refuses a fetch for a peer.
    pub(crate) fn peer_asks<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        request: FetchRequest,
    ) {
        let FetchRequest {
            id,
            key,
            class,
            rank: sent,
        } = request;
        let (rank, withheld) = shared.rank_from(from, sent);
        let requester = Requester {
            asker: Asker::Peer(from, id),
            class,
            rank,
            withheld,
            effort: Effort::Once,
        };
        let refusal = match self.running.get_mut(&key) {
            Some(search) if !search.may_be_joined(sent) => {
                search.note_searching(from, sent);
                Some(Refusal::Loop)
            }
            Some(_) => None,
            None => shared.recently_failed.refusal(
                &key,
                rank.hops_to_live,
                shared.peers.len(),
                shared.now,
            ),
        };
        let refusal =
            refusal.or_else(|| (!shared.admits(from, class)).then_some(Refusal::Overloaded));
        if let Some(reason) = refusal {
            shared.refuse(from, id, reason, class);
            return;
        }
        shared.charge_hops(from, sent.hops_to_live, rank.hops_to_live);
        shared.begin(requester.asker, target(key), class);
        match self.running.get_mut(&key) {
            Some(search) => search.join(shared, requester),
            None => self.start(shared, key, requester),
        }
    }

    /// Ends a request whose asker does not wait any longer, and the fetch with its last one.
    pub(crate) fn asker_left<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        key: BlockKey,
        asker: Asker,
    ) {
        shared.end(asker);
        let Some(search) = self.running.get_mut(&key) else {
            return;
        };
        search
            .requesters
            .retain(|requester| requester.asker != asker);
        if search.requesters.is_empty() {
            self.remove(shared, &key);
        }
    }

    /// The store answered.
    pub(crate) fn looked_up<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        key: BlockKey,
        ticket: StoreTicket,
        result: &LookupResult<B>,
    ) {
        let Some(search) = self.running.get_mut(&key) else {
            return;
        };
        if !search.waits_for_store(ticket) {
            return;
        }
        match result {
            LookupResult::Found(block) if block.key() == key => {
                search.accept_all(shared);
                shared.appeared(key, None);
                self.succeed(shared, block);
                return;
            }
            LookupResult::Unavailable => {
                search.refuse_peers(shared);
                if search.requesters.is_empty() {
                    self.remove(shared, &key);
                    return;
                }
            }
            LookupResult::Found(_) | LookupResult::Missing => {}
        }
        search.begin_asking(shared);
        self.go_on(shared, key);
    }

    /// The peer that was asked works on it.
    pub(crate) fn accepted<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        if let Some(search) = self.running.get_mut(&key) {
            search.accepted(shared, key);
        }
    }

    /// The peer that was asked does not work on it.
    pub(crate) fn refused<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        key: BlockKey,
        reason: Refusal,
    ) {
        if let Some(search) = self.running.get_mut(&key) {
            search.refused(shared, key, reason);
            self.go_on(shared, key);
        }
    }

    /// The peer that was asked, and those behind it, do not have it.
    pub(crate) fn not_found<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        key: BlockKey,
        left: HopsToLive,
    ) {
        if let Some(search) = self.running.get_mut(&key) {
            search.not_found(shared, key, left);
            self.go_on(shared, key);
        }
    }

    /// The peer that was asked could not ask those behind it.
    pub(crate) fn congested<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        if let Some(search) = self.running.get_mut(&key) {
            search.congested(shared);
            self.go_on(shared, key);
        }
    }

    /// The peer that was asked sends what should be the block.
    pub(crate) fn found<B: Block>(
        &mut self,
        shared: &mut Shared<B>,
        from: PeerId,
        key: BlockKey,
        bytes: BlockBytes,
    ) {
        // A wrong block leaves the question open; it is closed when the peer is forgotten
        let Some(block) = shared.verify(from, key, bytes) else {
            return;
        };
        let Some(search) = self.running.get_mut(&key) else {
            return;
        };
        search.note_claim(shared, Claim::Paid);
        shared.appeared(key, Some(from));
        search.answered(shared);
        if shared.caches_fetched(search.rank.hops_to_live) {
            shared.cache(block.clone());
        }
        self.succeed(shared, &block);
    }

    /// The peer that was asked is gone.
    pub(crate) fn peer_lost<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        if let Some(search) = self.running.get_mut(&key) {
            search.answered(shared);
            self.go_on(shared, key);
        }
    }

    /// The fetch's deadline passed.
    pub(crate) fn timed_out<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        let Some(search) = self.running.get_mut(&key) else {
            return;
        };
        match search.waiting {
            // A store that takes so long is treated as one that does not have the block
            Waiting::Store(_) => search.begin_asking(shared),
            Waiting::Pause => search.resume(shared),
            Waiting::Peer { .. } | Waiting::Nothing => search.give_peer_up(shared),
        }
        self.go_on(shared, key);
    }

    /// A verified block is at hand: gives it to all who wait for it.
    pub(crate) fn succeed<B: Block>(&mut self, shared: &mut Shared<B>, block: &B) {
        let key = block.key();
        shared.recently_failed.clear(&key);
        let Some(search) = self.remove(shared, &key) else {
            return;
        };
        for Requester {
            asker, class, rank, ..
        } in search.requesters
        {
            shared.end(asker);
            match asker {
                Asker::Peer(peer, id) => {
                    shared.send_fold(peer, id, rank.hops_to_live, class);
                    let block = BlockBytes(block.bytes().clone());
                    shared.send(peer, Message::Found { id, block }, class);
                }
                Asker::User(id) => shared.actions.push_back(Action::FetchDone {
                    id,
                    result: Ok(block.clone()),
                }),
            }
        }
    }

    /// Whether a node on the way of this fetch may link with the one that has the block: not near where it began, and
    /// never for the node's own user, as the other would learn who asks.
    pub(crate) fn folds<B: Block>(&self, shared: &Shared<B>, key: BlockKey) -> bool {
        let of_peer = |requester: &Requester| matches!(requester.asker, Asker::Peer(..));
        let far = |requester: &Requester| shared.caches_fetched(requester.rank.hops_to_live);
        self.running.get(&key).is_some_and(|search| {
            search.requesters.iter().all(of_peer) && search.requesters.iter().any(far)
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.running.len()
    }

    fn start<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey, requester: Requester) {
        let search = Search::start(shared, key, smallvec![requester]);
        self.running.insert(key, Box::new(search));
    }

    /// Asks the next peer, or ends the fetch if there is none to ask.
    fn go_on<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        let asked = self
            .running
            .get_mut(&key)
            .is_none_or(|search| search.ask_next(shared, key));
        if !asked {
            self.fail(shared, key);
        }
    }

    /// Tells those who wait that the block was not found. Those who may search further than this search did get
    /// another one, and the user gets another one later if all peers were busy with this very key.
    fn fail<B: Block>(&mut self, shared: &mut Shared<B>, key: BlockKey) {
        let Some(mut search) = self.remove(shared, &key) else {
            return;
        };
        // Who finds no room comes again soon, and went no further than those who hear of it now: there is no loop
        if !search.gave_way() {
            shared
                .recently_failed
                .searched(key, search.rank.hops_to_live, shared.now);
        }
        let second_try = search.promote_users(shared);
        let stronger = search.take_stronger(shared.now);
        search.answer_peers(shared, key);
        if stronger.is_empty() && search.pause(shared, key) {
            self.running.insert(key, search);
            return;
        }
        search.answer_users(shared);
        if !stronger.is_empty() {
            // This node's store was looked into already
            let again = if second_try {
                Search::after(shared, stronger, &search)
            } else {
                Search::new(shared, stronger)
            };
            self.running.insert(key, Box::new(again));
            // Should this fail at once, those with the least budget are answered each time: it ends
            self.go_on(shared, key);
        }
    }

    /// Takes a fetch out, with everything that would still come in for it.
    fn remove<B: Block>(&mut self, shared: &mut Shared<B>, key: &BlockKey) -> Option<Box<Search>> {
        let mut search = self.running.remove(key)?;
        search.stop(shared, *key);
        Some(search)
    }
}

const fn target(key: BlockKey) -> Target {
    Target {
        operation: Operation::Fetch,
        key,
    }
}
