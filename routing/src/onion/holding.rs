//! The slow mode: relays hold cells for a while, and cover goes along circuits.
//!
//! Each cell is held for a random time of its own, exponentially distributed: the order and the times of cells on the way in
//! then say little about those on the way out (Loopix: Piotrowska and others, 2017).

use std::collections::BTreeMap;
use std::time::Duration;

use rand_core::Rng;

use super::Onion;
use super::command::Command;
use super::message::{CircuitId, Direction};
use super::relaying::{Cell, send_cell};
use super::relays::Before;
use crate::block::Block;
use crate::event::{Class, PeerId};
use crate::shared::Shared;
use crate::time::Time;

/// Cells that wait here.
#[derive(Debug, Default)]
pub(super) struct Held {
    cells: BTreeMap<(Time, u64), HeldCell>,
    count: u64,
    bytes: usize,
}

#[derive(Debug)]
struct HeldCell {
    of: Before,
    to: PeerId,
    circuit: CircuitId,
    direction: Direction,
    cell: Cell,
}

impl Held {
    pub(super) fn first(&self) -> Option<Time> {
        self.cells.first_key_value().map(|(&(at, _), _)| at)
    }

    fn add(&mut self, at: Time, held: HeldCell) {
        self.count += 1;
        self.bytes += held.cell.bytes.len();
        self.cells.insert((at, self.count), held);
    }

    fn pop_due(&mut self, now: Time) -> Option<HeldCell> {
        if self.first().is_none_or(|at| at > now) {
            return None;
        }
        let (_, held) = self.cells.pop_first()?;
        self.bytes -= held.cell.bytes.len();
        Some(held)
    }
}

impl<B: Block> Onion<B> {
    /// Sends a cell of a circuit on, after a while if the originator wished it so.
    pub(super) fn pass_on(
        &mut self,
        shared: &mut Shared<B>,
        of: Before,
        (to, circuit): (PeerId, CircuitId),
        direction: Direction,
        cell: Cell,
    ) {
        let mean_ms = self.relays.get(of).map_or(0, |relayed| relayed.delay_ms);
        if mean_ms == 0 || self.held.bytes + cell.bytes.len() > HELD_BYTES_MAX {
            send_cell(shared, to, circuit, direction, cell);
            return;
        }
        let mean = Duration::from_millis(mean_ms.min(DELAY_MAX_MS).into());
        let at = shared.now + exponential(shared.rng().next_u32(), mean);
        let held = HeldCell {
            of,
            to,
            circuit,
            direction,
            cell,
        };
        self.held.add(at, held);
    }

    /// Sends what was held long enough. Cells of circuits that are gone go nowhere.
    pub(super) fn release(&mut self, shared: &mut Shared<B>) {
        while let Some(held) = self.held.pop_due(shared.now) {
            if self.relays.get(held.of).is_some() {
                send_cell(shared, held.to, held.circuit, held.direction, held.cell);
            }
        }
    }

    /// Sends a cell with nothing in it along one of the node's own circuits, if it is time. The end answers with another.
    pub(super) fn cover(&mut self, shared: &mut Shared<B>) {
        let now = shared.now;
        let Some(interval) = self.config.cover else {
            return;
        };
        let ready = self.own.circuits.iter();
        let ready: Vec<u64> = ready
            .filter(|(_, circuit)| circuit.is_ready())
            .map(|(&number, _)| number)
            .collect();
        if ready.is_empty() {
            self.own.cover_at = None;
            return;
        }
        let at = *self.own.cover_at.get_or_insert(now);
        if at > now {
            return;
        }
        self.own.cover_at = Some(now + interval);
        if let Some(&number) = ready.get(shared.below(ready.len())) {
            self.command(shared, number, Class::RealTime, &Command::Drop);
        }
    }

    /// How much longer things take through circuits of the node's own than through undelayed ones.
    pub(super) fn slack(&self) -> Duration {
        self.config.delay.unwrap_or_default() * SLACK
    }

    /// Asks the end of a growing circuit to hold cells, if the node is to be slow.
    pub(super) fn ask_to_hold(&mut self, shared: &mut Shared<B>, number: u64) {
        let Some(delay) = self.config.delay else {
            return;
        };
        let delay_ms = u16::try_from(delay.as_millis()).unwrap_or(u16::MAX);
        let begin = Command::Begin { delay_ms };
        self.command(shared, number, Class::RealTime, &begin);
    }
}

/// A random time, exponentially distributed, at most eight times its mean.
fn exponential(random: u32, mean: Duration) -> Duration {
    let uniform = (f64::from(random) + 1.0) / (f64::from(u32::MAX) + 1.0);
    mean.mul_f64((-uniform.ln()).min(8.0))
}

/// Longer delays are not granted, in milliseconds: ten times Loopix's.
const DELAY_MAX_MS: u16 = 1_000;

/// All cells held together. Beyond that they are not held.
const HELD_BYTES_MAX: usize = 16 << 20;

/// Twelve hops there and back, and half as much again for bad luck.
const SLACK: u32 = 36;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_have_the_mean_that_was_asked_for_and_an_end() {
        let mean = Duration::from_millis(100);
        let all: Vec<_> = (0..1_000_u32)
            .map(|step| exponential(step * 4_294_967, mean))
            .collect();
        let sum: Duration = all.iter().sum();
        let average = sum / 1_000;
        assert!((90..110).contains(&average.as_millis()), "{average:?}");
        assert!(all.iter().all(|delay| *delay <= mean * 8));
    }
}
