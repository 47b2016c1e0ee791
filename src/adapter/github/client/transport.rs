//! The way to GitHub: octocrab over one HTTP client, with limits on time and size. Nothing is retried
//! here and no redirect is followed: `call` decides about both.

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::Limited;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::reqwest_connector::ReqwestConnector;
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use tower::Service as _;

use crate::config::BaseUrl;
use crate::domain::report::one_line;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// A larger answer is cut off. A page of a hundred pull requests has about 3 MB.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// The HTTP client. Proxies come from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), and
/// certificates from the system; for plain HTTP to this machine, neither is asked for.
pub(super) fn http_client(api: &BaseUrl) -> Result<reqwest::Client, String> {
    let is_plain = api.as_str().starts_with("http://");
    let builder = reqwest::Client::builder()
        .user_agent(concat!("meshwright/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT)
        .pool_idle_timeout(Duration::from_secs(60));
    let builder = if is_plain { builder.no_proxy().tls_certs_only([]) } else { builder.https_only(true) };
    builder.build().map_err(|error| format!("no connection to {api} can be made: {}", root(&error)))
}

/// octocrab for one account. Must be called within a tokio runtime.
pub(super) fn crab(client: &reqwest::Client, api: &BaseUrl, auth: AuthState) -> Result<Octocrab, String> {
    let base: http::Uri = api.as_str().parse().map_err(|_| format!("'{api}' is not an address"))?;
    let connector = ReqwestConnector::new(client.clone());
    let bounded = tower::service_fn(move |request: http::Request<OctoBody>| {
        let mut connector = connector.clone();
        async move {
            let answer = connector.call(request).await?;
            Ok::<_, octocrab::Error>(answer.map(|body| Limited::new(body, LARGEST_ANSWER)))
        }
    });
    let builder = OctocrabBuilder::new_empty().with_service(bounded).with_layer(&BaseUriLayer::new(base));
    let made: Result<Octocrab, Infallible> = builder.with_auth(auth).build();
    made.map_err(|never| match never {})
}

/// What is at the bottom of an error: "Connection refused", and not that sending failed.
pub(super) fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    one_line(deepest.to_string().lines().next().unwrap_or_default(), 200)
}
