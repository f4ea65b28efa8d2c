/** Files that somebody opens, drops or pastes, and the state that a PNG of this service carries. */
import { byId, on } from "./dom.js";
import { fromFragment, parsed, stateOf } from "./face_state.js";
import { readChunk } from "./png_text.js";

/** The text chunk in which a downloaded PNG has the page's state. */
export const PAGE_CHUNK = "faceplane page";

/** Calls `opened(file)` for each file. */
export function onFile(opened) {
  const first = ([file]) => file !== undefined && opened(file);
  on("file", "change", () => {
    first(byId("file").files);
    byId("file").value = "";
  });
  document.addEventListener("paste", ({ clipboardData: { files } }) => first([...files].filter(({ type }) => type.startsWith("image/"))));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    byId("drop-hint").hidden = false;
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    byId("drop-hint").hidden ||= relatedTarget === null;
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    byId("drop-hint").hidden = true;
    first(event.dataTransfer.files);
  });
}

/** The state that a PNG carries, written by this page or as the service's description of the request, and the digest of its model.
 * Undefined for any other file. */
export async function stateInside(file) {
  const recipe = parsed(await readChunk(file, "faceplane"));
  if (recipe === undefined) {
    return undefined;
  }
  const fragment = await readChunk(file, PAGE_CHUNK);
  const state = fragment === undefined ? stateOf(recipe) : fromFragment(fragment);
  return state && { state, digest: recipe.digest };
}
