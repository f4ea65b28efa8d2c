//! Captions: lines of small letters below an image.

use crate::imaging::Image;

/// The pixels of a letter, 3 wide and 5 high: an octal digit is a row, and its highest bit is the left pixel. This is enough for digits,
/// capital letters and a few signs.
#[rustfmt::skip]
const GLYPHS: [(char, u16); 44] = [
    ('0', 0o75557), ('1', 0o26227), ('2', 0o71747), ('3', 0o71317), ('4', 0o55711), ('5', 0o74717), ('6', 0o74757), ('7', 0o71222),
    ('8', 0o75757), ('9', 0o75717), ('A', 0o25755), ('B', 0o65656), ('C', 0o34443), ('D', 0o65556), ('E', 0o74647), ('F', 0o74644),
    ('G', 0o34553), ('H', 0o55755), ('I', 0o72227), ('J', 0o11152), ('K', 0o55655), ('L', 0o44447), ('M', 0o57755), ('N', 0o65555),
    ('O', 0o25552), ('P', 0o65644), ('Q', 0o25563), ('R', 0o65655), ('S', 0o34216), ('T', 0o72222), ('U', 0o55557), ('V', 0o55552),
    ('W', 0o55775), ('X', 0o55255), ('Y', 0o55222), ('Z', 0o71247), ('-', 0o00700), ('+', 0o02720), ('.', 0o00002), ('%', 0o51245),
    (':', 0o02020), ('_', 0o00007), ('/', 0o11244), (' ', 0),
];
/// Pixels of the image for each pixel of a letter.
const SCALE: usize = 2;
/// Width and height of a letter with the space around it, in its own pixels.
const CELL: [usize; 2] = [4, 7];

/// The image with lines of text below it, black on white. Small letters become capitals, and a letter that is not known becomes a
/// space. The result is at least as wide as `letters` letters, and what is too long for it is cut off.
#[must_use]
pub fn captioned(image: &Image, lines: &[String], letters: usize) -> Image {
    let width = image.width().max(CELL[0] * letters * SCALE);
    let height = image.height() + (CELL[1] * lines.len() + 1) * SCALE;
    let mut sheet = Image::white(width, height);
    sheet.insert(image, (width - image.width()) / 2, 0);
    let mut rgb = sheet.rgb().to_vec();
    for (row, line) in lines.iter().enumerate() {
        let top = image.height() + (CELL[1] * row + 1) * SCALE;
        for (column, letter) in line.chars().enumerate() {
            draw(
                &mut rgb,
                width,
                [(CELL[0] * column + 1) * SCALE, top],
                glyph(letter),
            );
        }
    }
    Image::from_rgb(width, height, rgb)
}

fn glyph(letter: char) -> u16 {
    let letter = letter.to_ascii_uppercase();
    let known = GLYPHS.iter().find(|(known, _)| *known == letter);
    known.map_or(0, |(_, rows)| *rows)
}

/// Blackens the pixels of a letter, as far as they are inside the width.
fn draw(rgb: &mut [u8], width: usize, [left, top]: [usize; 2], rows: u16) {
    for y in 0..5 * SCALE {
        for x in 0..3 * SCALE {
            let bit = 3 * (4 - y / SCALE) + 2 - x / SCALE;
            if rows >> bit & 1 == 1 && left + x < width {
                let pixel = 3 * ((top + y) * width + left + x);
                rgb[pixel..pixel + 3].fill(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_drawn_below_the_image_and_cut_off_at_its_width() {
        let image = Image::white(20, 4);
        let captioned = captioned(&image, &["I1".to_owned(), "WWWWWW".to_owned()], 1);
        assert_eq!((captioned.width(), captioned.height()), (20, 4 + 15 * SCALE));
        let is_black = |x: usize, y: usize| captioned.rgb()[3 * (y * 20 + x)] == 0;
        // The upper bar of the I begins after the space of one pixel to the left and above.
        let row: Vec<_> = (0..10).map(|x| is_black(x, 4 + SCALE)).collect();
        assert_eq!(
            row,
            [false, false, true, true, true, true, true, true, false, false]
        );
        let row: Vec<_> = (0..10).map(|x| is_black(x, 4 + 2 * SCALE)).collect();
        assert_eq!(
            row,
            [false, false, false, false, true, true, false, false, false, false]
        );
        assert!(
            (0..4).all(|y| (0..20).all(|x| !is_black(x, y))),
            "the image stays"
        );
    }
}
