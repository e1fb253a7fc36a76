use proptest::prelude::*;

use super::*;

/// Takes the cell through all relays; gives the cell as each of them left it.
fn pass(
    relays: &mut [RelayKeys],
    number: u32,
    cell: &mut [u8],
) -> Result<Vec<Vec<u8>>, (usize, CellError)> {
    let mut seen = Vec::new();
    for (index, relay) in relays.iter_mut().enumerate() {
        relay
            .open_forward(number, cell)
            .map_err(|error| (index, error))?;
        seen.push(cell.to_vec());
    }
    Ok(seen)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn payloads_arrive_whatever_the_hops_the_size_and_the_order(
        hops in 1..=HOPS_MAX,
        cells in prop::collection::vec((size(), 0_usize..40_000, 0_u8..), 1..6),
        start in 0_u32..CLOSING_NUMBER_MIN,
        steps in Just([0, 1_023, 5, 1_022, 400]).prop_shuffle(),
    ) {
        let (circuit, mut relays) = circuit(hops, 1);
        for ((size, len, fill), step) in cells.into_iter().zip(steps) {
            let number = start + step;
            let text = vec![fill; len.min(size.payload_max())];
            let mut cell = circuit.seal_forward(number, size, &text).unwrap();
            let seen = pass(&mut relays, number, &mut cell).unwrap();
            prop_assert!(seen.iter().all(|cell| cell.len() == size.len()));
            prop_assert_eq!(payload(&cell), Ok(text.as_slice()));
        }
    }

    #[test]
    fn a_cell_with_any_bit_flipped_dies_at_the_very_next_relay(
        size in size(), hop in 0_usize..6, at in 0_usize..33_060, bit in 0_u8..8,
    ) {
        let (circuit, mut relays) = circuit(6, 1);
        let mut cell = circuit.seal_forward(9, size, b"text").unwrap();
        pass(&mut relays[..hop], 9, &mut cell).unwrap();
        let mut bad = cell.clone();
        let at = at % size.len();
        bad[at] ^= 1 << bit;
        let before = bad.clone();
        prop_assert_eq!(relays[hop].open_forward(9, &mut bad), Err(CellError::Forged));
        prop_assert_eq!(bad, before);
        // The number was not used up by it.
        pass(&mut relays[hop..], 9, &mut cell).unwrap();
        prop_assert_eq!(payload(&cell), Ok(b"text".as_slice()));
    }
}

#[test]
fn a_cell_is_opened_once() {
    let (circuit, mut relays) = circuit(2, 1);
    let cells: Vec<_> = [5, 6, 1_029]
        .into_iter()
        .map(|number| {
            (
                number,
                circuit
                    .seal_forward(number, CellSize::Control, b"")
                    .unwrap(),
            )
        })
        .collect();
    let relay = &mut relays[0];
    relay.open_forward(6, &mut cells[1].1.clone()).unwrap();
    assert_eq!(
        relay.open_forward(6, &mut cells[1].1.clone()),
        Err(CellError::Replayed)
    );
    relay.open_forward(1_029, &mut cells[2].1.clone()).unwrap();
    // Never seen, but too far back to be sure of that.
    assert_eq!(
        relay.open_forward(5, &mut cells[0].1.clone()),
        Err(CellError::Replayed)
    );
    assert_eq!(
        relay.open_forward(6, &mut cells[1].1.clone()),
        Err(CellError::Replayed)
    );
}

#[test]
fn a_cell_opens_under_its_own_number_only_and_at_its_own_relay_only() {
    let (circuit, mut relays) = circuit(3, 1);
    let (_, mut strangers) = super::circuit(3, 2);
    let cell = circuit.seal_forward(5, CellSize::Control, b"text").unwrap();
    for relay in [&mut strangers[0]].into_iter().chain(&mut relays[1..]) {
        assert_eq!(
            relay.open_forward(5, &mut cell.clone()),
            Err(CellError::Forged)
        );
    }
    for number in [0, 4, 6, u32::MAX] {
        assert_eq!(
            relays[0].open_forward(number, &mut cell.clone()),
            Err(CellError::Forged)
        );
    }
    let mut second = cell;
    relays[0].open_forward(5, &mut second).unwrap();
    assert_eq!(
        relays[2].open_forward(5, &mut second),
        Err(CellError::Forged)
    );
}

#[test]
fn the_cells_on_two_links_have_nothing_in_common() {
    for size in [CellSize::Control, CellSize::Block] {
        let (circuit, mut relays) = circuit(HOPS_MAX, 1);
        let first = circuit.seal_forward(1, size, &[]).unwrap();
        let mut seen = pass(&mut relays, 1, &mut first.clone()).unwrap();
        // What the end opened is no longer a cell of a link.
        seen.pop();
        seen.push(first.to_vec());
        for (index, one) in seen.iter().enumerate() {
            for shift in [0, 16, 32] {
                let others = seen.iter().enumerate().filter(|(other, _)| *other != index);
                for (_, other) in others {
                    assert_eq!(equal_places(&one[shift..], other), 0);
                }
            }
        }
    }
}

#[test]
fn the_end_cannot_tell_the_length_of_the_circuit_from_the_bytes_behind_the_payload() {
    let size = CellSize::Control;
    let mut behind = Vec::new();
    for hops in 1..=HOPS_MAX {
        let (circuit, mut relays) = circuit(hops, 1);
        for number in 0..8 {
            let mut cell = circuit.seal_forward(number, size, b"text").unwrap();
            pass(&mut relays, number, &mut cell).unwrap();
            let bytes = cell[4 + size.payload_max()..].to_vec();
            assert_eq!(bytes.len(), 192);
            behind.push((hops, bytes));
        }
    }
    // Every length fills all places with bytes that look random: no zeros, nothing that comes twice.
    let mut places: Vec<&[u8]> = behind
        .iter()
        .flat_map(|(_, bytes)| bytes.chunks(16))
        .collect();
    assert!(
        places
            .iter()
            .all(|place| place.iter().any(|byte| *byte != 0))
    );
    let all = places.len();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), all);
    for (hops, bytes) in &behind {
        let ones: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
        assert!(
            (600..936).contains(&ones),
            "{hops} hops: {ones} of 1536 bits are set"
        );
    }
}

#[test]
fn a_payload_too_long_and_a_cell_of_another_length_are_refused() {
    let (circuit, mut relays) = circuit(2, 1);
    for size in [CellSize::Control, CellSize::Block] {
        let max = size.payload_max();
        let text = vec![1; max + 1];
        let too_long = CellError::TooLong { len: max + 1, max };
        assert_eq!(circuit.seal_forward(1, size, &text), Err(too_long));
        assert_eq!(relays[0].seal_backward(1, size, &text), Err(too_long));
    }
    for len in [0, 15, 16, 2_047, 33_061] {
        let mut cell = vec![0; len];
        let error = Err(CellError::Length { len });
        assert_eq!(relays[0].open_forward(1, &mut cell), error);
        assert_eq!(relays[0].wrap_backward(1, &mut cell), error);
    }
}
