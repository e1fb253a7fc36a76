//! TLS 1.3 between two identity keys: raw Ed25519 public keys (RFC 7250) on both sides, no certificates, no server name.

use std::{fmt, sync::Arc};

use crypto::{Identity, NodeId};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::{
        AlwaysResolvesClientRawPublicKeys, Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls13_signature_with_raw_key,
    },
    pki_types::{
        CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
    },
    server::{
        AlwaysResolvesServerRawPublicKeys,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
    version::TLS13,
};

use super::allowed::AllowedPeers;

/// The link protocols this program speaks, best first. Two nodes without a common one do not connect.
pub(crate) const PROTOCOLS: [&[u8]; 1] = [b"warren/1"];

/// quinn wants a name for the acceptor; it never leaves the machine.
pub(crate) const SERVER_NAME: &str = "warren";

/// DER of the SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410, 4).
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Our end of every handshake.
#[derive(Clone)]
pub(crate) struct LinkTls {
    provider: Arc<CryptoProvider>,
    key: Arc<CertifiedKey>,
}

impl LinkTls {
    pub(crate) fn new(identity: &Identity) -> Result<Self, Error> {
        // The post-quantum hybrid X25519MLKEM768 comes first in this provider by its crate feature.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let secret = identity.pkcs8_der();
        let secret = PrivatePkcs8KeyDer::from(secret.as_slice());
        let signing_key = aws_lc_rs::sign::any_eddsa_type(&secret)?;
        let public_key = CertificateDer::from(spki_of(&identity.id()));
        Ok(Self {
            provider,
            key: Arc::new(CertifiedKey::new(vec![public_key], signing_key)),
        })
    }

    /// For a dial that only `expected` can answer.
    pub(crate) fn dialler(&self, expected: NodeId) -> Result<QuicClientConfig, Error> {
        let verifier = Expect {
            expected,
            algorithms: self.algorithms(),
        };
        let mut config = rustls::ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(
                Arc::clone(&self.key),
            )));
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        config.enable_sni = false;
        config.resumption = Resumption::disabled();
        QuicClientConfig::try_from(config).map_err(|reason| Error::General(reason.to_string()))
    }

    /// For diallers that `allowed` admits.
    pub(crate) fn acceptor(&self, allowed: Arc<AllowedPeers>) -> Result<QuicServerConfig, Error> {
        let verifier = Admit {
            allowed,
            algorithms: self.algorithms(),
        };
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(
                Arc::clone(&self.key),
            )));
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        // A resumed session would skip the check of who is allowed.
        config.send_tls13_tickets = 0;
        QuicServerConfig::try_from(config).map_err(|reason| Error::General(reason.to_string()))
    }

    fn algorithms(&self) -> WebPkiSupportedAlgorithms {
        self.provider.signature_verification_algorithms
    }
}

impl fmt::Debug for LinkTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkTls([redacted])")
    }
}

/// The identity that the other end of `connection` has proved.
pub(crate) fn peer_of(connection: &quinn::Connection) -> Option<NodeId> {
    let identity = connection
        .peer_identity()?
        .downcast::<Vec<CertificateDer<'static>>>()
        .ok()?;
    node_id_in(identity.first()?).ok()
}

fn spki_of(id: &NodeId) -> Vec<u8> {
    [&SPKI_PREFIX[..], id.as_bytes()].concat()
}

fn node_id_in(spki: &[u8]) -> Result<NodeId, Error> {
    let bad = || Error::InvalidCertificate(CertificateError::BadEncoding);
    let key = spki.strip_prefix(&SPKI_PREFIX).ok_or_else(bad)?;
    let key = <[u8; 32]>::try_from(key).map_err(|_| bad())?;
    NodeId::from_bytes(key).map_err(|_| bad())
}

fn verify_signature(
    message: &[u8],
    spki: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    verify_tls13_signature_with_raw_key(
        message,
        &SubjectPublicKeyInfoDer::from(spki.as_ref()),
        signature,
        algorithms,
    )
}

/// The dialler's check: the acceptor is the node that was dialled.
#[derive(Debug)]
struct Expect {
    expected: NodeId,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Expect {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if node_id_in(end_entity)? == self.expected {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ))
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("links speak TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// The acceptor's check: the dialler is one of our peers, or strangers are welcome.
#[derive(Debug)]
struct Admit {
    allowed: Arc<AllowedPeers>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Admit {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.allowed.admits(&node_id_in(end_entity)?) {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ))
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("links speak TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_identity_and_no_panic(spki in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(node_id_in(&spki).is_err());
        }
    }

    #[test]
    fn an_identity_survives_its_encoding() {
        let id = Identity::from_seed(&[3; 32]).id();
        assert_eq!(node_id_in(&spki_of(&id)).unwrap(), id);
    }

    #[test]
    fn the_post_quantum_hybrid_is_offered_first() {
        let tls = LinkTls::new(&Identity::from_seed(&[3; 32])).unwrap();
        assert_eq!(
            tls.provider.kx_groups[0].name(),
            rustls::NamedGroup::X25519MLKEM768
        );
    }
}
