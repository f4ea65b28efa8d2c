//! The cookie of a session, and from which requests it is accepted.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, header};
use headers::{Cookie, HeaderMapExt as _};

use crate::api::guard::sessions::LIFETIME;

const NAME: &str = "faceplane-session";

/// Names the site of the page that sends a request; browsers set it where the connection is encrypted or local.
const FETCH_SITE: &str = "sec-fetch-site";

/// The token of a request, unless a page of another origin sends it.
///
/// Browsers send a `Strict` cookie with requests of the same site, and another origin can be of the same site: another port,
/// another name of the domain.
pub(super) fn token(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.typed_get::<Cookie>()?;
    let token = cookies.get(NAME)?;
    is_of_own_page(headers).then(|| token.to_owned())
}

/// Whether a page of the service sends the request, or a person who typed its address.
fn is_of_own_page(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(FETCH_SITE) {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let (Some((_, origin)), Some(host)) = (origin, host) else {
        return false;
    };
    let authority = |text: &str| text.parse::<Authority>().ok();
    authority(origin).is_some_and(|origin| authority(host).is_some_and(|host| host == origin))
}

/// The cookie that begins a session. It has the path that the client sees, before a proxy takes a prefix away.
pub(crate) fn begin(token: &str, headers: &HeaderMap) -> HeaderValue {
    // A browser that came by HTTPS names it in the origin of the page.
    let origin = headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
    let is_encrypted = origin.is_some_and(|origin| origin.starts_with(b"https://"));
    cookie(
        token,
        LIFETIME.as_secs(),
        if is_encrypted { "; Secure" } else { "" },
    )
}

/// The cookie that ends a session.
pub(crate) fn end() -> HeaderValue {
    cookie("", 0, "")
}

fn cookie(token: &str, seconds: u64, secure: &str) -> HeaderValue {
    let text = format!("{NAME}={token}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    let mut value = HeaderValue::from_str(&text).expect("base64 is allowed in headers");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_counts_only_in_requests_of_own_pages() {
        let found = |headers: &[(&'static str, &'static str)]| {
            let all = [
                ("host", "faces.example:8080"),
                ("cookie", "a=b; faceplane-session=t"),
            ];
            let all = all.iter().chain(headers);
            let all = all.map(|&(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
            token(&all.collect()).is_some()
        };
        for headers in [
            &[][..],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://faces.example:8080")],
            &[("origin", "HTTPS://FACES.example:8080")],
            &[
                ("origin", "https://elsewhere.example"),
                ("sec-fetch-site", "same-origin"),
            ],
        ] {
            assert!(found(headers), "{headers:?}");
        }
        for headers in [
            &[("sec-fetch-site", "same-site")][..],
            &[("sec-fetch-site", "cross-site")],
            &[
                ("origin", "http://faces.example:8080"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[("origin", "http://faces.example")],
            &[("origin", "http://faces.example:8080.evil.example")],
            &[("origin", "null")],
            &[("origin", "")],
        ] {
            assert!(!found(headers), "{headers:?}");
        }
    }
}
