//! Logarithms that are the same on every machine.

/// The binary logarithm of `value` in units of 2^-32, within 0.01; zero for zero.
///
/// Exact at powers of two, continuous and rising between them, and made of integers only: two nodes that compare sums of
/// them come to the same result.
pub(crate) const fn log2(value: u64) -> i64 {
    if value == 0 {
        return 0;
    }
    let whole = 63 - value.leading_zeros();
    // The bits below the leading one, as a fraction of 2^32
    let fraction = ((value << (63 - whole)) << 1 >> 32).cast_signed();
    let bulge = (fraction * (ONE - fraction)) >> 32;
    ((whole as i64) << 32) + fraction + bulge * BULGE / ONE
}

/// One, in units of 2^-32.
pub(crate) const ONE: i64 = 1 << 32;

/// What `x (1 - x)` is multiplied with so that `x` plus it is closest to `log2(1 + x)`: 0.3436.
const BULGE: i64 = 1_475_740_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        #[expect(clippy::cast_precision_loss, reason = "a hundredth is asked for")]
        fn it_is_the_logarithm_within_a_hundredth(value in 1..=u64::MAX) {
            let exact = (value as f64).log2();
            let ours = log2(value) as f64 / ONE as f64;
            prop_assert!((ours - exact).abs() < 0.01, "{ours} for {exact}");
        }

        #[test]
        fn it_never_falls(value in 0..u64::MAX) {
            prop_assert!(log2(value) <= log2(value + 1));
        }
    }
}
