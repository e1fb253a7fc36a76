//! The kinds of graphs, and what was measured on them before.

use super::walk::Rule;

/// One kind of graph and walk.
pub(super) struct Column {
    pub(super) label: &'static str,
    /// Drawn by each node.
    pub(super) long_links: usize,
    pub(super) exponent: f64,
    pub(super) rule: Rule,
    /// At [`SIZES`].
    published: [Published; 4],
}

/// Hops of 20 000 walks on one graph.
#[derive(Clone, Copy, Debug)]
pub(super) struct Published {
    pub(super) mean: f64,
    pub(super) median: Option<f64>,
    pub(super) p95: Option<f64>,
}

/// The sizes with published values.
const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// The degree that nodes have unless told otherwise.
pub(super) const REFERENCE: &str = "degree 20";
pub(super) const LOOKAHEAD: &str = "degree 20, lookahead";
pub(super) const UNIFORM: &str = "degree 20, evenly spread links";

/// Two links of the lattice, and two ends for each long link that is drawn.
pub(super) const COLUMNS: [Column; 8] = [
    kleinberg(
        "degree 4",
        1,
        [
            full(14.9, 14.0, 28.0),
            full(26.9, 26.0, 47.0),
            full(43.9, 42.0, 73.0),
            full(66.2, 64.0, 107.0),
        ],
    ),
    kleinberg(
        "degree 8",
        3,
        [
            full(7.0, 7.0, 12.0),
            full(11.9, 12.0, 20.0),
            full(18.3, 18.0, 29.0),
            full(26.1, 25.0, 41.0),
        ],
    ),
    kleinberg(
        "degree 14",
        6,
        [
            full(4.8, 5.0, 8.0),
            full(7.8, 8.0, 12.0),
            full(11.4, 11.0, 18.0),
            full(15.7, 15.0, 24.0),
        ],
    ),
    kleinberg(
        REFERENCE,
        9,
        [
            full(4.0, 4.0, 6.0),
            full(6.2, 6.0, 9.0),
            full(8.9, 9.0, 13.0),
            full(12.0, 12.0, 18.0),
        ],
    ),
    kleinberg(
        "degree 29",
        14,
        [
            full(3.4, 3.0, 5.0),
            full(5.1, 5.0, 8.0),
            full(7.1, 7.0, 10.0),
            full(9.4, 9.0, 14.0),
        ],
    ),
    Column {
        rule: Rule::Lookahead,
        ..kleinberg(
            LOOKAHEAD,
            9,
            [
                full(3.0, 3.0, 4.0),
                full(4.3, 4.0, 6.0),
                full(5.9, 6.0, 8.0),
                full(7.4, 7.0, 10.0),
            ],
        )
    },
    Column {
        exponent: 0.0,
        ..kleinberg(
            UNIFORM,
            9,
            [
                full(7.0, 7.0, 13.0),
                full(21.3, 20.0, 41.0),
                full(67.0, 62.0, 134.0),
                full(209.0, 196.0, 406.0),
            ],
        )
    },
    Column {
        exponent: 2.0,
        ..kleinberg(
            "degree 13, links by 1/d^2",
            9,
            [only(8.3), only(40.0), only(246.0), only(1820.0)],
        )
    },
];

impl Column {
    /// What was measured at that size.
    pub(super) fn published(&self, nodes: usize) -> Option<Published> {
        let index = SIZES.iter().position(|&size| size == nodes)?;
        Some(self.published[index])
    }
}

const fn kleinberg(label: &'static str, long_links: usize, published: [Published; 4]) -> Column {
    Column {
        label,
        long_links,
        exponent: 1.0,
        rule: Rule::Greedy,
        published,
    }
}

const fn full(mean: f64, median: f64, p95: f64) -> Published {
    Published {
        mean,
        median: Some(median),
        p95: Some(p95),
    }
}

const fn only(mean: f64) -> Published {
    Published {
        mean,
        median: None,
        p95: None,
    }
}
