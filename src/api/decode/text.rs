//! Reads the pairs of a URL or form.

use std::borrow::Cow;

use crate::api::decode::fields::{Field, Fields};
use crate::api::decode::refusal::{Refusal, missing, shortened, unknown};
use crate::api::problem::Problem;

/// Reads a URL's query string.
pub(crate) fn query<T: Fields>(query: &str) -> Result<T, Problem> {
    Ok(pairs(form_urlencoded::parse(query.as_bytes()))?)
}

/// Reads a URL's query string and the texts of a form together.
pub(crate) fn url_and_form<T: Fields>(query: &str, form: Vec<(String, String)>) -> Result<T, Problem> {
    let in_form = form
        .into_iter()
        .map(|(name, text)| (Cow::Owned(name), Cow::Owned(text)));
    Ok(pairs(form_urlencoded::parse(query.as_bytes()).chain(in_form))?)
}

/// Reads pairs of a key and a text. A key may come several times if its field is a list.
pub(crate) fn pairs<'a, T: Fields>(
    pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
) -> Result<T, Refusal> {
    let known: Vec<Field> = Field::all::<T>()
        .into_iter()
        .filter(|field| !field.is_file)
        .collect();
    let mut found: Vec<Vec<Cow<'_, str>>> = vec![Vec::new(); known.len()];
    for (key, text) in pairs {
        let Some(index) = known.iter().position(|field| field.text == key) else {
            return Err(unknown(shortened(&key), known.iter().map(|field| field.text)));
        };
        found[index].push(text);
    }
    let mut value = T::default();
    for (field, texts) in known.iter().zip(found) {
        let refused = |reason| Refusal {
            field: field.text.to_owned(),
            reason,
        };
        if !texts.is_empty() {
            let read = value.read_text(field.text, &texts);
            read.unwrap_or(Ok(())).map_err(refused)?;
        } else if field.required {
            return Err(missing(field.text.to_owned(), &(field.expected_text)()));
        }
    }
    Ok(value)
}
