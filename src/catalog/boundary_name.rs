//! What the name of a boundary file says: the attribute and the space.

use crate::latent::LatentSpace;

/// Generators that published names begin with, in lower case.
const GENERATORS: &[&str] = &["pggan", "progan", "stylegan", "stylegan2", "stylegan3"];

/// Data sets that follow the generator in published names, in lower case, without the resolution at their end.
const DATA_SETS: &[&str] = &[
    "afhq", "bedroom", "car", "cat", "celeba", "celebahq", "church", "ffhq", "horse", "lsun", "metfaces",
];

/// What the name of a boundary file says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BoundaryName {
    /// The attribute. `None` if nothing of the name is left for it.
    pub(crate) attribute: Option<String>,
    /// The space, if the name ends in one.
    pub(crate) space: Option<LatentSpace>,
    /// Whether the name begins with a generator and a data set, as the authors of InterFaceGAN publish boundaries. They name no space
    /// but w, so that other names of theirs mean z.
    pub(crate) is_published: bool,
}

impl BoundaryName {
    /// Reads a file's name without its extension:
    ///
    /// | name | attribute | space |
    /// | --- | --- | --- |
    /// | `smile_w`, `hair_colour_w+` | `smile`, `hair_colour` | w, w+ |
    /// | `stylegan_ffhq_smile_w_boundary` | `smile` | w |
    /// | `pggan_celebahq_age_c_gender_boundary` | `age_c_gender`: age, conditioned on gender | none: published, z |
    /// | `boundary_Young`, `age` | `Young`, `age` | none |
    pub(crate) fn of(stem: &str) -> Self {
        let mut parts: Vec<&str> = stem.split('_').collect();
        let is = |part: &str, words: &[&str]| words.contains(&part.to_lowercase().as_str());
        let kind = ["boundary", "direction"];
        if parts.len() > 1 && is(parts[parts.len() - 1], &kind) {
            parts.pop();
        } else if parts.len() > 1 && is(parts[0], &kind) {
            parts.remove(0);
        }
        let space = match parts.last().map(|last| last.to_lowercase()).as_deref() {
            Some("z") => Some(LatentSpace::Z),
            Some("w") => Some(LatentSpace::W),
            Some("w+" | "wp" | "wplus") => Some(LatentSpace::WPlus),
            Some("s") => Some(LatentSpace::S),
            _ => None,
        };
        if space.is_some() {
            parts.pop();
        }
        let mut is_published = false;
        if parts.len() > 1 && is(parts[0], GENERATORS) {
            parts.remove(0);
            let data_set = parts[0].trim_end_matches(|character: char| character.is_ascii_digit());
            if parts.len() > 1 && is(data_set, DATA_SETS) {
                parts.remove(0);
                is_published = true;
            }
        }
        let attribute = parts.join("_");
        Self {
            attribute: (!attribute.is_empty()).then_some(attribute),
            space,
            is_published,
        }
    }

    /// The name of one of several boundaries in a file: `age-2`.
    pub(crate) fn numbered(self, number: usize) -> Self {
        let attribute = self.attribute.map(|attribute| format!("{attribute}-{number}"));
        Self { attribute, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_the_attribute_and_the_space_as_far_as_they_have_them() {
        use LatentSpace::{S, W, WPlus, Z};
        for (stem, attribute, space, is_published) in [
            ("smile_w", "smile", Some(W), false),
            ("smile_s", "smile", Some(S), false),
            ("hair_colour_w+", "hair_colour", Some(WPlus), false),
            ("pggan_celebahq_age_boundary", "age", None, true),
            (
                "pggan_celebahq_age_c_gender_eyeglasses_boundary",
                "age_c_gender_eyeglasses",
                None,
                true,
            ),
            ("stylegan_ffhq_smile_w_boundary", "smile", Some(W), true),
            ("StyleGAN2_FFHQ1024_smile_z", "smile", Some(Z), true),
            ("stylegan2_hair_boundary", "hair", None, false),
            ("boundary_Young", "Young", None, false),
            ("age", "age", None, false),
            ("boundary", "boundary", None, false),
            ("smile_wp", "smile", Some(WPlus), false),
            ("eyeglasses_direction", "eyeglasses", None, false),
            ("ffhq", "ffhq", None, false),
        ] {
            let expected = BoundaryName {
                attribute: Some(attribute.to_owned()),
                space,
                is_published,
            };
            assert_eq!(BoundaryName::of(stem), expected, "{stem}");
        }
    }

    #[test]
    fn a_name_without_an_attribute_gives_none() {
        for stem in ["", "_w", "w"] {
            assert_eq!(BoundaryName::of(stem).attribute, None, "{stem:?}");
        }
    }
}
