//! Bytes as text: standard base64, padded, with zero trailing bits, as C2SP's formats have it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The text of these bytes.
pub(super) fn to_base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of this text; none for any other spelling.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_spelling() {
        assert_eq!(to_base64([1, 2, 3, 4]), "AQIDBA==");
        assert_eq!(from_base64("AQIDBA=="), Some(vec![1, 2, 3, 4]));
        for other in ["AQIDBA", "AQIDBB==", "AQIDBA==\n", "AQID BA==", "AQIDBA=-", "AQ-DBA=="] {
            assert_eq!(from_base64(other), None, "{other:?}");
        }
    }
}
