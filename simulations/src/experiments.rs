//! The experiments, one file each.

mod caching;
mod churn;
mod circuit_attacks;
mod convergence;
mod departures;
mod durability;
mod exit_inference;
mod folding;
mod greedy_limit;
mod growth;
mod guards;
mod hybrid;
mod link_lengths;
mod million;
mod node_failure;
mod overload;
mod pitch_black;
mod popularity;
mod requester;
mod rows;
mod storage;
mod swapping;
mod traceback;

use crate::experiment::Experiment;

/// All experiments, by number.
#[must_use]
pub fn experiments() -> Vec<&'static dyn Experiment> {
    vec![
        &greedy_limit::GreedyLimit,
        &convergence::Convergence,
        &growth::Grown,
        &link_lengths::LinkLengths,
        &folding::Folding,
        &folding::Policies,
        &swapping::Swapping,
        &pitch_black::PitchBlack,
        &hybrid::Hybrid,
        &million::Million,
        &node_failure::NodeFailure,
        &churn::Churned,
        &caching::Caching,
        &storage::Storage,
        &durability::Durability,
        &traceback::Traceback,
        &exit_inference::ExitInference,
        &requester::Requester,
        &guards::Guards,
        &circuit_attacks::CircuitAttacks,
        &overload::Overload,
    ]
}

/// The experiment of that name.
#[must_use]
pub fn experiment(name: &str) -> Option<&'static dyn Experiment> {
    experiments()
        .into_iter()
        .find(|experiment| experiment.name() == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_numbers_are_unique() {
        let all = experiments();
        let names: BTreeSet<_> = all.iter().map(|experiment| experiment.name()).collect();
        let numbers: BTreeSet<_> = all.iter().map(|experiment| experiment.number()).collect();
        assert_eq!((names.len(), numbers.len()), (all.len(), all.len()));
    }
}
