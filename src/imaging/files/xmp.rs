//! XMP packets (ISO 16684-1): the digital source type and the recipe of an image, as XML.

use roxmltree::{Document, ParsingOptions};

use crate::imaging::files::file_metadata::FileMetadata;

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const IPTC: &str = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
const FACEPLANE: &str = "urn:faceplane:xmp:1.0/";
const NOTE: &str = "http://ns.adobe.com/xmp/note/";

/// The vocabulary of digital source types. A term is appended to it.
pub(super) const SOURCE_TYPES: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/";

/// The largest packet that is read, in bytes. The longest recipes have a few hundred kilobytes.
const LARGEST: usize = 4 << 20;

/// The most elements and texts of a packet that is read: each takes memory of its own.
const MOST_NODES: u32 = 10_000;

/// The most equals signs of a packet that is read. Each attribute has one, and the parser compares it with all others of its element.
const MOST_EQUALS_SIGNS: usize = 2_000;

/// The packet of a file. `None` if the metadata say nothing.
pub(super) fn packet(metadata: &FileMetadata) -> Option<String> {
    let properties = mark(metadata) + &recipe(metadata);
    (!properties.is_empty()).then(|| enveloped(&properties))
}

/// The packet of a file that has its recipe in an extension, which `guid` names.
pub(super) fn packet_with_extension(metadata: &FileMetadata, guid: &str) -> String {
    let note = format!("<xmpNote:HasExtendedXMP>{guid}</xmpNote:HasExtendedXMP>");
    enveloped(&(mark(metadata) + &note))
}

/// The extension: an XMP document that has the recipe only.
pub(super) fn extension(metadata: &FileMetadata) -> String {
    document(&recipe(metadata))
}

/// What an XMP packet, or an extension of one, says. Files are untrusted: a packet that would take long to read says nothing.
pub(super) fn parse(xmp: &[u8]) -> Option<FileMetadata> {
    let xmp = std::str::from_utf8(xmp).ok()?;
    if xmp.len() > LARGEST || xmp.matches('=').count() > MOST_EQUALS_SIGNS {
        return None;
    }
    let options = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(xmp.trim_end_matches('\0'), options).ok()?;
    // XMP allows a property to be an element or an attribute.
    let property = |namespace, name| {
        document.descendants().find_map(|node| {
            let is_property = node.has_tag_name((namespace, name));
            let text = if is_property {
                node.text()
            } else {
                node.attribute((namespace, name))
            };
            text.map(str::to_owned)
        })
    };
    let source_type = property(IPTC, "DigitalSourceType");
    Some(FileMetadata {
        recipe: property(FACEPLANE, "Recipe"),
        digital_source_type: source_type
            .and_then(|url| Some(url.trim().strip_prefix(SOURCE_TYPES)?.to_owned())),
    })
}

fn mark(metadata: &FileMetadata) -> String {
    let term = metadata.digital_source_type.as_ref();
    term.map_or_else(String::new, |term| {
        let url = escaped(&format!("{SOURCE_TYPES}{term}"));
        format!("<Iptc4xmpExt:DigitalSourceType>{url}</Iptc4xmpExt:DigitalSourceType>")
    })
}

fn recipe(metadata: &FileMetadata) -> String {
    let recipe = metadata.recipe.as_ref();
    recipe.map_or_else(String::new, |recipe| {
        format!("<faceplane:Recipe>{}</faceplane:Recipe>", escaped(recipe))
    })
}

fn enveloped(properties: &str) -> String {
    let document = document(properties);
    format!("<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>{document}<?xpacket end=\"r\"?>")
}

fn document(properties: &str) -> String {
    format!(
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"{RDF}\"><rdf:Description rdf:about=\"\" \
         xmlns:Iptc4xmpExt=\"{IPTC}\" xmlns:faceplane=\"{FACEPLANE}\" xmlns:xmpNote=\"{NOTE}\">{properties}\
         </rdf:Description></rdf:RDF></x:xmpmeta>"
    )
}

/// The text as XML. JSON escapes the control characters, and the two others that XML has not are escaped as JSON does it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 4);
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\u{fffe}' => escaped.push_str("\\ufffe"),
            '\u{ffff}' => escaped.push_str("\\uffff"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_says_what_was_written() {
        let metadata = FileMetadata {
            recipe: Some("{\"model\":\"a<b>&c\",\"name\":\"köln \u{ffff}\"}".to_owned()),
            ..FileMetadata::mark("algorithmicMedia")
        };
        let read = parse(packet(&metadata).unwrap().as_bytes()).unwrap();
        assert_eq!(read.digital_source_type, metadata.digital_source_type);
        let recipe = read.recipe.unwrap();
        assert_eq!(recipe, "{\"model\":\"a<b>&c\",\"name\":\"köln \\uffff\"}");
        assert_eq!(packet(&FileMetadata::default()), None);
    }

    #[test]
    fn properties_may_be_attributes_as_other_programs_write_them() {
        let xmp = format!(
            "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='{RDF}'><rdf:Description xmlns:e='{IPTC}' \
             e:DigitalSourceType='{SOURCE_TYPES}digitalCapture'/></rdf:RDF></x:xmpmeta>"
        );
        assert_eq!(parse(xmp.as_bytes()), Some(FileMetadata::mark("digitalCapture")));
    }

    #[test]
    fn a_packet_that_would_take_long_to_read_says_nothing() {
        let mark = FileMetadata::mark("algorithmicMedia");
        let packet = packet(&mark).unwrap();
        let with = |inside: String| packet.replace("</rdf:RDF>", &format!("{inside}</rdf:RDF>"));
        let attributes = |count: usize| {
            let attributes: Vec<String> = (0..count).map(|index| format!(" a{index}=''")).collect();
            with(format!("<a{}/>", attributes.concat()))
        };
        let elements = |count: usize| with("<a/>".repeat(count));
        let nested = |count: usize| with("<a>".repeat(count) + &"</a>".repeat(count));
        let text = |count: usize| with(" ".repeat(count));
        for small in [attributes(500), elements(5_000), nested(5_000), text(1 << 20)] {
            assert_eq!(parse(small.as_bytes()), Some(mark.clone()));
        }
        for large in [
            attributes(20_000),
            elements(20_000),
            nested(20_000),
            text(5 << 20),
        ] {
            assert_eq!(parse(large.as_bytes()), None);
        }
    }

    #[test]
    fn a_packet_that_is_no_xml_says_nothing() {
        for xmp in [
            &b"<x"[..],
            b"\xff",
            b"",
            b"<!DOCTYPE a [<!ENTITY b '&b;'>]><a>&b;</a>",
        ] {
            assert_eq!(parse(xmp), None);
        }
    }
}
