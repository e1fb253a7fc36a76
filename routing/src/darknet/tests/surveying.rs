//! Where a router goes after it has looked around.

use super::*;

/// Of a settled node that looks around in each round.
fn surveys_always() -> DarknetConfig {
    DarknetConfig {
        stage: Stage::Settle,
        survey_rounds: 1,
        ..DarknetConfig::default()
    }
}

/// The walks that a router sends when it looks around for the first time: to which friend, their names, targets and purposes.
fn walks(router: &mut Router) -> Vec<(u32, WalkId, Location, Purpose)> {
    let walk = |action| {
        if let Action::Send {
            to,
            message:
                Message::Swap(SwapMessage::Walk {
                    id,
                    target,
                    purpose,
                    ..
                }),
            ..
        } = action
        {
            Some((to.0, id, target, purpose))
        } else {
            None
        }
    };
    loop {
        let actions = std::iter::from_fn(|| router.poll_action());
        let walks: Vec<_> = actions.filter_map(walk).collect();
        if !walks.is_empty() {
            return walks;
        }
        router.handle_timeout(router.next_timeout().unwrap());
    }
}

/// Where a router is after a survey in which so many walks to its place arrive, and others were seen so far from each place.
fn place_after(arriving: usize, here: f64, there: f64) -> Location {
    let mut router = alone(surveys_always());
    let place = router.location();
    let beside = |target: Location, away: f64| {
        target.clockwise(Location::from_fraction(away).distance(Location::from_fraction(0.0)))
    };
    let mut arrivals = 0;
    for (to, id, target, purpose) in walks(&mut router) {
        let at = match purpose {
            Purpose::Find => {
                assert_eq!(target, place);
                arrivals += 1;
                if arrivals <= arriving {
                    place
                } else {
                    beside(place, here)
                }
            }
            Purpose::Look => beside(target, if target == place { here } else { there }),
            Purpose::Swap { .. } => panic!("it looks around"),
        };
        let answer = Answer::Nearest(at);
        replies(&mut router, to, SwapMessage::Met { id, answer });
    }
    assert_eq!(arrivals, 2);
    router.location()
}

#[test]
fn who_is_not_found_goes_into_a_gap_beside_a_friend() {
    let friends = [0.2, 0.4, 0.6, 0.8].map(Location::from_fraction);
    let at = |place| badness(place, friends.iter().copied());
    let stays = Location::from_fraction(0.1);
    let moved = place_after(0, 0.001, 0.002);
    assert!(moved != stays && at(moved) < at(stays), "{moved:?}");
    assert_eq!(place_after(1, 0.001, 0.002), stays, "it is found");
    assert_eq!(place_after(0, 0.002, 0.001), stays, "there is less room");
    let usual = Gap::START.typical().as_fraction();
    assert_eq!(place_after(0, usual / 4.0, usual / 2.0), stays, "or little");
}

#[test]
fn a_survey_without_answers_changes_nothing() {
    let mut router = alone(surveys_always());
    let place = router.location();
    assert_eq!(walks(&mut router).len(), 10);
    let ends = Time::ZERO + DarknetConfig::default().interval * 10;
    while router.next_timeout().is_some_and(|due| due < ends) {
        router.handle_timeout(router.next_timeout().unwrap());
        while router.poll_action().is_some() {}
    }
    assert_eq!(router.location(), place);
}
