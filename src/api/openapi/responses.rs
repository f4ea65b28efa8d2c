//! The successful responses of operations on faces: media types and headers.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, Ref, RefOr};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::api::openapi::files::{ImageFile, bytes};

/// What the document says of the response to an operation on faces. The type itself is the schema of the JSON response.
pub(crate) trait FaceResponse: ToSchema {
    /// The description of the response.
    const DESCRIPTION: &'static str;
    /// Whether it may be an image. Then `*/*` gets one, so the image types come first: generated clients take the first
    /// type that they know.
    const IMAGES: bool = true;
    /// The media types of its other files, each with what the file is.
    const FILES: &'static [File] = &[];
    /// Whether it may be a stream of events.
    const EVENTS: bool = false;
    /// Its headers besides `Faceplane-Model` and `Server-Timing`: name and description.
    const HEADERS: &'static [(&'static str, &'static str)];
}

/// A media type, and what a file of this type is.
pub(crate) type File = (&'static str, &'static str);

/// The file of `layout=zip`.
pub(crate) const ZIP: File = ("application/zip", "An image file for each face.");

/// The parts of `layout=stream`.
pub(crate) const STREAM: File = ("multipart/x-mixed-replace", "An image file for each face.");

/// The file of `format=npz`.
pub(crate) const NPZ: File = (
    "application/octet-stream",
    "A NumPy `.npz` file with codes, scores and distances.",
);

/// `Faceplane-Seed`, in the responses that have it.
pub(crate) const SEED: (&str, &str) = (
    "Faceplane-Seed",
    "The seeds of the faces, separated by commas; absent if a face did not come from a seed.",
);

/// `Faceplane-Warnings`, in the responses that have it.
pub(crate) const WARNINGS: (&str, &str) = (
    "Faceplane-Warnings",
    "Warnings, such as of an edit far outside the usual distances: strings in quotes, separated by commas. In JavaScript, \
     `JSON.parse(`[${header}]`)` is the list.",
);

const COMMON: [(&str, &str); 2] = [
    ("Faceplane-Model", "The name of the model."),
    (
        "Server-Timing",
        "The time of each step in milliseconds, or `cache;desc=hit`.",
    ),
];

const ETAG: (&str, &str) = (
    "ETag",
    "Identifies the bytes of the response; present if the URL has a seed. Send it as `If-None-Match` to learn whether they \
     changed. The tag of JSON is weak, because the response may be compressed.",
);

const DISPOSITION: (&str, &str) = (
    "Content-Disposition",
    "The name under which a browser stores an image, such as `inline; filename=\"phantom-seed7.png\"`; absent for JSON.",
);

/// The 200 of an operation with a response that no cache may keep.
pub(crate) struct Fresh<A>(PhantomData<A>);

impl<A: FaceResponse> IntoResponses for Fresh<A> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([("200".to_owned(), RefOr::T(success::<A>().build()))])
    }
}

/// The 200 and the 304 of an operation with a response that caches may keep.
pub(crate) struct Cacheable<A>(PhantomData<A>);

impl<A: FaceResponse> IntoResponses for Cacheable<A> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let unchanged =
            ResponseBuilder::new().description("The response is still the one that `If-None-Match` names.");
        BTreeMap::from([
            (
                "200".to_owned(),
                RefOr::T(with_header(success::<A>(), ETAG).build()),
            ),
            ("304".to_owned(), RefOr::T(with_header(unchanged, ETAG).build())),
        ])
    }
}

fn success<A: FaceResponse>() -> ResponseBuilder {
    let mut response = ResponseBuilder::new().description(A::DESCRIPTION);
    if A::IMAGES {
        for kind in ["image/png", "image/jpeg", "image/webp", "image/gif"] {
            response = response.content(kind, Content::new(Some(ImageFile::schema())));
        }
    }
    let schema = Ref::from_schema_name(A::name());
    response = response.content("application/json", Content::new(Some(RefOr::Ref(schema))));
    for &(kind, description) in A::FILES {
        response = response.content(kind, Content::new(Some(bytes(description))));
    }
    if A::EVENTS {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let text = text.description(Some("Server-sent events; the operation describes them."));
        response = response.content("text/event-stream", Content::new(Some(text)));
    }
    COMMON
        .iter()
        .chain(A::IMAGES.then_some(&DISPOSITION))
        .chain(A::HEADERS)
        .fold(response, |response, &header| with_header(response, header))
}

fn with_header(response: ResponseBuilder, (name, description): (&str, &str)) -> ResponseBuilder {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let header = HeaderBuilder::new().schema(Some(text));
    response.header(name, header.description(Some(description)).build())
}
