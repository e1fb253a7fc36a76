//! E19: what caches on the way save, by which block goes when they are full.
//!
//! Real routers on a static small world. Each key has one permanent home, the node closest to it; what else is found was cached
//! where the router said so. The first half of the requests fills the caches, the second is measured.

mod world;

use anyhow::{Result, ensure};
use routing::Lookahead;
use serde::Deserialize;

use crate::experiment::{Axis, Context, Experiment, Figure, Kind, Outcome, Plot, Table};
use crate::experiments::popularity::Popularity;
use crate::sim_store::Eviction;
use crate::statistics::{Summary, count, share};
use world::{Asked, World};

/// Replacement in caches.
pub(super) struct Caching;

#[derive(Clone, Debug, Deserialize)]
struct Parameters {
    nodes: usize,
    /// Long links that each node draws, besides its neighbours.
    long_links: usize,
    keys: usize,
    /// Requests for each key on the average; the second half is measured.
    requests_per_key: usize,
    /// Blocks in a node's cache for each key that it is the home of, on the average.
    cached_per_home: f64,
    /// Of the power law of popularity.
    exponent: f64,
}

/// One network.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Case {
    popularity: Popularity,
    lookahead: Lookahead,
    /// None: caches that hold nothing.
    eviction: Option<Eviction>,
    fault: bool,
}

/// Of a random difference, three standard errors are exceeded once in 740 times.
const STANDARD_ERRORS: f64 = 3.0;

const SOURCE: &str = "no published result; bar: more than chance would do (three standard errors)";

impl Experiment for Caching {
    fn name(&self) -> &'static str {
        "caching"
    }

    fn number(&self) -> &'static str {
        "E19"
    }

    fn summary(&self) -> &'static str {
        "hops that caches save under uniform and power-law popularity, by their replacement"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let mut parameters: Parameters = context.parameters()?;
        parameters.nodes = context.nodes().unwrap_or(parameters.nodes);
        ensure!(
            parameters.nodes >= 100 && parameters.keys > 0 && parameters.requests_per_key >= 2,
            "nodes must be at least 100, keys above zero, requests of a key two or more"
        );
        let cases = cases();
        let worlds = context.parallel("networks", &cases, |case| {
            // Other requests than those of the network it is compared with: equal ones would prove nothing
            let seed = context.seed() ^ u64::from(case.fault);
            World::new(&parameters, case, context.seed()).ask(&parameters, case.popularity, seed)
        });
        let mut outcome = Outcome::default();
        for (case, asked) in cases.iter().zip(&worlds) {
            let without = cases.iter().position(|other| {
                *other
                    == Case {
                        eviction: None,
                        fault: false,
                        ..*case
                    }
            });
            let without = without.map(|place| &worlds[place]);
            figures(
                case,
                asked,
                without.filter(|_| case.eviction.is_some() || case.fault),
                &mut outcome,
            );
        }
        outcome.table(table(&cases, &worlds));
        outcome.plot(depth_plot(&cases, &worlds));
        notes(&parameters, &mut outcome);
        Ok(outcome)
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for lookahead in [Lookahead::Off, Lookahead::On] {
        for popularity in [Popularity::Uniform, Popularity::PowerLaw] {
            let policies = [
                None,
                Some(Eviction::LeastRecentlyUsed),
                Some(Eviction::FirstInFirstOut),
                Some(Eviction::Random),
            ];
            cases.extend(policies.map(|eviction| Case {
                popularity,
                lookahead,
                eviction,
                fault: false,
            }));
        }
    }
    cases.push(Case {
        popularity: Popularity::PowerLaw,
        lookahead: Lookahead::Off,
        eviction: None,
        fault: true,
    });
    cases
}

impl Case {
    const fn policy(&self) -> &'static str {
        match self.eviction {
            None => "no cache",
            Some(Eviction::LeastRecentlyUsed) => "least recently used goes",
            Some(Eviction::FirstInFirstOut) => "first in goes",
            Some(Eviction::Random) => "a random one goes",
            Some(Eviction::Farthest) => "farthest goes",
        }
    }

    fn name(&self) -> String {
        let ahead = match self.lookahead {
            Lookahead::On => ", looking ahead",
            Lookahead::Off => "",
        };
        let fault = if self.fault {
            "fault, caches keep nothing: "
        } else {
            ""
        };
        format!(
            "{fault}{}{ahead}, {}",
            self.popularity.name(),
            self.policy()
        )
    }
}

fn figures(case: &Case, asked: &Asked, without: Option<&Asked>, outcome: &mut Outcome) {
    let name = case.name();
    if !case.fault {
        outcome.figure(
            Figure::new(format!("{name}: success"), asked.success(), "")
                .at_least(0.995)
                .source("bar: what a network without caches must reach; each home is always there"),
        );
    }
    let Some(without) = without else {
        return;
    };
    let saved = without.hops().mean - asked.hops().mean;
    let chance = without.standard_error().hypot(asked.standard_error());
    let figure = Figure::new(format!("{name}: hops saved"), saved, "").source(SOURCE);
    // Where all keys are asked for alike a cache cannot know what will be
    let figure = match (case.fault, case.popularity) {
        (true, _) => figure.at_least(STANDARD_ERRORS * chance).with_fault(),
        (false, Popularity::PowerLaw) => figure.at_least(STANDARD_ERRORS * chance),
        (false, Popularity::Uniform) => figure,
    };
    outcome.figure(figure);
    if !case.fault {
        let part = 1.0 - asked.visited().mean / without.visited().mean;
        outcome.figure(
            Figure::new(
                format!("{name}: part of the nodes visited that is saved"),
                part,
                "",
            )
            .source("told"),
        );
    }
}

fn table(cases: &[Case], worlds: &[Asked]) -> Table {
    let mut table = Table::new(
        "asked",
        "The measured half of the requests",
        &[
            "case",
            "requests",
            "local",
            "success",
            "mean hops",
            "median",
            "p95",
            "mean visited",
            "blocks in a cache",
        ],
    );
    for (case, asked) in cases.iter().zip(worlds) {
        let hops = asked.hops();
        table.row([
            case.name().into(),
            asked.requests.into(),
            share(asked.local, asked.requests).into(),
            asked.success().into(),
            hops.mean.into(),
            hops.median.into(),
            hops.p95.into(),
            asked.visited().mean.into(),
            asked.cached.into(),
        ]);
    }
    table
}

fn depth_plot(cases: &[Case], worlds: &[Asked]) -> Plot {
    let mut plot = Plot::new(
        "depth",
        "Hops to a block by its popularity, power law, without looking ahead",
        Axis::log("rank of the key, the most popular first"),
        Axis::linear("mean hops"),
    );
    for (case, asked) in cases.iter().zip(worlds) {
        if case.popularity != Popularity::PowerLaw || case.lookahead == Lookahead::On {
            continue;
        }
        let kind = if case.fault { Kind::Fault } else { Kind::Ours };
        let name = if case.fault {
            "fault: keeps nothing"
        } else {
            case.policy()
        };
        plot = plot.curve(kind, name, by_rank(asked));
    }
    plot
}

/// Mean hops of the keys in each doubling of the rank.
fn by_rank(asked: &Asked) -> Vec<(f64, f64)> {
    let mut sums: Vec<(f64, f64, f64)> = Vec::new();
    for found in &asked.found {
        let band = (found.rank + 1).ilog2() as usize;
        if sums.len() <= band {
            sums.resize(band + 1, (0.0, 0.0, 0.0));
        }
        let (hops, ranks, number) = &mut sums[band];
        *hops += found.hops;
        *ranks += count(found.rank + 1).ln();
        *number += 1.0;
    }
    let points = sums.into_iter().filter(|&(.., number)| number > 0.0);
    points
        .map(|(hops, ranks, number)| ((ranks / number).exp(), hops / number))
        .collect()
}

fn notes(parameters: &Parameters, outcome: &mut Outcome) {
    let Parameters {
        nodes,
        keys,
        requests_per_key,
        cached_per_home,
        ..
    } = parameters;
    outcome.note(format!(
        "{nodes} nodes of degree 20, {keys} keys, {requests_per_key} requests a key on the average, one after the other, the second half measured. \
         A cache has room for {} blocks ({cached_per_home} for each home). The original has 200 000 keys and 100 requests a key; how large its caches \
         were is not known, and no result of it was published.",
        parameters.cache(),
    ));
    outcome.note(
        "Routers cache nothing at the first three to five nodes of a way, lest somebody learn what is read near a node. Ways of four hops \
         leave little room for caches then: where these networks save little, that is the price. Larger networks have longer ways.",
    );
    outcome.note(
        "By theory (Lv et al., 2002) copies on the way make as many copies of a block as the root of its popularity, the best for searches that \
         do not know where a block is; replacement by use breaks that. Here the way is known and leads to the home: what is asked for often should be in \
         caches as long as possible, and replacement by use keeps that.",
    );
}

impl Parameters {
    /// Blocks in a node's cache.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and far below 2^52"
    )]
    fn cache(&self) -> usize {
        let homes = count(self.keys) / count(self.nodes);
        (self.cached_per_home * homes).round().max(1.0) as usize
    }
}

impl Asked {
    fn success(&self) -> f64 {
        share(self.found.len(), self.requests - self.local)
    }

    fn hops(&self) -> Summary {
        Summary::of(
            &self
                .found
                .iter()
                .map(|found| found.hops)
                .collect::<Vec<_>>(),
        )
    }

    fn visited(&self) -> Summary {
        Summary::of(
            &self
                .found
                .iter()
                .map(|found| found.visited)
                .collect::<Vec<_>>(),
        )
    }

    /// Of the mean of hops.
    fn standard_error(&self) -> f64 {
        let hops: Vec<f64> = self.found.iter().map(|found| found.hops).collect();
        crate::statistics::deviation(&hops) / count(hops.len()).sqrt()
    }
}
