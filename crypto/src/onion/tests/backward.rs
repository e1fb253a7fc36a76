use proptest::prelude::*;

use super::*;

/// A cell that `speaker` says, as it arrives at the originator; also how it looked on each link.
fn say(
    relays: &mut [RelayKeys],
    speaker: usize,
    number: u32,
    size: CellSize,
    text: &[u8],
) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut cell = relays[speaker].seal_backward(number, size, text).unwrap();
    let mut seen = vec![cell.to_vec()];
    for relay in relays[..speaker].iter_mut().rev() {
        relay.wrap_backward(number, &mut cell).unwrap();
        seen.push(cell.to_vec());
    }
    (cell.to_vec(), seen)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_the_end_says_arrives_whatever_the_hops_the_size_and_the_order(
        hops in 1..=HOPS_MAX,
        cells in prop::collection::vec((size(), 0_usize..40_000, 0_u8..), 1..6),
        start in 0_u32..CLOSING_NUMBER_MIN,
        steps in Just([0, 1_023, 5, 1_022, 400]).prop_shuffle(),
    ) {
        let (mut circuit, mut relays) = circuit(hops, 1);
        for ((size, len, fill), step) in cells.into_iter().zip(steps) {
            let text = vec![fill; len.min(size.payload_max())];
            let number = start + step;
            let (mut cell, seen) = say(&mut relays, hops - 1, number, size, &text);
            prop_assert!(seen.iter().all(|cell| cell.len() == size.len()));
            prop_assert_eq!(circuit.open_backward(number, &mut cell), Ok(hops - 1));
            prop_assert_eq!(payload(&cell), Ok(text.as_slice()));
        }
    }

    #[test]
    fn a_cell_with_any_bit_flipped_on_the_way_is_refused_by_the_originator(
        size in size(), hop in 0_usize..6, at in 0_usize..33_060, bit in 0_u8..8,
    ) {
        let (mut circuit, mut relays) = circuit(6, 1);
        let mut cell = relays[5].seal_backward(9, size, b"text").unwrap();
        for index in (0..5).rev() {
            if index == hop {
                cell[at % size.len()] ^= 1 << bit;
            }
            relays[index].wrap_backward(9, &mut cell).unwrap();
        }
        if hop == 5 {
            cell[at % size.len()] ^= 1 << bit;
        }
        prop_assert_eq!(circuit.open_backward(9, &mut cell), Err(CellError::Forged));
    }
}

#[test]
fn any_hop_can_say_something_short_but_only_the_end_a_block() {
    for speaker in 0..6 {
        let (mut circuit, mut relays) = circuit(6, 1);
        let number = closing_number(&mut rng(1));
        assert!(number >= CLOSING_NUMBER_MIN);
        let (mut cell, _) = say(&mut relays, speaker, number, CellSize::Control, b"broken");
        assert_eq!(circuit.open_backward(number, &mut cell), Ok(speaker));
        assert_eq!(payload(&cell), Ok(b"broken".as_slice()));

        let (mut circuit, mut relays) = super::circuit(6, 1);
        let (mut cell, _) = say(&mut relays, speaker, 1, CellSize::Block, b"block");
        let expected = if speaker == 5 {
            Ok(5)
        } else {
            Err(CellError::Forged)
        };
        assert_eq!(circuit.open_backward(1, &mut cell), expected);
    }
}

#[test]
fn a_new_end_speaks_behind_the_old_one() {
    let (mut circuit, mut relays) = circuit(2, 1);
    let (mut late, _) = say(&mut relays, 1, 10, CellSize::Control, b"late");
    let (grown, mut grown_relays) = super::circuit(3, 1);
    circuit.push(grown.into_hops().remove(2)).unwrap();
    relays.push(grown_relays.remove(2));
    let (mut cell, _) = say(&mut relays, 2, 11, CellSize::Control, b"new");
    assert_eq!(circuit.open_backward(11, &mut cell), Ok(2));
    // What the old end had under way is still understood.
    assert_eq!(circuit.open_backward(10, &mut late), Ok(1));
}

#[test]
fn the_originator_hears_a_cell_once() {
    let (mut circuit, mut relays) = circuit(3, 1);
    let (mut cell, _) = say(&mut relays, 2, 5, CellSize::Control, b"text");
    assert_eq!(circuit.open_backward(5, &mut cell.clone()), Ok(2));
    assert_eq!(
        circuit.open_backward(5, &mut cell.clone()),
        Err(CellError::Replayed)
    );
    assert_eq!(
        circuit.open_backward(6, &mut cell.clone()),
        Err(CellError::Forged)
    );
    let (mut stranger, _) = super::circuit(3, 2);
    assert_eq!(stranger.open_backward(5, &mut cell), Err(CellError::Forged));
}

#[test]
fn a_relay_uses_a_number_once_be_it_for_itself_or_for_others() {
    let (_, mut relays) = circuit(2, 1);
    let (cell, _) = say(&mut relays, 1, 5, CellSize::Control, b"text");
    let mut again = cell.clone();
    assert_eq!(
        relays[0].wrap_backward(5, &mut again),
        Err(CellError::Replayed)
    );
    assert_eq!(again, cell);
    assert_eq!(
        relays[0].seal_backward(5, CellSize::Control, b""),
        Err(CellError::Replayed)
    );
    relays[0].seal_backward(6, CellSize::Control, b"").unwrap();
    assert_eq!(
        relays[0].wrap_backward(6, &mut again),
        Err(CellError::Replayed)
    );
}

#[test]
fn the_cells_on_two_links_have_nothing_in_common() {
    for size in [CellSize::Control, CellSize::Block] {
        let (_, mut relays) = circuit(HOPS_MAX, 1);
        let (_, seen) = say(&mut relays, HOPS_MAX - 1, 1, size, &[]);
        for (index, one) in seen.iter().enumerate() {
            for other in &seen[..index] {
                assert_eq!(equal_places(one, other), 0);
            }
        }
    }
}

#[test]
fn no_two_layers_share_a_keystream() {
    let (circuit, _) = circuit(HOPS_MAX, 1);
    let mut streams = Vec::new();
    for hop in circuit.into_hops() {
        for key in hop.all_keys() {
            for (number, size) in [0, 1, CLOSING_NUMBER_MIN]
                .into_iter()
                .flat_map(|number| [CellSize::Control, CellSize::Block].map(|size| (number, size)))
            {
                let mut stream = [0; 64];
                cell::apply_layer(&key, size, number, &mut stream);
                streams.push(stream);
                let mut stream = [0; 64];
                cell::apply_body_keystream(&key, size, number, 0, &mut stream);
                streams.push(stream);
            }
        }
    }
    let all = streams.len();
    assert_eq!(all, HOPS_MAX * 4 * 6 * 2);
    streams.sort_unstable();
    streams.dedup();
    assert_eq!(streams.len(), all);
}
