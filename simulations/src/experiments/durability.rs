//! E16: how long coded files survive the loss of blocks.

use anyhow::{Result, ensure};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::experiment::{Axis, Context, Experiment, Figure, Kind, Outcome, Plot, Table};
use crate::random::rng_for;
use crate::statistics::{count, share};

/// Survival of Reed-Solomon segments when each block is alive with one probability, independently.
pub(super) struct Durability;

#[derive(Debug, Deserialize)]
struct Parameters {
    /// Segments drawn for each shape and probability.
    trials: usize,
    /// How many nodes keep each block.
    copies: i32,
}

/// A segment of `data` blocks that any `data` of its `total` blocks restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    data: usize,
    total: usize,
}

/// Probabilities that one block is alive.
const ALIVE: [f64; 6] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8];

/// Published survival at each probability of [`ALIVE`], to three digits.
const PUBLISHED: [(Shape, [f64; 6]); 6] = [
    (Shape::new(1, 4), [0.760, 0.870, 0.938, 0.974, 0.992, 0.998]),
    (
        Shape::new(5, 10),
        [0.150, 0.367, 0.623, 0.834, 0.953, 0.994],
    ),
    (
        Shape::new(32, 64),
        [0.001, 0.067, 0.550, 0.960, 0.9997, 1.0],
    ),
    (Shape::new(128, 256), [0.0, 0.001, 0.525, 0.9995, 1.0, 1.0]),
    (Shape::new(10, 30), [0.411, 0.824, 0.979, 0.999, 1.0, 1.0]),
    (Shape::new(128, 384), [0.086, 0.997, 1.0, 1.0, 1.0, 1.0]),
];

/// The sizes of our segments that are measured.
const OUR_DATA: [usize; 7] = [1, 2, 4, 16, 32, 64, 128];

impl Experiment for Durability {
    fn name(&self) -> &'static str {
        "durability"
    }

    fn number(&self) -> &'static str {
        "E16"
    }

    fn summary(&self) -> &'static str {
        "survival of coded segments when blocks are lost, against the binomial formula"
    }

    fn run(&self, context: &Context<'_>) -> Result<Outcome> {
        let parameters: Parameters = context.parameters()?;
        ensure!(
            parameters.trials > 0 && parameters.copies > 0,
            "trials and copies must be above zero"
        );
        let mut outcome = Outcome::default();
        published_shapes(&mut outcome);
        our_shapes(context, &parameters, &mut outcome);
        planted_fault(context, &parameters, &mut outcome);
        outcome.plot(survival_plot(parameters.copies));
        Ok(outcome)
    }
}

impl Shape {
    const fn new(data: usize, total: usize) -> Self {
        Self { data, total }
    }

    /// The segment that a node makes of so many data blocks: half as many check blocks, three at least, one each if there
    /// are fewer than three.
    fn ours(data: usize) -> Self {
        Self::new(data, data + data.div_ceil(2).max(data.min(3)))
    }

    fn name(self) -> String {
        format!("{} of {}", self.data, self.total)
    }

    /// The probability that at least `data` of `total` blocks are alive.
    fn survival(self, alive: f64) -> f64 {
        if alive >= 1.0 {
            return 1.0;
        }
        // From the probability that exactly none is alive to that of one more, in logarithms: the first may be 1e-400
        let mut logarithm = count(self.total) * (1.0 - alive).ln();
        let mut sum = 0.0;
        for hits in 0..=self.total {
            if hits >= self.data {
                sum += logarithm.exp();
            }
            logarithm += (count(self.total - hits) / count(hits + 1) * alive / (1.0 - alive)).ln();
        }
        sum.min(1.0)
    }

    /// The share of drawn segments of which enough blocks are alive.
    fn drawn_survival(self, alive: f64, trials: usize, rng: &mut ChaCha8Rng) -> f64 {
        let survivors = (0..trials)
            .filter(|_| (0..self.total).filter(|_| rng.random_bool(alive)).count() >= self.data)
            .count();
        share(survivors, trials)
    }
}

fn published_shapes(outcome: &mut Outcome) {
    let mut table = Table::new(
        "published",
        "Survival of the published shapes, formula here and published",
        &["shape", "block alive", "survival", "published"],
    );
    let mut worst: f64 = 0.0;
    for (shape, values) in PUBLISHED {
        for (alive, published) in ALIVE.into_iter().zip(values) {
            let survival = shape.survival(alive);
            worst = worst.max((survival - published).abs());
            table.row([
                shape.name().into(),
                alive.into(),
                survival.into(),
                published.into(),
            ]);
        }
    }
    outcome.figure(
        Figure::new(
            "formula against published table, largest difference",
            worst,
            "",
        )
        .at_most(0.0006)
        .source("published values have three digits; rounding allows 0.0005"),
    );
    outcome.table(table);
}

/// Our shapes, by formula and by drawing, without and with several nodes that keep each block.
fn our_shapes(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) {
    let cases: Vec<(Shape, f64)> = OUR_DATA
        .into_iter()
        .flat_map(|data| ALIVE.map(|alive| (Shape::ours(data), alive)))
        .collect();
    let drawn = context.parallel("segments", &cases, |&(shape, alive)| {
        let purpose = format!("segment {} at {alive}", shape.name());
        shape.drawn_survival(
            alive,
            parameters.trials,
            &mut rng_for(context.seed(), &purpose),
        )
    });
    let copies = parameters.copies;
    let mut table = Table::new(
        "ours",
        "Survival of our shapes: each block at one node, and at several",
        &[
            "shape",
            "node alive",
            "formula",
            "drawn",
            "times the data",
            "several nodes: formula",
            "several nodes: times the data",
        ],
    );
    let mut worst: f64 = 0.0;
    for (&(shape, alive), drawn) in cases.iter().zip(drawn) {
        let survival = shape.survival(alive);
        worst = worst.max((survival - drawn).abs());
        let expansion = share(shape.total, shape.data);
        table.row([
            shape.name().into(),
            alive.into(),
            survival.into(),
            drawn.into(),
            expansion.into(),
            shape.survival(block_alive(alive, copies)).into(),
            (expansion * f64::from(copies)).into(),
        ]);
    }
    outcome.table(table);
    outcome.figure(
        Figure::new("drawn against formula, largest difference", worst, "")
            .at_most(4.5 * 0.5 / count(parameters.trials).sqrt())
            .published(0.0)
            .source("binomial sum; bar: 4.5 standard deviations of the share of drawn segments, at most"),
    );
    ours_at_half(copies, outcome);
}

/// What the segments that nodes really make are worth when half of the nodes are gone for good.
fn ours_at_half(copies: i32, outcome: &mut Outcome) {
    let whole = Shape::ours(128);
    let alone = whole.survival(0.5);
    outcome.figure(
        Figure::new(
            "128 of 384 (3x), block alive 0.5",
            Shape::new(128, 384).survival(0.5),
            "",
        )
        .at_least(0.9995)
        .published(1.0)
        .source("binomial sum; Freenet's 14-day survival of blocks is 0.5"),
    );
    outcome.figure(
        Figure::new("ours, 128 of 192 (1.5x), block alive 0.5", alone, "")
            .source("binomial sum; no bar: one copy of each block is not how it is stored"),
    );
    ours_at_several_nodes(copies, outcome);
    explain(alone, copies, outcome);
}

/// What they are worth when several nodes keep each block, as an insert leaves it.
fn ours_at_several_nodes(copies: i32, outcome: &mut Outcome) {
    let whole = Shape::ours(128);
    outcome.figure(
        Figure::new(
            format!("ours, 128 of 192 at {copies} nodes each, node alive 0.5"),
            whole.survival(block_alive(0.5, copies)),
            "",
        )
        .at_least(0.999)
        .published(1.0)
        .source("bar: as certain as 3x coding at the same loss"),
    );
    let survival = weakest(0.5, copies).survival(block_alive(0.5, copies));
    outcome.figure(
        Figure::new(
            format!("ours, weakest shape at {copies} nodes each, node alive 0.5"),
            survival,
            "",
        )
        .at_least(0.99)
        .published(block_alive(0.5, 4))
        .source("published: replication on 4 nodes, 0.938; bar: one segment of a hundred lost"),
    );
    let least = (1_u32..1000)
        .map(|step| f64::from(step) / 1000.0)
        .find(|&alive| whole.survival(block_alive(alive, copies)) >= 0.999);
    outcome.figure(
        Figure::new(
            format!(
                "least share of nodes alive that 128 of 192 at {copies} nodes each survives (0.999)"
            ),
            least.unwrap_or(f64::NAN),
            "",
        )
        .source("binomial sum"),
    );
}

/// The one of our shapes that survives least.
fn weakest(node_alive: f64, copies: i32) -> Shape {
    (1..=128)
        .map(Shape::ours)
        .min_by(|a, b| {
            let survival = |shape: &Shape| shape.survival(block_alive(node_alive, copies));
            survival(a).total_cmp(&survival(b))
        })
        .expect("a hundred and more shapes")
}

fn explain(alone: f64, copies: i32, outcome: &mut Outcome) {
    outcome.note(format!(
        "1.5x coding alone is too weak for Freenet's losses: with half of the blocks gone, 96 of 192 are left where 128 are \
         needed, and the segment survives with probability {alone:.1e}; 3x coding leaves 192 of 384 and is certain. Ours holds \
         because {copies} nodes keep each block, which makes a block alive with {:.4} when a node is with 0.5. The same storage \
         ({}x the data) would do more as coding than as copies; the copies are there to make a block quick to find and to keep \
         files of one or two blocks, for which coding does nothing.",
        block_alive(0.5, copies),
        1.5 * f64::from(copies),
    ));
    outcome.note(format!(
        "The weakest of our shapes with half of the nodes gone is {}: short segments fluctuate more. Losses are taken as \
         independent, and no healing takes place; both differ in a network, which the experiment on churn measures.",
        weakest(0.5, copies).name()
    ));
}

/// The planted fault: a reader that makes no use of check blocks.
fn planted_fault(context: &Context<'_>, parameters: &Parameters, outcome: &mut Outcome) {
    let without_checks = Shape::new(128, 128);
    let mut rng = rng_for(context.seed(), "fault");
    outcome.figure(
        Figure::new(
            "fault: check blocks ignored, 128 of 192, block alive 0.8",
            without_checks.drawn_survival(0.8, parameters.trials, &mut rng),
            "",
        )
        .at_least(0.99)
        .with_fault()
        .published(Shape::ours(128).survival(0.8))
        .source("the bar that the unbroken segment meets"),
    );
}

fn survival_plot(copies: i32) -> Plot {
    let curve = |shape: Shape, copies: i32| -> Vec<(f64, f64)> {
        (10_u32..=200)
            .map(|step| f64::from(step) / 200.0)
            .map(|alive| (alive, shape.survival(block_alive(alive, copies))))
            .collect()
    };
    let published =
        |index: usize| -> Vec<(f64, f64)> { ALIVE.into_iter().zip(PUBLISHED[index].1).collect() };
    let (two, three) = (Shape::new(128, 256), Shape::new(128, 384));
    Plot::new(
        "survival",
        "Survival of a segment",
        Axis::linear("probability that a node is alive"),
        Axis::linear("probability that the segment survives"),
    )
    .curve(
        Kind::Ours,
        "ours: 128 of 192, one node each",
        curve(Shape::ours(128), 1),
    )
    .curve(
        Kind::Ours,
        &format!("ours: 128 of 192, {copies} nodes each"),
        curve(Shape::ours(128), copies),
    )
    .curve(
        Kind::Ours,
        &format!("ours: 1 of 2, {copies} nodes each"),
        curve(Shape::ours(1), copies),
    )
    .curve(Kind::Theory, "128 of 256 (2x)", curve(two, 1))
    .curve(Kind::Theory, "128 of 384 (3x)", curve(three, 1))
    .curve(Kind::Published, "128 of 256 (2x)", published(3))
    .curve(Kind::Published, "128 of 384 (3x)", published(5))
    .curve(Kind::Published, "1 of 4, replication", published(0))
}

/// The probability that one of several nodes that keep a block is alive.
fn block_alive(node_alive: f64, copies: i32) -> f64 {
    1.0 - (1.0 - node_alive).powi(copies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_shapes_are_those_of_the_format() {
        let totals = [1, 2, 3, 4, 16, 128].map(|data| Shape::ours(data).total);
        assert_eq!(totals, [2, 4, 6, 7, 24, 192]);
    }

    #[test]
    fn survival_is_that_of_a_coin_thrown_by_hand() {
        // Two of three: 3 p^2 (1-p) + p^3
        assert!((Shape::new(2, 3).survival(0.5) - 0.5).abs() < 1e-12);
        assert!((Shape::new(1, 4).survival(0.5) - 0.9375).abs() < 1e-12);
        assert!((Shape::new(128, 384).survival(1.0) - 1.0).abs() < 1e-12);
    }
}
