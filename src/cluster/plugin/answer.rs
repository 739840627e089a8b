//! What a credential plugin prints: an ExecCredential with a token or a certificate. Pure.
//!
//! No part of it is ever quoted, since any part may be the token.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;

use crate::model::diagnostic::Diagnostics;
use crate::model::source::FileId;
use crate::yaml;

/// Credentials that expire sooner are asked for anew: a request takes its time too.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);
/// The kind of an answer.
const KIND: &str = "ExecCredential";

/// What a plugin says.
pub(in crate::cluster) struct Credential {
    token: Option<SecretString>,
    identity: Option<(String, SecretString)>,
    expires: Option<Timestamp>,
}

impl Credential {
    /// A bearer token, which fits into a header.
    pub(in crate::cluster) fn token(&self) -> Option<&SecretString> {
        self.token.as_ref()
    }

    /// A client certificate and its key, both PEM.
    pub(in crate::cluster) fn identity(&self) -> Option<(&str, &SecretString)> {
        self.identity.as_ref().map(|(certificate, key)| (certificate.as_str(), key))
    }

    /// Whether it has expired at this time, or is about to.
    pub(in crate::cluster) fn is_expiring(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| now + MARGIN >= expires)
    }
}

/// The credentials in a plugin's output: JSON, or the YAML that kubectl takes too. As kubectl does, an answer of
/// another kind or of another version than that of the kubeconfig is refused.
///
/// # Errors
/// What is wrong with the answer, as the rest of a sentence.
pub(super) fn read(out: &[u8], version: &str) -> Result<Credential, &'static str> {
    // JSON is YAML too.
    let text = std::str::from_utf8(out).map_err(|_| "it is no text")?;
    if text.trim().is_empty() {
        return Err("it is empty");
    }
    let document = yaml::read(FileId(0), text, &mut Diagnostics::default()).into_iter().next();
    let answer = document.map(|document| document.root.to_json()).filter(Value::is_object);
    let answer = answer.ok_or("it is no JSON or YAML object")?;
    if answer["kind"] != KIND {
        return Err("its `kind` is not `ExecCredential`");
    }
    if answer["apiVersion"] != version {
        return Err("its `apiVersion` is not that of the plugin in the kubeconfig");
    }
    let text = |key: &str, wrong: &'static str| match &answer["status"][key] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        _ => Err(wrong),
    };
    let token = text("token", "its `status.token` is no text")?;
    let certificate = text("clientCertificateData", "its `status.clientCertificateData` is no text")?;
    let key = text("clientKeyData", "its `status.clientKeyData` is no text")?;
    let expires = text("expirationTimestamp", "its `status.expirationTimestamp` is no time")?;
    let expires = expires.map(|text| text.parse()).transpose();
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, SecretString::from(key))),
        (None, None) => None,
        _ => return Err("it has only one of a client certificate and its key"),
    };
    if token.is_none() && identity.is_none() {
        return Err("its `status` has neither a token nor a client certificate");
    }
    Ok(Credential {
        token: token.map(|token| header_text(&token)).transpose()?,
        identity,
        expires: expires.map_err(|_| "its `status.expirationTimestamp` is no time")?,
    })
}

/// A token as it can stand in a header. The line break at its end is that of the program that printed it.
fn header_text(token: &str) -> Result<SecretString, &'static str> {
    let token = token.trim();
    match !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(SecretString::from(token)),
        false => Err("its `status.token` has a line break or another character that no token has"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    const V1: &str = "client.authentication.k8s.io/v1";

    fn of(status: &Value) -> Result<Credential, &'static str> {
        read(json!({ "apiVersion": V1, "kind": KIND, "status": status }).to_string().as_bytes(), V1)
    }

    #[test]
    fn yaml_is_taken_as_kubectl_takes_it() {
        let yaml = format!("apiVersion: {V1}\nkind: {KIND}\nstatus:\n  clientCertificateData: c\n  clientKeyData: k\n");
        let credential = read(yaml.as_bytes(), V1).expect("credentials");
        assert_eq!(credential.identity().map(|(certificate, _)| certificate), Some("c"));
        assert!(!credential.is_expiring(Timestamp::now()), "without a time it does not expire");
    }

    #[test]
    fn a_token_may_end_in_a_line_break_and_have_none_inside() {
        let token =
            |text: &str| of(&json!({ "token": text })).map(|c| c.token().expect("it").expose_secret().to_owned());
        assert_eq!(token("a.b-c_d~e+f/g==\n").as_deref(), Ok("a.b-c_d~e+f/g=="));
        for wrong in ["a\nb", "a b", "é", " \n"] {
            assert_eq!(token(wrong), Err("its `status.token` has a line break or another character that no token has"));
        }
    }

    #[test]
    fn credentials_expire_a_minute_early() {
        let credential = of(&json!({ "token": "a", "expirationTimestamp": "2026-01-01T00:10:00Z" })).expect("one");
        let at = |text: &str| credential.is_expiring(text.parse().expect("a time"));
        assert!(!at("2026-01-01T00:08:59Z") && at("2026-01-01T00:09:00Z"));
    }

    #[test]
    fn what_is_no_credential_is_named() {
        let token = json!({ "token": "hunter2" });
        for (answer, said) in [
            (json!("hunter2"), "it is no JSON or YAML object"),
            (json!({ "apiVersion": V1, "kind": "Secret", "status": token }), "its `kind` is not `ExecCredential`"),
            (
                json!({ "apiVersion": "client.authentication.k8s.io/v1beta1", "kind": KIND, "status": token }),
                "its `apiVersion` is not that of the plugin in the kubeconfig",
            ),
            (json!({ "apiVersion": V1, "kind": KIND }), "its `status` has neither a token nor a client certificate"),
        ] {
            assert_eq!(read(answer.to_string().as_bytes(), V1).err(), Some(said), "{answer}");
        }
        assert_eq!(read(b"\n", V1).err(), Some("it is empty"));
        assert_eq!(read(b"a: [", V1).err(), Some("it is no JSON or YAML object"));
        assert_eq!(of(&json!({ "token": 7 })).err(), Some("its `status.token` is no text"));
        let expires = json!({ "token": "a", "expirationTimestamp": "tomorrow" });
        assert_eq!(of(&expires).err(), Some("its `status.expirationTimestamp` is no time"));
        let half = json!({ "clientCertificateData": "c" });
        assert_eq!(of(&half).err(), Some("it has only one of a client certificate and its key"));
    }
}
