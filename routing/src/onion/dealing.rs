//! The user's requests: which circuit each goes over, and what follows from the answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::Onion;
use super::anonymity::{Level, Via};
use super::circuit::{Circuit, Purpose};
use super::command::{Ask, Command};
use super::record::Blame;
use super::wants::{Goal, Setback, State, Want};
use crate::block::Block;
use crate::event::{
    Action, Class, Effort, InsertFailure, LocalId, LookupResult, Origin, StoreTicket,
};
use crate::shared::Shared;

impl<B: Block> Onion<B> {
    /// The user wants something. The node's own store is asked first.
    pub(crate) fn user_wants(
        &mut self,
        shared: &mut Shared<B>,
        id: LocalId,
        class: Class,
        via: Via,
        goal: Wanted<B>,
    ) {
        let now = shared.now;
        let goal = match goal {
            Wanted::Fetch { key, effort } => Goal::Fetch { key, effort },
            Wanted::Insert { block } => Goal::Insert { block },
        };
        let (state, until) = match &goal {
            Goal::Fetch { key, .. } => {
                let ticket = shared.requests.unwatched_ticket();
                shared.actions.push_back(Action::Lookup {
                    ticket,
                    key: *key,
                    origin: Origin::User,
                });
                let until = now + shared.config.accept_timeout.of(class);
                (State::Store(ticket), until)
            }
            Goal::Insert { .. } => (State::Waiting, now + self.config.circuit_wait.of(class)),
        };
        if class == Class::RealTime {
            self.own.user_waits(now);
        }
        let want = Want::new(now, class, via, goal);
        if want.is_part() {
            self.own.groups.part_begun(now, via.group);
        }
        self.own.wants.add(id, want, state, until);
        self.own.look_again = true;
    }

    /// The store answers. `false` if it was not asked for this.
    pub(crate) fn looked_up(
        &mut self,
        shared: &mut Shared<B>,
        ticket: StoreTicket,
        result: &LookupResult<B>,
    ) -> bool {
        let Some(id) = self.own.wants.of_ticket(ticket) else {
            return false;
        };
        let key = self.own.wants.get(id).and_then(Want::key);
        match result {
            LookupResult::Found(block) if Some(block.key()) == key => {
                self.fetched(shared, id, block.clone());
            }
            LookupResult::Found(_) | LookupResult::Missing | LookupResult::Unavailable => {
                self.wait_for_circuit(shared, id);
            }
        }
        true
    }

    /// The user wants something no more. `false` if it was not asked for here.
    pub(crate) fn user_cancels(&mut self, shared: &mut Shared<B>, id: LocalId) -> bool {
        let Some(want) = self.take(shared, id) else {
            return false;
        };
        if let State::Sent { circuit, ask, .. } = want.state {
            self.withdraw_from(shared, circuit, ask);
        }
        shared.actions.push_back(match want.goal {
            Goal::Fetch { .. } => Action::FetchDone {
                id,
                result: Err(crate::event::FetchFailure::Cancelled),
            },
            Goal::Insert { .. } => Action::InsertDone {
                id,
                result: Err(InsertFailure::Cancelled),
            },
        });
        true
    }

    /// Requests of the user that go through circuits.
    pub(crate) fn wants_len(&self) -> usize {
        self.own.wants.len()
    }

    /// Deals requests over circuits, and begins circuits where there are too few.
    pub(super) fn deal(&mut self, shared: &mut Shared<B>) {
        if !self.own.look_again {
            return;
        }
        self.own.look_again = false;
        let ids: Vec<LocalId> = self.own.wants.waiting().iter().copied().collect();
        let mut without: Vec<(Level, Purpose)> = Vec::new();
        let mut lacking: BTreeMap<(Level, Purpose), usize> = BTreeMap::new();
        for id in ids {
            let Some(want) = self.own.wants.get(id) else {
                continue;
            };
            let (level, purpose) = (want.via.level, want.purpose());
            let fresh = want.tried.is_empty();
            if !(fresh && without.contains(&(level, purpose))) {
                if let Some(circuit) = self.circuit_for(shared, id) {
                    self.send_over(shared, id, circuit);
                    continue;
                }
                if fresh {
                    without.push((level, purpose));
                }
            }
            *lacking.entry((level, purpose)).or_default() += 1;
        }
        self.build_what_lacks(shared, &lacking);
    }

    /// Does what is due: ends old circuits and late steps, and wakes requests.
    pub(super) fn originate(&mut self, shared: &mut Shared<B>) {
        let now = shared.now;
        let late: Vec<u64> = self
            .own
            .circuits
            .iter()
            .filter(|(_, circuit)| circuit.is_growing() && circuit.step_until <= now)
            .map(|(&number, _)| number)
            .collect();
        for number in late {
            let blamed = self.own.circuits.get(&number).map(Circuit::involved);
            self.fail(shared, number, &blamed.unwrap_or_default(), Blame::Shared);
        }
        while let Some(id) = self.own.wants.due(now) {
            self.want_due(shared, id);
        }
        if self.own.guard_from.is_some_and(|from| from <= now) {
            self.own.guard_from = None;
            self.own.look_again = true;
        }
        if self.own.may_build_from() <= now {
            self.own.look_again = true;
        }
        if self.own.refill_at.is_some_and(|at| at <= now) {
            self.own.refill_at = None;
            self.own.look_again = true;
        }
        self.retire_old(shared);
    }

    fn retire_old(&mut self, shared: &mut Shared<B>) {
        let now = shared.now;
        let (mut over, mut unused) = (Vec::new(), Vec::new());
        for (&number, circuit) in &mut self.own.circuits {
            let old = !circuit.is_growing() && circuit.until <= now;
            if old && circuit.is_unused() {
                unused.push(number);
                continue;
            }
            circuit.retired |= old;
            let looks = circuit.looking.is_some_and(|looking| !looking.is_over(now));
            if circuit.retired && circuit.running.is_empty() && !looks {
                over.push(number);
            }
        }
        for number in over {
            self.end(shared, number);
        }
        for number in unused {
            self.look_at_lists(shared, number);
            // Another is to stand by in its place
            self.own.look_again = true;
        }
    }

    /// A request has been in its state for too long.
    fn want_due(&mut self, shared: &mut Shared<B>, id: LocalId) {
        let Some(want) = self.own.wants.get(id) else {
            return;
        };
        match want.state {
            State::Store(_) | State::Paused => self.wait_for_circuit(shared, id),
            State::Waiting => self.give_up(shared, id),
            State::Sent {
                circuit,
                ask,
                at,
                accepted,
            } => {
                let silent = |known: &Circuit| known.heard < at;
                let known = self.own.circuits.get(&circuit);
                if !accepted && known.is_some_and(silent) {
                    // Nothing at all has come back since
                    let blamed = known.map(Circuit::involved).unwrap_or_default();
                    self.fail(shared, circuit, &blamed, Blame::Shared);
                    return;
                }
                let end = known.and_then(|known| known.relays.last().copied());
                self.own
                    .record
                    .failed(shared.now, end.iter(), Blame::Shared);
                self.withdraw_from(shared, circuit, ask);
                self.set_back(shared, id, Setback::TimedOut);
            }
        }
    }

    pub(super) fn wait_for_circuit(&mut self, shared: &mut Shared<B>, id: LocalId) {
        let Some(want) = self.own.wants.get(id) else {
            return;
        };
        let until = shared.now + self.config.circuit_wait.of(want.class);
        self.own.wants.set(id, State::Waiting, until);
        self.own.look_again = true;
    }

    /// The circuit for a request, if there is one that may carry it.
    fn circuit_for(&mut self, shared: &mut Shared<B>, id: LocalId) -> Option<u64> {
        let config = Arc::clone(&self.config);
        let want = self.own.wants.get(id)?;
        let (level, purpose) = (want.via.level, want.purpose());
        let (quota, wanted) = match purpose {
            Purpose::Parts(group) => {
                let asked = self.own.groups.of(group);
                let part = config.circuits_per_group_max.max(1);
                let quota = asked.parts / u32::try_from(part).unwrap_or(u32::MAX);
                let wanted = asked.parts_open.div_ceil(PARTS_PER_CIRCUIT);
                let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
                (quota.max(config.blocks_per_circuit), wanted.clamp(1, part))
            }
            Purpose::Top(_) | Purpose::Spare => (u32::MAX, 1),
        };
        let mut serving = 0;
        let mut open: SmallVec<[u64; 32]> = SmallVec::new();
        for (&number, circuit) in &mut self.own.circuits {
            if !circuit.is_ready() || circuit.purpose != purpose || circuit.level != level {
                continue;
            }
            // Its share of the group is used up
            circuit.retired |= circuit.dealt >= quota;
            if circuit.retired {
                continue;
            }
            serving += 1;
            if circuit.running.len() < config.requests_per_circuit && !want.tried.contains(&number)
            {
                open.push(number);
            }
        }
        let room = serving < config.circuits_per_group_max;
        if (open.len() < wanted && room) || open.is_empty() {
            let spares = self.own.circuits.iter();
            let spares: SmallVec<[u64; 32]> = spares
                .filter(|(_, circuit)| circuit.is_spare(level))
                .map(|(&number, _)| number)
                .collect();
            if let Some(&spare) = spares.get(shared.below(spares.len())) {
                if let Some(circuit) = self.own.circuits.get_mut(&spare) {
                    circuit.purpose = purpose;
                }
                open.push(spare);
            }
        }
        open.get(shared.below(open.len())).copied()
    }

    /// Sends a request over a circuit.
    fn send_over(&mut self, shared: &mut Shared<B>, id: LocalId, number: u64) {
        let now = shared.now;
        let (Some(want), Some(circuit)) = (
            self.own.wants.get_mut(id),
            self.own.circuits.get_mut(&number),
        ) else {
            return;
        };
        let ask = circuit.take(id);
        want.tries += 1;
        want.tried.push(number);
        let class = want.class;
        let command = match &want.goal {
            Goal::Fetch { key, .. } => Command::Fetch {
                ask,
                key: *key,
                class,
                budget: want.budget,
            },
            Goal::Insert { block } => Command::Insert {
                ask,
                key: block.key(),
                class,
                block: block.bytes().clone(),
            },
        };
        let sent = State::Sent {
            circuit: number,
            ask,
            at: now,
            accepted: false,
        };
        let until = now
            + self
                .config
                .accept_wait(&shared.config.accept_timeout, class)
            + self.slack();
        self.own.wants.set(id, sent, until);
        self.command(shared, number, class, &command);
    }

    /// Begins circuits for requests that have none, and for those to come.
    fn build_what_lacks(
        &mut self,
        shared: &mut Shared<B>,
        lacking: &BTreeMap<(Level, Purpose), usize>,
    ) {
        if shared.peers.len() == 0 {
            return;
        }
        let config = Arc::clone(&self.config);
        for level in [Level::Two, Level::Four, Level::Six, Level::Eight] {
            let of_level = lacking.iter().filter(|((lacks, _), _)| *lacks == level);
            let mut needed: usize = of_level
                .map(|((_, purpose), &waiting)| match purpose {
                    Purpose::Top(_) | Purpose::Spare => 1,
                    Purpose::Parts(_) => {
                        let serving = self.own.serving(*purpose);
                        let room = config.circuits_per_group_max.saturating_sub(serving);
                        waiting
                            .div_ceil(PARTS_PER_CIRCUIT as usize)
                            .min(room.max(1))
                    }
                })
                .sum();
            if self.own.stands_by == Some(level) {
                needed += self.own.spares_to_begin(level, config.spare, shared.now);
            }
            let most = self.own.growing_max();
            while self.own.growing(level) < needed.min(most)
                && self.own.circuits.len() < config.circuits_max
            {
                if self.own.may_build_from() > shared.now {
                    self.own.look_again = true;
                    return;
                }
                if self.own.circuits.len() >= config.circuits_max / 2 {
                    self.end_idlest(shared);
                }
                if !self.build(shared, level) {
                    return;
                }
            }
        }
    }

    /// Ends the circuit that has done nothing for longest among those of groups. Most groups ask for nothing more, and nobody
    /// says so.
    fn end_idlest(&mut self, shared: &mut Shared<B>) {
        let idle = self.own.circuits.iter().filter(|(_, circuit)| {
            circuit.is_ready() && circuit.purpose != Purpose::Spare && circuit.running.is_empty()
        });
        let idlest = idle.min_by_key(|(_, circuit)| circuit.heard);
        if let Some(number) = idlest.map(|(&number, _)| number) {
            self.end(shared, number);
        }
    }

    /// Takes a request out.
    pub(super) fn take(&mut self, shared: &Shared<B>, id: LocalId) -> Option<Want<B>> {
        let want = self.own.wants.remove(id)?;
        if want.class == Class::RealTime {
            self.own.user_waits(shared.now);
        }
        if want.is_part() {
            self.own.groups.part_ended(want.via.group);
        }
        self.own.look_again = true;
        Some(want)
    }

    pub(super) fn withdraw_from(&mut self, shared: &mut Shared<B>, number: u64, ask: Ask) {
        let Some(circuit) = self.own.circuits.get_mut(&number) else {
            return;
        };
        if circuit.running.remove(&ask).is_some() {
            self.command(shared, number, Class::RealTime, &Command::Cancel { ask });
        }
    }
}

/// What the user wants through a circuit.
pub(crate) enum Wanted<B> {
    Fetch {
        key: crypto::BlockKey,
        effort: Effort,
    },
    Insert {
        block: B,
    },
}

/// For each so many blocks that a group waits for it gets another circuit.
const PARTS_PER_CIRCUIT: u32 = 8;
