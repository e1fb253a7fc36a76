//! How the program fails: what happened, why, what to do next, and the exit code.

use std::fmt::Display;
use std::process::ExitCode;

use crate::fcp::client::{ClientError, Refusal};
use crate::fcp::failure::{GetFailure, PutFailure};
use crate::fcp::message::Message;
use crate::fcp::protocol_error::ErrorCode;

/// The exit codes of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// 0
    Done,
    /// 1: no other code fits.
    Other,
    /// 2: the arguments make no sense.
    Usage,
    /// 3: the network was searched and nobody had it.
    NotFound,
    /// 4: the key cannot be read or is of the wrong kind.
    BadKey,
    /// 5: the same command may work later.
    Transient,
    /// 6: a part of the document was found, and that does not suffice.
    Partial,
    /// 7: what was found is damaged.
    Integrity,
    /// 8: no node answers.
    Unreachable,
    /// 9: the node or a limit refuses it.
    Refused,
    /// 11: other data is there under the key.
    Collision,
    /// 130: by the user.
    Interrupted,
    /// 143: by the system.
    Terminated,
}

impl ExitStatus {
    /// The number that the process ends with.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Other => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::BadKey => 4,
            Self::Transient => 5,
            Self::Partial => 6,
            Self::Integrity => 7,
            Self::Unreachable => 8,
            Self::Refused => 9,
            Self::Collision => 11,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.number())
    }
}

/// What the user is told when a command fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How the process ends.
    pub status: ExitStatus,
    /// What happened.
    pub what: String,
    /// Why, where more is known.
    pub why: Option<String>,
    /// What to do next, where there is something.
    pub next: Option<String>,
}

impl Failure {
    /// A failure of which only this is known so far.
    #[must_use]
    pub fn new(status: ExitStatus, what: impl Into<String>) -> Self {
        Self {
            status,
            what: what.into(),
            why: None,
            next: None,
        }
    }

    /// Adds the reason.
    #[must_use]
    pub fn because(mut self, why: impl Display) -> Self {
        self.why = Some(why.to_string());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// A file on this machine gave trouble.
    #[must_use]
    pub fn local(what: impl Into<String>, error: impl Display) -> Self {
        Self::new(ExitStatus::Other, what).because(error)
    }

    /// The user or the system ended the program.
    #[must_use]
    pub fn interrupted(status: ExitStatus) -> Self {
        Self::new(status, "interrupted").because("the node has been told to stop this request")
    }

    /// Reads `GetFailed`.
    #[must_use]
    pub fn from_get_failed(message: &Message) -> Self {
        use GetFailure as Get;
        let code = number(message).and_then(GetFailure::from_number);
        let (status, next) = match code {
            Some(Get::DataNotFound | Get::AllDataNotFound | Get::RecentlyFailed) => (
                ExitStatus::NotFound,
                "check the key, or try again later: it may have been published a moment ago or be lost",
            ),
            Some(Get::NotInArchive) => (
                ExitStatus::NotFound,
                "check the last part of the key: the site is there, the file is not",
            ),
            Some(Get::RouteNotFound) => (
                ExitStatus::Transient,
                "see with \"warren status\" whether the node has peers, then try again",
            ),
            Some(Get::Overload | Get::TransferFailed) => {
                (ExitStatus::Transient, "try again in a minute")
            }
            Some(Get::Splitfile) => (
                ExitStatus::Partial,
                "try again later: nodes that hold the missing blocks may be away at the moment",
            ),
            Some(Get::InvalidUri | Get::BlockDecode) => {
                (ExitStatus::BadKey, "copy the whole key again")
            }
            Some(
                Get::TooManyPathComponents | Get::NotEnoughPathComponents | Get::PermanentRedirect,
            ) => (ExitStatus::BadKey, "use the key that is given above"),
            Some(
                Get::UnknownMetadata
                | Get::InvalidMetadata
                | Get::ArchiveFailure
                | Get::TooManyMetadataLevels
                | Get::TooManyRedirects
                | Get::MetadataTooBig
                | Get::HashMismatch,
            ) => (
                ExitStatus::Integrity,
                "ask the publisher to insert it again",
            ),
            Some(Get::TooBig) => (ExitStatus::Refused, "raise --max-size"),
            Some(Get::DiskFull | Get::Bucket) => {
                (ExitStatus::Other, "make room on the disk of the node")
            }
            Some(Get::Internal | Get::Cancelled | Get::UnknownContentType) | None => {
                (ExitStatus::Other, "see the log of the node")
            }
        };
        Self::from_failed(message, status, next)
    }

    /// Reads `PutFailed`.
    #[must_use]
    pub fn from_put_failed(message: &Message) -> Self {
        use PutFailure as Put;
        let (status, next) = match number(message).and_then(PutFailure::from_number) {
            Some(Put::InvalidUri | Put::MetaStrings) => (
                ExitStatus::BadKey,
                "see \"fcp put --help\" for the forms of keys",
            ),
            Some(Put::Overload | Put::TooManyRetries) => {
                (ExitStatus::Transient, "try again in a minute")
            }
            Some(Put::RouteNotFound) => (
                ExitStatus::Transient,
                "see with \"warren status\" whether the node has peers, then try again",
            ),
            Some(Put::Collision) => (
                ExitStatus::Collision,
                "choose another name, or publish as a site with editions (--site)",
            ),
            Some(Put::TooManyFiles | Put::TooBig) => (ExitStatus::Refused, "publish it in parts"),
            Some(Put::Bucket) => (
                ExitStatus::Other,
                "see whether the file is still there and the disk of the node has room",
            ),
            Some(Put::Internal | Put::FatalErrorsInBlocks | Put::Cancelled) | None => {
                (ExitStatus::Other, "see the log of the node")
            }
        };
        Self::from_failed(message, status, next)
    }

    fn from_failed(message: &Message, status: ExitStatus, next: &str) -> Self {
        let failure = Self::new(
            status,
            message
                .field("CodeDescription")
                .unwrap_or("the node gave up"),
        )
        .next(next);
        let failure = match message.field("ExtraDescription") {
            Some(why) => failure.because(why),
            None => failure,
        };
        match message.field("RedirectURI") {
            Some(redirect) => failure.because(format!("the key to use is {redirect}")),
            None => failure,
        }
    }
}

fn number(message: &Message) -> Option<u32> {
    message.field("Code")?.parse().ok()
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Unreachable { address, source } => {
                Self::new(ExitStatus::Unreachable, format!("no node answers at {address}"))
                    .because(source)
                    .next("start one with \"warren run\" or \"warren demo\", or say where it is with --host and --port")
            }
            ClientError::NotFcp => Self::new(ExitStatus::Unreachable, "what answers there is not a node's FCP port")
                .next("say where it is with --host and --port (or FCP_HOST and FCP_PORT)"),
            ClientError::Lost(error) => Self::new(ExitStatus::Unreachable, "the connection to the node was lost")
                .because(error)
                .next("see whether the node still runs, then try again"),
            ClientError::Local(error) => Self::local("a file could not be read or written", error),
            ClientError::Malformed(why) => Self::new(ExitStatus::Other, "the node sent what cannot be understood")
                .because(why)
                .next("see whether program and node have the same version"),
            ClientError::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let (status, next) = match ErrorCode::from_number(refusal.code) {
            Some(ErrorCode::UriParse) => (ExitStatus::BadKey, Some("copy the whole key again")),
            Some(
                ErrorCode::AccessDenied
                | ErrorCode::DdaDenied
                | ErrorCode::TooManyFiles
                | ErrorCode::NotSupported,
            ) => (ExitStatus::Refused, None),
            Some(ErrorCode::BadMime) => (
                ExitStatus::Usage,
                Some("give --mime in the form type/subtype"),
            ),
            Some(ErrorCode::ShuttingDown) => (
                ExitStatus::Unreachable,
                Some("start the node again, then repeat the command"),
            ),
            Some(_) | None => (ExitStatus::Other, None),
        };
        let failure = Self::new(status, "the node refused the request").because(refusal.text);
        match next {
            Some(next) => failure.next(next),
            None => failure,
        }
    }
}
