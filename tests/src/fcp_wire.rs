//! FCP spoken by hand, for what no proper client sends.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// Time for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// A message from the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FcpMessage {
    /// First line.
    pub name: String,
    /// Fields.
    pub fields: BTreeMap<String, String>,
    /// What followed `Data`.
    pub data: Vec<u8>,
}

/// A connection on which anything can be sent.
#[derive(Debug)]
pub struct FcpConnection {
    stream: BufReader<TcpStream>,
}

impl FcpConnection {
    /// Connects and sends nothing.
    ///
    /// # Panics
    /// If the node does not accept.
    #[must_use]
    pub fn open(node: SocketAddr) -> Self {
        let stream = TcpStream::connect(node).expect("the node accepts FCP connections");
        stream
            .set_read_timeout(Some(ANSWER_MAX))
            .expect("a time-out above zero is allowed");
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Connects and says hello.
    ///
    /// # Panics
    /// If the node does not answer.
    #[must_use]
    pub fn hello(node: SocketAddr) -> Self {
        let mut connection = Self::open(node);
        connection.send(b"ClientHello\nName=end-to-end\nExpectedVersion=2.0\nEndMessage\n");
        let answer = connection.receive().expect("the node answers a hello");
        assert_eq!(answer.name, "NodeHello");
        connection
    }

    /// Sends bytes. An error means that the node has closed, which the next answer tells.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Sends no more.
    pub fn finish(&mut self) {
        let _ = self.stream.get_mut().shutdown(Shutdown::Write);
    }

    /// The next message, or nothing if the node closed the connection.
    ///
    /// # Panics
    /// If the node neither answers nor closes, or sends what is no message.
    pub fn receive(&mut self) -> Option<FcpMessage> {
        let mut message = FcpMessage {
            name: self.line()?,
            ..FcpMessage::default()
        };
        loop {
            let line = self.line()?;
            if let Some((key, value)) = line.split_once('=') {
                message.fields.insert(key.to_owned(), value.to_owned());
                continue;
            }
            if line == "Data" {
                let length = message.fields["DataLength"]
                    .parse()
                    .expect("a length is a number");
                message.data = vec![0; length];
                self.stream
                    .read_exact(&mut message.data)
                    .expect("the data follow");
            } else {
                assert!(line.starts_with("End"), "a message ends with {line:?}");
            }
            return Some(message);
        }
    }

    /// The next message with this name; others are passed over.
    ///
    /// # Panics
    /// If the node closes before, or as [`FcpConnection::receive`].
    pub fn receive_named(&mut self, name: &str) -> FcpMessage {
        loop {
            let message = self.receive();
            let message = message.unwrap_or_else(|| panic!("closed before {name}"));
            if message.name == name {
                return message;
            }
        }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("no answer over FCP: {error}"),
        }
    }
}
