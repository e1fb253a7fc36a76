use super::*;
use crate::random::rng_for;

fn rules() -> Rules {
    Rules {
        nodes: 200,
        days: 3,
        model: SessionModel::measured(),
        leave: 0.0,
        copies: 4,
        repair: None,
        reach: 4,
        astray: false,
    }
}

fn files() -> Vec<File> {
    let file = |number: usize| File {
        first: number * 6,
        segments: 1,
        data: 4,
        total: 6,
    };
    (0..48).map(file).collect()
}

#[test]
fn where_nobody_ever_leaves_everything_stays_where_it_is_sought() {
    let mut rules = rules();
    rules.model.always_on = 1.0;
    let days = Stores::run(&rules, &files(), rng_for(1, "test"));
    let last = days.last().unwrap();
    assert!((last.online - 1.0).abs() < 1e-12 && (last.copies - 4.0).abs() < 1e-12);
    assert!(last.found.iter().all(|&found| (found - 1.0).abs() < 1e-12));
}

#[test]
fn where_all_leave_for_good_nothing_is_left() {
    let mut rules = rules();
    (rules.model.always_on, rules.leave) = (1.0, 0.99);
    let days = Stores::run(&rules, &files(), rng_for(1, "test"));
    assert!(days.last().unwrap().blocks_found < 0.01);
}

#[test]
fn repair_makes_up_for_nodes_that_leave_and_counts_what_it_sends() {
    let mut rules = rules();
    (rules.model.always_on, rules.leave) = (1.0, 0.3);
    rules.repair = Some(1.0);
    let days = Stores::run(&rules, &files(), rng_for(1, "test"));
    let last = days.last().unwrap();
    assert!(last.blocks_found > 0.99, "{last:?}");
    assert!(last.repair_bytes >= count(last.repaired) * COPY_BYTES && last.repaired > 0);
}

#[test]
fn as_many_are_online_as_the_model_says() {
    let days = Stores::run(&rules(), &[], rng_for(1, "test"));
    let online = days.iter().map(|day| day.online).sum::<f64>() / count(days.len());
    assert!((online - 0.2).abs() < 0.06, "{online}");
}

#[test]
fn a_file_is_whole_if_each_segment_has_enough() {
    let file = File {
        first: 1,
        segments: 2,
        data: 1,
        total: 2,
    };
    assert!(file.is_whole(&[false, true, false, false, true]));
    assert!(!file.is_whole(&[true, true, true, false, false]));
}
