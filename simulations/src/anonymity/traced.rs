//! Routers' own circuits, seen from above: no node sees as much.

use std::collections::{BTreeMap, BTreeSet};

use crypto::BlockKey;
use routing::{CircuitId, InsertStage, Message, OnionMessage, Time};

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
    /// Legs after which a block of the file was looked up or offered: a fetch or an insert came out there.
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
        // The cell that a node got last, at that time
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
                // What an end does with an insert, it does at once
                if direction == Direction::Out && offers(&observation.message, &is_of_file) {
                    self.served.extend(came.get(&(at, node)));
                }
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

    /// The circuits of `originator` at whose ends blocks of the file were asked for or offered. Those with one second hop are of
    /// one group.
    pub(super) fn circuits(&self, originator: usize) -> Vec<Circuit> {
        let own = self.firsts.iter().filter(|(node, _)| *node == originator);
        let mut seconds: Vec<Option<usize>> = Vec::new();
        own.filter_map(|&(_, first)| {
            let mut hops = vec![first.0];
            let mut leg = first;
            while let Some(&next) = self.next.get(&leg) {
                hops.push(next.0);
                leg = next;
            }
            if !self.served.contains(&leg) {
                return None;
            }
            let second = hops.get(1).copied();
            let known = seconds.iter().position(|known| *known == second);
            let group = known.unwrap_or_else(|| {
                seconds.push(second);
                seconds.len() - 1
            });
            Some(Circuit { hops, group })
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

/// Whether a block of the file is offered that somebody publishes now.
fn offers(message: &Message, is_of_file: impl Fn(&BlockKey) -> bool) -> bool {
    matches!(message, Message::Offer { key, stage, .. }
        if !matches!(stage, InsertStage::Replicate(_) | InsertStage::Repair) && is_of_file(key))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use crypto::onion::CellSize;
    use routing::{Block as _, CellBody, Class, HopsToLive, RequestId};

    use super::*;
    use crate::elided_block::ElidedBlock;

    fn key() -> BlockKey {
        ElidedBlock::content(1).key()
    }

    fn seen(
        at: u64,
        node: usize,
        other: usize,
        direction: Direction,
        message: Message,
    ) -> Observation {
        Observation {
            at: Time::from_micros(at),
            node,
            other,
            direction,
            message,
        }
    }

    fn cell(circuit: u64) -> Message {
        let bytes = Bytes::from(vec![0; CellSize::Control.len()]);
        Message::Onion(OnionMessage::Cell {
            circuit: CircuitId(circuit),
            direction: routing::Direction::Forward,
            class: Class::Bulk,
            number: 1,
            body: CellBody::new(bytes).unwrap(),
        })
    }

    fn offer(stage: InsertStage) -> Message {
        Message::Offer {
            id: RequestId(1),
            key: key(),
            stage,
            class: Class::Bulk,
        }
    }

    /// 7 sends to 1, that to 2, and 2 says `last`.
    fn circuits(last: Message) -> Vec<Circuit> {
        let observations = [
            seen(1, 7, 1, Direction::Out, cell(5)),
            seen(2, 1, 7, Direction::In, cell(5)),
            seen(2, 1, 2, Direction::Out, cell(6)),
            seen(3, 2, 1, Direction::In, cell(6)),
            seen(3, 2, 9, Direction::Out, last),
        ];
        let mut traced = Traced::default();
        traced.add(&observations, &[], |asked| *asked == key());
        traced.circuits(7)
    }

    #[test]
    fn the_circuit_of_an_insert_is_found_by_the_offer_at_its_end() {
        let found = circuits(offer(InsertStage::Seek(HopsToLive::MAX)));
        let hops = vec![1, 2];
        assert_eq!(found, [Circuit { hops, group: 0 }]);
        assert_eq!(circuits(offer(InsertStage::Repair)), []);
    }
}
