//! Fields of metadata that need a look before they are believed.

/// Most bytes of a content type. The longest registered ones have about a hundred.
const CONTENT_TYPE_LEN_MAX: usize = 255;

/// Refuses content types that could not stand in an HTTP header or an FCP message.
pub(crate) fn check_content_type(content_type: Option<&str>) -> Result<(), &'static str> {
    match content_type {
        None => Ok(()),
        Some(text) if text.is_empty() || text.len() > CONTENT_TYPE_LEN_MAX => {
            Err("a content type has a wrong length")
        }
        Some(text) if !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) => {
            Err("a content type has characters that no type has")
        }
        Some(_) => Ok(()),
    }
}

/// The secret of a file as its 32 bytes.
pub(crate) mod file_key {
    use crypto::FileKey;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        key: &FileKey,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        key.as_bytes().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<FileKey, D::Error> {
        <[u8; 32]>::deserialize(deserializer).map(FileKey::from_bytes)
    }
}

/// Lists whose length is checked before memory is taken for them.
pub(crate) mod bounded {
    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::{Error, SeqAccess, Visitor};
    use serde::{Deserialize, Deserializer};

    pub(crate) fn deserialize<'de, const MAX: usize, T, D>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error>
    where
        T: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        deserializer.deserialize_seq(List::<MAX, T>(PhantomData))
    }

    struct List<const MAX: usize, T>(PhantomData<T>);

    impl<'de, const MAX: usize, T: Deserialize<'de>> Visitor<'de> for List<MAX, T> {
        type Value = Vec<T>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(formatter, "a list of at most {MAX} elements")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
            let stated = elements.size_hint().unwrap_or(0);
            if stated > MAX {
                return Err(A::Error::invalid_length(stated, &self));
            }
            // A stated length is not believed: the list grows as elements really come.
            let mut list = Vec::with_capacity(stated.min(ELEMENTS_AT_ONCE));
            while let Some(element) = elements.next_element()? {
                list.push(element);
            }
            Ok(list)
        }
    }

    /// Elements that memory is taken for before they are seen.
    const ELEMENTS_AT_ONCE: usize = 1024;
}
