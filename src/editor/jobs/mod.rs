//! Jobs: training and reports that go on after their request was answered.
//!
//! | to find | look in |
//! | --- | --- |
//! | the queue of jobs, and the jobs that are remembered | `job_queue` |
//! | the numbers in the ids of jobs | `job_numbers` |
//! | one job, its progress and its status | `job` |
//! | how a job runs, and what it does with its results | `runner` |
//! | the samples of ended jobs, and when they are dropped | `sample_shelf` |
//! | why a job lacks something | `error` |
//!
//! It knows when work runs. It never knows how boundaries are fitted or judged.

pub(crate) mod error;
pub(crate) mod job;
pub(crate) mod job_numbers;
pub(crate) mod job_queue;
pub(crate) mod runner;
pub(crate) mod sample_shelf;
