//! Networks in ONNX Runtime: the only folder that opens and runs sessions.
//!
//! It knows the library, its devices and sessions, the graphs of a model folder with the shapes that each must have, and how
//! many replicas and which batch sizes are fastest on this machine. It never knows which request an image belongs to, when a
//! run begins, or how long a request may wait.
//!
//! A graph is checked when it is opened: an [`EngineError::Tensor`](crate::engine::EngineError::Tensor) names the file, the
//! tensor, its shape, and the expected shape. A batch axis is open or fixed; with a fixed one, runs are filled up.
//!
//! | to find | look in |
//! | --- | --- |
//! | the order in which the networks of a model are opened | `open` |
//! | the library, and the settings of its sessions | `runtime` |
//! | the library's messages in the log | `library_log` |
//! | the names of devices, and the batch sizes of each | `device` |
//! | how many replicas a generator gets, the default of `--replicas` | `replica_tuning` |
//! | a graph with its sessions, and its runs | `network` |
//! | one run of a graph that is being imported | `run_once` |
//! | how a run is terminated | `run_options` |
//! | the name and shape of a graph's input or output | `tensor_spec` |
//! | runs of a graph with a fixed batch | `fixed_batch` |
//! | padding and sessions for each batch size on a GPU | `gpu_sessions` |
//! | images as another network takes them, and scores and landmarks out of its outputs | `conversion` |
//! | z → w | `mapping` |
//! | w or w+ → image, and the search for the batch size | `generator` |
//! | image → scores | `classifier` |
//! | w+ → styles, and styles → image | `styles` |
//! | the mean of several classifiers | `classifier_mean` |
//! | image → code | `encoder` |
//! | image → landmarks of the face | `landmarker` |
//! | image → embedding of the person | `recognizer` |
//! | code → true values of attributes | `truth` |
//! | code and target image → loss and gradient | `gradient`; `derived_gradient` makes its graph |
//! | opening graphs on several threads | `parallel` |

pub(crate) mod classifier;
pub(crate) mod classifier_mean;
pub(crate) mod conversion;
pub(crate) mod derived_gradient;
pub(crate) mod device;
pub(crate) mod encoder;
pub(crate) mod fixed_batch;
pub(crate) mod generator;
pub(crate) mod gpu_sessions;
pub(crate) mod gradient;
pub(crate) mod landmarker;
pub(crate) mod library_log;
pub(crate) mod mapping;
pub(crate) mod network;
pub(crate) mod open;
pub(crate) mod parallel;
pub(crate) mod recognizer;
pub(crate) mod replica_tuning;
pub(crate) mod run_once;
pub(crate) mod run_options;
pub(crate) mod runtime;
pub(crate) mod score_gradient;
pub(crate) mod styles;
pub(crate) mod tensor_spec;
pub(crate) mod truth;
