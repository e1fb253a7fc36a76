use std::time::Duration;

use simulations::{LinkModel, Network, Settings, Topology, content_block, signed_block};

use crate::{assert_at_rest, settings_with_loss};

/// The sum of all time-outs that can follow each other for the user of one request: the origin's own limit.
const LONGEST: Duration = Duration::from_secs(50);

#[test]
fn every_request_ends_when_messages_are_lost() {
    for seed in 0..8 {
        let mut network = Network::new(
            &Topology::small_world(40, 4, seed),
            settings_with_loss(0.1),
            seed,
        );
        let successes = mixed_load(&mut network, seed);
        assert!(
            successes > 60,
            "seed {seed}: {successes} of 120 requests succeeded"
        );
    }
}

#[test]
fn every_request_ends_when_messages_overtake_each_other_and_half_are_lost() {
    let links = LinkModel {
        delay: Duration::from_millis(1)..Duration::from_secs(2),
        ordered: false,
        loss: 0.5,
        ..LinkModel::default()
    };
    for seed in 0..8 {
        let settings = Settings {
            links: links.clone(),
            ..Settings::default()
        };
        let mut network = Network::new(&Topology::random(40, 5, seed), settings, seed);
        mixed_load(&mut network, seed);
    }
}

/// Silent nodes are the worst: they accept nothing and refuse nothing.
#[test]
fn every_request_ends_when_a_quarter_of_the_nodes_falls_silent() {
    for seed in 0..4 {
        let mut network = Network::new(
            &Topology::small_world(40, 4, seed),
            Settings::default(),
            seed,
        );
        for node in 0..10 {
            network.mute_node(node);
        }
        mixed_load(&mut network, seed);
    }
}

/// 120 requests of all kinds, several for the same key at once; gives the number of successes.
fn mixed_load(network: &mut Network, seed: u64) -> usize {
    for number in 0..20 {
        let (content, signed) = (content_block(number), signed_block(number, &[1]));
        let [a, b, c, d, e, f] = [(); 6].map(|()| network.random_node(None));
        network.insert(a, content.clone());
        network.fetch(b, content.key());
        network.insert(c, signed.clone());
        network.run_for(Duration::from_millis(200));
        network.fetch(d, content.key());
        network.fetch(e, content.key());
        network.fetch(f, signed.key());
    }
    network.run();
    assert_at_rest(network, seed);
    for report in network.reports() {
        let duration = report.duration().expect("all have ended");
        assert!(
            duration <= LONGEST,
            "seed {seed}: {duration:?} for {report:?}"
        );
    }
    network
        .reports()
        .iter()
        .filter(|report| report.is_success())
        .count()
}
