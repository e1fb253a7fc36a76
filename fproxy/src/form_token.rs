//! A proof that a form comes from a page of this gateway.

use data_encoding::BASE64URL_NOPAD;
use rand::Rng as _;
use zeroize::Zeroizing;

/// A random word, drawn when the gateway starts, in every form that changes something.
pub(crate) struct FormToken(Zeroizing<[u8; 32]>);

impl FormToken {
    pub(crate) fn random() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::rng().fill_bytes(&mut *bytes);
        Self(bytes)
    }

    /// The word, for a form.
    pub(crate) fn text(&self) -> String {
        BASE64URL_NOPAD.encode(&*self.0)
    }

    /// Whether a form carries it. Takes the same time for every wrong one.
    pub(crate) fn is_right(&self, given: &str) -> bool {
        // Comparing two blake3 hashes takes constant time.
        blake3::hash(given.as_bytes()) == blake3::hash(self.text().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_token_is_right() {
        let token = FormToken::random();
        assert!(token.is_right(&token.text()));
        assert!(!token.is_right(""));
        assert!(!token.is_right(&FormToken::random().text()));
    }
}
