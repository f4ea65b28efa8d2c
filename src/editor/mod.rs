//! The operations on faces: sample, score, edit, interpolate, mix, invert, train and report.
//!
//! An operation is one function on a [`Model`]: [`sample`], [`score`], [`edit`], [`invert`]. Training and reports take
//! minutes, so [`Jobs`] queues them. [`Models`] holds the loaded models, and changes their boundaries. [`ModelLoader`] loads, reloads and
//! drops models while requests go on.
//!
//! | to find | look in |
//! | --- | --- |
//! | a loaded model: what its files say, and its networks | [`Model`], [`BoundarySet`] |
//! | whether generators still work | [`DeviceProof`] |
//! | how models change while requests go on | [`Models`], [`ModelLoader`] |
//! | how codes are mapped, synthesized and scored | `rendering` |
//! | how a face is edited, and a score searched | `editing` |
//! | how several faces make others | `blending` |
//! | how directions are found without labels | `directions` |
//! | how the code of an image is found | `inversion` |
//! | how boundaries are trained | `training` |
//! | how boundaries are judged | `judging` |
//! | how a model's networks are checked on sample faces | `checking` |
//! | the faces of many seeds, chunk by chunk | `batch` |
//! | work that goes on after its request | `jobs` |
//! | how changes of other services are found | [`follow_store`] |
//! | how models of the store are loaded and dropped | [`StoredModels`] |
//! | why an operation failed | [`EditorError`], [`LoadError`] |
//!
//! It knows models, codes and images. It never knows HTTP, JSON, `ort`, nor where a model's files are.

mod background_batches;
pub(crate) mod batch;
pub(crate) mod blending;
mod blocking;
mod boundary_limits;
mod boundary_set;
pub(crate) mod checking;
mod classifiers;
mod device_proof;
pub(crate) mod directions;
pub(crate) mod editing;
mod error;
mod face;
mod generator_settings;
pub(crate) mod inversion;
pub(crate) mod jobs;
pub(crate) mod judging;
mod kept_boundaries;
mod load_error;
mod many_faces;
mod model;
mod model_change_error;
mod model_loader;
mod model_opener;
mod model_source;
mod models;
mod original_error;
pub(crate) mod rendering;
mod sampled_codes;
mod store_follower;
mod stored_models;
pub(crate) mod style_channels;
mod timestamp;
pub(crate) mod training;

pub use batch::face_chunks::FaceChunks;
pub use batch::request::{BatchFace, BatchRequest, InvalidScoreLimit, ScoreLimit};
pub use blending::error::BlendError;
pub use blending::interpolate::{InterpolateRequest, Interpolated, check_interpolation, interpolate};
pub use blending::mix::{MixRequest, Mixed, check_mix, images_of_mix, mix};
pub use blending::sources::any_inverted_code;
pub use boundary_limits::BoundaryLimits;
pub use boundary_set::{BoundaryKey, BoundaryOrigin, BoundarySet, BoundaryVersion};
pub use checking::check::check_networks;
pub use checking::findings::{Findings, IdentityFindings, ScoreFindings};
pub use device_proof::{DeviceProof, ProofFailure, ProofTimes, UnprovenGenerator};
pub use directions::request::{DirectionMethod, DirectionsRequest};
pub use editing::edit::{Edited, check_edit, edit, edit_to};
pub use editing::edit_path::EditDirection;
pub use editing::gradient_walk::result::{Walk, WalkEnd};
pub use editing::request::{Along, EditRequest, EditStep, PositionKind, Series};
pub use editing::score_search::result::{HeldScore, ScoreSearchResult};
pub use editing::warning::Warning;
pub use error::EditorError;
pub use face::{Face, FaceSource, TruncationChoice};
pub use inversion::carried_code::reconstruct;
pub use inversion::found_code::FoundCode;
pub use inversion::inversion_cache::InversionCache;
pub use inversion::inverter::{find_code, invert};
pub use inversion::method::InversionMethod;
pub use inversion::optimization::{InversionProgress, OptimizationResult};
pub use inversion::plan::inverted_space;
pub use inversion::request::{InversionOptions, InvertRequest, Inverted};
pub use inversion::target::UndecodedImage;
pub use jobs::error::JobError;
pub use jobs::job::{FitProgress, Job, JobProgress, JobStatus};
pub use jobs::job_queue::Jobs;
pub use judging::image_outputs::IdentityMeasure;
pub use judging::judge::{default_report_space, judge};
pub use judging::methods::effect::{
    LEVELS, LevelEffect, MeanEffect, MethodEffect, MethodReport, RESCORED, UndoneEdits,
};
pub use judging::methods::manipulation_inversion::InvertedFaces;
pub use judging::methods::own_comparison::Comparisons;
pub use judging::methods::truth::KnownTruth;
pub use judging::report::{BoundaryReport, DirectionReport, IdentityReport, Report, ReportRequest};
pub use judging::report_error::ReportError;
pub use load_error::LoadError;
pub use many_faces::{FaceBatches, ManyFaces, MeasuredFace, RenderedFaces, render_faces};
pub use model::Model;
pub use model_change_error::ModelChangeError;
pub use model_loader::{LoadedModel, ModelLoader};
pub use model_opener::ModelOpener;
pub use model_source::ModelSource;
pub use models::Models;
pub use original_error::OriginalError;
pub use rendering::average_w::average_w;
pub use rendering::face_channel::{FaceReceiver, FaceSender, face_channel};
pub use rendering::sample::{SampleRequest, Sampled, sample, sample_to};
pub use rendering::sample_spread::{spread, spreads};
pub use rendering::score::{ScoreRequest, Scored, check_score, score};
pub use store_follower::follow_store;
pub use stored_models::StoredModels;
pub use style_channels::error::StyleError;
pub use training::comparison::{Comparison, ComparisonReason};
pub use training::kept_samples::KeptSamples;
pub use training::labelled_codes::{LabelledCodes, LabelledCodesError};
pub use training::request::{KeepRule, SampleCount, TrainRequest, TrainSource};
