/** The text chunks of a PNG (iTXt): the service writes how an image was made, and the page adds its state. */

const TYPE = "iTXt";

/** The text of the chunk with this keyword, or undefined if the file has none. */
export async function readChunk(file, keyword) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  for (const { type, start, end } of chunks(bytes)) {
    // Keyword, 0, two bytes about compression, language, 0, translated keyword, 0, text. The last three are empty but for the text.
    if (type === TYPE && latin(bytes, start, keyword.length + 1) === `${keyword}\0`) {
      return new TextDecoder().decode(bytes.subarray(start + keyword.length + 5, end));
    }
  }
  return undefined;
}

/** The same PNG with one more text chunk behind its header. */
export async function withChunk(png, keyword, text) {
  const bytes = new Uint8Array(await png.arrayBuffer());
  const [header] = chunks(bytes);
  const body = new TextEncoder().encode(`${TYPE}${keyword}\0\0\0\0\0${text}`);
  const chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - TYPE.length);
  chunk.set(body, 4);
  view.setUint32(body.length + 4, crc32(body));
  const behind = header.end + 4;
  return new Blob([bytes.subarray(0, behind), chunk, bytes.subarray(behind)], { type: "image/png" });
}

const latin = (bytes, start, length) => String.fromCharCode(...bytes.subarray(start, start + length));

/** The chunks of a PNG: their types, and where their contents start and end. None for another file. */
function* chunks(bytes) {
  const view = new DataView(bytes.buffer);
  let at = latin(bytes, 1, 3) === "PNG" ? 8 : bytes.length;
  while (at + 12 <= bytes.length) {
    const end = at + 8 + view.getUint32(at);
    yield { type: latin(bytes, at + 4, 4), start: at + 8, end };
    at = end + 4;
  }
}

/** The checksum of a chunk, by ISO 3309. */
function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
  }
  return ~crc >>> 0;
}
