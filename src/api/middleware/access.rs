//! Which web pages may call the service, and by which host names.
//!
//! A browser sends requests of any page to any service that it can reach, also to one that listens on loopback only. Pages of all
//! origins may read, sample, edit and invert. What changes the service needs a page of the service itself or of a listed origin.
//!
//! A page can also give its own host name the address of the service (DNS rebinding), and is then of the same origin. Such a
//! request has the name of the page in `Host`.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::csrf::{CsrfLayer, ProtectionError};

use crate::api::problem::Problem;

/// The operations with POST that change nothing.
const OPEN_POSTS: [&str; 8] = [
    "/v1/sample",
    "/v1/edit",
    "/v1/interpolate",
    "/v1/mix",
    "/v1/conditional-edit",
    "/v1/invert",
    "/v1/inversions",
    "/v1/score",
];

/// The start of the paths of inversions. Only who began one knows its path, and may cancel it.
const INVERSIONS: &str = "/v1/inversions/";

/// Allows all origins, or all hosts.
const ALL: &str = "*";

/// An origin that is not one.
#[derive(Debug, thiserror::Error)]
#[error(
    "found {found:?}, expected the origin of a web page without a path, such as https://faces.example.org, or * for all"
)]
pub struct InvalidOrigin {
    found: String,
}

/// Refuses requests of web pages of other origins that change something.
type OriginLayer = CsrfLayer<fn(ProtectionError) -> Response>;

/// Which web pages may call the service, and by which host names.
#[derive(Clone, Debug)]
pub struct Access {
    origins: OriginLayer,
    hosts: Hosts,
}

impl Access {
    /// `origins` are the pages that may also change something, or `*`. `hosts` are the names of the service besides its addresses and
    /// `localhost`; `None` and `*` allow all names.
    ///
    /// # Errors
    /// An origin that is not one.
    pub fn new(origins: &[String], hosts: Option<&[String]>) -> Result<Self, InvalidOrigin> {
        let all = origins.iter().any(|origin| origin == ALL);
        let refuse: fn(ProtectionError) -> Response = |_| Problem::ForeignOrigin.into_response();
        let layer = CsrfLayer::new()
            .with_rejection_response(refuse)
            .with_insecure_bypass(move |method, uri| all || !is_protected(method, uri.path()));
        let mut listed = origins.iter().filter(|origin| *origin != ALL);
        let origins = listed.try_fold(layer, |layer, origin| {
            let added = layer.add_trusted_origin(origin.to_ascii_lowercase());
            added.map_err(|_| InvalidOrigin {
                found: origin.clone(),
            })
        })?;
        let names = hosts.filter(|hosts| !hosts.iter().any(|host| host == ALL));
        let names = names.map(|names| names.iter().map(|name| normal(name)).collect());
        Ok(Self {
            origins,
            hosts: Hosts(names),
        })
    }

    /// The names, for [`check_host`], and the layer that checks origins.
    pub(crate) fn into_parts(self) -> (Hosts, OriginLayer) {
        (self.hosts, self.origins)
    }
}

/// Whether a web page of another origin must be listed for this operation.
pub(crate) fn is_protected(method: &Method, path: &str) -> bool {
    let is_open_post = method == Method::POST && OPEN_POSTS.contains(&path);
    let is_cancelled_inversion = method == Method::DELETE && path.starts_with(INVERSIONS);
    !method.is_safe() && !is_open_post && !is_cancelled_inversion
}

/// The names of the service, in lower case; `None` allows all.
#[derive(Clone, Debug)]
pub(crate) struct Hosts(Option<Arc<[String]>>);

impl Hosts {
    /// Whether a request may name this host. An address is always allowed: a page cannot choose it as its name.
    fn allow(&self, host: &str) -> bool {
        let Some(names) = &self.0 else {
            return true;
        };
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        let name = normal(authority.host());
        let address = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || name.ends_with(".localhost")
            || address.parse::<IpAddr>().is_ok()
            || names.contains(&name)
    }
}

/// A host name in lower case, without the dot at the end that DNS allows.
fn normal(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Refuses a request that names a host that is not a name of the service.
pub(crate) async fn check_host(
    State(hosts): State<Hosts>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let in_headers = request.headers().get_all(header::HOST).iter();
    let in_headers = in_headers.map(|host| String::from_utf8_lossy(host.as_bytes()));
    // HTTP/2 has the host in the URL.
    let in_url = request.uri().authority().map(|host| host.as_str().into());
    // A client without a host is no browser.
    let refused = in_headers.chain(in_url).find(|host| !hosts.allow(host));
    if let Some(found) = refused {
        let found = found.into_owned();
        return Err(Problem::ForeignHost { found });
    }
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_localhost_and_listed_names_are_hosts_and_other_names_are_not() {
        let access = Access::new(&[], Some(&["Faces.example.org".to_owned()])).unwrap();
        let hosts = access.into_parts().0;
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "app.localhost:3000",
            "127.0.0.1",
            "127.9.8.7:8080",
            "[::1]",
            "[::1]:8080",
            "10.1.2.3:8080",
            "faces.example.org",
            "FACES.example.org.:443",
        ] {
            assert!(hosts.allow(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8080",
            "faces.example.org.evil.example",
            "evil.example:127.0.0.1",
            "a b",
            "@",
        ] {
            assert!(!hosts.allow(host), "{host}");
        }
        let all = Access::new(&[], Some(&["*".to_owned()])).unwrap();
        assert!(all.into_parts().0.allow("evil.example"));
    }

    #[test]
    fn only_origins_can_be_listed() {
        for origin in ["https://faces.example.org", "http://localhost:3000", "*"] {
            assert!(Access::new(&[origin.to_owned()], None).is_ok(), "{origin}");
        }
        for origin in [
            "faces.example.org",
            "https://a.example/path",
            "ftp://a.example",
            "null",
            "",
        ] {
            assert!(Access::new(&[origin.to_owned()], None).is_err(), "{origin}");
        }
    }
}
