//! The HTTP gateway of Warren: shows the network to browsers, curl and players.
//!
//! The gateway listens on the loopback address. Any key is a path: `http://127.0.0.1:8888/CHK@…/page.html`. How a document
//! is found is the business of a node, which plugs in through the trait [`network::Network`]; what the gateway adds is
//!
//! - HTTP as clients expect it: ranges, `HEAD`, entity tags, streaming while blocks still arrive;
//! - an origin of its own for every site, so that sites read neither each other nor the node's pages;
//! - a content filter that lets nothing through that makes a browser talk to anyone but the node;
//! - pages for people: a box for a key, publishing, progress, the state of the node, failures in plain words.
//!
//! ```no_run
//! # async fn run(network: std::sync::Arc<dyn fproxy::network::Network>) -> std::io::Result<()> {
//! use fproxy::{Gateway, GatewayConfig};
//!
//! let config = GatewayConfig::new(zeroize::Zeroizing::new([7; 32]), std::env::temp_dir());
//! let gateway = Gateway::bind("127.0.0.1:8888".parse().unwrap(), network, config).await?;
//! println!("http://{}", gateway.local_addr());
//! gateway.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod app;
mod config;
mod deliver;
mod disposition;
mod etag;
mod fetches;
mod filter;
mod form_token;
mod gateway;
mod guard;
mod headers;
mod key_request;
pub mod network;
mod node_pages;
mod origin;
mod pages;
mod problem;
mod publish;
mod range;
mod redirect;
mod settings;
mod site;
mod stream;
mod uploads;
mod visitor;

pub use config::{BrowserCache, GatewayConfig};
pub use gateway::Gateway;
