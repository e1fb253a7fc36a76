//! What was measured before: 10 000 nodes, one graph of each degree, medians over 24 originators.

/// The degrees of the published table.
pub(super) const DEGREES: [usize; 2] = [20, 10];

/// The number of nodes of the published table.
pub(super) const NODES: usize = 10_000;

/// Lengths of circuits.
const LENGTHS: [usize; 8] = [2, 3, 4, 5, 6, 8, 10, 12];

/// Median effective sets at degree 20 for 1, 3, 10, 30 and 100 circuits seen.
const DEGREE_20: [[f64; 5]; 8] = [
    [294.0, 2.0, 1.0, 1.0, 1.0],
    [2335.0, 247.0, 1.0, 1.0, 1.0],
    [5816.0, 2553.0, 220.0, 11.0, 1.0],
    [7737.0, 5230.0, 2321.0, 214.0, 9.0],
    [8630.0, 6789.0, 3569.0, 966.0, 155.0],
    [9393.0, 8610.0, 6579.0, 3232.0, 931.0],
    [9739.0, 9521.0, 8786.0, 5676.0, 2747.0],
    [9895.0, 9568.0, 9219.0, 7631.0, 4927.0],
];

/// The same at degree 10 for 1, 10, 30 and 100 circuits seen.
const DEGREE_10: [[f64; 4]; 8] = [
    [79.0, 1.0, 1.0, 1.0],
    [434.0, 1.0, 1.0, 1.0],
    [1998.0, 1.0, 1.0, 1.0],
    [4283.0, 45.0, 1.0, 1.0],
    [6279.0, 400.0, 11.0, 1.0],
    [8478.0, 2034.0, 408.0, 22.0],
    [9267.0, 5589.0, 1737.0, 577.0],
    [9599.0, 7700.0, 3978.0, 1561.0],
];

/// The published median, if there is one.
pub(super) fn median(degree: usize, length: usize, seen: usize) -> Option<f64> {
    let row = LENGTHS.iter().position(|&known| known == length)?;
    let column = |seens: &[usize]| seens.iter().position(|&known| known == seen);
    match degree {
        20 => Some(DEGREE_20[row][column(&[1, 3, 10, 30, 100])?]),
        10 => Some(DEGREE_10[row][column(&[1, 10, 30, 100])?]),
        _ => None,
    }
}

/// Entropy of the end of a walk at degree 20, in bits: nodes, length, published.
pub(super) const SPREAD: [(usize, usize, f64); 12] = [
    (10_000, 3, 11.4),
    (10_000, 4, 12.7),
    (10_000, 5, 13.0),
    (10_000, 6, 13.1),
    (10_000, 8, 13.2),
    (10_000, 10, 13.25),
    (100_000, 3, 11.5),
    (100_000, 4, 14.3),
    (100_000, 5, 15.5),
    (100_000, 6, 16.0),
    (100_000, 8, 16.4),
    (100_000, 10, 16.5),
];
