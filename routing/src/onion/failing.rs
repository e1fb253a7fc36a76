//! What follows when a circuit fails: who may be to blame, and that what went over it goes over others.

use smallvec::SmallVec;

use super::Onion;
use super::building::SECONDS_FROM;
use super::circuit::Growing;
use super::command::Side;
use super::list::RelayName;
use super::message::Direction;
use super::record::Blame;
use super::relaying::tell_destroyed;
use crate::block::Block;
use crate::shared::Shared;
use crate::time::Time;

impl<B: Block> Onion<B> {
    /// A relay says that the circuit broke beside it. One of the two there is to blame.
    pub(super) fn broken_at(
        &mut self,
        shared: &mut Shared<B>,
        number: u64,
        speaker: usize,
        side: Side,
    ) {
        let Some(circuit) = self.own.circuits.get(&number) else {
            return;
        };
        let (first, count) = match side {
            Side::Before if speaker == 0 => (0, 1),
            Side::Before => (speaker - 1, 2),
            Side::Behind => (speaker, 2),
            Side::Here => (speaker, 1),
        };
        let blamed = circuit.relays.iter().skip(first).take(count);
        let blamed: SmallVec<[RelayName; 2]> = blamed.copied().collect();
        self.fail(shared, number, &blamed, Blame::Shared);
    }

    /// The link to the guard is gone, and with it a circuit. Nodes come and go: nobody is to blame.
    pub(super) fn unlinked(&mut self, shared: &mut Shared<B>, number: u64) {
        self.fail(shared, number, &[], Blame::Shared);
    }

    /// The guard ended a circuit.
    pub(super) fn lost(&mut self, shared: &mut Shared<B>, number: u64) {
        let guard = self.own.circuits.get(&number).and_then(|circuit| {
            let asked = match &circuit.growing {
                Growing::Asked { name, .. } if circuit.relays.is_empty() => Some(*name),
                Growing::Asked { .. } | Growing::NeedsList | Growing::Done => None,
            };
            asked.or_else(|| circuit.relays.first().copied())
        });
        let guard: SmallVec<[RelayName; 1]> = guard.into_iter().collect();
        self.fail(shared, number, &guard, Blame::Shared);
    }

    /// Ends a circuit that failed.
    pub(super) fn fail(
        &mut self,
        shared: &mut Shared<B>,
        number: u64,
        blamed: &[RelayName],
        blame: Blame,
    ) {
        let now = shared.now;
        self.suspect(now, number, blamed, blame);
        let circuit = self.own.circuits.get(&number);
        if let Some(circuit) = circuit.filter(|circuit| circuit.is_growing()) {
            let born = circuit.born;
            self.own
                .not_built(born, now, |pause| shared.half_or_more(pause));
        }
        self.end(shared, number);
    }

    /// Holds it against relays that something failed on a circuit.
    ///
    /// Where others may be to blame as well, the guard is spared, and failures side by side count against it once. Whoever could
    /// have guards left out by failing behind them would bring a node to a guard of his own sooner or later. It counts
    /// against a guard that one more second relay turns out bad behind it.
    pub(super) fn suspect(&mut self, now: Time, number: u64, blamed: &[RelayName], blame: Blame) {
        let Some(circuit) = self.own.circuits.get(&number) else {
            return;
        };
        let began = (circuit.born, now);
        let keeps_second = circuit.wished >= SECONDS_FROM;
        let guard = circuit.involved().first().copied();
        let record = &mut self.own.record;
        match *blamed {
            [first] if blame == Blame::Shared && guard == Some(first) => {
                record.failed_together(began, &first);
            }
            [first, second, ..]
                if keeps_second && blame == Blame::Shared && guard == Some(first) =>
            {
                let was_bad = record.is_bad(now, &second);
                record.failed(now, blamed.iter().skip(1), blame);
                if !was_bad && record.is_bad(now, &second) {
                    record.failed_together((now, now), &first);
                }
            }
            _ => record.failed(now, blamed, blame),
        }
    }

    /// Ends a circuit; what went over it goes over others.
    pub(super) fn end(&mut self, shared: &mut Shared<B>, number: u64) {
        let Some(circuit) = self.own.circuits.remove(&number) else {
            return;
        };
        self.onward.remove(&(circuit.guard, circuit.link));
        if shared.peers.peer(circuit.guard).is_some() {
            tell_destroyed(shared, circuit.guard, circuit.link, Direction::Forward);
        }
        self.own.look_again = true;
        for (_, id) in circuit.running {
            self.circuit_lost(shared, id);
        }
    }
}
