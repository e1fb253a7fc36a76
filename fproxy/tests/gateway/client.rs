//! A small HTTP client that sends exactly what it is told and hides nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fproxy::{Gateway, GatewayConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::double::Double;

/// What a browser sends when somebody enters an address.
pub(crate) const NAVIGATION: &str = "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\
    Accept: text/html,*/*;q=0.8\r\n";

/// What a browser sends when a page loads one of its pictures.
pub(crate) const PICTURE: &str =
    "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n";

/// A gateway over a double, with its folder.
pub(crate) struct Rig {
    pub(crate) network: Arc<Double>,
    gateway: Gateway,
    folder: tempfile::TempDir,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut config = GatewayConfig::new(Zeroizing::new([9; 32]), folder.path().to_owned());
        config.patience = Duration::from_millis(300);
        change(&mut config);
        let network = Double::new();
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let gateway = Gateway::bind(any_port, Arc::clone(&network) as _, config).await;
        Self {
            network,
            gateway: gateway.expect("loopback can be listened on"),
            folder,
        }
    }

    /// Where uploads lie.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn host(&self) -> String {
        self.gateway.local_addr().to_string()
    }

    pub(crate) fn port(&self) -> u16 {
        self.gateway.local_addr().port()
    }

    /// GET as curl does it.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "").await
    }

    /// The word in the first form of a page.
    pub(crate) async fn token(&self, path: &str) -> String {
        let page = self.get(path).await.text();
        let start = page
            .find("name=\"token\" value=\"")
            .expect("the form has a token")
            + 20;
        page[start..start + page[start..].find('"').expect("the value ends")].to_owned()
    }

    /// A request to the loopback address with further headers, each ending in CR LF.
    pub(crate) async fn request(&self, method: &str, path: &str, headers: &str) -> Answer {
        let host = self.host();
        self.raw(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n"
        ))
        .await
    }

    /// A request to another host.
    pub(crate) async fn request_at(&self, host: &str, path: &str, headers: &str) -> Answer {
        self.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n"
        ))
        .await
    }

    /// Follows the redirect of a browser to the origin of the site; returns the host.
    pub(crate) async fn label_host(&self, path: &str) -> String {
        let answer = self.request("GET", path, NAVIGATION).await;
        assert_eq!(answer.status, 307, "{answer:?}");
        let rest = answer.header("location").expect("a redirect says where to");
        let rest = rest
            .strip_prefix("http://")
            .expect("the address is complete");
        rest[..rest.find('/').expect("there is a path")].to_owned()
    }

    /// Sends bytes and reads the answer until the end of the connection.
    pub(crate) async fn raw(&self, request: &str) -> Answer {
        self.raw_bytes(request.as_bytes())
            .await
            .expect("the gateway answers")
    }

    /// As [`Rig::raw`], for requests that may be answered by closing the connection.
    pub(crate) async fn raw_bytes(&self, request: &[u8]) -> Option<Answer> {
        let exchange = async {
            let mut stream = TcpStream::connect(self.gateway.local_addr()).await.ok()?;
            // The gateway may answer and close before it has read everything.
            _ = stream.write_all(request).await;
            let mut bytes = Vec::new();
            _ = stream.read_to_end(&mut bytes).await;
            Answer::parse(&bytes)
        };
        timeout(Duration::from_secs(20), exchange)
            .await
            .expect("an answer comes in time")
    }

    /// Sends a request and goes away without reading the answer.
    pub(crate) async fn ask_and_leave(&self, path: &str) {
        let mut stream = self.ask(path).await;
        stream.shutdown().await.expect("a connection can be closed");
    }

    /// Sends a request; the answer is not waited for.
    pub(crate) async fn ask(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.gateway.local_addr())
            .await
            .expect("the gateway listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host());
        let sent = stream.write_all(request.as_bytes()).await;
        sent.expect("the gateway reads");
        stream
    }

    pub(crate) async fn shutdown(self) {
        self.gateway.shutdown().await;
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether as many bytes came as were promised.
    pub(crate) complete: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(own, _)| own == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} is there twice");
        value
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let body = bytes[end + 4..].to_vec();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let promised = length.and_then(|(_, length)| length.parse().ok());
        let complete = promised.is_none_or(|promised: usize| promised == body.len());
        Some(Self {
            status,
            headers,
            body,
            complete,
        })
    }
}
