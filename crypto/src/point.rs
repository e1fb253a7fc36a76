//! Public keys that are safe to compute with.

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::traits::IsIdentity;

/// 32 bytes that are not an acceptable Ed25519 public key.
///
/// Points with a component of small order, and second spellings of a point, let one signature or key appear in several
/// forms; a well-made key pair never has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPoint {
    /// No point of the curve has this encoding.
    #[error("not a point of the curve")]
    OffCurve,
    /// A second spelling of a point.
    #[error("not the canonical encoding of a point")]
    SecondSpelling,
    /// One of the eight points of small order, or a point with such a component.
    #[error("a point outside the group of prime order")]
    OutsidePrimeOrderGroup,
}

/// Reads a canonical point of prime order.
pub(crate) fn checked_point(bytes: &[u8; 32]) -> Result<EdwardsPoint, InvalidPoint> {
    let point = CompressedEdwardsY(*bytes)
        .decompress()
        .ok_or(InvalidPoint::OffCurve)?;
    if point.compress().as_bytes() != bytes {
        return Err(InvalidPoint::SecondSpelling);
    }
    if point.is_identity() || !point.is_torsion_free() {
        return Err(InvalidPoint::OutsidePrimeOrderGroup);
    }
    Ok(point)
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
    use curve25519_dalek::scalar::Scalar;

    use super::*;

    #[test]
    fn every_point_of_small_order_is_refused() {
        for point in EIGHT_TORSION {
            assert_eq!(
                checked_point(point.compress().as_bytes()),
                Err(InvalidPoint::OutsidePrimeOrderGroup)
            );
        }
    }

    #[test]
    fn a_good_point_with_any_torsion_added_is_refused() {
        let good = ED25519_BASEPOINT_POINT * Scalar::from(7_u8);
        assert_eq!(checked_point(good.compress().as_bytes()), Ok(good));
        for torsion in EIGHT_TORSION.into_iter().skip(1) {
            let bad = (good + torsion).compress();
            assert_eq!(
                checked_point(bad.as_bytes()),
                Err(InvalidPoint::OutsidePrimeOrderGroup)
            );
        }
    }

    #[test]
    fn second_spellings_of_a_point_are_refused() {
        // y = p + 1 is the neutral element's y = 1 written without reduction.
        let mut unreduced = [0xff; 32];
        unreduced[0] = 0xee;
        unreduced[31] = 0x7f;
        assert_eq!(checked_point(&unreduced), Err(InvalidPoint::SecondSpelling));
        // The neutral element with the sign bit set: x = 0 has no negative.
        let mut negative_zero = [0; 32];
        negative_zero[0] = 1;
        negative_zero[31] = 0x80;
        assert!(checked_point(&negative_zero).is_err());
    }

    #[test]
    fn bytes_off_the_curve_are_refused() {
        let mut bytes = [0; 32];
        bytes[0] = 2;
        assert_eq!(checked_point(&bytes), Err(InvalidPoint::OffCurve));
    }
}
