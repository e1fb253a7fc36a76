//! Routers' own circuits, seen from above: no node sees as much.

use std::collections::{BTreeMap, BTreeSet};

use crypto::BlockKey;
use routing::{CircuitId, Message, OnionMessage, Time};

use super::Circuit;
use crate::behaviour::{Direction, Observation};

/// One circuit on one link: the node that gets its forward cells, the one that sends them, and its name there.
type Leg = (usize, usize, CircuitId);

/// Where forward cells went.
#[derive(Debug, Default)]
pub(super) struct Traced {
    /// Legs that begin at the node itself, by that node.
    firsts: BTreeSet<(usize, Leg)>,
    next: BTreeMap<Leg, Leg>,
    /// Legs after which a block of the file was looked up.
    served: BTreeSet<Leg>,
}

impl Traced {
    /// Adds what all nodes sent and got, and looked up, in order.
    pub(super) fn add(
        &mut self,
        observations: &[Observation],
        lookups: &[(Time, usize, BlockKey)],
        is_of_file: impl Fn(&BlockKey) -> bool,
    ) {
        let mut came: BTreeMap<(Time, usize), Leg> = BTreeMap::new();
        // What a node got just now, if it has not passed it on
        let mut last: Option<(Time, Leg)> = None;
        for observation in observations {
            let &Observation {
                at,
                node,
                other,
                direction,
                ..
            } = observation;
            let Some(circuit) = forward(&observation.message) else {
                continue;
            };
            match direction {
                Direction::In => {
                    let leg = (node, other, circuit);
                    came.insert((at, node), leg);
                    last = Some((at, leg));
                }
                Direction::Out => {
                    let leg = (other, node, circuit);
                    match last
                        .take()
                        .filter(|(then, got)| *then == at && got.0 == node)
                    {
                        Some((_, got)) => drop(self.next.insert(got, leg)),
                        None => drop(self.firsts.insert((node, leg))),
                    }
                }
            }
        }
        let of_file = lookups.iter().filter(|(_, _, key)| is_of_file(key));
        self.served
            .extend(of_file.filter_map(|&(at, node, _)| came.get(&(at, node))));
    }

    /// The circuits of `originator` at whose ends blocks of the file were looked up.
    pub(super) fn circuits(&self, originator: usize) -> Vec<Circuit> {
        let own = self.firsts.iter().filter(|(node, _)| *node == originator);
        own.filter_map(|&(_, first)| {
            let mut hops = vec![first.0];
            let mut leg = first;
            while let Some(&next) = self.next.get(&leg) {
                hops.push(next.0);
                leg = next;
            }
            self.served
                .contains(&leg)
                .then_some(Circuit { hops, group: 0 })
        })
        .collect()
    }
}

/// The circuit of a forward cell.
const fn forward(message: &Message) -> Option<CircuitId> {
    match message {
        Message::Onion(OnionMessage::Cell {
            circuit,
            direction: routing::Direction::Forward,
            ..
        }) => Some(*circuit),
        _ => None,
    }
}
