//! Reed-Solomon over the shards of one segment: any `data` of the `data + check` shards restore the rest.

use reed_solomon_simd::{Error, ReedSolomonDecoder, ReedSolomonEncoder};

use super::geometry::SHARD_LEN_USIZE;

/// Makes check shards. Keeps its working memory from segment to segment.
pub(crate) struct Encoder {
    coder: Option<ReedSolomonEncoder>,
}

impl Encoder {
    /// An encoder without working memory.
    pub(crate) const fn new() -> Self {
        Self { coder: None }
    }

    /// Gives each of the `check` check shards of `shards`, whole shards one behind the other, to `take`.
    ///
    /// # Errors
    /// Only for numbers of shards that the geometry never makes.
    pub(crate) fn check_shards(
        &mut self,
        shards: &[u8],
        check: usize,
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        let data = shards.len() / SHARD_LEN_USIZE;
        let coder = match &mut self.coder {
            Some(coder) => {
                coder.reset(data, check, SHARD_LEN_USIZE)?;
                coder
            }
            none => none.insert(ReedSolomonEncoder::new(data, check, SHARD_LEN_USIZE)?),
        };
        for shard in shards.chunks_exact(SHARD_LEN_USIZE) {
            coder.add_original_shard(shard)?;
        }
        for shard in coder.encode()?.recovery_iter() {
            take(shard);
        }
        Ok(())
    }
}

/// Restores data shards that are missing in `blocks`: first the data shards, then the check shards of a segment, whole
/// ones. Returns number and content of each missing data shard.
///
/// # Errors
/// When fewer than `data` shards are there.
pub(crate) fn restore<T: AsRef<[u8]>>(
    data: usize,
    blocks: &[Option<T>],
) -> Result<Vec<(usize, Vec<u8>)>, Error> {
    let check = blocks.len().saturating_sub(data);
    let mut coder = ReedSolomonDecoder::new(data, check, SHARD_LEN_USIZE)?;
    for (index, shard) in blocks.iter().enumerate() {
        match shard {
            Some(shard) if index < data => coder.add_original_shard(index, shard)?,
            Some(shard) => coder.add_recovery_shard(index - data, shard)?,
            None => {}
        }
    }
    let restored = coder.decode()?;
    let owned = |(index, shard): (usize, &[u8])| (index, shard.to_vec());
    Ok(restored.restored_original_iter().map(owned).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::geometry::check_count;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_k_of_n_shards_restore_the_rest(data in 1_usize..=128, seed: u64, order in Just((0..192_usize).collect::<Vec<_>>()).prop_shuffle()) {
            let check = usize::try_from(check_count(data as u64)).unwrap();
            let mut shards = vec![0; data * SHARD_LEN_USIZE];
            blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut shards);
            let mut blocks: Vec<_> = shards.chunks(SHARD_LEN_USIZE).map(|shard| Some(shard.to_vec())).collect();
            Encoder::new().check_shards(&shards, check, |shard| blocks.push(Some(shard.to_vec()))).unwrap();
            prop_assert_eq!(blocks.len(), data + check);

            let lost: Vec<_> = order.into_iter().filter(|&index| index < data + check).take(check).collect();
            for &index in &lost {
                blocks[index] = None;
            }
            let restored = restore(data, &blocks).unwrap();
            prop_assert_eq!(restored.len(), lost.iter().filter(|&&index| index < data).count());
            for (index, shard) in restored {
                prop_assert_eq!(&shard[..], &shards[index * SHARD_LEN_USIZE..][..SHARD_LEN_USIZE]);
            }
        }
    }

    #[test]
    fn one_shard_too_few_is_an_error() {
        let shards = vec![7; 4 * SHARD_LEN_USIZE];
        let mut blocks: Vec<_> = vec![None; 4];
        Encoder::new()
            .check_shards(&shards, 3, |shard| blocks.push(Some(shard.to_vec())))
            .unwrap();
        assert!(restore(4, &blocks).is_err());
    }
}
