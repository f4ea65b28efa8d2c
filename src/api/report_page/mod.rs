//! The HTML page of a report on boundaries. It loads nothing: styles, plots and images are inside.
//!
//! | to find | look in |
//! | --- | --- |
//! | the page: text, tables, images | [`page`] |
//! | a line plot in SVG | [`plot`] |

pub(crate) mod page;
pub(crate) mod plot;
