//! Converts pixels to sRGB by a colour profile (ICC.1:2022), relative to white as browsers do.

use std::sync::Arc;

use moxcms::{
    ColorProfile, DataColorSpace, Layout, ParsingOptions, RenderingIntent, Transform8BitExecutor,
    TransformF32Executor, TransformOptions,
};

use crate::imaging::rounding::to_level;

/// The largest colour profile in bytes. Those of printers have one or two MiB; a larger one is ignored.
const LARGEST_PROFILE: usize = 4 << 20;

/// Bytes of memory that a conversion takes per byte of its profile.
const MEMORY_PER_BYTE: u64 = 8;

/// Pixels that are converted at a time.
const CHUNK: usize = 1024;

/// What the samples of a pixel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    /// Grey, which is also stored as RGB.
    Grey,
    /// Red, green and blue.
    Rgb,
    /// Cyan, magenta, yellow and black ink.
    Cmyk,
}

/// A conversion of 8-bit levels to sRGB.
pub(super) enum ToSrgb {
    /// The levels are sRGB already.
    Unchanged,
    /// The colour of each grey level.
    Grey(Box<[[u8; 3]; 256]>),
    /// From RGB by curves and a matrix.
    Matrix(Arc<Transform8BitExecutor>),
    /// From RGB or from inks by a table. moxcms is exact enough on these with floating-point numbers only.
    Table(Arc<TransformF32Executor>),
}

impl ToSrgb {
    /// The conversion from a colour profile; `None` if the profile is invalid or not for such pixels.
    pub(super) fn of_file(profile: &[u8], channels: Channels) -> Option<Self> {
        let options = ParsingOptions {
            max_profile_size: LARGEST_PROFILE,
            ..ParsingOptions::default()
        };
        let profile = ColorProfile::new_from_slice_with_options(profile, options).ok()?;
        Self::of(&profile, channels)
    }

    /// The conversion from a colour profile; `None` if the profile is invalid or not for such pixels.
    pub(super) fn of(profile: &ColorProfile, channels: Channels) -> Option<Self> {
        let options = TransformOptions {
            rendering_intent: RenderingIntent::RelativeColorimetric,
            allow_use_cicp_transfer: false,
            ..TransformOptions::default()
        };
        let srgb = ColorProfile::new_srgb();
        let by_levels = |layout| {
            profile
                .create_transform_8bit(layout, &srgb, Layout::Rgb, options)
                .ok()
        };
        let by_numbers = |layout| {
            profile
                .create_transform_f32(layout, &srgb, Layout::Rgb, options)
                .ok()
        };
        match (profile.color_space, channels) {
            (DataColorSpace::Gray, Channels::Grey) => {
                let levels: [u8; 256] = std::array::from_fn(|level| u8::try_from(level).expect("below 256"));
                let mut colours = [0; 3 * 256];
                by_levels(Layout::Gray)?.transform(&levels, &mut colours).ok()?;
                let colour = |level: usize| [0, 1, 2].map(|channel| colours[3 * level + channel]);
                Some(Self::Grey(Box::new(std::array::from_fn(colour))))
            }
            (DataColorSpace::Rgb, Channels::Grey | Channels::Rgb) => {
                let conversion = if profile.is_matrix_shaper() {
                    Self::Matrix(by_levels(Layout::Rgb)?)
                } else {
                    Self::Table(by_numbers(Layout::Rgb)?)
                };
                Some(if conversion.changes_nothing()? {
                    Self::Unchanged
                } else {
                    conversion
                })
            }
            // moxcms has no layout of its own for four inks.
            (DataColorSpace::Cmyk, Channels::Cmyk) => Some(Self::Table(by_numbers(Layout::Rgba)?)),
            _ => None,
        }
    }

    /// Whether no level changes by more than 1. Then pixels keep their exact levels.
    fn changes_nothing(&self) -> Option<bool> {
        let levels = || (0..=255_u8).step_by(15);
        let colours: Vec<u8> = levels()
            .flat_map(|red| levels().flat_map(move |green| levels().flat_map(move |blue| [red, green, blue])))
            .collect();
        let mut converted = colours.clone();
        self.convert(&mut converted).ok()?;
        Some(colours.iter().zip(&converted).all(|(a, b)| a.abs_diff(*b) <= 1))
    }

    /// Bytes of memory that a conversion takes, by the length of its profile.
    pub(super) fn memory(profile: usize) -> u64 {
        MEMORY_PER_BYTE * profile as u64
    }

    /// Converts pixels of RGB. Grey pixels have three equal levels.
    pub(super) fn convert(&self, rgb: &mut [u8]) -> Result<(), String> {
        match self {
            Self::Unchanged => {}
            Self::Grey(colours) => {
                for pixel in rgb.chunks_exact_mut(3) {
                    pixel.copy_from_slice(&colours[usize::from(pixel[0])]);
                }
            }
            Self::Matrix(transform) => {
                let mut copy = [0; 3 * CHUNK];
                for pixels in rgb.chunks_mut(3 * CHUNK) {
                    let copy = &mut copy[..pixels.len()];
                    copy.copy_from_slice(pixels);
                    transform
                        .transform(copy, pixels)
                        .map_err(|error| error.to_string())?;
                }
            }
            Self::Table(transform) => {
                for pixels in rgb.chunks_mut(3 * CHUNK) {
                    look_up(&**transform, &shares(pixels), pixels)?;
                }
            }
        }
        Ok(())
    }

    /// Converts pixels of four inks to RGB.
    pub(super) fn convert_inks(&self, inks: &[u8], rgb: &mut [u8]) -> Result<(), String> {
        for (inks, rgb) in inks.chunks(4 * CHUNK).zip(rgb.chunks_mut(3 * CHUNK)) {
            if let Self::Table(transform) = self {
                look_up(&**transform, &shares(inks), rgb)?;
                continue;
            }
            for (rgb, inks) in rgb.chunks_exact_mut(3).zip(inks.chunks_exact(4)) {
                rgb.copy_from_slice(&without_profile([inks[0], inks[1], inks[2], inks[3]]));
            }
        }
        Ok(())
    }
}

/// Levels as numbers from 0 to 1.
fn shares(levels: &[u8]) -> Vec<f32> {
    levels.iter().map(|&level| f32::from(level) / 255.0).collect()
}

/// Converts some pixels by a table.
fn look_up(transform: &TransformF32Executor, shares: &[f32], rgb: &mut [u8]) -> Result<(), String> {
    let mut converted = vec![0.0; rgb.len()];
    transform
        .transform(shares, &mut converted)
        .map_err(|error| error.to_string())?;
    for (level, share) in rgb.iter_mut().zip(converted) {
        *level = to_level(f64::from(share) * 255.0);
    }
    Ok(())
}

/// The colour of inks on white paper, if nothing is known of the inks.
fn without_profile([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    [cyan, magenta, yellow].map(|ink| {
        let light = u32::from(255 - ink) * u32::from(255 - black);
        u8::try_from((light + 127) / 255).expect("a product of two shares is a level")
    })
}
