//! The path below which a proxy offers the service.

use std::str::FromStr;
use std::sync::Arc;

/// A path that is not one.
#[derive(Debug, thiserror::Error)]
#[error(
    "found {found:?}, expected a slash and a path of letters, digits, '.', '_', '~' and '-', such as /faces or /demo/faces"
)]
pub struct InvalidBasePath {
    found: String,
}

/// The path below which a proxy offers the service, such as `/faces`; empty if the service has the whole host.
///
/// Links in responses begin with it. Requests may have it or not: some proxies pass the path on as it is, and others remove the
/// prefix.
#[derive(Clone, Debug)]
pub struct BasePath(Arc<str>);

impl Default for BasePath {
    fn default() -> Self {
        Self("".into())
    }
}

impl FromStr for BasePath {
    type Err = InvalidBasePath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidBasePath {
            found: text.to_owned(),
        };
        let path = text.strip_suffix('/').unwrap_or(text);
        if text.is_empty() || path.is_empty() {
            return if text == "/" {
                Ok(Self::default())
            } else {
                Err(invalid())
            };
        }
        let names = path.strip_prefix('/').ok_or_else(invalid)?.split('/');
        let is_name = |name: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
            !matches!(name, "" | "." | "..") && name.bytes().all(allowed)
        };
        names
            .into_iter()
            .all(is_name)
            .then(|| Self(path.into()))
            .ok_or_else(invalid)
    }
}

impl BasePath {
    /// The path for clients of a `path` of the service, which begins with a slash.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// What follows the prefix in the path of a request: nothing, or a path. `None` if the path does not have the prefix.
    pub(crate) fn strip<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(&*self.0)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    }

    /// The prefix; `None` if the service has the whole host.
    pub(crate) fn prefix(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(&*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_an_absolute_path_of_plain_names() {
        let prefix = |text: &str| text.parse::<BasePath>().map(|path| path.link(""));
        for (text, expected) in [
            ("/", ""),
            ("/faces", "/faces"),
            ("/faces/", "/faces"),
            ("/demo/faces-2.0", "/demo/faces-2.0"),
        ] {
            assert_eq!(prefix(text).unwrap(), expected);
        }
        for text in [
            "",
            "faces",
            "//",
            "/faces//",
            "//faces",
            "/a/../b",
            "/a?b",
            "/a b",
            "/{a}",
            "https://a.example/faces",
        ] {
            assert!(prefix(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_whole_names_are_stripped() {
        let base: BasePath = "/faces".parse().unwrap();
        assert_eq!(base.strip("/faces/v1/sample"), Some("/v1/sample"));
        assert_eq!(base.strip("/faces"), Some(""));
        assert_eq!(base.strip("/faces2/v1/sample"), None);
        assert_eq!(base.strip("/v1/sample"), None);
    }
}
