//! The HTML page of a report on boundaries. It loads nothing: styles, plots and images are inside.
//!
//! | to find | look in |
//! | --- | --- |
//! | a report as files | [`files`] |
//! | the page: text, tables, images | [`page`] |
//! | how methods of editing compare | [`methods`] |
//! | a line plot in SVG | [`plot`] |
//! | escaped text, and coloured tables | [`markup`] |

pub(crate) mod files;
pub(crate) mod markup;
pub(crate) mod methods;
pub(crate) mod page;
pub(crate) mod plot;
