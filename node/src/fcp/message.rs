//! One message without its payload: a name and fields.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};

use zeroize::Zeroize;

use super::protocol_error::{ErrorCode, ProtocolError};

/// A message of either direction. Its payload, if it has one, travels beside it.
///
/// `Debug` prints the name and the names of the fields only, and the values are wiped on drop: they may be
/// insert keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    name: String,
    fields: BTreeMap<String, String>,
}

impl Message {
    /// A message without fields.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            fields: BTreeMap::new(),
        }
    }

    /// Sets a field. Line breaks in the value become spaces: a value is one line.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Display) -> Self {
        self.set(key, value);
        self
    }

    /// Sets a field when there is a value for it.
    #[must_use]
    pub fn with_some(self, key: impl Into<String>, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Sets a field, replacing an earlier value. Line breaks in the value become spaces.
    pub fn set(&mut self, key: impl Into<String>, value: impl Display) {
        let value = value.to_string();
        let value = if value.contains(['\n', '\r']) {
            value.replace(['\n', '\r'], " ")
        } else {
            value
        };
        self.fields.insert(key.into(), value);
    }

    /// The first line of the message.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fields in the order of their names.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// A field as it came.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&str> {
        self.fields.get(key).map(String::as_str)
    }

    /// The client's name for the request that the message is about.
    #[must_use]
    pub fn identifier(&self) -> Option<&str> {
        self.field("Identifier")
    }

    /// A field that must be there and not be empty.
    ///
    /// # Errors
    /// Code 5 when it is missing or empty.
    pub fn required(&self, key: &str) -> Result<&str, ProtocolError> {
        match self.field(key) {
            Some(value) if !value.is_empty() => Ok(value),
            Some(_) | None => Err(self.error(
                ErrorCode::MissingField,
                format!("{} needs the field {key}", self.name),
            )),
        }
    }

    /// A yes-or-no field. What is neither `true` nor `false` (in any case of letters) counts as the default,
    /// because clients in use send such values.
    #[must_use]
    pub fn flag(&self, key: &str, default: Flag) -> bool {
        let value = self.field(key).map(str::trim);
        match default {
            Flag::DefaultOff => value.is_some_and(|value| value.eq_ignore_ascii_case("true")),
            Flag::DefaultOn => !value.is_some_and(|value| value.eq_ignore_ascii_case("false")),
        }
    }

    /// A whole number, or `None` when the field is missing or empty.
    ///
    /// # Errors
    /// Code 6 when it is not a whole number of 64 bits.
    pub fn number(&self, key: &str) -> Result<Option<i64>, ProtocolError> {
        match self.field(key).map(str::trim) {
            None | Some("") => Ok(None),
            Some(value) => value.parse().map(Some).map_err(|_| {
                self.error(
                    ErrorCode::NumberParse,
                    format!("{key} is not a whole number of at most 64 bits"),
                )
            }),
        }
    }

    /// A number of bytes, or `None` when the field is missing or empty.
    ///
    /// # Errors
    /// Code 6 when it is not a number, code 8 when it is negative.
    pub fn byte_count(&self, key: &str) -> Result<Option<u64>, ProtocolError> {
        let Some(number) = self.number(key)? else {
            return Ok(None);
        };
        match u64::try_from(number) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(_) => Err(self.error(
                ErrorCode::InvalidField,
                format!("{key} must not be negative"),
            )),
        }
    }

    /// An error about this message, carrying its identifier.
    #[must_use]
    pub fn error(&self, code: ErrorCode, detail: impl Into<String>) -> ProtocolError {
        let error = ProtocolError::new(code, detail).about(self.identifier());
        if self.flag("Global", Flag::DefaultOff) {
            error.global()
        } else {
            error
        }
    }

    /// The message as it is sent, with LF line ends. `Data` as the last line announces a payload.
    #[must_use]
    pub fn encode(&self, end: Terminator) -> Vec<u8> {
        let mut text = String::with_capacity(64 + 48 * self.fields.len());
        text.push_str(&self.name);
        text.push('\n');
        for (key, value) in &self.fields {
            writeln!(text, "{key}={value}").expect("writing to a string cannot fail");
        }
        text.push_str(match end {
            Terminator::End => "EndMessage\n",
            Terminator::Data => "Data\n",
        });
        text.into_bytes()
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        self.fields.values_mut().for_each(Zeroize::zeroize);
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("name", &self.name)
            .field("fields", &self.fields.keys())
            .finish()
    }
}

/// What a yes-or-no field means when it is missing or unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// False unless it says `true`.
    DefaultOff,
    /// True unless it says `false`.
    DefaultOn,
}

/// The last line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminator {
    /// `EndMessage`, or any line that begins with `End`.
    End,
    /// `Data`: a payload follows at once.
    Data,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_flag_counts_as_its_default() {
        let message = Message::new("ClientPut")
            .with("EarlyEncode", "falsePriorityClass=1")
            .with("A", "TRUE")
            .with("B", "False");
        assert!(!message.flag("EarlyEncode", Flag::DefaultOff));
        assert!(message.flag("EarlyEncode", Flag::DefaultOn));
        assert!(message.flag("A", Flag::DefaultOff));
        assert!(!message.flag("B", Flag::DefaultOn));
    }

    #[test]
    fn a_value_cannot_smuggle_in_another_line() {
        let message = Message::new("GetFailed").with("ExtraDescription", "a\nEndMessage\r\nb");
        let text = String::from_utf8(message.encode(Terminator::End)).unwrap();
        assert_eq!(
            text,
            "GetFailed\nExtraDescription=a EndMessage  b\nEndMessage\n"
        );
    }

    #[test]
    fn numbers_are_told_apart_from_words_and_negatives() {
        let message = Message::new("X")
            .with("a", "12")
            .with("b", "twelve")
            .with("c", "-3")
            .with("d", "9223372036854775808");
        assert_eq!(message.byte_count("a").unwrap(), Some(12));
        assert_eq!(message.byte_count("missing").unwrap(), None);
        assert_eq!(
            message.byte_count("b").unwrap_err().code(),
            ErrorCode::NumberParse
        );
        assert_eq!(
            message.byte_count("c").unwrap_err().code(),
            ErrorCode::InvalidField
        );
        assert_eq!(
            message.byte_count("d").unwrap_err().code(),
            ErrorCode::NumberParse
        );
    }

    #[test]
    fn debug_output_has_no_values() {
        let message = Message::new("ClientPut").with("URI", "SSK@secret");
        assert!(!format!("{message:?}").contains("secret"));
    }
}
