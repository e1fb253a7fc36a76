use proptest::prelude::*;

use super::*;

async fn read_all(mut bytes: &[u8]) -> Vec<Result<Incoming, ReadError>> {
    let budget = Budget::new(1 << 20);
    let mut position = Position::First;
    let mut read = Vec::new();
    loop {
        match read_message(&mut bytes, LineLimits::SERVER, position, &budget).await {
            Ok(None) => return read,
            Ok(Some(incoming)) => read.push(Ok(incoming)),
            Err(error) => {
                let last = !matches!(&error, ReadError::Refused(refused) if !refused.is_fatal());
                read.push(Err(error));
                if last {
                    return read;
                }
            }
        }
        position = Position::Later;
    }
}

fn refusal(result: &Result<Incoming, ReadError>) -> &ProtocolError {
    match result {
        Err(ReadError::Refused(error)) => error,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn messages_with_either_line_end_and_blank_lines_between_are_read() {
    let read = read_all(b"ClientHello\r\nName=a b\r\nEndMessage\r\n\n\r\nVoid\nEnd\n").await;
    assert_eq!(read.len(), 2);
    let hello = read[0].as_ref().unwrap();
    assert_eq!(hello.message.name(), "ClientHello");
    assert_eq!(hello.message.field("Name"), Some("a b"));
    assert_eq!(read[1].as_ref().unwrap().message.name(), "Void");
}

#[tokio::test]
async fn a_value_may_hold_further_equals_signs_or_be_base64() {
    let read = read_all(b"X\na=b=c\nb==aGVsbG8\nc==aGVsbG8=\nd==!\ne=\nEndMessage\n").await;
    let message = &read[0].as_ref().unwrap().message;
    assert_eq!(message.field("a"), Some("b=c"));
    assert_eq!(message.field("b"), Some("hello"));
    assert_eq!(message.field("c"), Some("hello"));
    assert_eq!(message.field("d"), Some("=!"));
    assert_eq!(message.field("e"), Some(""));
}

#[tokio::test]
async fn only_the_first_message_may_end_with_any_word() {
    let read = read_all(b"ClientHello\nDone\nVoid\nIdentifier=x\nDone\nVoid\nEndMessage\n").await;
    assert!(read[0].is_ok());
    let error = refusal(&read[1]);
    assert_eq!(error.code(), ErrorCode::MessageParse);
    assert_eq!(error.to_message().field("Identifier"), Some("x"));
    assert!(read[2].is_ok(), "the connection goes on");
}

#[tokio::test]
async fn a_truncated_message_is_an_end_of_connection() {
    for cut in [
        &b"Clien"[..],
        b"ClientHello\n",
        b"ClientHello\nName=x",
        b"ClientHello\nName=x\nEndMessage",
    ] {
        let read = read_all(cut).await;
        assert!(
            matches!(&read[..], [Err(ReadError::Connection(error))] if error.kind() == io::ErrorKind::UnexpectedEof),
            "{cut:?} gave {read:?}"
        );
    }
}

#[tokio::test]
async fn lines_beyond_the_limits_end_the_connection() {
    let mut at_limit = b"Void\n".to_vec();
    at_limit.extend_from_slice(&[b'k'; 10]);
    at_limit.push(b'=');
    at_limit.extend(std::iter::repeat_n(b'v', FIELD_LINE_MAX - 11));
    let mut above = at_limit.clone();
    at_limit.extend_from_slice(b"\r\nEndMessage\n");
    assert!(read_all(&at_limit).await[0].is_ok());
    above.extend_from_slice(b"v\nEndMessage\n");
    assert!(refusal(&read_all(&above).await[0]).is_fatal());

    let endless_name = vec![b'N'; 1 << 20];
    assert!(refusal(&read_all(&endless_name).await[0]).is_fatal());
}

#[tokio::test]
async fn too_many_fields_end_the_connection() {
    let mut bytes = b"Void\n".to_vec();
    for number in 0..=FIELDS_MAX {
        bytes.extend_from_slice(format!("{number}=\n").as_bytes());
    }
    bytes.extend_from_slice(b"EndMessage\n");
    assert!(refusal(&read_all(&bytes).await[0]).is_fatal());
}

#[tokio::test]
async fn a_head_that_the_shared_memory_cannot_hold_is_refused() {
    let mut bytes = b"Void\n".to_vec();
    for number in 0..100 {
        bytes.extend_from_slice(format!("{number}={}\n", "v".repeat(4000)).as_bytes());
    }
    let budget = Budget::new(200 << 10);
    let result = read_message(
        &mut &bytes[..],
        LineLimits::SERVER,
        Position::First,
        &budget,
    )
    .await;
    assert!(matches!(result, Err(ReadError::Refused(error)) if error.is_fatal()));
    assert!(
        budget.take(200 << 10).is_some(),
        "what was taken is given back"
    );
}

#[tokio::test]
async fn a_field_that_is_not_text_spoils_only_its_message() {
    let read =
        read_all(b"ClientHello\nEnd\nVoid\nIdentifier=y\na=\xff\nEndMessage\nVoid\nEndMessage\n")
            .await;
    assert_eq!(
        refusal(&read[1]).to_message().field("Identifier"),
        Some("y")
    );
    assert!(read[2].is_ok());
}

#[tokio::test]
async fn a_payload_length_that_makes_no_sense_is_fatal() {
    for (length, code) in [
        ("9223372036854775808", ErrorCode::NumberParse),
        ("-1", ErrorCode::InvalidField),
        ("9223372036854775807", ErrorCode::InvalidField),
        ("many", ErrorCode::NumberParse),
        ("", ErrorCode::MissingField),
    ] {
        let read =
            read_all(format!("ClientPut\nIdentifier=i\nDataLength={length}\nData\n").as_bytes())
                .await;
        let error = read[0]
            .as_ref()
            .unwrap()
            .announced_payload(1 << 40)
            .unwrap_err();
        assert_eq!(error.code(), code, "{length}");
        assert!(error.is_fatal());
        assert_eq!(error.to_message().field("Identifier"), Some("i"));
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        runtime().block_on(read_all(&bytes));
    }

    #[test]
    fn any_lines_are_read_without_a_panic(lines in proptest::collection::vec("(Client|End|Data|[a-z.]{0,4}=?=?)[ -~]{0,6}\r?\n", 0..40)) {
        runtime().block_on(read_all(lines.concat().as_bytes()));
    }

    #[test]
    fn what_is_written_is_read_back(
        name in "[A-Z][A-Za-z]{0,20}",
        fields in proptest::collection::btree_map("[A-Za-z][A-Za-z0-9.]{0,10}", "([^=\r\n\\p{C}][^\r\n\\p{C}]{0,20})?", 0..10),
    ) {
        let message = fields.iter().fold(Message::new(name), |message, (key, value)| message.with(key.clone(), value));
        let read = runtime().block_on(read_all(&message.encode(Terminator::End)));
        prop_assert_eq!(read.len(), 1);
        prop_assert_eq!(&read[0].as_ref().unwrap().message, &message);
    }
}
