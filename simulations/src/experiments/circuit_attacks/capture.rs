//! A9: relays that list only their friends.
//!
//! The originator draws the next hop from the list of the last one. A colluder lists colluders only, whether they are its neighbours or not, and so keeps the circuit from
//! there on. Against it: a relay's list must have its predecessor in it, relays are listed only by those whom they list, and nodes compare what their peers list to them and to others.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use routing::OnionConfig;

use super::{Parameters, on_graphs};
use crate::anonymity::{Coalition, HOPS, Links, POOL};
use crate::experiment::{Axis, Context, Figure, Kind, Outcome, Plot, Table};
use crate::experiments::rows;
use crate::random::rng_for;
use crate::statistics::{count, is_same_part, share};

/// What colluders list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lists {
    /// Their neighbours, as everybody.
    Honest,
    /// Colluders.
    Friends,
    /// Colluders, and to each neighbour, and to a circuit that comes from it, also that neighbour.
    FriendsAndWhoAsks,
}

/// What originators and honest relays do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defence {
    None,
    /// A relay is listed and used only where its own list has who lists it.
    Reciprocity,
    /// The same; and originators remember lists, and leave out a relay that lacks two of those who list it.
    Memory,
    /// Reciprocity; and nodes compare, as routers do: a list that comes along while a circuit is built, or that the end of one that was
    /// never used shows, convicts a peer that leaves the node out of it. All links have been there for so many hours.
    Comparing(i32),
}

const CASES: [(Lists, Defence, &str); 9] = [
    (Lists::Honest, Defence::None, "honest lists"),
    (Lists::Friends, Defence::None, "friends only, no defence"),
    (
        Lists::Friends,
        Defence::Reciprocity,
        "friends only, reciprocity",
    ),
    (Lists::FriendsAndWhoAsks, Defence::Reciprocity, DECEIVED),
    (
        Lists::FriendsAndWhoAsks,
        Defence::Memory,
        "friends and who asks, reciprocity and memory",
    ),
    (
        Lists::FriendsAndWhoAsks,
        Defence::Comparing(1),
        "friends and who asks, comparing for an hour",
    ),
    (
        Lists::FriendsAndWhoAsks,
        Defence::Comparing(24),
        "friends and who asks, comparing for a day",
    ),
    (Lists::FriendsAndWhoAsks, Defence::Comparing(240), COMPARED),
    (
        Lists::FriendsAndWhoAsks,
        Defence::Comparing(1_440),
        "friends and who asks, comparing for sixty days",
    ),
];

const DECEIVED: &str = "friends and who asks, reciprocity";

const COMPARED: &str = "friends and who asks, comparing for ten days";

/// Relays of a circuit whose lists come to the originator with who lists them: all behind the second one, which stays.
const NEW_LISTS: usize = HOPS - 2;

/// So many of its peers' lists the end of a circuit shows that was never used.
const SHOWN_LISTS: usize = 16;

/// Whether a guard finds out depends on its own guard, and so on. One so far away is taken to find out nothing.
const DEPTH_MAX: usize = 4;

/// Colluders in a list of colluders.
const FRIENDS: usize = 20;

/// So many who list a relay and are missing in its list make it left out.
const LACKS: usize = 2;

/// One victim: how many circuits ended at colluders, among the first and among the last of them.
#[derive(Clone, Copy, Default)]
struct Ends {
    first: usize,
    last: usize,
    /// Circuits that were given up while they were built.
    refused: usize,
}

struct Row {
    name: &'static str,
    part: f64,
    ends: Vec<Ends>,
}

/// What an originator remembers.
#[derive(Default)]
struct Memory {
    /// For each relay those whose lists have it.
    listed_by: BTreeMap<usize, BTreeSet<usize>>,
    left_out: BTreeSet<usize>,
}

struct World<'a> {
    links: &'a Links,
    coalition: &'a Coalition,
    colluders: Vec<usize>,
    lists: Lists,
    defence: Defence,
}

pub(super) fn measure(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) {
    let rows = on_graphs(
        context,
        parameters,
        ("route capture", 1_031),
        |links, seed| {
            let mut rows = Vec::new();
            for case in CASES {
                for &part in &parameters.parts {
                    rows.push(row(links, parameters, case, part, seed));
                }
            }
            rows
        },
    );
    report(parameters, &rows, outcome);
}

fn row(
    links: &Links,
    parameters: &Parameters,
    (lists, defence, name): (Lists, Defence, &'static str),
    part: f64,
    seed: u64,
) -> Row {
    let ends = (0..parameters.victims).map(|victim| {
        let mut rng = rng_for(seed, &format!("victim {victim} of {part}"));
        let node = rng.random_range(0..links.nodes());
        let coalition = Coalition::draw(links.nodes(), part, node, &mut rng);
        let world = World {
            links,
            coalition: &coalition,
            colluders: coalition.members(),
            lists,
            defence,
        };
        world.victim(node, parameters.circuits, &mut rng)
    });
    Row {
        name,
        part,
        ends: ends.collect(),
    }
}

impl rows::Row for Row {
    fn is_like(&self, other: &Self) -> bool {
        self.name == other.name && is_same_part(self.part, other.part)
    }

    fn add(&mut self, other: Self) {
        self.ends.extend(other.ends);
    }
}

impl World<'_> {
    /// What a relay lists to somebody who comes from `asker`.
    fn list(&self, relay: usize, asker: usize) -> Vec<usize> {
        if !self.coalition.has(relay) || self.lists == Lists::Honest {
            let neighbours = self
                .links
                .neighbours(relay)
                .iter()
                .map(|&node| node as usize);
            return neighbours
                .filter(|&other| self.lists_as(relay, other))
                .collect();
        }
        // Friends that list each other, so that nobody finds a contradiction among them
        let place = self.colluders.binary_search(&relay).unwrap_or(0);
        let all = self.colluders.len();
        let steps = (1..=(FRIENDS / 2).min(all / 2)).flat_map(|step| [step, all - step]);
        let mut list: Vec<usize> = steps
            .map(|step| self.colluders[(place + step) % all])
            .collect();
        if self.lists == Lists::FriendsAndWhoAsks {
            list.push(asker);
        }
        list
    }

    /// Whether an honest relay lists a neighbour: with reciprocity only if that lists it, as far as it knows.
    fn lists_as(&self, relay: usize, other: usize) -> bool {
        if self.coalition.has(relay) || !self.coalition.has(other) {
            return true;
        }
        match (self.lists, self.defence) {
            (Lists::Friends, Defence::None) | (Lists::Honest, _) => true,
            (Lists::Friends, _) => false,
            (Lists::FriendsAndWhoAsks, Defence::Comparing(hours)) => {
                !self.has_convicted(relay, other, hours, 0)
            }
            (Lists::FriendsAndWhoAsks, _) => true,
        }
    }

    /// Whether a relay has seen by now what its peer, a colluder, tells others. The same answer each time.
    ///
    /// The colluder makes the best of its numbers: each neighbour is told higher ones than those before it, and a list convicts
    /// only in the eyes of those who were told a lower one. No circuit that ends at a colluder shows anything, and as many do so
    /// as without any defence.
    fn has_convicted(&self, relay: usize, peer: usize, hours: i32, depth: usize) -> bool {
        if depth > DEPTH_MAX || self.is_held(relay, hours, depth) {
            return false;
        }
        let told = self.links.neighbours(peer).iter();
        let after = told
            .map(|&other| other as usize)
            .filter(|&other| other > relay && !self.coalition.has(other));
        let shows = |other| {
            let degree = count(self.links.degree(other));
            (count(SHOWN_LISTS) + count(NEW_LISTS)).min(degree) / degree
        };
        let part = share(self.colluders.len(), self.links.nodes());
        let in_one = after.map(shows).sum::<f64>() / count(self.links.nodes())
            * (1.0 - part).powf(count(HOPS - 1));
        let seen = 1.0 - (1.0 - in_one).powi(circuits_an_hour() * hours);
        rng_for((relay as u64) << 32 | peer as u64, "conviction").random_bool(seen)
    }

    /// Whether a relay's own guard colludes, or its second hop, and the guard has not found out: its circuits show what they are to
    /// show.
    fn is_held(&self, relay: usize, hours: i32, depth: usize) -> bool {
        let mut rng = rng_for(relay as u64, "guard");
        let mut draw = |of: usize| self.links.neighbours(of).choose(&mut rng).copied();
        let Some(guard) = draw(relay).map(|guard| guard as usize) else {
            return true;
        };
        if self.coalition.has(guard) {
            return true;
        }
        let second = draw(guard).map(|second| second as usize);
        second.is_some_and(|second| {
            self.coalition.has(second) && !self.has_convicted(guard, second, hours, depth + 1)
        })
    }

    /// All circuits of one originator. Its guard is a neighbour that is honest: with another, all is lost anyway.
    fn victim(&self, node: usize, circuits: usize, rng: &mut ChaCha8Rng) -> Ends {
        let mut ends = Ends::default();
        let honest: Vec<usize> = self
            .links
            .neighbours(node)
            .iter()
            .map(|&other| other as usize)
            .filter(|&other| !self.coalition.has(other))
            .collect();
        let Some(&guard) = honest.choose(rng) else {
            return ends;
        };
        let mut memory = Memory::default();
        let mut second = None;
        let mut number = 0;
        while number < circuits {
            if let Some(end) = self.circuit(node, guard, &mut second, &mut memory, rng) {
                let colludes = usize::from(self.coalition.has(end));
                ends.first += colludes * usize::from(number < POOL);
                ends.last += colludes * usize::from(number + POOL >= circuits);
                number += 1;
            } else {
                ends.refused += 1;
                // A victim that can build no circuit asks for nothing
                if ends.refused > 20 * circuits {
                    break;
                }
            }
        }
        ends
    }

    /// The end of one circuit, or nothing if a relay on it was found out.
    fn circuit(
        &self,
        node: usize,
        guard: usize,
        second: &mut Option<usize>,
        memory: &mut Memory,
        rng: &mut ChaCha8Rng,
    ) -> Option<usize> {
        let mut hops = vec![node, guard];
        while hops.len() <= HOPS {
            let (last, before) = (hops[hops.len() - 1], hops[hops.len() - 2]);
            let list = self.list(last, before);
            if !self.accepts(last, before, &list, memory) {
                if *second == Some(last) {
                    *second = None;
                }
                return None;
            }
            let fits = |next: &usize| !hops.contains(next) && !memory.left_out.contains(next);
            let choice: Vec<usize> = list.into_iter().filter(fits).collect();
            let kept = second.filter(|kept| hops.len() == 2 && choice.contains(kept));
            let next = kept.or_else(|| choice.choose(rng).copied())?;
            if hops.len() == 2 {
                *second = Some(next);
            }
            hops.push(next);
        }
        let (end, before) = (hops[HOPS], hops[HOPS - 1]);
        let list = self.list(end, before);
        self.accepts(end, before, &list, memory).then_some(end)
    }

    /// Whether the originator goes on from a relay with that list.
    fn accepts(&self, relay: usize, before: usize, list: &[usize], memory: &mut Memory) -> bool {
        if self.defence == Defence::None {
            return true;
        }
        if !list.contains(&before) {
            return false;
        }
        if self.defence == Defence::Memory {
            for &other in list {
                memory.listed_by.entry(other).or_default().insert(relay);
            }
            let listers = memory.listed_by.get(&relay).into_iter().flatten();
            if listers.filter(|lister| !list.contains(lister)).count() >= LACKS {
                memory.left_out.insert(relay);
                return false;
            }
        }
        true
    }
}

/// How many circuits a node builds and does not use.
fn circuits_an_hour() -> i32 {
    let config = OnionConfig::default();
    let in_an_hour = config.spare as u64 * 3_600 / config.circuit_life.as_secs();
    i32::try_from(in_an_hour).unwrap_or(i32::MAX)
}

fn report(parameters: &Parameters, rows: &[Row], outcome: &mut Outcome) {
    let mut table = Table::new(
        "capture",
        "Ends of circuits that belong to colluders, where the guard does not",
        &[
            "lists and defence",
            "part that colludes",
            "first 32 circuits",
            "last 32",
            "formula without defence",
            "given up for each circuit",
        ],
    );
    let mut plot = Plot::new(
        "capture",
        "Ends captured in the first 32 circuits",
        Axis::linear("part of all nodes that collude"),
        Axis::linear("part of all ends"),
    );
    for (_, _, name) in CASES {
        let of_case = rows.iter().filter(|row| row.name == name);
        let points = of_case.map(|row| (row.part, row.first()));
        plot = plot.curve(Kind::Ours, name, points.collect());
    }
    for row in rows {
        // The guard is honest
        let formula = 1.0 - (1.0 - row.part).powf(count(HOPS - 1));
        let refused: usize = row.ends.iter().map(|ends| ends.refused).sum();
        table.row([
            row.name.into(),
            row.part.into(),
            row.first().into(),
            row.last().into(),
            formula.into(),
            share(refused, row.ends.len() * parameters.circuits).into(),
        ]);
        figures(row, formula, outcome);
    }
    outcome.table(table);
    outcome.plot(plot);
    outcome.note(
        "Route capture: colluders list 20 others anywhere in the network, who list them, which works because they carry each other's circuits over links of their own. \"Friends only\" is stopped by reciprocity, as no honest \
         relay lists them any more: they lose even the share that honest lists would give them. A colluder that puts each neighbour into the list that this neighbour and its circuits \
         get passes that test. An originator's memory of lists finds it only where it has seen two more of its neighbours' lists, which in a large network is seldom. What does help is that its peers compare: \
         lists of their own peers come to them through their own circuits, as others were told them, and a peer that leaves them out of what it tells others is left out. Taken against them here: the colluders number their \
         lists so that of any two neighbours only one can convict, circuits that end at colluders show nothing, and whoever has a colluder as guard finds out nothing, ever. The time that it takes grows with N. \
         An honest guard keeps the harm of all this to captured ends.",
    );
}

impl Row {
    fn first(&self) -> f64 {
        let sum: usize = self.ends.iter().map(|ends| ends.first).sum();
        share(sum, self.ends.len() * POOL)
    }

    fn last(&self) -> f64 {
        let sum: usize = self.ends.iter().map(|ends| ends.last).sum();
        share(sum, self.ends.len() * POOL)
    }
}

fn figures(row: &Row, formula: f64, outcome: &mut Outcome) {
    let name = format!("capture, {}, {} collude: ends captured", row.name, row.part);
    let bar = 1.5 * row.part;
    let figure = Figure::new(name, row.first(), "");
    let source = "bar: half more than the colluders' share";
    outcome.figure(match row.name {
        "friends only, no defence" => figure
            .at_most(bar)
            .with_fault()
            .published(formula)
            .source("fault: any list is believed; 1 - (1 - f)^5 behind an honest guard"),
        DECEIVED => figure
            .at_most(bar)
            .with_fault()
            .source("fault: nobody compares"),
        "honest lists" | "friends only, reciprocity" | COMPARED => {
            figure.at_most(bar).source(source)
        }
        _ => figure.source("no bar: a defence that does not do, or not yet"),
    });
}
