//! A client in the same process: it calls the service's routes without a network.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::{self, Body};
use axum::extract::Request;
use axum::http::{Method, Uri, header};
use axum::response::Response;
use form_urlencoded::Serializer;
use futures_util::StreamExt as _;
use tokio::sync::mpsc::UnboundedSender;
use tower::ServiceExt as _;

use crate::api::buffered_response::{SEED, WARNINGS};
use crate::api::decode::value::Value;
use crate::api::problem::Problem;
use crate::api::types::face::random_seed;
use crate::api::types::number::{Integer, MOST_U32, Seed};
use crate::api::types::seeds::Seeds;
use crate::editor::InversionProgress;

/// A request to an operation on faces.
#[derive(Clone, Debug, Default)]
pub struct LocalRequest {
    /// The name of the operation.
    pub operation: String,
    /// The parameters of the URL, in their order.
    pub parameters: Vec<(String, String)>,
    /// The image file.
    pub image: Option<Vec<u8>>,
    /// Gets the steps of `invert`.
    pub progress: Option<UnboundedSender<InversionProgress>>,
}

/// A response without an error.
#[derive(Debug)]
pub struct LocalResponse {
    /// The media type.
    pub media_type: String,
    /// The seeds of the faces.
    pub seeds: Vec<String>,
    /// What may be wrong with the faces.
    pub warnings: Vec<String>,
    body: Body,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct LocalProblem {
    reason: String,
    is_of_request: bool,
}

impl LocalProblem {
    /// Whether the request is wrong, and not what answers it.
    #[must_use]
    pub fn is_of_request(&self) -> bool {
        self.is_of_request
    }
}

impl From<&Problem> for LocalProblem {
    fn from(problem: &Problem) -> Self {
        Self {
            reason: problem.to_string(),
            is_of_request: problem.kind().status.is_client_error(),
        }
    }
}

impl From<axum::Error> for LocalProblem {
    fn from(error: axum::Error) -> Self {
        Self {
            reason: error.to_string(),
            is_of_request: false,
        }
    }
}

/// Calls the routes of a service. A clone is cheap.
#[derive(Clone)]
pub struct LocalClient(Router);

impl LocalClient {
    /// A client of these routes.
    pub(crate) fn new(routes: Router) -> Self {
        Self(routes)
    }

    /// Sends a request, and waits for its response.
    ///
    /// # Errors
    /// [`LocalProblem`] for every status of an error.
    pub async fn send(&self, request: LocalRequest) -> Result<LocalResponse, LocalProblem> {
        let answered = self.0.clone().oneshot(request.into_http()?).await;
        let mut response = answered.unwrap_or_else(|never| match never {});
        if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
            return Err(LocalProblem::from(&*problem));
        }
        Ok(LocalResponse::of(response))
    }
}

impl LocalRequest {
    fn into_http(self) -> Result<Request, LocalProblem> {
        let mut query = Serializer::new(String::new());
        let query = query.extend_pairs(&self.parameters).finish();
        let path = format!("/v1/{}?{query}", self.operation);
        let length = path.len();
        let uri = Uri::try_from(path).map_err(|_| LocalProblem {
            reason: format!(
                "found options of {length} bytes, expected less than {}: as many as a URL may have",
                u16::MAX
            ),
            is_of_request: true,
        })?;
        let method = if self.image.is_some() {
            Method::POST
        } else {
            Method::GET
        };
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(self.image.map_or_else(Body::empty, Body::from));
        let mut request = request.expect("its parts are valid");
        if let Some(progress) = self.progress {
            request.extensions_mut().insert(progress);
        }
        Ok(request)
    }

    /// The same request for each of its seeds, with the seed: those of `seeds`, of `seed` and `count`, or a random one.
    ///
    /// # Errors
    /// [`LocalProblem`] for a seed or a count that cannot be read.
    pub fn for_each_seed(mut self) -> Result<Vec<(u32, Self)>, LocalProblem> {
        let seeds = self
            .take_seeds()
            .map_err(|problem| LocalProblem::from(&problem))?;
        let of_seed = |seed: u32| {
            let mut request = self.clone();
            request.parameters.push(("seed".to_owned(), seed.to_string()));
            (seed, request)
        };
        Ok(seeds.into_iter().map(of_seed).collect())
    }

    /// Takes the parameters with this name out of the request, and reads them.
    fn take<T: Value>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        let taken = self.parameters.extract_if(.., |(found, _)| found == name);
        let texts: Vec<Cow<'_, str>> = taken.map(|(_, text)| text.into()).collect();
        if texts.is_empty() {
            return Ok(None);
        }
        let read = T::from_texts(&texts).map(Some);
        read.map_err(|reason| Problem::field(name, reason))
    }

    /// Takes the seeds out of the request, each once.
    fn take_seeds(&mut self) -> Result<BTreeSet<u32>, Problem> {
        if let Some(seeds) = self.take::<Seeds>("seeds")? {
            let mut others = self.parameters.iter();
            let other = others.find(|(name, _)| name == "seed" || name == "count");
            return match other {
                None => Ok(seeds.iter().collect()),
                Some((name, _)) => {
                    let reason =
                        format!("found {name} beside it, expected one of the two: leave out the other");
                    Err(Problem::field("seeds", reason))
                }
            };
        }
        let first = match self.take::<Seed>("seed")? {
            Some(seed) => seed.u32(),
            None => random_seed()?,
        };
        let count = self
            .take::<Integer<1, MOST_U32>>("count")?
            .map_or(1, Integer::u32);
        let Some(last) = first.checked_add(count - 1) else {
            let reason = format!(
                "found {count} with the first seed {first}, expected the last seed to be at most {}",
                u32::MAX
            );
            return Err(Problem::field("count", reason));
        };
        Ok((first..=last).collect())
    }
}

impl LocalResponse {
    fn of(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let texts = |name: &header::HeaderName| -> Vec<String> {
            let values = head.headers.get_all(name).into_iter();
            values
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect()
        };
        let seeds = texts(&SEED);
        let warnings = format!("[{}]", texts(&WARNINGS).concat());
        Self {
            media_type: texts(&header::CONTENT_TYPE).concat(),
            seeds: seeds
                .iter()
                .flat_map(|seeds| seeds.split(", "))
                .map(str::to_owned)
                .collect(),
            warnings: serde_json::from_str(&warnings).expect("the header is a list of JSON strings"),
            body,
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// [`LocalProblem`] if the response ends before it is complete.
    pub async fn bytes(self) -> Result<Vec<u8>, LocalProblem> {
        Ok(body::to_bytes(self.body, usize::MAX).await?.into())
    }

    /// Gives each part of the body to `write`, as it is made.
    ///
    /// # Errors
    /// [`LocalProblem`] if the response ends before it is complete, or the error of `write`.
    pub async fn write_to<E: From<LocalProblem>>(
        self,
        mut write: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut parts = self.body.into_data_stream();
        while let Some(part) = parts.next().await {
            write(&part.map_err(LocalProblem::from)?)?;
        }
        Ok(())
    }
}
