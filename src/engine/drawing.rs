//! Any number of codes, drawn a part at a time, so that other callers' images take turns with them.

use std::collections::VecDeque;
use std::sync::Arc;

use ndarray::{Array3, Axis, Slice};

use super::batcher::Ordered;
use super::{Admission, EngineError, Images};

/// Codes on their way to images; dropped, the rest is not drawn.
pub struct Drawing<T> {
    codes: Array3<f32>,
    make: Arc<dyn Fn(Images) -> T + Send + Sync>,
    /// How many of them have been ordered.
    ordered: usize,
    under_way: VecDeque<Ordered<T>>,
}

impl<T: Send + 'static> Drawing<T> {
    pub(super) fn new(codes: Array3<f32>, make: impl Fn(Images) -> T + Send + Sync + 'static) -> Self {
        Self {
            codes,
            make: Arc::new(make),
            ordered: 0,
            under_way: VecDeque::new(),
        }
    }

    /// What is made of the next part's images `[images, 3, height, width]`, in the order of the codes; `None` when all are drawn.
    /// Each generator has a part to draw meanwhile.
    ///
    /// # Errors
    /// [`EngineError`] where the part's run fails.
    pub async fn next(&mut self, admission: &mut Admission) -> Option<Result<T, EngineError>> {
        let (parts, images) = admission.portions();
        let all = self.codes.len_of(Axis(0));
        while self.ordered < all && self.under_way.len() < parts {
            let end = all.min(self.ordered + images);
            let part = self.codes.slice_axis(Axis(0), Slice::from(self.ordered..end));
            let make = Arc::clone(&self.make);
            let ordered = admission.order(part.to_owned(), move |images| make(images));
            self.under_way.push_back(ordered);
            self.ordered = end;
        }
        let first = self.under_way.pop_front()?;
        Some(admission.drawn(first).await)
    }
}
