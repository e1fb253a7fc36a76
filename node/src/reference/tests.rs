use super::*;
use proptest::prelude::*;

#[test]
fn a_reference_survives_being_pasted() {
    let reference = sample();
    let text = reference.to_string();
    assert!(text.starts_with("warren:") && !text.contains(char::is_whitespace));
    let broken: String = text
        .chars()
        .enumerate()
        .flat_map(|(i, c)| {
            if i % 70 == 69 {
                vec![c, '\n', ' ']
            } else {
                vec![c]
            }
        })
        .collect();
    for pasted in [
        text.clone(),
        format!("  {text}\r\n"),
        format!("Here is my node:\n\n{text}\n\nSee you!"),
        format!("> {broken}"),
        format!("{broken}\nSee you!"),
    ] {
        assert_eq!(pasted.parse(), Ok(reference.clone()), "{pasted}");
    }
    assert_eq!((reference.name(), reference.serial()), ("burrow", 7));
    assert_eq!(reference.id(), identity().id());
    assert_eq!(reference.addresses().len(), 2);
}

#[test]
fn a_text_that_was_cut_off_is_told_apart_from_one_that_was_altered() {
    let text = sample().to_string();
    for end in PREFIX.len()..text.len() {
        assert_eq!(
            text[..end].parse::<Reference>(),
            Err(ReferenceError::Incomplete),
            "{end}"
        );
    }
    assert_eq!("hello".parse::<Reference>(), Err(ReferenceError::Missing));
    assert_eq!(
        format!("warren:{}", "A".repeat(TEXT_LEN_MAX)).parse::<Reference>(),
        Err(ReferenceError::TooLong)
    );
}

#[test]
fn whoever_alters_a_reference_cannot_sign_it() {
    let signed = sample();
    let altered = |change: &dyn Fn(&mut Body)| {
        let mut reference = signed.clone();
        change(&mut reference.body);
        reference.to_string().parse::<Reference>()
    };
    let other = Identity::from_seed(&[2; 32]).id();
    assert_eq!(
        altered(&|body| body.serial += 1),
        Err(ReferenceError::Altered)
    );
    assert_eq!(
        altered(&|body| body.addresses[0].set_port(9)),
        Err(ReferenceError::Altered)
    );
    assert_eq!(
        altered(&|body| body.name.push('x')),
        Err(ReferenceError::Altered)
    );
    assert_eq!(
        altered(&|body| body.id = other),
        Err(ReferenceError::Altered)
    );
    assert_eq!(
        altered(&|body| body.name.clear()),
        Err(ReferenceError::Malformed)
    );
    assert_eq!(
        altered(&|body| body.addresses = vec!["127.0.0.1:0".parse().unwrap()]),
        Err(ReferenceError::Malformed)
    );
    assert_eq!(
        altered(&|body| body.addresses = vec!["127.0.0.1:1".parse().unwrap(); 17]),
        Err(ReferenceError::Malformed)
    );
}

#[test]
fn another_version_is_named() {
    let mut bytes = vec![2; 100];
    bytes.extend(check(&bytes));
    let text = format!("warren:{}", BASE64URL_NOPAD.encode(&bytes));
    assert_eq!(text.parse::<Reference>(), Err(ReferenceError::Version(2)));
}

#[test]
fn the_format_stays_what_it_is() {
    let bytes = BASE64URL_NOPAD
        .decode(&sample().to_string().as_bytes()[PREFIX.len()..])
        .unwrap();
    let mut expected = vec![1];
    expected.extend(identity().id().as_bytes());
    expected.extend(b"\x06burrow");
    // Two addresses: an IPv4 one with its port, then an IPv6 one.
    expected.extend([2, 0, 203, 0, 113, 7, 0xa0, 0xb7, 0x01]);
    expected.extend([
        1, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xa0, 0xb7, 0x01,
    ]);
    expected.push(7);
    assert_eq!(bytes[..expected.len()], expected);
    assert_eq!(bytes.len(), expected.len() + SIGNATURE_LEN + CHECK_LEN);
}

#[test]
fn only_what_can_be_read_again_is_signed() {
    let sign =
        |name: &str, addresses: &[SocketAddr]| Reference::sign(&identity(), name, addresses, 0);
    assert_eq!(sign("", &[]), Err(ReferenceMakeError::Name));
    assert_eq!(sign("two\nlines", &[]), Err(ReferenceMakeError::Name));
    assert_eq!(
        sign("x", &["0.0.0.0:1".parse().unwrap()]),
        Err(ReferenceMakeError::Addresses)
    );
    let full = sign(
        &"x".repeat(64),
        &["[2001:db8::1]:65535".parse().unwrap(); ADDRESSES_MAX],
    )
    .unwrap();
    let text = full.to_string();
    assert!(text.len() < 1000, "{}", text.len());
    assert_eq!(text.parse(), Ok(full));
}

proptest! {
    #[test]
    fn any_text_ends_in_a_reference_or_an_error(text in "(warren:)?.{0,200}") {
        let _ = text.parse::<Reference>();
    }

    #[test]
    fn any_bytes_with_a_right_check_sum_end_in_an_error(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        bytes.insert(0, VERSION);
        bytes.extend(check(&bytes));
        prop_assert!(Reference::decode(&bytes).is_err());
    }

    #[test]
    fn any_flipped_bit_is_refused(bit in 0usize..1200) {
        let text = sample().to_string();
        let mut bytes = BASE64URL_NOPAD.decode(&text.as_bytes()[PREFIX.len()..]).unwrap();
        let bit = bit % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Reference::decode(&bytes).is_err());
        // Also when the check sum is made to fit.
        let end = bytes.len() - CHECK_LEN;
        let sum = check(&bytes[..end]);
        bytes[end..].copy_from_slice(&sum);
        if bit / 8 < end {
            prop_assert!(Reference::decode(&bytes).is_err());
        }
    }
}

fn identity() -> Identity {
    Identity::from_seed(&[1; 32])
}

fn sample() -> Reference {
    let addresses = [
        "203.0.113.7:23456".parse().unwrap(),
        "[2001:db8::1]:23456".parse().unwrap(),
    ];
    Reference::sign(&identity(), "burrow", &addresses, 7).unwrap()
}

#[test]
fn a_record_is_the_same_reference_in_binary() {
    let reference = sample();
    let record = reference.to_record();
    assert_eq!(Reference::from_record(&record), Ok(reference));
    for end in 0..record.len() {
        assert!(Reference::from_record(&record[..end]).is_err(), "{end}");
    }
    let mut altered = record.to_vec();
    altered[40] ^= 1;
    assert!(Reference::from_record(&altered).is_err());
    let long = [&record[..], &[0; RECORD_LEN_MAX]].concat();
    assert_eq!(Reference::from_record(&long), Err(ReferenceError::TooLong));
}

#[test]
fn the_largest_reference_fits_into_a_record() {
    let address = |number: u16| SocketAddr::from(([0xffff; 8], u16::MAX - number));
    let addresses: Vec<SocketAddr> = (0..16).map(address).collect();
    let name = "n".repeat(64);
    let largest = Reference::sign(&identity(), &name, &addresses, u64::MAX).unwrap();
    assert!(largest.to_record().len() <= RECORD_LEN_MAX);
    assert_eq!(Reference::from_record(&largest.to_record()), Ok(largest));
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_record_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Reference::from_record(&bytes).is_err());
    }
}
