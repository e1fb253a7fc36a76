//! How much of other nodes' work this node takes on, and how much of its own work they take on.
//!
//! A node counts the requests of its peers that it works on, apart for each class, against what its upload can carry. One
//! peer may have as many as [`SHARE_FACTOR`] times the places that are still free. So a single busy peer gets most of the
//! places, many busy peers get equal parts, and a quiet one always finds some (the dynamic threshold of Choudhury and
//! Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998). The number is told to all peers
//! whenever it changes much: who asks knows before it asks whether it may. What exceeds it is refused at once.

use std::time::Duration;

use crypto::CONTENT_BLOCK_LEN;

use crate::config::Config;
use crate::event::Class;
use crate::message::Message;
use crate::time::Time;

/// A number for each class of request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    real_time: u16,
    bulk: u16,
}

impl Counts {
    pub(crate) const fn new(real_time: u16, bulk: u16) -> Self {
        Self { real_time, bulk }
    }

    pub(crate) const fn both(count: u16) -> Self {
        Self {
            real_time: count,
            bulk: count,
        }
    }

    pub(crate) const fn of(self, class: Class) -> u16 {
        match class {
            Class::RealTime => self.real_time,
            Class::Bulk => self.bulk,
        }
    }

    /// That peers may have so many requests in progress here.
    pub(crate) const fn message(self) -> Message {
        Message::Credit {
            real_time: self.real_time,
            bulk: self.bulk,
        }
    }

    const fn of_mut(&mut self, class: Class) -> &mut u16 {
        match class {
            Class::RealTime => &mut self.real_time,
            Class::Bulk => &mut self.bulk,
        }
    }

    pub(crate) const fn set(&mut self, class: Class, count: u16) {
        *self.of_mut(class) = count;
    }

    pub(crate) const fn add(&mut self, class: Class) {
        let count = self.of_mut(class);
        *count = count.saturating_add(1);
    }

    pub(crate) const fn subtract(&mut self, class: Class) {
        let count = self.of_mut(class);
        *count = count.saturating_sub(1);
    }
}

/// The places for peers' requests.
#[derive(Debug)]
pub(crate) struct Places {
    /// How many there are.
    all: Counts,
    /// Of one peer at most, however many are free.
    of_one_peer: u16,
    taken: Counts,
    /// What the peers were told last that one of them may have.
    told: Counts,
    told_at: Time,
    /// Whether a peer was refused something since, and believes now that it may have less than it was told.
    refused: bool,
}

impl Places {
    pub(crate) fn new(config: &Config) -> Self {
        let of_one_peer = saturate(config.requests_per_peer_max);
        Self {
            all: Counts {
                real_time: capacity(config, Class::RealTime),
                bulk: capacity(config, Class::Bulk),
            },
            of_one_peer,
            taken: Counts::default(),
            told: Counts::both(of_one_peer),
            told_at: Time::ZERO,
            refused: false,
        }
    }

    /// A peer was refused something. It takes that for the end of its credit until it is told anew.
    pub(crate) const fn refused(&mut self) {
        self.refused = true;
    }

    pub(crate) const fn take(&mut self, class: Class) {
        self.taken.add(class);
    }

    pub(crate) const fn give_back(&mut self, class: Class) {
        self.taken.subtract(class);
    }

    /// How many requests of a class one peer may have in progress here.
    pub(crate) fn share(&self, class: Class) -> u16 {
        let free = self.all.of(class).saturating_sub(self.taken.of(class));
        free.saturating_mul(SHARE_FACTOR).min(self.of_one_peer)
    }

    /// What a peer may ask for until it is told otherwise.
    pub(crate) fn untold(config: &Config) -> Counts {
        Counts::both(saturate(config.requests_per_peer_max))
    }

    /// What peers who come later are to be told, if it is less than they assume.
    pub(crate) fn told(&self) -> Option<Counts> {
        (self.told != Counts::both(self.of_one_peer)).then_some(self.told)
    }

    /// When peers should be told the present share, if it differs much from what they know, or one was refused something.
    pub(crate) fn next_telling(&self) -> Option<Time> {
        let differs = [Class::RealTime, Class::Bulk]
            .into_iter()
            .any(|class| differ_much(self.share(class), self.told.of(class)));
        (differs || self.refused).then(|| self.told_at + TELLING_PAUSE)
    }

    /// What to tell the peers at `now`, if it is time.
    pub(crate) fn tell(&mut self, now: Time) -> Option<Counts> {
        if self.next_telling().is_none_or(|due| due > now) {
            return None;
        }
        self.told = Counts {
            real_time: self.share(Class::RealTime),
            bulk: self.share(Class::Bulk),
        };
        self.told_at = now;
        self.refused = false;
        Some(self.told)
    }
}

/// What one peer works on for this node, and how much it lets this node ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Credit {
    allowed: Counts,
    asked: Counts,
    /// When the peer last said how much, or refused.
    since: Time,
}

/// How much a peer lets this node ask for, and how much it works on for it, by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerCredit {
    /// Requests for real time in progress there.
    pub real_time_asked: u16,
    /// As many as it said that it takes on.
    pub real_time_allowed: u16,
    /// Bulk requests in progress there.
    pub bulk_asked: u16,
    /// As many as it said that it takes on.
    pub bulk_allowed: u16,
}

impl Credit {
    pub(crate) const fn view(self) -> PeerCredit {
        PeerCredit {
            real_time_asked: self.asked.real_time,
            real_time_allowed: self.allowed.real_time,
            bulk_asked: self.asked.bulk,
            bulk_allowed: self.allowed.bulk,
        }
    }

    pub(crate) const fn new(allowed: Counts) -> Self {
        Self {
            allowed,
            asked: Counts {
                real_time: 0,
                bulk: 0,
            },
            since: Time::ZERO,
        }
    }

    pub(crate) const fn asked(&mut self, class: Class) {
        self.asked.add(class);
    }

    pub(crate) const fn answered(&mut self, class: Class) {
        self.asked.subtract(class);
    }

    /// The peer says how much it takes on.
    pub(crate) const fn told(&mut self, allowed: Counts, now: Time) {
        self.allowed = allowed;
        self.since = now;
    }

    /// The peer refused a request, which is not counted any longer: it takes no more than it works on now.
    pub(crate) fn refused(&mut self, class: Class, now: Time) {
        let asked = self.asked.of(class);
        self.allowed.set(class, asked.min(self.allowed.of(class)));
        self.since = now;
    }

    /// The peer works on what it was asked last. If that was a try beyond what it said, it takes on so much.
    pub(crate) fn accepted(&mut self, class: Class, now: Time) {
        let tried = self.allowed.of(class).saturating_add(1);
        if self.asked.of(class) == tried && self.is_old(now) {
            self.allowed.set(class, tried);
        }
    }

    /// Whether the peer may be asked for one thing more. Where what it said is old, one more than that is tried: what it
    /// said since may be lost.
    pub(crate) fn allows(&self, class: Class, now: Time) -> bool {
        let (asked, allowed) = (self.asked.of(class), self.allowed.of(class));
        asked < allowed || (asked == allowed && self.is_old(now))
    }

    fn is_old(&self, now: Time) -> bool {
        now.since(self.since) > CREDIT_LIFE
    }
}

/// How many requests of a class a node can have in progress: as many as it can send blocks within the time that an answer
/// may wait for its turn.
fn capacity(config: &Config, class: Class) -> u16 {
    let bounded = match class {
        Class::RealTime => config.requests_max,
        Class::Bulk => config.requests_max - config.requests_max / 4,
    };
    let Some(upload) = config.upload else {
        return saturate(bounded);
    };
    let bytes = u128::from(upload.get()) * config.backlog.of(class).as_millis() / 1000;
    let blocks = bytes / CONTENT_BLOCK_LEN as u128;
    let blocks = usize::try_from(blocks).unwrap_or(usize::MAX);
    saturate(blocks.clamp(CAPACITY_MIN, bounded.max(CAPACITY_MIN)))
}

const fn differ_much(now: u16, then: u16) -> bool {
    let (less, more) = if now < then { (now, then) } else { (then, now) };
    more as u32 * 2 > less as u32 * 3 + 1
}

fn saturate(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// With 4, one busy peer gets four fifths of the places, and twenty busy ones leave a hundredth free.
const SHARE_FACTOR: u16 = 4;

/// Below this many, a node would be of no use to its peers.
const CAPACITY_MIN: usize = 4;

/// Shares are told no more often than this; it is about a round trip.
const TELLING_PAUSE: Duration = Duration::from_millis(200);

/// After so long without a word of a peer, it is asked for one thing more than it allowed.
const CREDIT_LIFE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    fn places(upload: u64) -> Places {
        Places::new(&Config {
            upload: NonZeroU64::new(upload),
            ..Config::default()
        })
    }

    /// How many places each of `peers` has when all take what they may, in turns.
    fn settle(places: &mut Places, peers: usize) -> Vec<u16> {
        let mut taken = vec![0; peers];
        loop {
            let before = taken.clone();
            for mine in &mut taken {
                if *mine < places.share(Class::Bulk) {
                    places.take(Class::Bulk);
                    *mine += 1;
                }
            }
            if taken == before {
                return taken;
            }
        }
    }

    #[test]
    fn busy_peers_get_equal_parts_and_one_alone_most() {
        let all = places(1_000_000).all.of(Class::Bulk);
        assert!((100..200).contains(&all), "{all}");
        let alone = settle(&mut places(1_000_000), 1);
        assert!(alone[0] * 5 >= all * 4 - 5, "{alone:?} of {all}");
        let twenty = settle(&mut places(1_000_000), 20);
        let (least, most) = (twenty.iter().min().unwrap(), twenty.iter().max().unwrap());
        assert!(most - least <= 1, "{twenty:?}");
        assert!(
            twenty.iter().sum::<u16>() * 10 >= all * 9,
            "{twenty:?} of {all}"
        );
    }

    #[test]
    fn a_quiet_peer_finds_a_place_beside_greedy_ones() {
        let mut places = places(2_000_000);
        settle(&mut places, 10);
        assert!(places.share(Class::Bulk) >= 1);
    }

    #[test]
    fn real_time_does_not_lose_places_to_bulk() {
        let mut places = places(1_000_000);
        let before = places.share(Class::RealTime);
        settle(&mut places, 5);
        assert_eq!(places.share(Class::RealTime), before);
    }

    #[test]
    fn peers_are_told_when_the_share_has_changed_much_and_not_too_often() {
        let mut places = places(1_000_000);
        let at = |millis: u64| Time::from_micros(millis * 1000);
        let first = places.tell(at(1000)).expect("less than peers assume");
        assert_eq!(first.of(Class::Bulk), places.share(Class::Bulk));
        assert_eq!((places.tell(at(5000)), places.next_telling()), (None, None));
        settle(&mut places, 20);
        assert_eq!(places.next_telling(), Some(at(1000) + TELLING_PAUSE));
        assert_eq!(places.tell(at(1100)), None, "too early");
        assert!(places.tell(at(1200)).is_some());
    }

    #[test]
    fn credit_is_used_up_comes_back_and_is_tried_again_after_silence() {
        let at = Time::from_micros;
        let mut credit = Credit::new(Counts::both(2));
        credit.asked(Class::Bulk);
        credit.asked(Class::Bulk);
        assert!(!credit.allows(Class::Bulk, at(0)));
        assert!(credit.allows(Class::RealTime, at(0)));
        credit.answered(Class::Bulk);
        assert!(credit.allows(Class::Bulk, at(0)));
        credit.answered(Class::Bulk);
        credit.refused(Class::Bulk, at(10));
        assert!(!credit.allows(Class::Bulk, at(20)));
        assert!(
            credit.allows(Class::Bulk, at(20) + CREDIT_LIFE),
            "its word may be lost"
        );
        credit.told(Counts::both(1), at(30));
        assert!(credit.allows(Class::Bulk, at(30)));
    }

    #[test]
    fn credit_that_was_never_heard_of_is_found_out_one_by_one() {
        let mut credit = Credit::new(Counts::both(0));
        let late = Time::from_micros(1) + CREDIT_LIFE;
        for _ in 0..5 {
            assert!(credit.allows(Class::Bulk, late));
            credit.asked(Class::Bulk);
            assert!(!credit.allows(Class::Bulk, late), "one at a time");
            credit.accepted(Class::Bulk, late);
        }
        credit.asked(Class::Bulk);
        credit.answered(Class::Bulk);
        credit.refused(Class::Bulk, late);
        assert!(!credit.allows(Class::Bulk, late));
        credit.answered(Class::Bulk);
        assert!(credit.allows(Class::Bulk, late), "four of five");
    }

    #[test]
    fn who_was_refused_is_told_again_even_if_all_is_as_before() {
        let mut places = places(1_000_000);
        let now = Time::from_micros(1_000_000);
        let told = places.tell(now);
        places.refused();
        assert_eq!(places.next_telling(), Some(now + TELLING_PAUSE));
        assert_eq!(places.tell(now + TELLING_PAUSE), told);
        assert_eq!(places.next_telling(), None);
    }

    #[test]
    fn without_a_known_upload_only_the_bounds_of_memory_count() {
        let places = Places::new(&Config::default());
        assert_eq!(
            usize::from(places.share(Class::Bulk)),
            Config::default().requests_per_peer_max
        );
        assert_eq!(places.next_telling(), None);
    }
}
