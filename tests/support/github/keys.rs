//! Apps and their keys.

use std::collections::BTreeMap;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::world::{App, Kind, World};

/// What stands in PKCS#8 before the RSA key itself, when the key has 2,048 bits: two lengths of two
/// bytes each, the version, the algorithm, and the head of an octet string.
const PKCS8_HEAD: usize = 26;

/// A new key: the private half as GitHub hands it out (PKCS#1 in PEM), and the public one in DER.
fn new_key() -> (String, Vec<u8>) {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let text = STANDARD.encode(&private.as_ref()[PKCS8_HEAD..]);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", lines.join("\n"));
    (pem, pair.public_key().as_ref().to_vec())
}

impl World {
    /// Makes an App, and the bot under whose name it acts.
    pub fn make_app(
        &mut self,
        name: &str,
        owner: &str,
        permissions: BTreeMap<String, String>,
        events: Vec<String>,
    ) -> u64 {
        let slug = name.to_lowercase().replace(' ', "-");
        self.ensure_user(owner, Kind::Organization);
        self.ensure_user(&format!("{slug}[bot]"), Kind::Bot);
        let (id, created_at) = (self.new_id(), self.now());
        let (private_key, public_key) = new_key();
        self.apps.push(App {
            id,
            slug,
            name: name.to_owned(),
            owner: owner.to_owned(),
            client_id: format!("Iv23li{id:014}"),
            private_key,
            public_key,
            hook: None,
            permissions,
            events,
            created_at,
        });
        id
    }
}
