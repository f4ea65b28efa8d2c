//! XMP packets (ISO 16684-1): the digital source type and the recipe of an image, as XML.

use roxmltree::Document;

use crate::imaging::files::file_metadata::FileMetadata;

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const IPTC: &str = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
const FACEPLANE: &str = "urn:faceplane:xmp:1.0/";
const NOTE: &str = "http://ns.adobe.com/xmp/note/";

/// The vocabulary of digital source types. A term is appended to it.
const SOURCE_TYPES: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/";

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

/// What an XMP packet, or an extension of one, says.
pub(super) fn parse(xmp: &[u8]) -> Option<FileMetadata> {
    let xmp = std::str::from_utf8(xmp).ok()?;
    let document = Document::parse(xmp.trim_end_matches('\0')).ok()?;
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
