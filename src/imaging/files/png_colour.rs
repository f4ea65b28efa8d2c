//! The colours of a PNG file, by its chunks cICP, iCCP, sRGB, gAMA and cHRM (PNG specification, third edition, section 4.3).

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, MatrixCoefficients,
    ToneReprCurve, TransferCharacteristics, XyY,
};
use png::{CodingIndependentCodePoints, Info, ScaledFloat, SourceChromaticities};

use crate::imaging::files::colour::{Channels, ToSrgb};

/// The transfer functions of high dynamic range (ITU-T H.273, table 3).
const PQ: u8 = 16;
const HLG: u8 = 18;

/// The conversion of a file's colours to sRGB. The first of the chunks that is there and can be used decides.
///
/// # Errors
/// The reason, if the colours have a high dynamic range.
pub(super) fn to_srgb(info: &Info<'_>) -> Result<ToSrgb, String> {
    let channels = match info.color_type {
        png::ColorType::Grayscale | png::ColorType::GrayscaleAlpha => Channels::Grey,
        _ => Channels::Rgb,
    };
    if let Some(points) = info.coding_independent_code_points
        && let Some(profile) = profile_of_points(points)?
        && let Some(conversion) = ToSrgb::of(&profile, Channels::Rgb)
    {
        return Ok(conversion);
    }
    if let Some(file) = &info.icc_profile
        && let Some(conversion) = ToSrgb::of_file(file, channels)
    {
        return Ok(conversion);
    }
    if info.srgb.is_some() || (info.gama_chunk, info.chrm_chunk) == (None, None) {
        return Ok(ToSrgb::Unchanged);
    }
    let profile = profile_of_gamma(info.gama_chunk, info.chrm_chunk);
    Ok(profile
        .and_then(|profile| ToSrgb::of(&profile, Channels::Rgb))
        .unwrap_or(ToSrgb::Unchanged))
}

/// The profile of code points; `None` if they mean nothing that is known here.
fn profile_of_points(points: CodingIndependentCodePoints) -> Result<Option<ColorProfile>, String> {
    let transfer = match points.transfer_function {
        PQ => Some("PQ"),
        HLG => Some("HLG"),
        _ => None,
    };
    if let Some(transfer) = transfer {
        return Err(format!(
            "its colours have a high dynamic range ({transfer} in the chunk cICP), expected the range of sRGB"
        ));
    }
    if !points.is_video_full_range_image {
        return Err("its levels have the narrow range of video, expected levels from 0 to 255".to_owned());
    }
    let (Ok(color_primaries), Ok(transfer_characteristics)) = (
        CicpColorPrimaries::try_from(points.color_primaries),
        TransferCharacteristics::try_from(points.transfer_function),
    ) else {
        return Ok(None);
    };
    let profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries,
        transfer_characteristics,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    Ok(profile.red_trc.is_some().then_some(profile))
}

/// The profile of a gamma and of primaries; what is missing is that of sRGB. `None` if the numbers make no colours.
fn profile_of_gamma(
    gamma: Option<ScaledFloat>,
    chromaticities: Option<SourceChromaticities>,
) -> Option<ColorProfile> {
    let mut profile = ColorProfile::new_srgb();
    profile.cicp = None;
    if let Some(gamma) = gamma {
        let exponent = 1.0 / gamma.into_value();
        if !exponent.is_finite() {
            return None;
        }
        let curve = ToneReprCurve::Parametric(vec![exponent]);
        profile.red_trc = Some(curve.clone());
        profile.green_trc = Some(curve.clone());
        profile.blue_trc = Some(curve);
    }
    if let Some(SourceChromaticities {
        white,
        red,
        green,
        blue,
    }) = chromaticities
    {
        let point = |(x, y): (ScaledFloat, ScaledFloat)| Chromaticity::new(x.into_value(), y.into_value());
        let primaries = ColorPrimaries {
            red: point(red),
            green: point(green),
            blue: point(blue),
        };
        let white = XyY::new(white.0.into_value().into(), white.1.into_value().into(), 1.0);
        profile.update_rgb_colorimetry(white, primaries);
        let matrix = profile.colorant_matrix();
        if !matrix.v.iter().flatten().all(|number| number.is_finite()) {
            return None;
        }
    }
    Some(profile)
}
