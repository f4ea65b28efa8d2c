//! The label of a face: what a class-conditional mapping takes beside a z code.

use std::sync::Arc;

use crate::latent::LatentError;

/// What a class-conditional mapping takes beside a z code.
#[derive(Clone, Debug, PartialEq)]
pub enum Label {
    /// The index of a class, counted from 0.
    Class(usize),
    /// One number for each class, for mixtures of classes.
    Vector(Arc<[f32]>),
}

impl Label {
    /// The numbers for a mapping with so many `classes`. A class has 1 at its index and 0 elsewhere.
    ///
    /// # Errors
    ///
    /// [`LatentError::ClassOutOfRange`], [`LatentError::LabelLength`], or [`LatentError::NotFinite`] for a NaN or an infinity.
    pub fn numbers(&self, classes: usize) -> Result<Vec<f32>, LatentError> {
        match self {
            Self::Class(class) => {
                let mut numbers = vec![0.0; classes];
                let own = numbers.get_mut(*class).ok_or(LatentError::ClassOutOfRange {
                    found: *class,
                    classes,
                })?;
                *own = 1.0;
                Ok(numbers)
            }
            Self::Vector(numbers) if numbers.len() != classes => Err(LatentError::LabelLength {
                found: numbers.len(),
                classes,
            }),
            Self::Vector(numbers) => match numbers.iter().position(|number| !number.is_finite()) {
                None => Ok(numbers.to_vec()),
                Some(column) => Err(LatentError::NotFinite {
                    row: 0,
                    column,
                    value: numbers[column].into(),
                }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_one_at_its_index_and_a_vector_is_itself() {
        assert_eq!(Label::Class(1).numbers(3), Ok(vec![0.0, 1.0, 0.0]));
        let mixture = Label::Vector([0.5, 0.5].into());
        assert_eq!(mixture.numbers(2), Ok(vec![0.5, 0.5]));
    }

    #[test]
    fn labels_that_do_not_fit_the_classes_are_refused() {
        let refused = Label::Class(3).numbers(3).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "found the class 3; expected a class from 0 to 2"
        );
        let refused = Label::Vector([1.0].into()).numbers(3).unwrap_err();
        assert_eq!(refused, LatentError::LabelLength { found: 1, classes: 3 });
        let refused = Label::Vector([0.0, f32::NAN].into()).numbers(2).unwrap_err();
        assert!(
            matches!(refused, LatentError::NotFinite { column: 1, .. }),
            "{refused}"
        );
    }
}
