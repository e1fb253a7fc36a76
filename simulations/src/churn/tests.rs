use super::*;
use crate::elided_block::ElidedBlock;
use crate::network::Settings;
use crate::statistics::{Summary, count, mean, share};
use crate::topology::Topology;
use routing::Block;

#[test]
fn sessions_have_the_measured_median_and_mean() {
    let (model, mut rng) = (SessionModel::measured(), rng_for(1, "test"));
    let sessions: Vec<f64> = (0..400_000).map(|_| model.session(&mut rng)).collect();
    let summary = Summary::of(&sessions);
    assert!((summary.median - 97.2).abs() < 1.5, "{summary:?}");
    assert!((summary.mean - 513.0).abs() < 25.0, "{summary:?}");
}

#[test]
fn absences_have_bumps_and_the_mean_that_availability_demands() {
    let (model, mut rng) = (SessionModel::measured(), rng_for(1, "test"));
    let absences: Vec<f64> = (0..400_000).map(|_| model.absence(&mut rng)).collect();
    let within = |from: f64, to: f64| {
        let hours = from * 60.0..to * 60.0;
        count(
            absences
                .iter()
                .filter(|absence| hours.contains(absence))
                .count(),
        ) / (to - from)
    };
    assert!(within(8.0, 10.0) > 2.0 * within(6.0, 8.0), "a night");
    assert!(within(8.0, 10.0) > 2.0 * within(10.0, 12.0), "a night");
    assert!(within(16.0, 17.0) > 2.0 * within(14.0, 16.0), "a day");
    // 0.05 + 0.95 x = 0.2: sessions of 513 minutes to absences of 2736
    assert!(
        (mean(&absences) / 2_736.0 - 1.0).abs() < 0.05,
        "{}",
        mean(&absences)
    );
}

#[test]
fn the_stated_part_of_all_nodes_is_online_more_of_them_in_the_evening() {
    let mut network = lonely(8_000);
    let mut churn = Churn::begin(&mut network, SessionModel::measured(), &[], 1);
    let mut online = Vec::new();
    for _ in 0..48 {
        online.push(share(network.running_len(), network.len()));
        churn.run_for(&mut network, Duration::from_secs(3_600), |_, _, _| {});
    }
    assert!((mean(&online) - 0.2).abs() < 0.015, "{}", mean(&online));
    let at = |hour: usize| f64::midpoint(online[hour], online[hour + 24]);
    assert!(at(23) > 1.1 * at(11), "evening {}, noon {}", at(23), at(11));
    let never_left = churn.changes.len();
    let part = share(network.len() - never_left, network.len());
    assert!((part - 0.05).abs() < 0.01, "{part} never leave");
}

#[test]
fn a_node_that_comes_back_has_its_store() {
    let mut network = lonely(50);
    let block = ElidedBlock::content(1);
    for node in 0..50 {
        network.give(node, block.clone());
    }
    let mut churn = Churn::begin(&mut network, SessionModel::measured(), &[7], 1);
    assert!(network.is_running(7));
    let (mut came, mut left) = (0, 0);
    churn.run_for(
        &mut network,
        Duration::from_secs(5 * 86_400),
        |network, node, change| {
            assert_ne!(node, 7, "it stays");
            assert_eq!(network.is_running(node), change == Change::Came);
            assert!(network.stored(node, &block.key()).is_some());
            came += usize::from(change == Change::Came);
            left += usize::from(change == Change::Left);
        },
    );
    assert!(came > 20 && left > 20, "{came} came, {left} left");
    assert_eq!(network.now(), Time::from_micros(5 * 86_400_000_000));
}

/// Nodes without links: they only come and go.
fn lonely(nodes: u32) -> Network<ElidedBlock> {
    let places = (0..nodes).map(|node| f64::from(node) / f64::from(nodes));
    let locations = places.map(routing::Location::from_fraction).collect();
    Network::new(&Topology::of_locations(locations), Settings::default(), 1)
}
