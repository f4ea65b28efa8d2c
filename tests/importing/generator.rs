//! Compares an imported generator with everything that the original program recorded.

use faceplane::importing::{Generator, Imported};
use ndarray::{Array3, ArrayD, Axis, Ix1, Ix2, Slice};

use crate::importing::fixture::{Fixture, TOLERANCE};
use crate::onnx_session::{OnnxSession, assert_close};

/// Imports the generator of a fixture and compares its codes and images with the recorded ones. Returns it, or `None` if the
/// folder of references does not exist.
pub(crate) fn check_generator(name: &str) -> Option<(Fixture, Generator)> {
    let fixture = Fixture::open(name)?;
    let generator = match fixture.import() {
        Imported::Generator(generator) | Imported::Encoder(_, Some(generator)) => *generator,
        other => panic!("{name} is no generator: {other:?}"),
    };
    let mut check = Check {
        name,
        fixture: &fixture,
        generator: &generator,
        synthesis: OnnxSession::open(&generator.synthesis),
    };
    if generator.mapping.is_some() {
        check.mapping();
        check.truncated_images();
        check.layered_images();
    } else {
        check.images("z", "image_psi1", &fixture.expected("z"));
    }
    Some((fixture, generator))
}

struct Check<'a> {
    name: &'a str,
    fixture: &'a Fixture,
    generator: &'a Generator,
    synthesis: OnnxSession,
}

impl Check<'_> {
    /// z, and the label if there are classes, give the recorded w.
    fn mapping(&self) {
        let z = self.fixture.expected("z");
        let w = self.fixture.expected("w");
        let label = (self.generator.classes > 0).then(|| self.fixture.expected("c"));
        let mapping = self.generator.mapping.as_ref().unwrap();
        let mut mapping = OnnxSession::open(mapping);
        for batch in batches(z.len_of(Axis(0))) {
            let z = z.slice_axis(Axis(0), batch);
            let label = label.as_ref().map(|label| label.slice_axis(Axis(0), batch));
            let inputs: Vec<_> = std::iter::once(("z", z))
                .chain(label.map(|label| ("label", label)))
                .collect();
            let found = mapping.output("w", &inputs);
            let expected = w.slice_axis(Axis(0), batch);
            assert_close(&format!("{} w", self.name), found.view(), expected, TOLERANCE);
        }
        if let Some(expected) = self.fixture.try_expected("w_avg") {
            let w_avg = self.generator.w_avg.clone().unwrap().into_dyn();
            assert_close(
                &format!("{} w_avg", self.name),
                w_avg.view(),
                expected.view(),
                1e-6,
            );
        }
    }

    /// The recorded w codes, truncated, give the recorded images.
    fn truncated_images(&mut self) {
        let layers = self.generator.layers;
        self.images("w", "image_psi1", &self.truncated(1.0, layers));
        if self.fixture.try_expected("image_psi07").is_some() {
            self.images("w", "image_psi07", &self.truncated(0.7, layers));
        }
        if let Some(cutoff) = self.fixture.count("truncation_cutoff") {
            self.images("w", "image_psi07_cutoff", &self.truncated(0.7, cutoff));
        }
    }

    /// Codes that differ between the layers give the recorded images.
    fn layered_images(&mut self) {
        if let Some(wplus) = self.fixture.try_expected("wplus") {
            self.images("w", "image_wplus", &wplus);
        }
        if let Some(index) = self.fixture.count("mix_index") {
            let mut codes = self.truncated(1.0, 0);
            let second = codes.slice_axis(Axis(0), Slice::from(1..2)).to_owned();
            let mut first = codes.slice_axis_mut(Axis(0), Slice::from(0..1));
            first
                .slice_axis_mut(Axis(1), Slice::from(index..))
                .assign(&second.slice_axis(Axis(1), Slice::from(index..)));
            self.images("w", "image_mix", &codes);
        }
    }

    /// The recorded w in every layer, truncated with `psi` in the first `cutoff` of them.
    fn truncated(&self, psi: f32, cutoff: usize) -> ArrayD<f32> {
        let w = self.fixture.expected("w").into_dimensionality::<Ix2>().unwrap();
        let center = self
            .fixture
            .try_expected("w_avg")
            .or_else(|| self.fixture.try_expected("truncation_latent"))
            .unwrap_or_else(|| ArrayD::zeros(vec![w.ncols()]));
        let center = center.flatten().to_owned().into_dimensionality::<Ix1>().unwrap();
        let mut codes = Array3::zeros((w.nrows(), self.generator.layers, w.ncols()));
        for layer in 0..self.generator.layers {
            let psi = if layer < cutoff { psi } else { 1.0 };
            codes
                .index_axis_mut(Axis(1), layer)
                .assign(&(&center + &((&w - &center) * psi)));
        }
        codes.into_dyn()
    }

    /// The first of the codes give the recorded images, one at a time and all at once.
    fn images(&mut self, input: &str, image: &str, codes: &ArrayD<f32>) {
        let expected = self.fixture.expected(image);
        for batch in batches(expected.len_of(Axis(0))) {
            let found = self
                .synthesis
                .output("image", &[(input, codes.slice_axis(Axis(0), batch))]);
            let expected = expected.slice_axis(Axis(0), batch);
            let what = format!("{} {image} {batch:?}", self.name);
            assert_close(&what, found.view(), expected, TOLERANCE);
        }
    }
}

/// All of `count`, and each of them alone.
fn batches(count: usize) -> impl Iterator<Item = Slice> {
    std::iter::once(Slice::from(0..count)).chain((0..count).map(|index| Slice::from(index..index + 1)))
}
