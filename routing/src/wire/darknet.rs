//! Messages about the places of friends, as bytes: one byte that says so, and then postcard.

use bytes::Bytes;

use super::compact;
use crate::darknet::message::SwapMessage;

/// `kind`, and the bytes of `message`.
pub(super) fn encode(message: &SwapMessage, kind: u8) -> Bytes {
    compact::encode::<_, LEN_MAX>(message, kind)
}

/// The message that `bytes` are, if they are one and nothing more.
pub(super) fn decode(bytes: &[u8]) -> Option<SwapMessage> {
    compact::decode(bytes)
}

/// `Shown` is the longest: kind 1, id 10, nonce 16, place 10, drift 10, consent 1. `Walk` has id 10, hops 1, place 10, purpose 1,
/// commitment 32 and stage 1. Rounded up.
const LEN_MAX: usize = 96;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::darknet::decision::{Commitment, Opening, Stage};
    use crate::darknet::drift::Drift;
    use crate::darknet::message::{Answer, Consent, Purpose, WalkId};
    use crate::hops_to_live::HopsToLive;
    use crate::location::Location;

    #[test]
    fn the_format_is_fixed() {
        let message = SwapMessage::Walk {
            id: WalkId(300),
            hops: HopsToLive::MAX,
            target: Location::from_bits(5),
            purpose: Purpose::Look,
        };
        assert_eq!(encode(&message, 66).as_ref(), [66, 1, 0xac, 0x02, 18, 5, 1]);
        assert_eq!(decode(&[1, 1, 120, 5, 1]), None, "120 hops");
    }

    proptest! {
        #[test]
        fn every_message_comes_back(message in message()) {
            prop_assert_eq!(decode(&encode(&message, 66)[1..]), Some(message));
        }

        #[test]
        fn arbitrary_bytes_never_panic_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn no_byte_may_be_left_over(message in message(), byte: u8) {
            let mut bytes = encode(&message, 66)[1..].to_vec();
            bytes.push(byte);
            prop_assert_eq!(decode(&bytes), None);
        }
    }

    fn message() -> impl Strategy<Value = SwapMessage> {
        let parts = (
            any::<u64>(),
            any::<u64>(),
            any::<[u8; 32]>(),
            any::<[u8; 16]>(),
            any::<bool>(),
            any::<f64>(),
        );
        parts.prop_flat_map(|(id, place, commitment, nonce, given, toward)| {
            let id = WalkId(id);
            let location = Location::from_bits(place);
            let commitment = Commitment(commitment);
            let stage = if given { Stage::Drift } else { Stage::Settle };
            let towards = (Location::from_fraction(toward), Drift::default());
            let drift = Drift::among(std::iter::once(towards));
            let opening = Opening {
                nonce,
                location,
                drift,
            };
            let consent = Consent::from(given);
            let walk = |purpose| SwapMessage::Walk {
                id,
                hops: HopsToLive::ZERO,
                target: location,
                purpose,
            };
            let met = |answer| SwapMessage::Met { id, answer };
            prop::sample::select(vec![
                SwapMessage::Place {
                    location,
                    drift,
                    steps_out: nonce[0],
                },
                walk(Purpose::Look),
                walk(Purpose::Swap { commitment, stage }),
                met(Answer::Swap { commitment, stage }),
                met(Answer::Nearest(location)),
                met(Answer::Nobody),
                SwapMessage::Show { id, opening },
                SwapMessage::Shown {
                    id,
                    opening,
                    consent,
                },
                SwapMessage::Concluded { id, consent },
            ])
        })
    }
}
