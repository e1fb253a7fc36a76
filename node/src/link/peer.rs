//! Keeps the link to one peer: dials, takes what comes in, and settles which connection serves when there are two.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use crypto::NodeId;
use rand::RngExt;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::sleep,
};

use super::{
    congestion::close_promptly,
    dial::{DialError, Pauses, Replaces, dial},
    endpoint::Context,
    event::{Link, LinkEvent, LinkShared},
    greeting::{Greeted, Greeting, LinkName},
    outbox::Outbox,
    routes::real,
    session::{CloseCode, Ends, Session},
};

/// Connections from the peer that wait to be looked at; more are turned away.
pub(crate) const CANDIDATES_MAX: usize = 4;

/// Replaced connections of one link that may still deliver their last messages. An honest peer needs one or two.
const RETIRING_MAX: usize = 4;

/// Before the first dial. The peer with the smaller id starts at once, the other one a little later, so that
/// most pairs need no second connection.
const FIRST_PAUSE_MAX: Duration = Duration::from_millis(40);
const SECOND_PAUSE: Duration = Duration::from_millis(120);

/// What the owner of the endpoint wants of a peer.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// Where to dial it; nowhere means that it must dial us.
    pub(crate) addresses: Vec<SocketAddr>,
    /// How often our own address has changed.
    pub(crate) moves: u64,
    /// The link is to end for good.
    pub(crate) ended: bool,
}

/// The keeper of one link. Everything that is said of a peer, `Up`, `Down` and which connection counts, is decided here,
/// in one task.
pub(crate) struct Peer {
    context: Arc<Context>,
    id: NodeId,
    orders: watch::Receiver<Orders>,
    candidates: mpsc::Receiver<Greeted>,
    dialling: Option<Dialling>,
    /// The moves of our own address that were taken care of.
    moves: u64,
}

type Dialling = Pin<Box<dyn Future<Output = Result<Greeted, DialError>> + Send>>;

enum Outcome {
    /// The connection broke.
    Lost,
    /// The peer has started anew, on this connection.
    Restarted(Greeted),
    /// Ended by order.
    Ended,
}

/// What to make of a second connection.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It takes over, and the link goes on.
    Swap,
    /// It takes over, and the link starts anew: what was said on the first is lost.
    Restart,
    /// It goes.
    Keep,
}

impl Peer {
    pub(crate) fn new(
        context: Arc<Context>,
        id: NodeId,
        orders: watch::Receiver<Orders>,
        candidates: mpsc::Receiver<Greeted>,
    ) -> Self {
        Self {
            context,
            id,
            orders,
            candidates,
            dialling: None,
            moves: 0,
        }
    }

    /// Runs until the orders say so.
    pub(crate) async fn run(mut self) {
        let mut previous = LinkName::NONE;
        let mut next = None;
        loop {
            let greeted = match next.take() {
                Some(greeted) => greeted,
                None => match self.connect(previous).await {
                    Some(greeted) => greeted,
                    None => break,
                },
            };
            previous = greeted.terms.name;
            match self.serve(greeted).await {
                Outcome::Lost => {}
                Outcome::Restarted(greeted) => next = Some(greeted),
                Outcome::Ended => break,
            }
        }
        self.context.routes.forget(&self.id, &[]);
    }

    /// The next connection; `None` when the orders end the link.
    async fn connect(&mut self, previous: LinkName) -> Option<Greeted> {
        let mut pauses = Pauses::new(&self.context.config);
        let mut pause = self.first_pause();
        loop {
            let addresses = {
                let orders = self.orders.borrow_and_update();
                if orders.ended {
                    return None;
                }
                self.moves = orders.moves;
                orders.addresses.clone()
            };
            self.context.routes.forget(&self.id, &addresses);
            tokio::select! {
                Some(candidate) = self.candidates.recv() => return Some(candidate),
                result = settled(&mut self.dialling) => match result {
                    Ok(greeted) => return Some(greeted),
                    Err(reason) => {
                        tracing::debug!(peer = %self.id, %reason, "dial failed");
                        pause = pauses.next();
                    }
                },
                () = sleep(pause), if self.dialling.is_none() && !addresses.is_empty() => {
                    self.dial(addresses, Replaces { name: previous, seamless: false });
                }
                changed = self.orders.changed() => {
                    // New addresses are worth a dial at once; without a sender the endpoint is gone.
                    changed.ok()?;
                    pauses = Pauses::new(&self.context.config);
                    pause = self.first_pause();
                    self.dialling = None;
                }
            }
        }
    }

    /// Serves the link from `Up` to `Down`.
    async fn serve(&mut self, greeted: Greeted) -> Outcome {
        let config = &self.context.config;
        let outbox = Outbox::new(config.outbox_bytes_max, config.message_bytes_max);
        let link = Arc::new(LinkShared::new(outbox, greeted.connection.clone()));
        let ends = Ends {
            peer: self.id,
            link: Arc::clone(&link),
            events: self.context.events.clone(),
            message_bytes_max: config.message_bytes_max,
        };
        self.context
            .emit(LinkEvent::Up {
                peer: self.id,
                link: Link::new(self.id, Arc::clone(&link)),
            })
            .await;
        let mut current = Session::start(greeted, ends.clone());
        let mut retired = JoinSet::new();
        let mut retiring = Vec::new();
        let outcome = loop {
            let candidate = match self.next_step(&mut current, &mut retired).await {
                Step::Outcome(outcome) => break outcome,
                Step::Candidate(candidate) => candidate,
            };
            retiring.retain(|connection: &quinn::Connection| connection.close_reason().is_none());
            match self.judge(&current, &candidate) {
                _ if retiring.len() >= RETIRING_MAX => break Outcome::Restarted(candidate),
                Verdict::Restart => break Outcome::Restarted(candidate),
                Verdict::Swap => {
                    link.change_connection(candidate.connection.clone());
                    retiring.push(current.connection().clone());
                    current.retire();
                    let successor = Session::start(candidate, ends.clone());
                    retired.spawn(std::mem::replace(&mut current, successor).parting());
                }
                Verdict::Keep => {
                    let needless = Session::start(candidate, ends.clone());
                    retiring.push(needless.connection().clone());
                    needless.retire();
                    retired.spawn(needless.parting());
                }
            }
        };
        link.outbox.close();
        current.stop(CloseCode::Done).await;
        for connection in retiring {
            close_promptly(&connection, CloseCode::Done.into());
        }
        while retired.join_next().await.is_some() {}
        self.context.emit(LinkEvent::Down { peer: self.id }).await;
        outcome
    }

    /// Waits for something that concerns the link being served.
    async fn next_step(&mut self, current: &mut Session, retired: &mut JoinSet<()>) -> Step {
        loop {
            if self.follow_orders(current) {
                return Step::Outcome(Outcome::Ended);
            }
            tokio::select! {
                () = current.ended() => return Step::Outcome(Outcome::Lost),
                Some(candidate) = self.candidates.recv() => return Step::Candidate(candidate),
                result = settled(&mut self.dialling) => match result {
                    Ok(greeted) => return Step::Candidate(greeted),
                    Err(reason) => tracing::debug!(peer = %self.id, %reason, "further dial failed"),
                },
                Some(_) = retired.join_next() => {}
                changed = self.orders.changed() => if changed.is_err() {
                    return Step::Outcome(Outcome::Ended);
                },
            }
        }
    }

    /// Whether the link is to end; dials if our address has changed.
    fn follow_orders(&mut self, current: &Session) -> bool {
        let orders = self.orders.borrow_and_update();
        if orders.ended {
            return true;
        }
        let moved = std::mem::replace(&mut self.moves, orders.moves) != orders.moves;
        let mut addresses = orders.addresses.clone();
        drop(orders);
        // Connections that we dialled move by QUIC's migration; those we accepted cannot.
        if moved && !current.dialled {
            let present = real(current.connection().remote_address());
            addresses.retain(|address| *address != present);
            addresses.insert(0, present);
            self.dial(
                addresses,
                Replaces {
                    name: current.terms.name,
                    seamless: true,
                },
            );
        }
        false
    }

    fn dial(&mut self, addresses: Vec<SocketAddr>, replaces: Replaces) {
        self.dialling = Some(Box::pin(dial(
            Arc::clone(&self.context),
            self.id,
            addresses,
            replaces,
        )));
    }

    fn judge(&self, current: &Session, candidate: &Greeted) -> Verdict {
        judge(
            (current.dialled, &current.terms),
            (candidate.dialled, &candidate.terms),
            self.dials_first(),
        )
    }

    fn dials_first(&self) -> bool {
        self.context.me < self.id
    }

    fn first_pause(&self) -> Duration {
        let jitter = FIRST_PAUSE_MAX.mul_f64(rand::rng().random());
        if self.dials_first() {
            jitter
        } else {
            SECOND_PAUSE + jitter
        }
    }
}

enum Step {
    Outcome(Outcome),
    Candidate(Greeted),
}

/// Both ends see the same two connections, each with whether *they* dialled it, and come to the same conclusion.
fn judge(current: (bool, &Greeting), candidate: (bool, &Greeting), dials_first: bool) -> Verdict {
    let (current_dialled, current) = current;
    let (candidate_dialled, candidate) = candidate;
    if candidate.instance != current.instance {
        return Verdict::Restart;
    }
    if candidate.replaces == current.name {
        return if candidate.seamless {
            Verdict::Swap
        } else {
            Verdict::Restart
        };
    }
    if current.replaces == candidate.name {
        return Verdict::Keep;
    }
    if candidate_dialled == current_dialled {
        // The dialler gave the first one up before it heard our greeting.
        return Verdict::Restart;
    }
    // Both dialled at once: the connection dialled by the smaller id stays.
    if candidate_dialled == dials_first {
        Verdict::Swap
    } else {
        Verdict::Keep
    }
}

/// The result of the dial under way; waits for ever when there is none.
async fn settled(dialling: &mut Option<Dialling>) -> Result<Greeted, DialError> {
    let Some(under_way) = dialling else {
        return std::future::pending().await;
    };
    let result = under_way.await;
    *dialling = None;
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::greeting::Instance;

    fn greeting(instance: Instance, replaces: LinkName, seamless: bool) -> Greeting {
        Greeting {
            instance,
            name: LinkName::random(),
            replaces,
            seamless,
        }
    }

    #[test]
    fn of_two_simultaneous_connections_both_ends_keep_the_same() {
        // Each end knows the other's instance; names and replacements are common knowledge.
        let a = greeting(Instance::random(), LinkName::NONE, false);
        let b = greeting(Instance::random(), LinkName::NONE, false);
        let seen_by = |terms: &Greeting, peer: &Greeting| Greeting {
            instance: peer.instance,
            ..*terms
        };
        for a_is_smaller in [true, false] {
            // At a: its own dial is current, that of b comes second. At b: the same, mirrored.
            let at_a = judge(
                (true, &seen_by(&a, &b)),
                (false, &seen_by(&b, &b)),
                a_is_smaller,
            );
            let at_b = judge(
                (true, &seen_by(&b, &a)),
                (false, &seen_by(&a, &a)),
                !a_is_smaller,
            );
            let stays_a = (at_a == Verdict::Keep, at_b == Verdict::Swap);
            assert_eq!(stays_a, (a_is_smaller, a_is_smaller));
        }
    }

    #[test]
    fn a_restarted_peer_and_one_that_lost_the_link_start_it_anew() {
        let instance = Instance::random();
        let current = greeting(instance, LinkName::NONE, false);
        let restarted = greeting(Instance::random(), LinkName::NONE, false);
        assert_eq!(
            judge((true, &current), (false, &restarted), true),
            Verdict::Restart
        );
        let after_loss = greeting(instance, current.name, false);
        assert_eq!(
            judge((true, &current), (false, &after_loss), true),
            Verdict::Restart
        );
    }

    #[test]
    fn a_move_swaps_and_the_moved_connection_is_not_swapped_back() {
        let instance = Instance::random();
        let current = greeting(instance, LinkName::NONE, false);
        let moved = greeting(instance, current.name, true);
        assert_eq!(
            judge((true, &current), (false, &moved), true),
            Verdict::Swap
        );
        assert_eq!(
            judge((false, &moved), (true, &current), true),
            Verdict::Keep
        );
    }
}
