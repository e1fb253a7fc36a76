//! How the levels of trust in friends are spelled, in files, commands and the protocol.

use routing::Trust;

/// The name of a level, in small letters.
#[must_use]
pub const fn trust_name(trust: Trust) -> &'static str {
    match trust {
        Trust::Low => "low",
        Trust::Normal => "normal",
        Trust::High => "high",
    }
}

/// The level of this name, in whatever letters; none if there is no such.
#[must_use]
pub fn trust_of(name: &str) -> Option<Trust> {
    let levels = [Trust::Low, Trust::Normal, Trust::High];
    let mut levels = levels.into_iter();
    levels.find(|level| trust_name(*level).eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_has_its_name_and_other_words_have_none() {
        for trust in [Trust::Low, Trust::Normal, Trust::High] {
            assert_eq!(trust_of(trust_name(trust)), Some(trust));
            assert_eq!(trust_of(&trust_name(trust).to_uppercase()), Some(trust));
        }
        assert_eq!(trust_of("HIGHEST"), None);
        assert_eq!(trust_of(""), None);
    }
}
