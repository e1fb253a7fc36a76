//! What helps to find blocks, as bytes: one byte that says so, and then postcard.

use bytes::Bytes;

use super::compact;
use crate::finding::Finding;

/// `kind`, and the bytes of `message`.
pub(super) fn encode(message: &Finding, kind: u8) -> Bytes {
    compact::encode::<_, LEN_MAX>(message, kind)
}

/// The message that `bytes` are, if they are one and nothing more.
pub(super) fn decode(bytes: &[u8]) -> Option<Finding> {
    compact::decode(bytes)
}

/// A list of 100 places is the longest: kind 1, length 1, two for each. Rounded up.
const LEN_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use crypto::{BlockKey, BlockKind, RoutingKey};
    use proptest::prelude::*;

    use super::*;
    use crate::finding::{CoarseLocation, Neighbourhood};

    #[test]
    fn the_format_is_fixed() {
        let places = [[1, 2], [0, 5]].map(CoarseLocation::from);
        let message = Finding::Neighbours(Neighbourhood::new(places.into_iter()));
        assert_eq!(encode(&message, 65).as_ref(), [65, 0, 2, 0, 5, 1, 2]);
    }

    proptest! {
        #[test]
        fn every_message_comes_back(message in message()) {
            prop_assert_eq!(decode(&encode(&message, 65)[1..]), Some(message));
        }

        #[test]
        fn arbitrary_bytes_never_panic_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }

        #[test]
        fn no_byte_may_be_left_over(message in message(), byte: u8) {
            let mut bytes = encode(&message, 65)[1..].to_vec();
            bytes.push(byte);
            prop_assert_eq!(decode(&bytes), None);
        }
    }

    fn message() -> impl Strategy<Value = Finding> {
        let places = prop::collection::vec(any::<[u8; 2]>(), 0..120).prop_map(|places| {
            let places = places.into_iter().map(CoarseLocation::from);
            Finding::Neighbours(Neighbourhood::new(places))
        });
        let key = any::<[u8; 32]>().prop_map(|key| BlockKey {
            kind: BlockKind::Signed,
            routing_key: RoutingKey::from_bytes(key),
        });
        let about_key = (key, 0..3_u8).prop_map(|(key, kind)| match kind {
            0 => Finding::Subscribe { key },
            1 => Finding::Unsubscribe { key },
            _ => Finding::Appeared { key },
        });
        prop_oneof![places, about_key]
    }
}
