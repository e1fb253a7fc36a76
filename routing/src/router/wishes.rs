//! What the node's own user wants: from the first word to the search, the insert or the circuit that it goes to.

use super::Router;
use crate::block::Block;
use crate::event::{Action, Class, FetchFailure, InsertFailure, LocalId};
use crate::fetch::UserFetch;
use crate::onion::anonymity::Anonymity;
use crate::onion::dealing::Wanted;
use crate::own::{Unbegun, Wish};
use crate::requests::{Asker, Operation, Target};

impl<B: Block> Router<B> {
    /// The user wants something: it begins when it is its turn.
    pub(super) fn user_wants(&mut self, id: LocalId, class: Class, wish: Wish<B>) {
        if self.own.len() >= self.shared.config.local_requests_max {
            let told = wish.refused(id, Unbegun::TooMany);
            self.shared.actions.push_back(told);
            return;
        }
        self.own.add(self.shared.now, id, class, wish);
        self.begin_own();
    }

    /// Begins those of the user's requests whose turn it is.
    pub(super) fn begin_own(&mut self) {
        while let Some((id, class, wish)) = self.own.next(self.shared.now) {
            let Some(wish) = self.begin_in_circuit(id, class, wish) else {
                continue;
            };
            match wish {
                Wish::Fetch { key, effort, .. } => {
                    let wish = UserFetch { id, class, effort };
                    self.fetches.user_asks(&mut self.shared, key, wish);
                }
                Wish::Insert { block, .. } => {
                    self.inserts
                        .user_publishes(&mut self.shared, id, block, class);
                }
            }
        }
    }

    /// The user wants something no more.
    pub(super) fn cancel(&mut self, id: LocalId) {
        if let Some(wish) = self.own.withdraw(id) {
            let told = wish.refused(id, Unbegun::Cancelled);
            self.shared.actions.push_back(told);
            return;
        }
        if let Some(onion) = &mut self.onion
            && onion.user_cancels(&mut self.shared, id)
        {
            return;
        }
        let Some(target) = self.shared.requests.local(id) else {
            return;
        };
        let Target { operation, key } = target;
        match operation {
            Operation::Fetch => {
                self.fetches
                    .asker_left(&mut self.shared, key, Asker::User(id));
            }
            Operation::Insert => self.inserts.user_cancels(&mut self.shared, id, key),
            // Nobody asks for that
            Operation::Repair => return,
        }
        self.shared
            .actions
            .push_back(if operation == Operation::Fetch {
                Action::FetchDone {
                    id,
                    result: Err(FetchFailure::Cancelled),
                }
            } else {
                Action::InsertDone {
                    id,
                    result: Err(InsertFailure::Cancelled),
                }
            });
    }

    /// Begins what is to go through a circuit there, and gives back what is not. There is no way from here to the other: what
    /// finds no circuit fails.
    fn begin_in_circuit(&mut self, id: LocalId, class: Class, wish: Wish<B>) -> Option<Wish<B>> {
        let anonymity = match &wish {
            Wish::Fetch { anonymity, .. } | Wish::Insert { anonymity, .. } => *anonymity,
        };
        let via = match anonymity {
            Anonymity::Off => return Some(wish),
            Anonymity::Circuit(via) => via,
        };
        let Some(onion) = &mut self.onion else {
            let told = wish.refused(id, Unbegun::NoCircuit);
            self.shared.actions.push_back(told);
            return None;
        };
        let wanted = match wish {
            Wish::Fetch { key, effort, .. } => Wanted::Fetch { key, effort },
            Wish::Insert { block, .. } => Wanted::Insert { block },
        };
        onion.user_wants(&mut self.shared, id, class, via, wanted);
        None
    }
}
