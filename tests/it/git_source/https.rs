//! Over HTTPS with a certificate of a private authority, as inside of a company.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use axum::serve::Listener;
use meshwright::port::source::FetchError;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use super::http::{HttpServer, PASSWORD, secret_file, with_password};
use super::{Fixture, at};
use crate::support::repository::TestRepository;

const PLACE: &str = "MESHWRIGHT_TEST_HTTPS";

/// Takes in those who accept its certificate.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Listens with a certificate whose authority's is written to this file.
async fn listen(authority_file: &Path) -> TlsListener {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(authority_file, authority.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![server.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    TlsListener { listener, acceptor: TlsAcceptor::from(Arc::new(config)) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_authority_is_trusted_where_the_environment_names_it() {
    let repository = TestRepository::new();
    let revision = repository.commit(&[("a", "1")], "first");
    let folder = tempfile::tempdir().unwrap();
    let (authority, other) = (folder.path().join("authority.pem"), folder.path().join("other.pem"));
    let (relative, empty) = (PathBuf::from("authority.pem"), PathBuf::new());
    let server = HttpServer::start_on(listen(&authority).await, repository.path());
    let _other = listen(&other).await;
    let (_folder, secret) = secret_file(PASSWORD);
    for (environment, is_trusted) in [
        (vec![], false),
        (vec![("GIT_SSL_CAINFO", &authority)], true),
        (vec![("SSL_CERT_FILE", &authority)], true),
        (vec![("SSL_CERT_FILE", &relative)], true),
        (vec![("SSL_CERT_FILE", &authority), ("GIT_SSL_CAINFO", &empty)], true),
        (vec![("SSL_CERT_FILE", &other)], false),
        (vec![("SSL_CERT_FILE", &other), ("GIT_SSL_CAINFO", &authority)], true),
    ] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "git_source::https::fetches_from_there", "--ignored"])
            .env_remove("GIT_SSL_CAINFO")
            .env_remove("SSL_CERT_FILE")
            .env_remove("SSL_CERT_DIR")
            .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
            .current_dir(folder.path())
            .env(PLACE, format!("https://{}/.git", server.place))
            .env("SECRET", &secret)
            .env("EXPECTED", if is_trusted { revision.as_str() } else { "" })
            .envs(environment.clone());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{environment:?}: {said}");
    }
}

#[tokio::test]
#[ignore = "is run by the test above, in an environment of its own"]
async fn fetches_from_there() {
    let Ok(url) = std::env::var(PLACE) else { return };
    let secret = PathBuf::from(std::env::var_os("SECRET").unwrap());
    let fixture = Fixture::new(with_password(&url, secret));
    let outcome = fixture.fetch().await;
    match std::env::var("EXPECTED").unwrap().as_str() {
        "" => {
            let Err(FetchError::Unreachable(told)) = outcome else { panic!("{outcome:?}") };
            assert!(told.contains("certificate"), "{told}");
        }
        revision => {
            let revision = revision.parse().unwrap();
            assert_eq!(outcome, at(&revision));
            assert_eq!(fixture.read(&revision, "a").await.unwrap(), "1");
        }
    }
}
