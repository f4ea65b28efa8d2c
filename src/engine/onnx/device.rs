//! The device that networks run on.

use std::fmt;
use std::str::FromStr;

/// Where ONNX Runtime runs networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU, by its number.
    Cuda(u16),
}

impl Device {
    /// Most images in one run where the graph's batch is open: enough to fill the device, few enough to take turns.
    pub(crate) fn largest_batch(self) -> usize {
        match self {
            Self::Cpu => 8,
            Self::Cuda(_) => 32,
        }
    }

    /// Images that a run is filled up to: a GPU makes itself ready for every size, so there are few of them.
    pub(crate) fn padded(self, images: usize) -> usize {
        match self {
            Self::Cpu => images,
            Self::Cuda(_) => images.next_power_of_two(),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(number) => write!(formatter, "cuda:{number}"),
        }
    }
}

/// A text that names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected cpu, cuda, or cuda:N with the GPU's number")]
pub struct UnknownDevice;

impl FromStr for Device {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda(0)),
            Some(("cuda", number)) => number.parse().map(Self::Cuda).map_err(|_| UnknownDevice),
            _ => Err(UnknownDevice),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_they_are_written() {
        for (text, device) in [
            ("cpu", Device::Cpu),
            ("cuda", Device::Cuda(0)),
            ("cuda:0", Device::Cuda(0)),
            ("cuda:3", Device::Cuda(3)),
        ] {
            assert_eq!(text.parse(), Ok(device));
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        for text in ["", "gpu", "cuda:", "cuda:-1", "cpu:0", "cuda:99999"] {
            assert_eq!(text.parse::<Device>(), Err(UnknownDevice), "{text}");
        }
    }

    #[test]
    fn runs_on_a_gpu_have_few_sizes() {
        let sizes: Vec<_> = (1..=9).map(|images| Device::Cuda(0).padded(images)).collect();
        assert_eq!(sizes, [1, 2, 4, 4, 8, 8, 8, 8, 16]);
        assert_eq!(Device::Cpu.padded(5), 5);
    }
}
