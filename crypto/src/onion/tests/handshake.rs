use curve25519_dalek::constants::EIGHT_TORSION;
use proptest::prelude::*;

use super::*;

/// Both messages of a handshake with the relay of seed 7.
fn messages() -> (OnionSecret, [u8; CREATE_LEN], [u8; CREATED_LEN]) {
    let secret = OnionSecret::from_seed(&[7; 32]);
    let (_, create) = Handshake::begin(secret.key(), &mut rng(1));
    let (created, _) = answer([&secret], &create, &mut rng(2)).unwrap();
    (secret, create, created)
}

/// The originator's state that belongs to [`messages`].
fn begun() -> Handshake {
    let secret = OnionSecret::from_seed(&[7; 32]);
    Handshake::begin(secret.key(), &mut rng(1)).0
}

#[test]
fn both_sides_come_to_the_same_keys_and_never_to_the_same_again() {
    let mut rng = rng(1);
    let secret = OnionSecret::generate(&mut rng);
    let mut all = Vec::new();
    for _ in 0..4 {
        let (handshake, create) = Handshake::begin(secret.key(), &mut rng);
        let (created, relay) = answer([&secret], &create, &mut rng).unwrap();
        let hop = handshake.finish(&created).unwrap();
        let (ours, theirs) = (hop.shared(), relay.shared());
        assert_eq!(ours.forward, theirs.forward);
        assert_eq!(ours.backward, theirs.backward);
        assert_eq!(ours.layer, theirs.layer);
        all.extend(hop.all_keys());
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 4 * 4);
}

#[test]
fn the_key_before_the_current_one_still_answers_and_others_do_not() {
    let [current, former, stranger] = [1, 2, 3].map(|seed| OnionSecret::from_seed(&[seed; 32]));
    for to in [&current, &former] {
        let (handshake, create) = Handshake::begin(to.key(), &mut rng(1));
        let (created, _) = answer([&current, &former], &create, &mut rng(2)).unwrap();
        assert!(handshake.finish(&created).is_ok());
        assert_eq!(
            answer([&stranger], &create, &mut rng(2)).err(),
            Some(HandshakeError::OtherKey)
        );
        assert_eq!(
            answer([], &create, &mut rng(2)).err(),
            Some(HandshakeError::OtherKey)
        );
    }
}

#[test]
fn an_impostor_without_the_onion_key_is_found_out() {
    let (secret, mut create, _) = messages();
    let impostor = OnionSecret::from_seed(&[8; 32]);
    // It does all as the relay would, but for the one secret that it does not have.
    let claiming = impostor.clone().claiming(secret.key());
    let (created, _) = answer([&claiming], &create, &mut rng(2)).unwrap();
    assert_eq!(
        begun().finish(&created).err(),
        Some(HandshakeError::NotTheRelay)
    );
    // It puts its own key in the place of the one that was meant.
    create[..32].copy_from_slice(impostor.key().as_bytes());
    let (created, _) = answer([&impostor], &create, &mut rng(2)).unwrap();
    assert_eq!(
        begun().finish(&created).err(),
        Some(HandshakeError::NotTheRelay)
    );
}

#[test]
fn an_answer_is_good_for_its_own_question_only() {
    let (secret, _, created) = messages();
    let (other, _) = Handshake::begin(secret.key(), &mut rng(3));
    assert_eq!(
        other.finish(&created).err(),
        Some(HandshakeError::NotTheRelay)
    );
    assert!(begun().finish(&created).is_ok());
}

#[test]
fn public_keys_of_small_order_are_refused_on_both_sides() {
    let (secret, create, created) = messages();
    for point in EIGHT_TORSION {
        let bytes = point.to_montgomery().to_bytes();
        let mut bad = create;
        bad[32..64].copy_from_slice(&bytes);
        assert_eq!(
            answer([&secret], &bad, &mut rng(2)).err(),
            Some(HandshakeError::PublicKey)
        );
        let mut bad = created;
        bad[..32].copy_from_slice(&bytes);
        assert_eq!(begun().finish(&bad).err(), Some(HandshakeError::PublicKey));
    }
}

#[test]
fn a_lattice_key_with_a_number_beyond_the_modulus_is_refused() {
    let (secret, mut create, _) = messages();
    // Twelve bits a number, and the modulus is 3329.
    create[64..67].copy_from_slice(&[0xff; 3]);
    assert_eq!(
        answer([&secret], &create, &mut rng(2)).err(),
        Some(HandshakeError::PublicKey)
    );
}

#[test]
fn messages_of_another_length_are_refused() {
    let (secret, create, created) = messages();
    for len in [0, 31, CREATE_LEN - 1] {
        let error = HandshakeError::Length {
            len,
            expected: CREATE_LEN,
        };
        assert_eq!(
            answer([&secret], &create[..len], &mut rng(2)).err(),
            Some(error)
        );
    }
    let long = [created.as_slice(), &[0]].concat();
    let error = HandshakeError::Length {
        len: CREATED_LEN + 1,
        expected: CREATED_LEN,
    };
    assert_eq!(begun().finish(&long).err(), Some(error));
}

proptest! {
    #[test]
    fn a_bit_flipped_in_either_message_leaves_no_circuit(
        at in prop_oneof![0..64_usize, 0..CREATE_LEN], bit in 0_u8..8,
    ) {
        let (secret, create, created) = messages();
        let mut bad = create;
        bad[at] ^= 1 << bit;
        match answer([&secret], &bad, &mut rng(2)) {
            Ok((created, _)) => prop_assert_eq!(
                begun().finish(&created).err(), Some(HandshakeError::NotTheRelay)),
            Err(error) => prop_assert!(
                error == HandshakeError::OtherKey && at < 32
                    || error == HandshakeError::PublicKey && at >= 64),
        }
        let mut bad = created;
        bad[at % CREATED_LEN] ^= 1 << bit;
        prop_assert_eq!(begun().finish(&bad).err(), Some(HandshakeError::NotTheRelay));
    }
}
