//! Any number of codes, drawn a part at a time, so that other callers' images take turns with them.

use std::collections::VecDeque;
use std::sync::Arc;

use ndarray::{Array3, Axis, Slice};

use crate::engine::batching::batcher::Ordered;
use crate::engine::{Admission, EngineError, Images};

/// Codes on their way to images; dropped, the rest is not drawn.
pub struct ChunkedSynthesis<T> {
    codes: Array3<f32>,
    make: Arc<dyn Fn(Images) -> T + Send + Sync>,
    /// How many of them have been ordered.
    ordered: usize,
    under_way: VecDeque<Ordered<T>>,
}

impl<T: Send + 'static> ChunkedSynthesis<T> {
    pub(crate) fn new(codes: Array3<f32>, make: impl Fn(Images) -> T + Send + Sync + 'static) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Generator;
    use crate::engine::test_support::{Frozen, Gate, codes, engine, painted};

    #[tokio::test]
    async fn many_images_are_drawn_by_all_generators_and_come_in_order() {
        let (mut gates, mut runs, mut go_on) = (Vec::<Box<dyn Generator>>::new(), Vec::new(), Vec::new());
        for _ in 0..2 {
            let (gate, (run, go)) = Gate::new(2);
            gates.push(Box::new(gate));
            runs.push(run);
            go_on.push(go);
        }
        let engine = engine(gates, Vec::new(), 64);
        let values = [1.0, 2.0, 3.0, 4.0, 5.0];
        let mut admission = engine.admit(values.len()).unwrap();
        let drawn = tokio::spawn(async move {
            let (mut drawing, mut all) = (admission.draw(codes(&values), |images| images), Vec::new());
            while let Some(images) = drawing.next(&mut admission).await {
                all.extend(painted(&images.unwrap()));
            }
            all
        });
        tokio::task::yield_now().await;
        for run in &runs {
            assert_eq!(run.recv().unwrap(), 2, "neither generator waits for the other");
        }
        for go in &go_on {
            // More than there are runs: whichever generator takes the last part may draw it.
            for _ in 0..2 {
                go.send(()).unwrap();
            }
        }
        assert_eq!(drawn.await.unwrap(), values);
    }

    #[tokio::test]
    async fn a_panic_over_images_is_an_error_of_their_caller_alone() {
        let engine = engine(vec![Box::new(Frozen::new(1))], Vec::new(), 64);
        let mut admission = engine.admit(1).unwrap();
        let mut drawing = admission.draw(codes(&[1.0]), |images| {
            assert!(images.is_empty(), "nothing is made of this");
        });
        let error = drawing.next(&mut admission).await.unwrap().unwrap_err();
        assert!(
            matches!(&error, EngineError::Panicked { reason, .. } if reason == "nothing is made of this"),
            "{error}"
        );
        assert_eq!(
            painted(&admission.synthesize(codes(&[2.0])).await.unwrap()),
            [2.0]
        );
    }
}
