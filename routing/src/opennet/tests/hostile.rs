use crypto::{BlockKey, BlockKind, RoutingKey};

use super::*;
use crate::contact::RECORD_LEN_MAX;
use crate::event::{Class, Effort, LocalId, LookupResult};
use crate::hops_to_live::HopsToLive;
use crate::message::{Message, RequestId};
use crate::opennet::message::{AnnouncementId, CONTACTS_MAX, OpennetMessage, Seek, Ticket, Token};

/// One router, with the test as all others.
struct Bench {
    router: Router,
    now: Time,
    links: u32,
}

impl Bench {
    fn new(opennet: Option<OpennetConfig>) -> Self {
        let config = Config {
            opennet: opennet.map(Arc::new),
            ..Config::default()
        };
        let contact = contact(0);
        let mut bench = Self {
            router: Router::new(contact.location(), config, [3; 32]),
            now: Time::ZERO,
            links: 0,
        };
        bench.tell(Event::OwnContact { contact });
        bench
    }

    fn tell(&mut self, event: Event) -> Vec<Action> {
        self.router.handle(self.now, event);
        std::iter::from_fn(|| self.router.poll_action()).collect()
    }

    fn wait(&mut self, duration: Duration) -> Vec<Action> {
        self.now = self.now + duration;
        self.router.handle_timeout(self.now);
        std::iter::from_fn(|| self.router.poll_action()).collect()
    }

    fn hear(&mut self, from: PeerId, message: OpennetMessage) -> Vec<Action> {
        let message = Message::Opennet(message);
        self.tell(Event::Message { from, message })
    }

    /// A stranger dials.
    fn dialled_by(&mut self, contact: Contact) -> (PeerId, Vec<Action>) {
        self.links += 1;
        let peer = PeerId(self.links);
        let actions = self.tell(Event::PeerUp {
            peer,
            location: Location::from_fraction(0.5),
            kind: PeerKind::Stranger {
                contact,
                dialled: false,
            },
        });
        (peer, actions)
    }

    /// A stranger dials and asks to be adopted. Whether it was.
    fn asked_by(&mut self, contact: Contact, ticket: Ticket) -> Option<PeerId> {
        let (peer, _) = self.dialled_by(contact);
        let actions = self.hear(peer, OpennetMessage::Adopt { ticket });
        sent(&actions, peer)
            .contains(&OpennetMessage::Adopted)
            .then_some(peer)
    }

    /// The two nearest strangers of 40 on each side become peers.
    fn with_lattice() -> (Self, Vec<Contact>) {
        let mut bench = Self::new(Some(OpennetConfig::default()));
        let mut ring: Vec<_> = (1..=40).map(contact).collect();
        let me = contact(0).location();
        ring.sort_by_key(|contact| me.clockwise_to(contact.location()));
        let distant = ring.split_off(2);
        let (distant, below) = distant.split_at(36);
        for near in ring.iter().chain(below) {
            assert!(bench.asked_by(near.clone(), Ticket::Neighbour).is_some());
        }
        (bench, distant.to_vec())
    }

    fn adopted(&self) -> usize {
        self.router.peers().filter(|peer| peer.adopted).count()
    }
}

fn contact(number: u64) -> Contact {
    let mut seed = [9; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    Contact {
        node: Identity::from_seed(&seed).id(),
        record: Bytes::from_static(b"somewhere"),
    }
}

fn sent(actions: &[Action], peer: PeerId) -> Vec<OpennetMessage> {
    let mut messages = Vec::new();
    for action in actions {
        if let Action::Send {
            to,
            message: Message::Opennet(message),
            ..
        } = action
            && *to == peer
        {
            messages.push(message.clone());
        }
    }
    messages
}

/// The tokens of the invitations sent to a peer.
fn tokens(actions: &[Action], peer: PeerId) -> Vec<Token> {
    let mut tokens = Vec::new();
    for message in sent(actions, peer) {
        if let OpennetMessage::Invite { invitation, .. } = message {
            tokens.push(invitation.token);
        }
    }
    tokens
}

fn hung_up(actions: &[Action], peer: PeerId) -> bool {
    actions
        .iter()
        .any(|action| matches!(action, Action::HangUp { peer: gone } if *gone == peer))
}

fn dials(actions: &[Action]) -> usize {
    actions
        .iter()
        .filter(|action| matches!(action, Action::Dial { .. }))
        .count()
}

fn announce(id: u64, newcomer: Contact, seek: Seek) -> OpennetMessage {
    OpennetMessage::Announce {
        id: AnnouncementId(id),
        newcomer,
        seek,
        hops_to_live: HopsToLive::MAX,
        wanted: 1,
    }
}

fn key(number: u8) -> BlockKey {
    BlockKey {
        kind: BlockKind::Content,
        routing_key: RoutingKey::from_bytes([number; 32]),
    }
}

#[test]
fn a_node_of_the_darknet_hangs_up_on_strangers() {
    let mut bench = Bench::new(None);
    let (peer, actions) = bench.dialled_by(contact(1));
    assert!(hung_up(&actions, peer));
    assert_eq!(bench.router.peers().count(), 0);
}

#[test]
fn a_stranger_is_where_its_identity_puts_it_whatever_is_said() {
    let (bench, _) = Bench::with_lattice();
    for peer in bench.router.peers() {
        let PeerKind::Stranger { contact, .. } = peer.kind else {
            panic!("a friend")
        };
        assert_eq!(peer.location, contact.location());
    }
}

#[test]
fn a_link_that_is_not_agreed_on_carries_no_requests_and_ends() {
    let (mut bench, distant) = Bench::with_lattice();
    let (peer, _) = bench.dialled_by(distant[0].clone());
    let fetch = Message::Fetch {
        id: RequestId(1),
        key: key(1),
        hops_to_live: HopsToLive::MAX,
        tie_break: 0,
        class: Class::RealTime,
    };
    let actions = bench.tell(Event::Message {
        from: peer,
        message: fetch,
    });
    assert!(actions.is_empty(), "{actions:?}");
    let actions = bench.wait(OpennetConfig::default().adoption_timeout);
    assert!(hung_up(&actions, peer));
}

#[test]
fn who_is_no_neighbour_needs_an_invitation_which_is_good_once() {
    let (mut bench, distant) = Bench::with_lattice();
    let guessed = Ticket::Invited(Token(1));
    for ticket in [
        Ticket::Neighbour,
        Ticket::Returning,
        Ticket::Announcing,
        guessed,
    ] {
        assert_eq!(
            bench.asked_by(distant[0].clone(), ticket),
            None,
            "{ticket:?}"
        );
    }
    let through = bench.router.peers().next().unwrap().peer;
    let near = Seek::Near(contact(0).location());
    let actions = bench.hear(through, announce(1, distant[1].clone(), near));
    let token = *tokens(&actions, through).first().expect("there is room");
    let invited = Ticket::Invited(token);
    assert!(bench.asked_by(distant[1].clone(), invited).is_some());
    assert_eq!(
        bench.asked_by(distant[2].clone(), invited),
        None,
        "good once"
    );
}

#[test]
fn silent_strangers_take_a_bounded_number_of_links_for_a_bounded_time() {
    let mut bench = Bench::new(Some(OpennetConfig::default()));
    let max = OpennetConfig::default().provisional_max;
    let turned_away = (0..max as u64 + 30)
        .filter(|&number| {
            let (peer, actions) = bench.dialled_by(contact(100 + number));
            hung_up(&actions, peer)
        })
        .count();
    assert_eq!(turned_away, 30);
    bench.wait(OpennetConfig::default().adoption_timeout);
    assert_eq!(bench.router.peers().count(), 0);
}

#[test]
fn a_flood_of_announcements_is_passed_on_in_part_and_ends_the_link() {
    let (mut bench, distant) = Bench::with_lattice();
    let flooder = bench.router.peers().next().unwrap().peer;
    let mut passed = 0;
    let mut left_after = None;
    for number in 0..500 {
        let near = Seek::Near(Location::from_fraction(0.001 * number as f64));
        let newcomer = distant[number % distant.len()].clone();
        let actions = bench.hear(flooder, announce(number as u64, newcomer, near));
        passed += actions
            .iter()
            .filter(|action| matches!(action, Action::Send { .. }))
            .count();
        if hung_up(&actions, flooder) {
            left_after = Some(number);
            break;
        }
    }
    assert!(
        left_after.is_some_and(|number| number < 200),
        "{left_after:?}"
    );
    assert!(passed <= 3 * 64, "{passed}");
    let again = bench.asked_by(contact(0), Ticket::Neighbour);
    assert_eq!(again, None);
}

#[test]
fn introductions_make_a_node_dial_a_bounded_number_of_strangers() {
    let (mut bench, _) = Bench::with_lattice();
    bench.tell(Event::Join {
        remembered: Vec::new(),
        seeds: Vec::new(),
    });
    let liar = bench.router.peers().next().unwrap().peer;
    let me = contact(0).location();
    let mut near: Vec<_> = (1000..4000).map(contact).collect();
    near.sort_by_key(|contact| me.distance(contact.location()));
    let mut dialled = 0;
    for contacts in near[..400].chunks(CONTACTS_MAX) {
        let contacts = contacts.iter().cloned().collect();
        dialled += dials(&bench.hear(liar, OpennetMessage::Introduce { contacts }));
    }
    assert!((1..=40).contains(&dialled), "{dialled}");
}

#[test]
fn contacts_with_long_records_are_not_used() {
    let (mut bench, distant) = Bench::with_lattice();
    let peer = bench.router.peers().next().unwrap().peer;
    let long = Contact {
        record: vec![1; RECORD_LEN_MAX + 1].into(),
        ..distant[0].clone()
    };
    let actions = bench.hear(peer, announce(1, long.clone(), Seek::Above));
    assert!(actions.is_empty(), "{actions:?}");
    let contacts = std::iter::once(long).collect();
    let actions = bench.hear(peer, OpennetMessage::Introduce { contacts });
    assert!(actions.is_empty(), "{actions:?}");
}

#[test]
fn newcomers_never_push_out_the_neighbours_nor_exceed_the_places() {
    let (mut bench, _) = Bench::with_lattice();
    let neighbours: Vec<_> = bench.router.peers().map(|peer| peer.peer).collect();
    let me = contact(0).location();
    let near = Seek::Near(me);
    for (number, &through) in (0..300).zip(neighbours.iter().cycle()) {
        bench.wait(Duration::from_secs(100));
        let newcomer = contact(5000 + number);
        let place = newcomer.location();
        if neighbours.iter().any(|&peer| {
            let known = bench
                .router
                .peers()
                .find(|known| known.peer == peer)
                .unwrap();
            me.distance(place) < me.distance(known.location)
        }) {
            continue;
        }
        let actions = bench.hear(through, announce(number, newcomer.clone(), near));
        for token in tokens(&actions, through) {
            bench.asked_by(newcomer.clone(), Ticket::Invited(token));
        }
        assert!(bench.adopted() <= OpennetConfig::default().peers_max);
    }
    assert_eq!(bench.adopted(), OpennetConfig::default().peers_max);
    let left: Vec<_> = bench.router.peers().map(|peer| peer.peer).collect();
    assert!(neighbours.iter().all(|peer| left.contains(peer)));
}

#[test]
fn a_peer_that_never_answers_is_left_and_not_taken_back_soon() {
    let mut bench = Bench::new(Some(OpennetConfig::default()));
    let silent = bench.asked_by(contact(1), Ticket::Neighbour).unwrap();
    let mut left = false;
    for number in 0..40 {
        let actions = bench.tell(Event::Fetch {
            id: LocalId(u64::from(number)),
            key: key(number),
            class: Class::RealTime,
            effort: Effort::default(),
            anonymity: crate::Anonymity::Off,
        });
        for action in actions {
            if let Action::Lookup { ticket, .. } = action {
                let result = LookupResult::Missing;
                bench.tell(Event::LookupDone { ticket, result });
            }
        }
        for _ in 0..30 {
            left |= hung_up(&bench.wait(Duration::from_secs(20)), silent);
        }
    }
    assert!(left);
    assert_eq!(bench.router.peers().count(), 0);
}
