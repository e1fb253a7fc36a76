//! A8: to become a peer of the victim.
//!
//! A place on the ring is a hash of an identity, and the two nearest on each side are always taken as peers. So identities can be made until one is near enough. What a node that
//! takes what place it gets pays, is the same by chance.

use rand::RngExt;
use routing::Location;

use super::Parameters;
use crate::experiment::{Context, Figure, Outcome, Table};
use crate::random::rng_for;
use crate::statistics::{Summary, count};

/// On each side of the ring so many nearest are taken always.
const LATTICE: usize = 2;

pub(super) fn measure(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) {
    let victims: Vec<u64> = (0..parameters.graphs * parameters.victims).collect();
    let nodes = parameters.nodes;
    let tried = context.parallel("identities", &victims, |&victim| {
        let mut rng = rng_for(context.seed(), &format!("ring of {victim}"));
        let mut place = || Location::from_fraction(rng.random());
        let target = place();
        let mut above: Vec<Location> = (1..nodes).map(|_| place()).collect();
        above.sort_by(|a, b| steps_above(target, *a).total_cmp(&steps_above(target, *b)));
        // Whoever comes between the second nearest on a side and the victim is one of the two nearest
        let (up, down) = (
            steps_above(target, above[LATTICE - 1]),
            steps_above(target, above[above.len() - LATTICE]),
        );
        let near = |identity: Location| {
            let steps = steps_above(target, identity);
            steps < up || steps > down
        };
        let mut identities = 1;
        while !near(place()) {
            identities += 1;
        }
        count(identities)
    });
    let tried = Summary::of(&tried);
    let chance = count(nodes) / count(parameters.degree);
    let expected = count(nodes) / count(2 * LATTICE);
    let mut table = Table::new(
        "identities",
        "Identities made until one is next to the victim",
        &[
            "nodes",
            "median",
            "mean",
            "p95",
            "N / 4",
            "N / degree: any link by chance",
        ],
    );
    table.row([
        nodes.into(),
        tried.median.into(),
        tried.mean.into(),
        tried.p95.into(),
        expected.into(),
        chance.into(),
    ]);
    outcome.table(table);
    outcome.figure(
        Figure::new("identities: made until one is next to the victim, as a part of N / 4", tried.median / expected, "")
            .published(std::f64::consts::LN_2)
            .source("median of a geometric distribution with 4 places in N; making an identity costs microseconds"),
    );
    outcome.note(
        "To be a peer of a chosen victim takes N / 4 identities, which a machine makes in a second. Nothing in the protocol makes them dear. What it buys: a peer of the victim sees what level 0 shows (see `requester`), \
         and has one chance in the number of its peers to be chosen as the guard, once in the guard's life; friends are preferred as guards. It sees no key of a victim that uses circuits.",
    );
}

/// How far it is upwards from one place to another, around the ring.
fn steps_above(from: Location, to: Location) -> f64 {
    (to.as_fraction() - from.as_fraction()).rem_euclid(1.0)
}
