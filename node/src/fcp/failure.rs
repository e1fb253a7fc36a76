//! How a get or a put fails, in Freenet's numbers and words.

use super::message::Message;

macro_rules! failure_codes {
    ($(#[$outer:meta])* $type:ident as $message:literal {
        $($(#[$doc:meta])* $name:ident = $number:literal, $short:literal, $text:literal;)*
    } retry [$($retry:ident)*]) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$doc])* $name,)*
        }

        impl $type {
            /// The number sent as `Code`.
            #[must_use]
            pub fn number(self) -> u32 {
                match self { $(Self::$name => $number,)* }
            }

            /// The words sent as `ShortCodeDescription`.
            #[must_use]
            pub fn short(self) -> &'static str {
                match self { $(Self::$name => $short,)* }
            }

            /// The sentence sent as `CodeDescription`.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether trying again later may succeed.
            #[must_use]
            pub fn may_succeed_later(self) -> bool {
                matches!(self, $(Self::$retry)|*)
            }

            /// The code with this number, if we know it.
            #[must_use]
            pub fn from_number(number: u32) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The message that ends the request.
            #[must_use]
            pub fn to_message(self, identifier: &str, detail: Option<&str>) -> Message {
                Message::new($message)
                    .with("Identifier", identifier)
                    .with("Global", false)
                    .with("Code", self.number())
                    .with("CodeDescription", self.text())
                    .with("ShortCodeDescription", self.short())
                    .with_some("ExtraDescription", detail)
                    .with("Fatal", !self.may_succeed_later())
            }
        }
    };
}

failure_codes! {
    /// Kinds of `GetFailed`: those of Hyphanet's `FetchException` that can happen here.
    GetFailure as "GetFailed" {
        /// The description of a large document is of a version or kind we do not know.
        UnknownMetadata = 3, "Unknown metadata", "The document's description is of a version that this node does not know";
        /// The description of a document is damaged.
        InvalidMetadata = 4, "Invalid metadata", "The document's description cannot be read";
        /// The container of small files is damaged.
        ArchiveFailure = 5, "Container damaged", "The container that should hold the file cannot be read";
        /// A block arrived whole and cannot be decrypted with this key.
        BlockDecode = 6, "Wrong key", "A block cannot be decrypted: the key is wrong, or its maker made it so";
        /// Descriptions of descriptions without end.
        TooManyMetadataLevels = 7, "Too many levels", "The document's description is nested too deeply";
        /// The site has no such file.
        NotInArchive = 10, "Not in site", "The site has no file of this name";
        /// Something is written behind a key that is a single file.
        TooManyPathComponents = 11, "Too many path components", "The key is a single file: leave out what follows it";
        /// A temporary file could not be written.
        Bucket = 12, "Temporary file error", "A temporary file of the node could not be written or read";
        /// Looked for and not there.
        DataNotFound = 13, "Data not found", "Data not found: the search ended and nobody had it";
        /// No peer to ask.
        RouteNotFound = 14, "Route not found", "Route not found: the node has no peer that could be asked";
        /// The network is too busy.
        Overload = 15, "Rejected: overload", "The network is too busy at the moment";
        /// Redirects without end.
        TooManyRedirects = 16, "Too many redirects", "The key leads from redirect to redirect without end";
        /// Our own fault.
        Internal = 17, "Internal error", "Internal error of the node";
        /// The block did not come in time.
        TransferFailed = 18, "Transfer failed", "The transfer broke off or took too long";
        /// So much of a large file is missing that it cannot be restored.
        Splitfile = 19, "Too little of the file found", "Too few blocks of the file were found to restore it";
        /// The key cannot be used like this.
        InvalidUri = 20, "Invalid URI", "The key cannot be used like this";
        /// Larger than the client wants.
        TooBig = 21, "Too big", "The document is larger than the request allows";
        /// The description is larger than any honest one.
        MetadataTooBig = 22, "Metadata too big", "The document's description is larger than any that is accepted";
        /// The key names a folder and a file of it is needed.
        NotEnoughPathComponents = 24, "Not enough path components", "The site has no default document: name one of its files";
        /// The client gave up.
        Cancelled = 25, "Cancelled", "Cancelled by the client";
        /// There is a newer edition, or the key is written otherwise.
        PermanentRedirect = 27, "New URI", "The document is to be found under another key";
        /// Nobody had any block of the file.
        AllDataNotFound = 28, "All data not found", "No block of the file was found";
        /// Somebody looked for it a moment ago.
        RecentlyFailed = 30, "Recently failed", "The key was looked for a moment ago and not found: try again in a while";
        /// A filter was asked for and there is none for this type.
        UnknownContentType = 32, "Cannot be filtered", "Documents of this type cannot be filtered";
        /// All blocks are right and yet make another file than promised.
        HashMismatch = 34, "Hash check failed", "The restored file is not the one its description promises";
        /// The disk is full.
        DiskFull = 37, "Not enough disk space", "There is not enough space on the disk";
    } retry [DataNotFound RouteNotFound Overload TransferFailed Splitfile AllDataNotFound RecentlyFailed]
}

failure_codes! {
    /// Kinds of `PutFailed`: those of Hyphanet's `InsertException` that can happen here.
    PutFailure as "PutFailed" {
        /// The key cannot be inserted to.
        InvalidUri = 1, "Invalid URI", "The key cannot be used for an insert";
        /// A file could not be read or written.
        Bucket = 2, "File error", "A file could not be read or a temporary file not be written";
        /// Our own fault.
        Internal = 3, "Internal error", "Internal error of the node";
        /// The network is too busy.
        Overload = 4, "Rejected: overload", "The network is too busy at the moment";
        /// No peer to send to.
        RouteNotFound = 5, "Route not found", "Route not found: the node has no peer that could store it";
        /// Some blocks can never be inserted.
        FatalErrorsInBlocks = 6, "Fatal errors in blocks", "Some blocks of the file cannot be inserted";
        /// Some blocks were tried as often as we try.
        TooManyRetries = 7, "Too many retries", "Some blocks of the file could not be inserted in all attempts";
        /// Other data is there under this key.
        Collision = 9, "Collision", "Other data is there under this key already";
        /// The client gave up.
        Cancelled = 10, "Cancelled", "Cancelled by the client";
        /// The insert key has a path that makes no sense there.
        MetaStrings = 11, "Path not supported", "An insert key must not have a path";
        /// More files than one site holds.
        TooManyFiles = 13, "Too many files", "The site has more files than one insert holds";
        /// Larger than one insert holds.
        TooBig = 14, "Too big", "The file is larger than one insert holds";
    } retry [Overload RouteNotFound TooManyRetries]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_document_is_a_failure_that_may_pass() {
        let message = GetFailure::DataNotFound.to_message("i", Some("4 peers were asked"));
        assert_eq!(message.name(), "GetFailed");
        assert_eq!(message.field("Code"), Some("13"));
        assert_eq!(message.field("Fatal"), Some("false"));
        assert_eq!(
            message.field("ExtraDescription"),
            Some("4 peers were asked")
        );
        assert!(
            message.field("ShortCodeDescription").is_some(),
            "pyFreenet needs it"
        );
    }

    #[test]
    fn a_collision_is_final() {
        let message = PutFailure::Collision.to_message("i", None);
        assert_eq!(
            (
                message.name(),
                message.field("Code"),
                message.field("Fatal")
            ),
            ("PutFailed", Some("9"), Some("true"))
        );
    }

    #[test]
    fn every_number_leads_back_to_its_code() {
        for number in 0..64 {
            assert!(GetFailure::from_number(number).is_none_or(|code| code.number() == number));
            assert!(PutFailure::from_number(number).is_none_or(|code| code.number() == number));
        }
    }
}
