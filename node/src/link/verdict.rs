//! Which of two connections between the same nodes serves the link.

use super::greeting::Greeting;

/// What to make of a second connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It takes over, and the link goes on.
    Swap,
    /// It takes over, and the link starts anew: what was said on the first is lost.
    Restart,
    /// It goes.
    Keep,
}

/// Both ends see the same two connections, each with whether *they* dialled it, and come to the same conclusion.
pub(crate) fn judge(
    current: (bool, &Greeting),
    candidate: (bool, &Greeting),
    dials_first: bool,
) -> Verdict {
    let (current_dialled, current) = current;
    let (candidate_dialled, candidate) = candidate;
    if candidate.instance != current.instance {
        return Verdict::Restart;
    }
    if candidate.replaces == current.name {
        return if candidate.seamless {
            Verdict::Swap
        } else {
            Verdict::Restart
        };
    }
    if current.replaces == candidate.name {
        return Verdict::Keep;
    }
    if candidate.stranger && !candidate.crossing {
        // A stranger dials only without a link: it has lost the first one, which we have not noticed yet.
        return Verdict::Restart;
    }
    if candidate_dialled == current_dialled {
        // The dialler gave the first one up before it heard our greeting.
        return Verdict::Restart;
    }
    // Both dialled at once: the connection dialled by the smaller id stays.
    if candidate_dialled == dials_first {
        Verdict::Swap
    } else {
        Verdict::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::greeting::{Instance, LinkName};

    fn greeting(instance: Instance, replaces: LinkName, seamless: bool) -> Greeting {
        Greeting {
            instance,
            name: LinkName::random(),
            replaces,
            seamless,
            ..Greeting::of(instance)
        }
    }

    #[test]
    fn of_two_simultaneous_connections_both_ends_keep_the_same() {
        // Each end knows the other's instance; names and replacements are common knowledge.
        let a = greeting(Instance::random(), LinkName::NONE, false);
        let b = greeting(Instance::random(), LinkName::NONE, false);
        let seen_by = |terms: &Greeting, peer: &Greeting| Greeting {
            instance: peer.instance,
            ..*terms
        };
        for a_is_smaller in [true, false] {
            // At a: its own dial is current, that of b comes second. At b: the same, mirrored.
            let at_a = judge(
                (true, &seen_by(&a, &b)),
                (false, &seen_by(&b, &b)),
                a_is_smaller,
            );
            let at_b = judge(
                (true, &seen_by(&b, &a)),
                (false, &seen_by(&a, &a)),
                !a_is_smaller,
            );
            let stays_a = (at_a == Verdict::Keep, at_b == Verdict::Swap);
            assert_eq!(stays_a, (a_is_smaller, a_is_smaller));
        }
    }

    #[test]
    fn a_restarted_peer_and_one_that_lost_the_link_start_it_anew() {
        let instance = Instance::random();
        let current = greeting(instance, LinkName::NONE, false);
        let restarted = greeting(Instance::random(), LinkName::NONE, false);
        assert_eq!(
            judge((true, &current), (false, &restarted), true),
            Verdict::Restart
        );
        let after_loss = greeting(instance, current.name, false);
        assert_eq!(
            judge((true, &current), (false, &after_loss), true),
            Verdict::Restart
        );
    }

    #[test]
    fn a_move_swaps_and_the_moved_connection_is_not_swapped_back() {
        let instance = Instance::random();
        let current = greeting(instance, LinkName::NONE, false);
        let moved = greeting(instance, current.name, true);
        assert_eq!(
            judge((true, &current), (false, &moved), true),
            Verdict::Swap
        );
        assert_eq!(
            judge((false, &moved), (true, &current), true),
            Verdict::Keep
        );
    }

    #[test]
    fn a_stranger_that_calls_again_starts_anew_and_one_that_crossed_does_not() {
        let instance = Instance::random();
        let stranger = |crossing| Greeting {
            stranger: true,
            crossing,
            ..greeting(instance, LinkName::NONE, false)
        };
        let current = stranger(false);
        let again = judge((true, &current), (false, &stranger(false)), true);
        assert_eq!(again, Verdict::Restart);
        let crossed = judge((true, &current), (false, &stranger(true)), true);
        assert_eq!(crossed, Verdict::Keep);
    }
}
