//! Keeps the link to one peer: dials, takes what comes in, and settles which connection serves when there are two.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use crypto::NodeId;
use rand::RngExt;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    acquaintance::Acquaintance,
    congestion::close_promptly,
    dial::{DialError, Intent, Pauses, dial},
    endpoint::Context,
    event::{Bond, Link, LinkEvent, LinkShared},
    greeting::{Greeted, LinkName},
    outbox::Outbox,
    routes::real,
    session::{CloseCode, Ends, Session},
    transport::widen,
    verdict::{Verdict, judge},
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
    /// A stranger's link is to end when all has been sent.
    pub(crate) hang_up: bool,
    /// How often a stranger was told that it may stay: once for each link with it.
    pub(crate) adoptions: u64,
}

/// What we are to the peer.
#[derive(Clone)]
pub(crate) enum Standing {
    /// We keep to it: the link is made again when it breaks.
    Kept,
    /// We have met, or are about to.
    Stranger(Arc<Acquaintance>),
}

/// What a link consists of.
struct Serving {
    link: Arc<LinkShared>,
    current: Session,
    retiring: Vec<quinn::Connection>,
    retired: JoinSet<()>,
}

/// The keeper of one link. Everything that is said of a peer, `Up`, `Down` and which connection counts, is decided here,
/// in one task.
pub(crate) struct Peer {
    context: Arc<Context>,
    id: NodeId,
    standing: Standing,
    orders: watch::Receiver<Orders>,
    candidates: mpsc::Receiver<Greeted>,
    dialling: Option<Dialling>,
    /// The moves of our own address that were taken care of.
    moves: u64,
    /// The adoptions before the present link: a stranger that restarts is a guest again.
    adoptions: u64,
}

type Dialling = Pin<Box<dyn Future<Output = Result<Greeted, DialError>> + Send>>;

enum Outcome {
    /// The connection broke.
    Lost,
    /// The peer has started anew, on this connection.
    Restarted(Greeted),
    /// Ended by order.
    Ended,
    /// Ended by order, or because the guest's time is over, after what was sent.
    HungUp,
}

impl Peer {
    pub(crate) fn new(
        context: Arc<Context>,
        id: NodeId,
        standing: Standing,
        orders: watch::Receiver<Orders>,
        candidates: mpsc::Receiver<Greeted>,
    ) -> Self {
        Self {
            context,
            id,
            standing,
            orders,
            candidates,
            dialling: None,
            moves: 0,
            adoptions: 0,
        }
    }

    /// Runs until the orders say so, or the link of a stranger is over.
    pub(crate) async fn run(mut self) {
        match self.standing.clone() {
            Standing::Kept => self.keep_up().await,
            Standing::Stranger(acquaintance) => self.meet(&acquaintance).await,
        }
        self.context.routes.forget(&self.id, &[]);
    }

    async fn keep_up(&mut self) {
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
                Outcome::Ended | Outcome::HungUp => break,
            }
        }
    }

    /// Has one link with a stranger.
    async fn meet(&mut self, acquaintance: &Acquaintance) {
        let mut next = self.first_connection(acquaintance).await;
        acquaintance.has_dialled(next.is_some());
        if next.is_none() {
            acquaintance.ends();
        }
        if next.is_none() && !self.orders.borrow().addresses.is_empty() {
            let peer = self.id;
            self.context.emit(LinkEvent::DialFailed { peer }).await;
        }
        while let Some(greeted) = next.take() {
            if greeted.dialled {
                acquaintance.set_crossing(greeted.terms.crossing);
            }
            if let Outcome::Restarted(greeted) = self.serve(greeted).await {
                next = Some(greeted);
            }
        }
    }

    /// The connection that we dial, if we were told to, or the one that the stranger does, whichever comes first.
    async fn first_connection(&mut self, acquaintance: &Acquaintance) -> Option<Greeted> {
        let addresses = self.orders.borrow_and_update().addresses.clone();
        if !addresses.is_empty() {
            self.dial(addresses, Intent::fresh(true));
        }
        let call_time = sleep(self.context.config.handshake_timeout);
        tokio::pin!(call_time);
        loop {
            let waits_for_call = self.dialling.is_none();
            tokio::select! {
                Some(candidate) = self.candidates.recv() => return Some(candidate),
                result = settled(&mut self.dialling) => match result {
                    Ok(greeted) => return Some(greeted),
                    Err(reason) => {
                        tracing::debug!(peer = %self.id, %reason, "a stranger could not be reached");
                        acquaintance.set_crossing(false);
                        if !acquaintance.is_arriving() {
                            return None;
                        }
                        let until = Instant::now() + self.context.config.handshake_timeout;
                        call_time.as_mut().reset(until);
                    }
                },
                () = &mut call_time, if waits_for_call => return None,
                changed = self.orders.changed() => {
                    let orders = self.orders.borrow();
                    if changed.is_err() || orders.ended || orders.hang_up {
                        return None;
                    }
                }
            }
        }
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
                    let intent = Intent { replaces: previous, ..Intent::fresh(false) };
                    self.dial(addresses, intent);
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
        let bond = self.bond(&greeted);
        // Before anybody hears of the link, and may adopt it.
        self.adoptions = self.orders.borrow().adoptions;
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
                bond,
            })
            .await;
        let mut current = Session::start(greeted, ends.clone());
        let mut retired = JoinSet::new();
        let mut retiring = Vec::new();
        let guest_end = Instant::now() + self.guest_time();
        let outcome = loop {
            let candidate = match self.next_step(&mut current, &mut retired, guest_end).await {
                Step::Outcome(outcome) => break outcome,
                Step::Candidate(candidate) => candidate,
            };
            retiring.retain(|connection: &quinn::Connection| connection.close_reason().is_none());
            match self.judge(&current, &candidate) {
                _ if retiring.len() >= RETIRING_MAX => break Outcome::Restarted(candidate),
                Verdict::Restart => break Outcome::Restarted(candidate),
                Verdict::Swap => {
                    link.change_connection(candidate.connection.clone());
                    if self.orders.borrow().adoptions > self.adoptions {
                        widen(&candidate.connection);
                    }
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
        let of_link = Serving {
            link,
            current,
            retiring,
            retired,
        };
        self.wind_up(of_link, &outcome).await;
        outcome
    }

    /// Ends what a link consists of, and says that it is down.
    async fn wind_up(&mut self, of_link: Serving, outcome: &Outcome) {
        let Serving {
            link,
            mut current,
            retiring,
            mut retired,
        } = of_link;
        if let Standing::Stranger(acquaintance) = &self.standing
            && !matches!(outcome, Outcome::Restarted(_))
        {
            acquaintance.ends();
        }
        if matches!(outcome, Outcome::HungUp) {
            link.outbox.refuse();
            current.hang_up().await;
        }
        link.outbox.close();
        current.stop(CloseCode::Done).await;
        for connection in retiring {
            close_promptly(&connection, CloseCode::Done.into());
        }
        while retired.join_next().await.is_some() {}
        self.context.emit(LinkEvent::Down { peer: self.id }).await;
    }

    /// Waits for something that concerns the link being served.
    async fn next_step(
        &mut self,
        current: &mut Session,
        retired: &mut JoinSet<()>,
        guest_end: Instant,
    ) -> Step {
        loop {
            if let Some(end) = self.follow_orders(current) {
                return Step::Outcome(end);
            }
            let is_guest = self.is_guest();
            tokio::select! {
                () = current.ended() => return Step::Outcome(Outcome::Lost),
                Some(candidate) = self.candidates.recv() => return Step::Candidate(candidate),
                result = settled(&mut self.dialling) => match result {
                    Ok(greeted) => return Step::Candidate(greeted),
                    Err(reason) => tracing::debug!(peer = %self.id, %reason, "further dial failed"),
                },
                Some(_) = retired.join_next() => {}
                () = sleep_until(guest_end), if is_guest => return Step::Outcome(Outcome::HungUp),
                changed = self.orders.changed() => if changed.is_err() {
                    return Step::Outcome(Outcome::Ended);
                },
            }
        }
    }

    /// How the link is to end, if it is; dials if our address has changed.
    fn follow_orders(&mut self, current: &Session) -> Option<Outcome> {
        let orders = self.orders.borrow_and_update();
        if orders.ended {
            return Some(Outcome::Ended);
        }
        if let Standing::Stranger(acquaintance) = &self.standing {
            if orders.hang_up {
                return Some(Outcome::HungUp);
            }
            if orders.adoptions > self.adoptions {
                acquaintance.is_no_guest();
                widen(current.connection());
            }
        }
        let moved = std::mem::replace(&mut self.moves, orders.moves) != orders.moves;
        let mut addresses = orders.addresses.clone();
        drop(orders);
        // Connections that we dialled move by QUIC's migration; those we accepted cannot.
        if moved && !current.dialled {
            let present = real(current.connection().remote_address());
            addresses.retain(|address| *address != present);
            addresses.insert(0, present);
            let intent = Intent {
                replaces: current.terms.name,
                seamless: true,
                stranger: !matches!(self.standing, Standing::Kept),
            };
            self.dial(addresses, intent);
        }
        None
    }

    /// Who the peer is to us, on this connection.
    fn bond(&self, greeted: &Greeted) -> Bond {
        let Standing::Stranger(acquaintance) = &self.standing else {
            return Bond::Kept;
        };
        // Of two calls that crossed either may serve first, at each end another; both ends count that of the smaller id.
        let dialled = if greeted.terms.crossing {
            self.dials_first()
        } else {
            greeted.dialled
        };
        let record = acquaintance.record_of(&self.id, greeted);
        Bond::Stranger { record, dialled }
    }

    fn is_guest(&self) -> bool {
        matches!(self.standing, Standing::Stranger(_))
            && self.orders.borrow().adoptions == self.adoptions
    }

    fn guest_time(&self) -> Duration {
        let limits = self.context.config.strangers.unwrap_or_default();
        limits.guest_time
    }

    fn dial(&mut self, addresses: Vec<SocketAddr>, intent: Intent) {
        self.dialling = Some(Box::pin(dial(
            Arc::clone(&self.context),
            self.id,
            addresses,
            intent,
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

/// The result of the dial under way; waits for ever when there is none.
async fn settled(dialling: &mut Option<Dialling>) -> Result<Greeted, DialError> {
    let Some(under_way) = dialling else {
        return std::future::pending().await;
    };
    let result = under_way.await;
    *dialling = None;
    result
}
