//! Which message is answered by what.

use tokio::io::AsyncRead;

use crypto::SubspaceSecret;

use crate::client::{Class, Hiding};

use super::connection::{Connection, Over, Stop};
use super::message::{Flag, Message};
use super::peers;
use super::protocol_error::{ErrorCode, ProtocolError};
use super::reader::Incoming;
use super::requests::RequestKind;
use super::{failure, get, put, put_folder};

impl Connection {
    /// Answers one message; its payload, if it has one, is read from `reader` whatever happens.
    pub(super) async fn answer<R: AsyncRead + Unpin>(
        &mut self,
        incoming: Incoming,
        reader: &mut R,
    ) -> Result<(), Stop> {
        match incoming.message.name() {
            "ClientPut" => return put::start(self, incoming, reader).await,
            "ClientPutComplexDir" => {
                return put_folder::start_complex(self, incoming, reader).await;
            }
            _ => Self::skip_payload(&incoming, reader).await?,
        }
        let message = &incoming.message;
        match message.name() {
            "ClientGet" => Box::pin(get::start(self, message)).await,
            "ClientPutDiskDir" => put_folder::start_disk(self, message).await,
            "GenerateSSK" => self.reply(&generate_ssk(message)).await,
            "TestDDARequest" | "TestDDAResponse" => self.test_dda(message).await,
            "GetNode" | "ListPeers" | "ListPeer" | "ListPeerNotes" | "AddPeer" | "RemovePeer" => {
                self.about_node(message).await
            }
            "RemoveRequest" | "RemovePersistentRequest" => self.remove_request(message).await,
            "ListPersistentRequests" => {
                let end = Message::new("EndListPersistentRequests")
                    .with_some("Identifier", message.identifier());
                self.reply(&end).await
            }
            // The global queue and the feeds are empty: to watch them needs no answer.
            "Void" | "WatchGlobal" | "WatchFeeds" => Ok(()),
            "Disconnect" => Err(Stop::Over(Over::Left)),
            "Shutdown" => {
                self.shared.node.request_shutdown();
                Err(ProtocolError::new(ErrorCode::ShuttingDown, "")
                    .fatal()
                    .into())
            }
            _ => Err(refusal(message).into()),
        }
    }

    async fn reply(&self, message: &Message) -> Result<(), Stop> {
        Ok(self.outbox.send(message).await?)
    }

    async fn test_dda(&mut self, message: &Message) -> Result<(), Stop> {
        let question = message.clone();
        let reply = self
            .with_dda(move |dda| match question.name() {
                "TestDDARequest" => dda.begin(&question),
                _ => dda.finish(&question),
            })
            .await??;
        self.reply(&reply).await
    }

    async fn about_node(&self, message: &Message) -> Result<(), Stop> {
        let node = self.shared.node.as_ref();
        let reply = match message.name() {
            "ListPeers" => {
                for reply in peers::list_peers(node, message).await {
                    self.reply(&reply).await?;
                }
                return Ok(());
            }
            "ListPeer" => peers::list_peer(node, message).await?,
            "ListPeerNotes" => peers::list_peer_notes(node, message).await?,
            "AddPeer" => peers::add_peer(node, message).await?,
            "RemovePeer" => peers::remove_peer(node, message).await?,
            _ => peers::node_data(node, message).await,
        };
        self.reply(&reply).await
    }

    /// Cancels a running request.
    async fn remove_request(&self, message: &Message) -> Result<(), Stop> {
        let identifier = message.required("Identifier")?;
        let Some(kind) = self.requests.cancel(identifier) else {
            return Err(message.error(ErrorCode::NoSuchIdentifier, "").into());
        };
        let failed = match kind {
            RequestKind::Get => failure::GetFailure::Cancelled.to_message(identifier, None),
            RequestKind::Put => failure::PutFailure::Cancelled.to_message(identifier, None),
        };
        self.reply(&failed).await?;
        let removed = Message::new("PersistentRequestRemoved")
            .with("Identifier", identifier)
            .with("Global", false);
        match kind {
            RequestKind::Get => Ok(()),
            RequestKind::Put => self.reply(&removed).await,
        }
    }
}

/// The answer to what is known and not done here, and to what is not known.
fn refusal(message: &Message) -> ProtocolError {
    let (code, why) = match message.name() {
        "ClientHello" => (ErrorCode::NoLateClientHello, ""),
        "GetRequestStatus" | "ModifyPersistentRequest" | "UnsubscribeUSK" => (
            ErrorCode::NoSuchIdentifier,
            "this node keeps no persistent requests and no subscriptions yet",
        ),
        "SubscribeUSK" => (
            ErrorCode::NotSupported,
            "subscriptions are not supported yet",
        ),
        "FCPPluginMessage" | "GetPluginInfo" | "ReloadPlugin" | "RemovePlugin" => {
            (ErrorCode::NoSuchPlugin, "")
        }
        "LoadPlugin" => (ErrorCode::PluginsDisabled, "Warren has no plugins"),
        "GetConfig" | "ModifyConfig" => (
            ErrorCode::NotSupported,
            "the node is configured in its file warren.toml",
        ),
        "ModifyPeer" | "ModifyPeerNote" | "Filter" | "ProbeRequest" | "SendText" | "SendURI"
        | "SendBookmark" => (ErrorCode::NotSupported, "this node does not do that"),
        _ => (ErrorCode::UnknownMessage, message.name()),
    };
    message.error(code, why)
}

/// `GenerateSSK`: a fresh key pair, in the form that ends with a slash, to which clients append a name.
fn generate_ssk(request: &Message) -> Message {
    let secret = SubspaceSecret::generate(&mut rand::rng());
    Message::new("SSKKeypair")
        .with_some("Identifier", request.identifier())
        .with("InsertURI", secret.insert_uri_string().as_str())
        .with("RequestURI", secret.public().request_uri_string())
}

/// The fields that every request has.
#[derive(Clone, Debug)]
pub(super) struct RequestFields {
    /// The client's name for it.
    pub(super) identifier: String,
    /// Which events are told: a bit for each kind.
    pub(super) verbosity: Verbosity,
}

impl RequestFields {
    /// Reads them; refuses what would outlive the connection.
    pub(super) fn read(message: &Message) -> Result<Self, ProtocolError> {
        let identifier = message.required("Identifier")?.to_owned();
        match message.field("Persistence").map(str::trim) {
            None | Some("" | "connection") if message.flag("Global", Flag::DefaultOff) => {
                return Err(message.error(
                    ErrorCode::NotSupported,
                    "the global queue is not supported yet",
                ));
            }
            None | Some("" | "connection") => {}
            Some("reboot" | "forever") => {
                let why = "persistent requests are not supported yet; use Persistence=connection";
                return Err(message.error(ErrorCode::NotSupported, why));
            }
            Some(_) => {
                let why = "Persistence is connection, reboot or forever";
                return Err(message.error(ErrorCode::NumberParse, why));
            }
        }
        if message
            .number("PriorityClass")?
            .is_some_and(|class| !(0..=6).contains(&class))
        {
            return Err(message.error(
                ErrorCode::InvalidField,
                "PriorityClass is a number from 0 to 6",
            ));
        }
        if message
            .number("MaxRetries")?
            .is_some_and(|retries| retries < -1)
        {
            return Err(message.error(ErrorCode::InvalidField, "MaxRetries is at least -1"));
        }
        Ok(Self {
            identifier,
            verbosity: Verbosity(message.number("Verbosity")?.unwrap_or(0)),
        })
    }
}

/// How hidden the request is to be, where the client says it.
pub(super) fn hiding(message: &Message) -> Result<Option<Hiding>, ProtocolError> {
    let Some(text) = message.field("Anonymity") else {
        return Ok(None);
    };
    Hiding::from_text(text).map(Some).ok_or_else(|| {
        message.error(
            ErrorCode::InvalidField,
            format!("Anonymity is {}, the number of hops", Hiding::ALLOWED),
        )
    })
}

/// How urgent a request is: whether somebody waits for it at this moment.
pub(super) fn class(message: &Message) -> Class {
    if message.flag("RealTimeFlag", Flag::DefaultOff) {
        Class::RealTime
    } else {
        Class::Bulk
    }
}

/// Which events of a request the client wants to hear: bits as in Freenet, all of them for a negative number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verbosity(i64);

impl Verbosity {
    pub(super) const SIMPLE_PROGRESS: i64 = 1;
    pub(super) const SENDING_TO_NETWORK: i64 = 2;
    pub(super) const COMPATIBILITY_MODE: i64 = 4;
    pub(super) const EXPECTED_HASHES: i64 = 8;
    pub(super) const EXPECTED_MIME: i64 = 32;
    pub(super) const EXPECTED_DATA_LENGTH: i64 = 64;
    pub(super) const PUT_FETCHABLE: i64 = 256;
    pub(super) const COMPRESSION: i64 = 512;

    /// Whether the client wants this kind.
    pub(super) fn wants(self, kind: i64) -> bool {
        self.0 < 0 || self.0 & kind != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_outlive_the_connection_is_refused() {
        let get = || Message::new("ClientGet").with("Identifier", "i");
        assert!(RequestFields::read(&get().with("Persistence", "connection")).is_ok());
        for (key, value, code) in [
            ("Persistence", "forever", ErrorCode::NotSupported),
            ("Persistence", "reboot", ErrorCode::NotSupported),
            ("Persistence", "always", ErrorCode::NumberParse),
            ("Global", "true", ErrorCode::NotSupported),
            ("PriorityClass", "7", ErrorCode::InvalidField),
            ("PriorityClass", "high", ErrorCode::NumberParse),
            ("MaxRetries", "-2", ErrorCode::InvalidField),
            ("Verbosity", "loud", ErrorCode::NumberParse),
        ] {
            let error = RequestFields::read(&get().with(key, value)).unwrap_err();
            assert_eq!(error.code(), code, "{key}={value}");
            assert_eq!(error.to_message().field("Identifier"), Some("i"));
        }
        let missing = RequestFields::read(&Message::new("ClientGet")).unwrap_err();
        assert_eq!(missing.code(), ErrorCode::MissingField);
    }

    #[test]
    fn a_negative_verbosity_means_everything() {
        let fields = |value: &str| {
            RequestFields::read(
                &Message::new("ClientGet")
                    .with("Identifier", "i")
                    .with("Verbosity", value),
            )
            .unwrap()
        };
        assert!(fields("-1").verbosity.wants(Verbosity::PUT_FETCHABLE));
        assert!(fields("2147483647").verbosity.wants(Verbosity::COMPRESSION));
        assert!(fields("1").verbosity.wants(Verbosity::SIMPLE_PROGRESS));
        assert!(!fields("1").verbosity.wants(Verbosity::EXPECTED_MIME));
        assert!(!fields("0").verbosity.wants(Verbosity::SIMPLE_PROGRESS));
    }

    #[test]
    fn words_that_nobody_knows_are_told_apart_from_what_is_not_done_yet() {
        for (name, code) in [
            ("SubscribeUSK", ErrorCode::NotSupported),
            ("GetRequestStatus", ErrorCode::NoSuchIdentifier),
            ("FCPPluginMessage", ErrorCode::NoSuchPlugin),
            ("ClientHello", ErrorCode::NoLateClientHello),
            ("Dance", ErrorCode::UnknownMessage),
        ] {
            let error = refusal(&Message::new(name));
            assert_eq!(error.code(), code);
            assert!(!error.is_fatal());
        }
    }
}
