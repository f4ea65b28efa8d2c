//! A colour chart in many colour spaces: its colours in sRGB are those of littleCMS.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceplane::imaging::decode;
use serde::Deserialize;

const LIMIT: u64 = 1 << 20;

/// The most that a level may differ from littleCMS.
const TOLERANCE: u8 = 2;

/// What `colours.py` wrote.
#[derive(Deserialize)]
struct Reference {
    charts: Vec<Chart>,
    /// Files by what is wrong with them.
    refused: BTreeMap<String, String>,
}

/// A file of square patches.
#[derive(Deserialize)]
struct Chart {
    name: String,
    file: String,
    /// The side of a patch, in pixels.
    patch: usize,
    /// The colours of the patches as hexadecimal numbers, row by row.
    colours: String,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("colours.json")).unwrap()
}

fn bytes(file: &str) -> Vec<u8> {
    STANDARD.decode(file).unwrap()
}

#[test]
fn every_colour_space_gives_the_colours_of_littlecms() {
    let charts = reference().charts;
    assert!(charts.len() >= 30, "{} charts", charts.len());
    let mut wrong = Vec::new();
    for chart in charts {
        let image = decode(&bytes(&chart.file), LIMIT).unwrap();
        let columns = image.width() / chart.patch;
        let mut worst = 0;
        for (index, colour) in chart.colours.split(' ').enumerate() {
            let centre = |patch: usize| patch * chart.patch + chart.patch / 2;
            let (x, y) = (centre(index % columns), centre(index / columns));
            let found = &image.rgb()[3 * (y * image.width() + x)..][..3];
            let [_, expected @ ..] = u32::from_str_radix(colour, 16).unwrap().to_be_bytes();
            worst = found
                .iter()
                .zip(expected)
                .map(|(a, b)| a.abs_diff(b))
                .fold(worst, u8::max);
        }
        if worst > TOLERANCE {
            wrong.push(format!("{}: {worst}", chart.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn colours_of_a_high_dynamic_range_are_refused_by_name() {
    for (name, file) in reference().refused {
        let error = decode(&bytes(&file), LIMIT).unwrap_err().to_string();
        assert!(error.contains("PNG") && error.contains(&name), "{name}: {error}");
    }
}
