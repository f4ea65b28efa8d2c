//! The error responses that operations document.

use std::collections::BTreeMap;

use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{Content, Ref, RefOr};
use utoipa::{IntoResponses, ToSchema as _};

use crate::api::problem_document::ProblemDocument;

/// A response with a problem document.
fn problem(description: &str) -> RefOr<Response> {
    let schema = Ref::from_schema_name(ProblemDocument::name());
    let response = ResponseBuilder::new().description(description);
    let content = Content::new(Some(RefOr::Ref(schema)));
    RefOr::T(response.content("application/problem+json", content).build())
}

/// Declares sets of error responses: a status and its description each.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident { $($status:literal: $description:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(($status.to_string(), problem($description))),+])
            }
        }
    )+};
}

problems! {
    /// Errors of operations that make images of faces.
    FaceProblems {
        404: "The model does not exist, or it has no boundary for an attribute in the space of the edit. The detail lists those that exist.",
        406: "`Accept` allows neither PNG, JPEG, WebP nor JSON.",
        422: "A field has a wrong type, shape, space or value, or it contradicts another field.",
        503: "The service is overloaded, short of memory, or shutting down. Try again after `Retry-After` seconds.",
    }

    /// Errors of scoring.
    ScoreProblems {
        404: "The model does not exist. The detail lists the models that exist.",
        422: "A field has a wrong type, shape, space or value, or the model has no classifier.",
        503: "The service is overloaded, short of memory, or shutting down. Try again after `Retry-After` seconds.",
    }

    /// Errors of operations with a body.
    BodyProblems {
        400: "The body cannot be decoded, or the connection ended before its end.",
        408: "The body arrived too slowly.",
        413: "The body is too large, or it needs more memory than the service may use.",
        415: "The Content-Type or the Content-Encoding of the body is not supported.",
    }

    /// Errors of operations on a model that the path names.
    ModelProblems {
        400: "A name in the path cannot be decoded.",
        404: "The model does not exist. The detail lists the models that exist.",
    }

    /// Errors of loading a model.
    LoadProblems {
        400: "The name in the path cannot be decoded.",
        404: "No model folder of the service has a model of this name. The detail lists those that there are.",
        422: "The model folder, or the model in the store, has a mistake. The detail names the file, and what is wrong with it. The model that was loaded before goes on.",
        503: "The store, which has the model, does not answer. Try again after `Retry-After` seconds.",
        507: "The service cannot write the model of the store into its folder of downloads. The model that was loaded before goes on.",
    }

    /// Errors of dropping a model.
    DropProblems {
        409: "The model is the default, which requests without a model name use.",
    }

    /// Errors of operations that return a page of a list, or options of a response.
    PageProblems {
        422: "A parameter has an invalid value.",
    }

    /// Errors of the list of jobs.
    JobListProblems {
        422: "A parameter has an invalid value.",
        503: "The store, which has the jobs of all services, does not answer. Try again after `Retry-After` seconds.",
    }

    /// Errors of operations on a boundary that the path names.
    BoundaryProblems {
        400: "A name in the path cannot be decoded.",
        404: "The model or the boundary does not exist. The detail lists those that exist.",
        422: "The space does not exist, no attribute can have the name, or the boundary does not fit the model.",
    }

    /// Errors of operations that choose between JSON and a `.npy` file.
    BoundaryFormatProblems {
        406: "`Accept` allows neither JSON nor `application/octet-stream`.",
    }

    /// Errors of operations that add a boundary.
    AdditionProblems {
        409: "The model has an attribute with the same name in another case.",
        503: "The service is short of memory, or the store does not answer. Try again after `Retry-After` seconds.",
        507: "There is no room for another boundary, or the change cannot be written to the store. It was not made.",
    }

    /// Errors of operations that delete a boundary.
    DeletionProblems {
        409: "The boundary came with the model, and cannot be deleted.",
        503: "The store does not answer. Try again after `Retry-After` seconds.",
        507: "The change cannot be written to the store, and was not made.",
    }

    /// Errors of operations that start a job.
    StartProblems {
        404: "The model or the job does not exist, or none of the model's classifiers scores an attribute. The detail lists those that exist.",
        422: "A field has a wrong type, shape, space or value, or it contradicts another field.",
        503: "Too many jobs are waiting, or the service is short of memory or shutting down. Try again after `Retry-After` seconds.",
    }

    /// Errors of operations that begin an inversion in the background.
    InversionStartProblems {
        404: "The model does not exist. The detail lists the models that exist.",
        422: "A field has a wrong type or value, or it contradicts another field.",
        503: "Too many inversions are running, or the service is short of memory or shutting down. Try again after `Retry-After` seconds.",
    }

    /// Errors of operations on an inversion that the path names.
    InversionProblems {
        400: "The id in the path cannot be decoded.",
        404: "The inversion does not exist, or no longer.",
    }

    /// Errors of operations on a job that the path names.
    JobProblems {
        400: "The id in the path cannot be decoded.",
        404: "The job does not exist, or it has no report or no samples.",
        503: "The service is short of memory, or the store, which has the jobs of all services, does not answer. Try again after `Retry-After` seconds.",
    }

    /// Errors of operations that use the samples of a job.
    SamplesProblems {
        409: "The job has not sampled all codes yet, or the model has an attribute with the same name in another case.",
        410: "The samples of the job were dropped.",
    }

    /// Errors of operations with a large response.
    MemoryProblems {
        503: "The service is short of memory. Try again after `Retry-After` seconds.",
    }

    /// Errors of the readiness probe.
    ReadyProblems {
        503: "The service is shutting down, a network is stuck, or a generator makes no image. The detail names the network or the model.",
    }

    /// Errors of the liveness probe.
    LiveProblems {
        503: "A network has been stuck for a minute. The service should be restarted.",
    }

    /// Errors of operations that web pages of other origins may not call.
    ProtectedProblems {
        403: "The scope of the key is too small, or the request is from a web page of another origin, which the service does not allow to change anything.",
    }

    /// Errors of operations that need a key if the service has keys, and count for the limit on the rate of requests.
    KeyProblems {
        401: "The service has keys, and the request has none, an unknown one, or the cookie of a session that has ended.",
        429: "The service limits the rate of requests, and the client has sent too many. Try again after `Retry-After` seconds.",
    }

    /// Errors of every operation.
    CommonProblems {
        421: "The host of the request is not a name of the service.",
        422: "The header `Faceplane-Timeout` is not a number of seconds above 0.",
        431: "A header is too large.",
        500: "The service failed. Its log has the cause beside the id of the request.",
        504: "No response within the timeout.",
    }
}
