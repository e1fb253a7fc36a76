//! Which places a router takes when it is offered them.

use super::*;

#[test]
fn nobody_is_given_the_place_of_an_own_friend_or_one_beside_it() {
    // Friends are at 0.2, 0.4, 0.6 and 0.8: nearer to two of them is better
    for (place, willing) in [(0.7, true), (0.6, false), (0.6 + 1e-7, false)] {
        let mut router = alone(moves_at_once());
        let offered = opening(1, place);
        let mut consented = false;
        for id in 0..20 {
            replies(&mut router, 1, asks(id, offered.commitment()));
            let id = WalkId(id);
            let show = SwapMessage::Show {
                id,
                opening: offered,
            };
            // Who is willing looks around first
            consented |= replies(&mut router, 1, show)
                .iter()
                .any(|(_, message)| matches!(message, SwapMessage::Walk { .. }));
            let consent = Consent::Refused;
            replies(&mut router, 1, SwapMessage::Concluded { id, consent });
        }
        assert_eq!(consented, willing, "{place}");
    }
}
