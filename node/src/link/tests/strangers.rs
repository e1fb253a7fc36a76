//! Links with nodes that nobody made known to us.

use super::*;
use crate::{
    link::{
        Bond, DialRefused, StrangerLimits,
        dial::{DialError, Intent, dial},
        greeting::GreetError,
        session::CloseCode,
    },
    reference::Reference,
};

/// Short enough that a test sees it end.
const GUEST_TIME: Duration = Duration::from_millis(700);

fn open(limits: StrangerLimits) -> LinkConfig {
    LinkConfig {
        strangers: Some(limits),
        handshake_timeout: Duration::from_secs(2),
        ..LinkConfig::default()
    }
}

impl Node {
    /// A node that strangers may call.
    fn start_open(seed: u8, limits: StrangerLimits) -> Self {
        let node = Self::start_with(seed, loopback(0), open(limits));
        node.endpoint.introduce_as(node.record());
        node
    }

    fn record(&self) -> Bytes {
        let reference = Reference::sign(&self.identity, "node", &[self.address()], 1);
        reference.unwrap().to_record()
    }

    fn dial_once(&self, other: &Self) -> Result<(), DialRefused> {
        self.endpoint
            .dial(other.id(), &[other.address()], other.record())
    }

    async fn met(&mut self) -> (Link, Bytes, bool) {
        match self.next().await {
            LinkEvent::Up {
                link,
                bond: Bond::Stranger { record, dialled },
                ..
            } => (link, record, dialled),
            other => panic!("{other:?} instead of a stranger"),
        }
    }

    async fn dial_failed(&mut self) {
        match self.next().await {
            LinkEvent::DialFailed { .. } => {}
            other => panic!("{other:?} instead of a failed dial"),
        }
    }
}

fn two() -> (Node, Node) {
    let limits = StrangerLimits::default();
    (Node::start_open(1, limits), Node::start_open(2, limits))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_strangers_link_and_tell_how_they_are_reached() {
    let (mut a, mut b) = two();
    a.dial_once(&b).unwrap();
    let (to_b, record_b, a_dialled) = a.met().await;
    let (to_a, record_a, b_dialled) = b.met().await;
    assert_eq!((record_a, record_b), (a.record(), b.record()));
    assert!(a_dialled && !b_dialled);
    to_b.send(numbered(1, 40_000), Priority::Bulk).unwrap();
    to_a.send(numbered(2, 40), Priority::Control).unwrap();
    assert_eq!(number_in(&b.message().await), 1);
    assert_eq!(number_in(&a.message().await), 2);
    assert_eq!(a.dial_once(&b), Err(DialRefused::Known));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_is_heard_to_the_end_and_nobody_dials_again() {
    let (mut a, mut b) = two();
    a.dial_once(&b).unwrap();
    let (to_b, ..) = a.met().await;
    let (to_a, ..) = b.met().await;
    b.endpoint.adopt(&a.id());
    let blocks = 60;
    for number in 0..blocks {
        to_a.send(numbered(number, 32_900), Priority::Bulk).unwrap();
    }
    to_a.send(numbered(blocks, 40), Priority::Control).unwrap();
    b.endpoint.hang_up(&a.id());
    let numbers = a.numbers(blocks as usize + 1).await;
    assert!(complete(numbers));
    a.down().await;
    b.down().await;
    assert!(to_a.send(Bytes::new(), Priority::Control).is_err());
    assert!(to_b.send(Bytes::new(), Priority::Control).is_err());
    assert_eq!((a.endpoint.strangers(), b.endpoint.strangers()), (0, 0));
    // Neither waits for the other: both may dial anew.
    b.dial_once(&a).unwrap();
    let ((_, _, a_dialled), (_, _, b_dialled)) = (a.met().await, b.met().await);
    assert!(b_dialled && !a_dialled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_dial_each_other_at_once_get_one_link_and_agree_who_dialled() {
    for seed in 0..20u8 {
        let limits = StrangerLimits::default();
        let mut a = Node::start_open(1 + 2 * seed, limits);
        let mut b = Node::start_open(2 + 2 * seed, limits);
        a.dial_once(&b).unwrap();
        if let Err(refused) = b.dial_once(&a) {
            // The other one was there first
            assert_eq!(refused, DialRefused::Known);
            continue;
        }
        let ((to_b, _, a_dialled), (to_a, _, b_dialled)) = (a.met().await, b.met().await);
        assert_ne!(a_dialled, b_dialled);
        a.endpoint.adopt(&b.id());
        b.endpoint.adopt(&a.id());
        // Whatever becomes of the second connection, nothing is lost and no link begins anew.
        let (at_b, at_a) = tokio::join!(
            async {
                send_numbered(&to_b, 200).await;
                b.numbers(200).await
            },
            async {
                send_numbered(&to_a, 200).await;
                a.numbers(200).await
            }
        );
        assert!(complete(at_a) && complete(at_b));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_opennet_no_stranger_gets_anywhere() {
    let mut a = Node::start_open(1, StrangerLimits::default());
    let mut closed = Node::start(2);
    a.dial_once(&closed).unwrap();
    a.dial_failed().await;
    assert_eq!(closed.endpoint.strangers(), 0);
    assert!(closed.events.try_recv().is_err(), "it took notice");
    assert_eq!(closed.dial_once(&a), Err(DialRefused::Closed));
    // Nor does one that knows where to call: TLS ends before anything is said.
    let context = a.endpoint.context();
    let address = vec![closed.address()];
    let called = dial(context, closed.id(), address, Intent::fresh(true)).await;
    assert!(called.is_err(), "{called:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_strangers_takes_the_places_of_guests_and_no_more() {
    let limits = StrangerLimits {
        guests_max: 4,
        guest_time: GUEST_TIME,
        ..StrangerLimits::default()
    };
    let mut b = Node::start_open(1, limits);
    let mut adopted = Node::start_open(2, StrangerLimits::default());
    adopted.dial_once(&b).unwrap();
    adopted.met().await;
    b.met().await;
    b.endpoint.adopt(&adopted.id());
    let mut crowd: Vec<Node> = (10..30)
        .map(|seed| Node::start_open(seed, StrangerLimits::default()))
        .collect();
    for node in &crowd {
        node.dial_once(&b).unwrap();
    }
    let mut linked = 0;
    for node in &mut crowd {
        linked += match node.next().await {
            LinkEvent::Up { .. } => 1,
            LinkEvent::DialFailed { .. } => 0,
            other => panic!("{other:?}"),
        };
        assert!(b.endpoint.strangers() <= limits.guests_max + 1);
    }
    // With the first ones gone in the meantime a few more may have had their turn.
    assert!((1..crowd.len()).contains(&linked), "{linked} of the crowd");
    // The guests leave in the end, who was adopted stays.
    let mut present: i32 = 0;
    let mut seen = 0;
    while seen < linked || present > 0 {
        match b.next().await {
            LinkEvent::Up { .. } => (present, seen) = (present + 1, seen + 1),
            LinkEvent::Down { peer } if peer != adopted.id() => present -= 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(b.endpoint.strangers(), 1);
    crowd[0].endpoint.close().await;
    let newcomer = Node::start_open(40, StrangerLimits::default());
    newcomer.dial_once(&b).unwrap();
    b.met().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_without_a_record_of_its_own_is_thrown_out() {
    let (a, mut b) = two();
    let altered: Bytes = {
        let mut record = a.record().to_vec();
        record[40] ^= 1;
        record.into()
    };
    for record in [Bytes::new(), b.record(), altered] {
        a.endpoint.introduce_as(record);
        let greeted = dial(
            a.endpoint.context(),
            b.id(),
            vec![b.address()],
            Intent::fresh(true),
        );
        // It may be closed before the greeting of b is read.
        let closed = match greeted.await {
            Ok(greeted) => greeted.connection.closed().await,
            Err(DialError::Greet(GreetError::Connection(closed))) => closed,
            Err(other) => panic!("{other:?}"),
        };
        let quinn::ConnectionError::ApplicationClosed(close) = closed else {
            panic!("{closed:?}");
        };
        assert_eq!(close.error_code, CloseCode::Misbehaved.into());
    }
    assert!(b.events.try_recv().is_err());
    a.endpoint.introduce_as(a.record());
    let _ = a.endpoint.context();
    a.dial_once(&b).unwrap();
    b.met().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shunned_stranger_is_neither_dialled_nor_heard() {
    let (mut a, mut b) = two();
    a.dial_once(&b).unwrap();
    a.met().await;
    b.met().await;
    b.endpoint.shun(a.id(), Duration::from_hours(1));
    b.down().await;
    a.down().await;
    assert_eq!(b.dial_once(&a), Err(DialRefused::Shunned));
    a.dial_once(&b).unwrap();
    a.dial_failed().await;
    assert!(b.events.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_becomes_a_friend_when_both_say_so() {
    let (mut a, mut b) = two();
    a.dial_once(&b).unwrap();
    a.met().await;
    b.met().await;
    a.dial(&b);
    for node in [&mut a, &mut b] {
        node.down().await;
        let event = node.next().await;
        let kept = matches!(
            &event,
            LinkEvent::Up {
                bond: Bond::Kept,
                ..
            }
        );
        assert!(kept, "{event:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_that_restarts_is_linked_anew_and_one_that_vanishes_is_gone() {
    let (mut a, mut b) = two();
    a.dial_once(&b).unwrap();
    a.met().await;
    b.met().await;
    let seed = 1;
    // Without a word: the runtime forgets it, as a killed process does.
    a.endpoint.context().routes.forget(&b.id(), &[]);
    let again = Node::start_open(seed, StrangerLimits::default());
    again.dial_once(&b).unwrap();
    b.down().await;
    b.met().await;
    again.endpoint.close().await;
    b.down().await;
    assert_eq!(b.endpoint.strangers(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dial_that_nobody_answers_fails_and_can_be_repeated() {
    let (mut a, b) = two();
    let silent = b.address();
    b.endpoint.close().await;
    for _ in 0..2 {
        let record = b.record();
        a.endpoint.dial(b.id(), &[silent], record).unwrap();
        a.dial_failed().await;
    }
    assert_eq!(a.endpoint.strangers(), 0);
    assert_eq!(
        a.endpoint.dial(b.id(), &[], Bytes::new()),
        Err(DialRefused::NoAddress)
    );
}
