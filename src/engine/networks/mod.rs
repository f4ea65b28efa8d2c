//! What the networks of a model do, and the threads that they run on.
//!
//! It knows the shapes and value ranges of each network's inputs and outputs, how work reaches the thread of a network, and
//! what happens if a run panics. It never knows ONNX Runtime, batches of several requests, or which requests are admitted.
//!
//! Each trait is synchronous and takes `&mut self`, because an ONNX Runtime session runs one batch at a time. Images are
//! tensors `[batch, 3, height, width]`, RGB. Unless a trait says otherwise, they have the generator's size and range: the
//! value of black and the value of white are `generator.image_range` in the manifest, −1 and 1 by default.
//!
//! | to find | look in |
//! | --- | --- |
//! | z → w | `mapping` |
//! | w or w+ → image | `generator` |
//! | a generator's latent spaces and image size | `generator_shape` |
//! | codes of several images | `synthesis_codes` |
//! | w+ → styles | `style_mapping` |
//! | image → scores | `classifier` |
//! | image → code | `encoder` |
//! | image → landmarks of the face | `landmarker` |
//! | image → embedding of the person | `recognizer` |
//! | code → true values of attributes | `truth` |
//! | code and target image → loss and gradient | `gradient` |
//! | code → scores and their gradients | `score_gradient` |
//! | a network's thread and its queue of tasks | `worker` |
//! | waiting for all threads at shutdown | `thread` |
//! | low priority of the gradient networks' threads | `priority` |
//! | runs that do not end | `watchdog` |
//! | the usual time of a network's runs | `watched_runs` |
//! | panics as errors | `panic` |

pub(crate) mod classifier;
pub(crate) mod encoder;
pub(crate) mod generator;
pub(crate) mod generator_shape;
pub(crate) mod gradient;
pub(crate) mod landmarker;
pub(crate) mod mapping;
pub(crate) mod panic;
pub(crate) mod priority;
pub(crate) mod recognizer;
pub(crate) mod score_gradient;
pub(crate) mod style_mapping;
pub(crate) mod synthesis_codes;
pub(crate) mod thread;
pub(crate) mod truth;
pub(crate) mod watchdog;
pub(crate) mod watched_runs;
pub(crate) mod worker;
