//! The device that networks run on.

use std::fmt;
use std::str::FromStr;

/// The device that ONNX Runtime uses: `cpu`, `cuda` or `cuda:N`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The CPU.
    #[default]
    Cpu,
    /// The NVIDIA GPU with this number.
    Cuda(u16),
}

impl Device {
    /// Most images in one run of a graph with an open batch. Enough to use the whole device, and few enough that a request does
    /// not wait long for its turn.
    pub(crate) fn largest_batch(self) -> usize {
        match self {
            Self::Cpu => 8,
            Self::Cuda(_) => 32,
        }
    }

    /// The batch size that a run of `images` is padded to. On a GPU the next power of two, because it has to prepare each batch
    /// size, so that there should be few.
    pub(crate) fn padded_batch(self, images: usize) -> usize {
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

/// A text that is not the name of a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected cpu, cuda, or cuda:N, where N is the number of the GPU")]
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
    fn a_device_is_parsed_from_its_own_text() {
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
    fn batches_on_a_gpu_are_padded_to_powers_of_two() {
        let sizes: Vec<_> = (1..=9)
            .map(|images| Device::Cuda(0).padded_batch(images))
            .collect();
        assert_eq!(sizes, [1, 2, 4, 4, 8, 8, 8, 8, 16]);
        assert_eq!(Device::Cpu.padded_batch(5), 5);
    }
}
