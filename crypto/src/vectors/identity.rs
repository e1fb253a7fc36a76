use serde_json::{Value, json};

use super::{check, hex};
use crate::Identity;
use crate::identity::signed_text;

#[test]
fn identities_are_as_recorded() {
    let domain = "warren example";
    let vectors = [([1; 32], b"".as_slice()), ([0xab; 32], b"message")]
        .into_iter()
        .map(|(seed, message)| -> Value {
            let identity = Identity::from_seed(&seed);
            let signature = identity.sign(domain, message);
            assert_eq!(identity.id().verify(domain, message, &signature), Ok(()));
            json!({
                "seed": hex(seed),
                "id": hex(identity.id().as_bytes()),
                "id_text": identity.id().to_string(),
                "location_times_2_to_53": (identity.id().location() * 2_f64.powi(53)).to_string(),
                "pkcs8_der": hex(identity.pkcs8_der()),
                "domain": domain,
                "message": hex(message),
                "signed_text": hex(signed_text(domain, message)),
                "signature": hex(signature.as_bytes()),
            })
        });
    check("identity", &vectors.collect());
}
