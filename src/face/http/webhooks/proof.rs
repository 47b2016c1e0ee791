//! Whether a delivery comes from whom it says: compared in constant time, over the bytes as they came.

use axum::http::{HeaderMap, HeaderValue};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::settings::Secret;

/// What a delivery brings to be believed.
#[derive(Debug)]
pub enum Proof {
    /// An HMAC-SHA256 of the body.
    Signature([u8; 32]),
    /// The secret itself.
    Token(HeaderValue),
}

impl Proof {
    /// Reads `<prefix><64 hexadecimal digits>`. Anything else is no proof; so are two of them, because
    /// nobody can say which counts.
    pub fn signature(headers: &HeaderMap, name: &str, prefix: &str) -> Option<Self> {
        let mut signature = [0; 32];
        let hexadecimal = only(headers, name)?.to_str().ok()?.strip_prefix(prefix)?;
        hex::decode_to_slice(hexadecimal, &mut signature).ok()?;
        Some(Proof::Signature(signature))
    }

    /// Reads a token that stands there as it is.
    pub fn token(headers: &HeaderMap, name: &str) -> Option<Self> {
        let mut token = only(headers, name)?.clone();
        token.set_sensitive(true);
        Some(Proof::Token(token))
    }

    /// Whether one of these secrets made it. All are tried, whichever fits.
    pub fn holds(&self, secrets: &[Secret], body: &[u8]) -> bool {
        secrets.iter().fold(false, |holds, secret| self.is_by(secret, body) | holds)
    }

    fn is_by(&self, secret: &Secret, body: &[u8]) -> bool {
        match self {
            Proof::Signature(signature) => {
                let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.bytes()) else { return false };
                mac.update(body);
                mac.verify_slice(signature).is_ok()
            }
            // Digests are of one length, so that not even the secret's own is told by the time it takes.
            Proof::Token(token) => bool::from(Sha256::digest(token).ct_eq(&Sha256::digest(secret.bytes()))),
        }
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"Hello, World!";
    /// From GitHub's page on validating deliveries.
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn secrets(texts: &[&str]) -> Vec<Secret> {
        texts.iter().filter_map(|text| Secret::new(*text)).collect()
    }

    fn proof(value: &str) -> Option<Proof> {
        let mut headers = HeaderMap::new();
        headers.insert("x-hub-signature-256", value.parse().unwrap());
        Proof::signature(&headers, "x-hub-signature-256", "sha256=")
    }

    #[test]
    fn the_published_example_holds() {
        let proof = proof(SIGNATURE).unwrap();
        assert!(proof.holds(&secrets(&["It's a Secret to Everybody"]), BODY));
        assert!(proof.holds(&secrets(&["new", "It's a Secret to Everybody", "older"]), BODY), "while it is replaced");
        assert!(!proof.holds(&secrets(&["it's a secret to everybody"]), BODY));
        assert!(!proof.holds(&secrets(&["It's a Secret to Everybody"]), b"Hello, World"));
        assert!(!proof.holds(&[], BODY));
        assert!(!proof.holds(&secrets(&[""]), BODY), "an empty secret is none");
    }

    #[test]
    fn what_is_no_signature_is_none() {
        let hexadecimal = &SIGNATURE["sha256=".len()..];
        for bad in [
            "",
            "sha256=",
            hexadecimal,
            &format!("sha1={hexadecimal}"),
            &format!("SHA256={hexadecimal}"),
            &SIGNATURE[..SIGNATURE.len() - 1],
            &format!("{SIGNATURE}00"),
            &format!("sha256={}", "zz".repeat(32)),
            &format!("sha256=+{}", &hexadecimal[1..]),
        ] {
            assert!(proof(bad).is_none(), "{bad}");
        }
        let mut headers = HeaderMap::new();
        headers.append("x-hub-signature-256", SIGNATURE.parse().unwrap());
        headers.append("x-hub-signature-256", SIGNATURE.parse().unwrap());
        assert!(Proof::signature(&headers, "x-hub-signature-256", "sha256=").is_none(), "two are none");
    }

    #[test]
    fn neither_secrets_nor_tokens_are_shown() {
        let mut headers = HeaderMap::new();
        headers.insert("x-gitlab-token", "hush".parse().unwrap());
        let token = Proof::token(&headers, "x-gitlab-token").unwrap();
        assert!(token.holds(&secrets(&["hush"]), b"") && !token.holds(&secrets(&["hus", "hush!"]), b""));
        assert!(!format!("{token:?} {:?}", secrets(&["hush"])).contains("hush"));
    }
}
