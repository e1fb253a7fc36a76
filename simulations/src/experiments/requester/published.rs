//! What was reckoned before: 10 000 nodes of degree 20, 1000 blocks, 150 downloads of each kind in a model without routers.

use super::column::Column;
use crate::statistics::is_same_part;

/// One cell of the published table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Published {
    /// How often the requester is flagged.
    pub(super) caught: f64,
    /// How many others are flagged for each download.
    pub(super) innocents: f64,
}

/// The numbers of nodes of the table.
pub(super) const NODES: usize = 10_000;

const PARTS: [f64; 4] = [0.01, 0.05, 0.1, 0.2];

/// What is published of a column where such a part of all nodes colludes.
pub(super) fn of(column: Column, part: f64) -> Option<Published> {
    let place = PARTS.iter().position(|&known| is_same_part(known, part))?;
    let row = match column {
        Column::Plain | Column::NoLookahead => {
            [(0.06, 0.21), (0.29, 0.97), (0.46, 2.0), (0.74, 2.7)]
        }
        Column::FreshOnly => [(0.06, 0.09), (0.29, 0.43), (0.46, 0.69), (0.74, 1.0)],
        Column::RandomStem => [(0.21, 0.0), (0.58, 0.0), (0.83, 0.0), (0.99, 0.0)],
        Column::OneStem => [(0.0, 0.29), (0.05, 1.4), (0.09, 2.5), (0.16, 3.8)],
        Column::Onion | Column::Routers => [(0.0, 0.0); 4],
        _ => return None,
    };
    let (caught, innocents) = row[place];
    Some(Published { caught, innocents })
}
