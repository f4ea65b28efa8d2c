//! Report page.

pub(crate) mod plot;
pub(crate) mod report_page;
