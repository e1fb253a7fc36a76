//! Answers to requests that came through circuits, on their way from the searches to the circuits.

use std::collections::{BTreeSet, VecDeque};

use crate::event::PeerId;
use crate::message::{Message, RequestId};

/// Requests that this node makes as the end of circuits, in the name of the peers before it. No peer ever hears of them.
///
/// Nothing at all, as long as there was none: most routers of a large simulation are never an end.
#[derive(Debug, Default)]
pub(crate) struct Diverted(Option<Box<Open>>);

#[derive(Debug, Default)]
struct Open {
    ids: BTreeSet<(PeerId, RequestId)>,
    answers: VecDeque<(PeerId, Message)>,
}

impl Diverted {
    /// From now on what answers this request does not go to the peer.
    pub(crate) fn add(&mut self, peer: PeerId, id: RequestId) {
        self.0.get_or_insert_default().ids.insert((peer, id));
    }

    pub(crate) fn remove(&mut self, peer: PeerId, id: RequestId) {
        if let Some(open) = &mut self.0 {
            open.ids.remove(&(peer, id));
        }
    }

    /// Whether a request came through a circuit.
    pub(crate) fn has(&self, peer: PeerId, id: RequestId) -> bool {
        let open = self.0.as_ref();
        open.is_some_and(|open| open.ids.contains(&(peer, id)))
    }

    /// Keeps a message that answers one of these requests; others are given back.
    pub(crate) fn keep(&mut self, to: PeerId, message: Message) -> Option<Message> {
        let Some(open) = &mut self.0 else {
            return Some(message);
        };
        let known = |id| open.ids.contains(&(to, id));
        if !is_answer(&message) || !message.id().is_some_and(known) {
            return Some(message);
        }
        open.answers.push_back((to, message));
        None
    }

    /// The next answer, and whether the same request is answered again right after it.
    pub(crate) fn pop(&mut self) -> Option<(PeerId, RequestId, Message, bool)> {
        let open = self.0.as_mut()?;
        let (peer, message) = open.answers.pop_front()?;
        let id = message.id()?;
        let same = |(to, later): &(PeerId, Message)| *to == peer && later.id() == Some(id);
        let more = open.answers.iter().any(same);
        Some((peer, id, message, more))
    }

    /// A peer is gone, with its requests.
    pub(crate) fn lose(&mut self, peer: PeerId) {
        if let Some(open) = &mut self.0 {
            open.ids.retain(|(to, _)| *to != peer);
            open.answers.retain(|(to, _)| *to != peer);
        }
    }
}

/// Whether a message answers a request, so that its id is the receiver's. All others with an id have the sender's.
const fn is_answer(message: &Message) -> bool {
    match message {
        Message::Accepted { .. }
        | Message::Refused { .. }
        | Message::Found { .. }
        | Message::NotFound { .. }
        | Message::Congested { .. }
        | Message::Stored { .. }
        | Message::StoreFailed { .. }
        | Message::Collision { .. } => true,
        Message::Fetch { .. }
        | Message::Offer { .. }
        | Message::Block { .. }
        | Message::Cancel { .. }
        | Message::Credit { .. }
        | Message::Opennet(_)
        | Message::Finding(_)
        | Message::Swap(_)
        | Message::Onion(_) => false,
    }
}
