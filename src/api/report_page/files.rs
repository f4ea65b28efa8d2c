//! A report as files: its page, its JSON, and its curves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::api::report_page::markup::escaped;
use crate::api::report_page::methods::curves;
use crate::api::report_page::page::page;
use crate::api::responses::report::{EncodedStrips, Report as ReportJson};
use crate::editor::Report;
use crate::imaging::{FileMetadata, Image, ImagingError, Quality, encode_jpeg};

/// A report as an HTML page.
///
/// # Errors
/// [`ImagingError`] if an image cannot be encoded.
pub fn page_of(report: &Report) -> Result<Vec<u8>, ImagingError> {
    Ok(page(report, &strips(report)?).into_bytes())
}

/// A report as JSON.
///
/// # Errors
/// [`ImagingError`] if an image cannot be encoded.
pub fn json_of(report: &Report) -> Result<Vec<u8>, ImagingError> {
    let report = ReportJson::new(report, strips(report)?);
    Ok(serde_json::to_vec(&report).expect("a report holds finite numbers and texts"))
}

/// The curves of all methods, each with the name of its file and as SVG.
#[must_use]
pub fn curves_of(report: &Report) -> Vec<(&'static str, String)> {
    if report.methods.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = report.methods.iter().map(|one| escaped(&one.method)).collect();
    let curves = curves(report).into_iter();
    curves.map(|(name, plot)| (name, plot.file(&names))).collect()
}

fn strips(report: &Report) -> Result<EncodedStrips, ImagingError> {
    let of_directions = report.directions.iter().map(|direction| &direction.strip);
    let mark = FileMetadata::mark(report.digital_source_type.term());
    let encode = |strip: &Vec<Image>| encode_strip(strip, &mark);
    Ok(EncodedStrips {
        attributes: report.strips.iter().map(encode).collect::<Result<_, _>>()?,
        directions: of_directions.map(encode).collect::<Result<_, _>>()?,
    })
}

/// The images of a strip as JPEGs in base64.
fn encode_strip(strip: &[Image], mark: &FileMetadata) -> Result<Vec<String>, ImagingError> {
    let file = |image| Ok(STANDARD.encode(encode_jpeg(image, Quality::default(), mark)?));
    strip.iter().map(file).collect()
}
