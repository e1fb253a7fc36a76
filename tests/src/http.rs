//! A small HTTP client that shows everything, as `curl -i` does.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Time for a document that has to be fetched from the network.
const ANSWER_MAX: Duration = Duration::from_secs(120);

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, without transfer coding.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header field.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Gets `/path`, which may be a URI of Warren without the slash before it.
///
/// # Panics
/// If there is no answer, or none that is HTTP.
#[must_use]
pub fn get(node: SocketAddr, path: &str) -> Response {
    request(node, "GET", path, &[])
}

/// Gets a document as tools that follow redirects do, if these stay on the node.
///
/// # Panics
/// As [`get`], and if the redirects lead elsewhere or do not end.
#[must_use]
pub fn follow(node: SocketAddr, path: &str) -> Response {
    let mut path = path.to_owned();
    for _ in 0..5 {
        let response = get(node, &path);
        if response.status != 301 {
            return response;
        }
        let location = response.header("location").unwrap_or_default();
        assert!(location.starts_with('/'), "{path} leads to {location:?}");
        path = location.to_owned();
    }
    panic!("{path}: too many redirects");
}

/// Sends a request without a body.
///
/// # Panics
/// As [`get`].
#[must_use]
pub fn request(node: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let stream = TcpStream::connect(node).expect("the node accepts HTTP connections");
    stream
        .set_read_timeout(Some(ANSWER_MAX))
        .expect("a time-out above zero is allowed");
    let mut text = format!(
        "{method} /{} HTTP/1.1\r\nConnection: close\r\n",
        path.trim_start_matches('/')
    );
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        text.push_str(&format!("Host: {node}\r\n"));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut stream = BufReader::new(stream);
    stream
        .get_mut()
        .write_all(text.as_bytes())
        .expect("the node takes the request");
    read_response(&mut stream, method == "HEAD")
}

fn read_response(stream: &mut impl BufRead, head_only: bool) -> Response {
    let status_line = line(stream);
    let status = status_line
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no HTTP: {status_line:?}"));
    let mut response = Response {
        status,
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let field = line(stream);
        let Some((name, value)) = field.split_once(':') else {
            break;
        };
        response
            .headers
            .push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    if head_only || status == 204 || status == 304 {
        return response;
    }
    if response
        .header("transfer-encoding")
        .is_some_and(|coding| coding.contains("chunked"))
    {
        response.body = chunks(stream);
    } else {
        stream
            .read_to_end(&mut response.body)
            .expect("the body arrives");
        if let Some(length) = response.header("content-length") {
            assert_eq!(
                length,
                response.body.len().to_string(),
                "the body was cut short"
            );
        }
    }
    response
}

fn chunks(stream: &mut impl BufRead) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let size = line(stream);
        let length = usize::from_str_radix(size.trim(), 16)
            .unwrap_or_else(|_| panic!("a chunk of size {size:?}"));
        let begin = body.len();
        body.resize(begin + length, 0);
        stream
            .read_exact(&mut body[begin..])
            .expect("the chunk arrives");
        let _ = line(stream);
        if length == 0 {
            return body;
        }
    }
}

fn line(stream: &mut impl BufRead) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).expect("a line of HTTP arrives");
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_both_forms_are_read() {
        let plain = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\nETag: \"a\"\r\n\r\nabc";
        let response = read_response(&mut plain.as_slice(), false);
        assert_eq!(
            (response.status, response.body.as_slice()),
            (206, b"abc".as_slice())
        );
        assert_eq!(response.header("etag"), Some("\"a\""));
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
        assert_eq!(read_response(&mut chunked.as_slice(), false).body, b"abc");
    }
}
