//! The answer to a message that cannot be carried out at all.

use super::message::Message;

/// `ProtocolError`: a message was refused before it became a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", code.description())]
pub struct ProtocolError {
    code: ErrorCode,
    detail: String,
    identifier: Option<String>,
    fatal: bool,
    global: bool,
}

impl ProtocolError {
    /// An error with a sentence for the user.
    #[must_use]
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            identifier: None,
            fatal: false,
            global: false,
        }
    }

    /// Names the request that the error is about. An empty name counts as none.
    #[must_use]
    pub fn about(mut self, identifier: Option<&str>) -> Self {
        self.identifier = identifier
            .filter(|identifier| !identifier.is_empty())
            .map(str::to_owned);
        self
    }

    /// Marks the connection as lost: it is closed after this error.
    #[must_use]
    pub fn fatal(mut self) -> Self {
        self.fatal = true;
        self
    }

    /// Marks the error as one of the global queue.
    #[must_use]
    pub fn global(mut self) -> Self {
        self.global = true;
        self
    }

    /// What kind of error it is.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// Whether the connection ends with it.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// The message that tells the client.
    #[must_use]
    pub fn to_message(&self) -> Message {
        Message::new("ProtocolError")
            .with_some("Identifier", self.identifier.as_deref())
            .with("Code", self.code.number())
            .with("CodeDescription", self.code.description())
            .with_some(
                "ExtraDescription",
                Some(&self.detail).filter(|detail| !detail.is_empty()),
            )
            .with("Fatal", self.fatal)
            .with("Global", self.global)
    }
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// The kinds of protocol error, with Freenet's numbers and words (clients compare both).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// The number sent as `Code`.
            #[must_use]
            pub fn number(self) -> u32 {
                match self { $(Self::$name => $number,)* }
            }

            /// The words sent as `CodeDescription`.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The code with this number, if there is one.
            #[must_use]
            pub fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

error_codes! {
    /// The first message was not `ClientHello`.
    ClientHelloMustBeFirst = 1, "ClientHello must be first message";
    /// A second `ClientHello`.
    NoLateClientHello = 2, "No late ClientHellos accepted";
    /// The message is not formed as one.
    MessageParse = 3, "Unknown message parsing error";
    /// A key that cannot be read.
    UriParse = 4, "Error parsing URI";
    /// A field that must be there is not.
    MissingField = 5, "Missing field";
    /// A number that is none.
    NumberParse = 6, "Error parsing a numeric field";
    /// A message with a name nobody knows.
    UnknownMessage = 7, "Don't know what to do with message";
    /// A field with a value that makes no sense.
    InvalidField = 8, "Invalid field value";
    /// A file to insert is not there.
    FileNotFound = 9, "File not found, not a file or not readable";
    /// A file to write is there already.
    DiskTargetExists = 10, "Disk target exists, refusing to overwrite";
    /// A file cannot be created.
    CouldNotCreateFile = 12, "Could not create file";
    /// A file cannot be written.
    CouldNotWriteFile = 13, "Could not write file";
    /// A finished file cannot be given its name.
    CouldNotRenameFile = 14, "Could not rename file";
    /// A request nobody knows.
    NoSuchIdentifier = 15, "No such identifier";
    /// Something this node does not do.
    NotSupported = 16, "Not supported";
    /// Our own fault.
    Internal = 17, "Internal error";
    /// The node is going down.
    ShuttingDown = 18, "Shutting down";
    /// A peer nobody knows.
    NoSuchNodeIdentifier = 19, "No such nodeIdentifier";
    /// An address from which a reference should be loaded.
    UrlParse = 20, "Error parsing URL";
    /// A reference that cannot be read.
    ReferenceParse = 21, "Reference could not be parsed";
    /// A file with a reference that cannot be read.
    FileParse = 22, "File could not be read";
    /// A path that does not lead to a file.
    NotAFile = 23, "Filepath is not a file";
    /// Something this client may not do.
    AccessDenied = 24, "Access denied";
    /// A folder for which no test of direct disk access succeeded.
    DdaDenied = 25, "Direct Disk Access operation denied, did you do a DDA test?";
    /// A file that exists and cannot be read.
    CouldNotReadFile = 26, "Could not read file";
    /// A reference with a wrong signature.
    ReferenceSignature = 27, "Reference signature could not be verified";
    /// The node's own reference.
    CannotPeerWithSelf = 28, "Node cannot peer with itself";
    /// A peer that is there already.
    DuplicatePeer = 29, "Node already has a peer with that identity";
    /// A reference for a mode that is off.
    OpennetDisabled = 30, "Opennet is currently disabled in this node";
    /// A thing only friends have.
    DarknetOnly = 31, "Operation only available on a darknet peer";
    /// Plugins do not exist here. Clients compare these words.
    NoSuchPlugin = 32, "No such plugin";
    /// The persistent queue is not there.
    PersistenceDisabled = 33, "Persistence is disabled";
    /// More files than one insert holds.
    TooManyFiles = 34, "Too many files in a single insert";
    /// A MIME type that is none.
    BadMime = 35, "Bad MIME type";
    /// A status was asked in a form that the request does not have.
    WrongReturnType = 36, "Wrong return type";
    /// Reading or writing failed.
    InputOutput = 37, "I/O error";
    /// Plugins are off.
    PluginsDisabled = 38, "Plugins are disabled";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_answer_is_word_for_word_what_clients_compare() {
        let message = ProtocolError::new(ErrorCode::NoSuchPlugin, "")
            .about(Some("p"))
            .to_message();
        assert_eq!(message.field("CodeDescription"), Some("No such plugin"));
        assert_eq!(message.field("Code"), Some("32"));
        assert_eq!(message.field("ExtraDescription"), None);
        assert_eq!(message.field("Fatal"), Some("false"));
    }

    #[test]
    fn every_number_leads_back_to_its_code() {
        for number in 0..50 {
            if let Some(code) = ErrorCode::from_number(number) {
                assert_eq!(code.number(), number);
            }
        }
        assert_eq!(ErrorCode::from_number(11), None);
    }
}
