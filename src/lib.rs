//! faceplane: InterFaceGAN as an HTTP service.
//!
//! A GAN's generator makes an image from a *latent code*, a list of numbers. InterFaceGAN (Shen et al., CVPR 2020; TPAMI 2020)
//! found that a hyperplane in latent space, a *boundary*, separates the two values of an attribute of the face, such as
//! smiling or not. This crate loads a generator, attribute classifiers and an optional encoder as ONNX files, and serves
//! four operations on faces: **sample**, **edit** (move a code along a boundary's normal), **conditionally edit** (keep other
//! attributes as they are) and **invert** (find the code of an image). It also trains boundaries and reports on their
//! quality.
//!
//! It does not train generators, and it does not detect faces in photographs unless a model brings a landmark network.
//!
//! # Layers
//!
//! A layer may use only the layers below it. `tests/layers.rs` checks that.
//!
//! | module | what it knows | what it never knows |
//! | --- | --- | --- |
//! | [`cli`] | the commands, their settings, start and shutdown | how a request is answered |
//! | [`server`] | connections: accept, time out, drain | what is served |
//! | [`api`] | HTTP: URLs, types of requests and responses, statuses, the OpenAPI document | networks, files |
//! | [`editor`] | the operations on faces, inversion, training, reports, jobs | HTTP, ONNX Runtime |
//! | [`engine`] | networks on their threads, batches, limits on load | what an edit is |
//! | [`catalog`] | model folders, manifests, boundary files, the store | what they are used for |
//! | [`importing`] | how published architectures compute, as graphs | files on disk, ONNX Runtime |
//! | [`checkpoint`] | the formats of checkpoints | what a network computes |
//! | [`graph`] | ONNX graphs in memory: build, edit, differentiate | ONNX Runtime, checkpoints |
//! | [`imaging`] | pixels, image files, alignment of faces | latent codes |
//! | [`latent`] | the mathematics of codes and boundaries | files, networks |
//! | [`metrics`], [`telemetry`], [`trace`] | metrics for Prometheus, the log, traces of requests | |
//!
//! # The way of a request
//!
//! `GET /v1/conditional-edit?seed=7&edit=age:3&condition=eyeglasses`
//!
//! 1. [`server::run`] accepts the connection; [`api::router`] finds the handler.
//! 2. The handler decodes an [`editor::EditRequest`], or returns a problem that names the wrong field. `api::problem` chooses
//!    the status of every error.
//! 3. The [`editor`] turns the seed into a [`latent::LatentCode`] ([`latent::sample_z`], then the mapping network), takes
//!    the conditions out of the boundary's normal ([`latent::condition()`]) and moves the code ([`latent::apply`]).
//! 4. [`engine::Engine::admit`] accepts the request's images, or refuses them at once: the response is then 503.
//!    `engine::admission::overload` detects overload.
//! 5. [`engine::Admission::synthesize_in_chunks`] puts the code into the generator's queue. A replica takes a batch from
//!    the queue, with codes of other requests, and runs it. `engine::batching` is where requests become a batch.
//! 6. The handler encodes the pixels ([`imaging::encode_png`]) and sends the response.
//!
//! # Glossary
//!
//! | word | meaning |
//! | --- | --- |
//! | latent code | a point in a latent space: [`latent::LatentCode`] |
//! | z, w, w+ | the latent spaces: before the mapping, after it, and w with a code for each layer: [`latent::LatentSpace`] |
//! | mapping, synthesis | the two networks of a generator: z → w, and w or w+ → image |
//! | sample | take a z code at random, by a seed |
//! | synthesize | run the synthesis network on codes |
//! | render | synthesize, then score and convert to pixels as a request asks |
//! | truncation | pulls a w code towards the mean code, for more typical faces: [`latent::Truncation`] |
//! | attribute | a property of a face that a classifier scores: smile, age, … |
//! | score | the output of a classifier for an attribute |
//! | boundary | a hyperplane that separates the values of an attribute, with a normal of length 1 (√layers in w+): [`latent::Boundary`]; [`latent::BoundaryFit`] fits one to scored codes |
//! | distance | the signed distance of a code from a boundary |
//! | unit | what an edit's amount counts in: distance, deviations of the samples, or the normal in a boundary's file: [`latent::Unit`] |
//! | spread | mean and standard deviation of the samples' distances from a boundary: [`latent::Spread`] |
//! | direction | the unit vector of an edit: [`latent::Direction`] |
//! | primal, conditions | in a conditional edit: the boundary of the attribute that changes, and the boundaries of those that stay: [`latent::condition()`] |
//! | trajectory | a series of edits at equal steps: [`latent::Trajectory`] |
//! | interpolate | make the faces between two or more faces: [`editor::interpolate()`] |
//! | mix | replace some layers of a face's w+ code by another face's: [`editor::mix()`] |
//! | invert | find the code of an image, by the encoder, by optimization, or by both (*refine*): [`editor::invert`] |
//! | align | rotate, crop and scale a photograph so that the face is where a model's images have it: [`imaging::Framing`] |
//! | model | a generator with its classifiers, encoder and boundaries: [`editor::Model`] |
//! | model folder | the files of a model: [`catalog::ModelFolder`] |
//! | run, batch | one call of a network, and the inputs of it |
//! | replica | one of several copies of a generator that run in parallel |
//! | response | what the service sends back for a request: an image, JSON, or a *problem* (an error as JSON) |
//! | admission, permit | an accepted request, and its share of the limit on images: [`engine::Admission`] |
//! | overload | more requests arrive than can be answered, for longer than a burst |
//! | lane | a priority in a queue: requests, or background work |
//! | job | work that runs behind all requests: a training or a report: [`editor::Job`]; jobs wait in [`editor::Jobs`] |
pub mod api;
pub mod catalog;
pub mod checkpoint;
pub mod cli;
pub mod editor;
pub mod engine;
pub mod graph;
pub mod imaging;
pub mod importing;
pub mod latent;
pub mod library_environment;
pub mod metrics;
pub mod server;
pub mod telemetry;
pub mod trace;
