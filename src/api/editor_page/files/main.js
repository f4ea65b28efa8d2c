/** The page: a face, and a slider for each attribute that a boundary separates. */
import { Problem, followJob, image, listModels, numbers, report, showModel } from "./service.js";
import { curl, editSpaces, fromFragment, lockTurned, moved, parsed, request, rounded, stateOf, toFragment, trajectoryRequest, withFace } from "./face_state.js";
import { FacesList, png } from "./faces_list.js";
import { History } from "./history.js";
import { LatestOnly } from "./latest_only.js";
import { PhotoDialog } from "./photo_dialog.js";
import { readChunk, withChunk } from "./png_text.js";
import { Sliders } from "./sliders.js";
import { mixedLatent } from "./style_mixing.js";
import { TrainingDialog } from "./training_dialog.js";

/** After this time without a change, in milliseconds, the numbers and the trajectory follow the image. */
const PAUSE = 200;
const STRIP_FACES = 7;
/** The range of a slider whose samples are not known. */
const USUAL_RANGE = { low: -3, high: 3 };
const GALLERY_FACES = 12;
const LARGEST_SEED = 4_294_967_295;
/** The text chunk in which a downloaded PNG has the page's state. */
const PAGE_CHUNK = "faceplane page";

const byId = (id) => document.getElementById(id);
const on = (id, event, action) => byId(id).addEventListener(event, action);

let model;
let state;
/** The face that the service described last: its code, distances and scores. */
let face;
let gallerySeed = 0;
let shownBlob;
let pause;

const images = new LatestOnly(showBusy);
const details = new LatestOnly(showBusy);
const history = new History();
const strip = new FacesList(byId("strip"));
const gallery = new FacesList(byId("gallery"));
const sliders = new Sliders(byId("sliders"), {
  move: (attribute, distance) => change(moved(state, attribute, distance), { record: false }),
  settle: () => record(),
  release: (attribute) => change(moved(state, attribute)),
  lock: (attribute) => change(lockTurned(state, attribute, face?.distances[attribute])),
});
const photo = new PhotoDialog((result) => {
  change(withFace(state, { latent: result.face.latent }));
  const similar = `The code was found. Similarity: PSNR ${result.psnr.toFixed(1)} dB, SSIM ${result.ssim.toFixed(2)}.`;
  say([similar, ...result.warnings].join(" "));
});
const training = new TrainingDialog(() => void reloadBoundaries().catch(fail));

function say(text, isProblem = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("problem", isProblem);
}

function fail(error) {
  if (error.name === "AbortError") {
    return;
  }
  say(error instanceof Problem || error instanceof TypeError ? error.message : String(error), true);
  console.debug(error);
}

/** Makes `next` the state, and shows it. */
function change(next, { record: isStep = true } = {}) {
  const spaces = editSpaces(next);
  state = spaces.includes(next.space) ? next : { ...next, space: spaces.find((space) => ofSpace(space).length > 0) ?? spaces[0] };
  if (isStep) {
    record();
  }
  refresh();
}

/** Puts the state into the history and the page's URL. */
function record() {
  history.record(state);
  window.history.replaceState(undefined, "", toFragment(state));
  showHistory();
}

function showHistory() {
  byId("undo").disabled = !history.canUndo;
  byId("redo").disabled = !history.canRedo;
}

const ofSpace = (space) => model.boundaries.filter((boundary) => boundary.space === space);

/** Shows the controls for the state, asks for its image at once, and for its numbers after a pause. */
function refresh() {
  showControls();
  images.run(showImage);
  clearTimeout(pause);
  pause = setTimeout(() => {
    pause = undefined;
    details.run(showDetails);
  }, PAUSE);
  showBusy();
}

function showBusy() {
  const isBusy = images.busy || details.busy || pause !== undefined;
  document.querySelector("main").setAttribute("aria-busy", isBusy);
}

function showControls() {
  byId("seed").value = state.seed ?? "";
  byId("psi").value = state.psi ?? model.truncation?.psi ?? 1;
  byId("psi-value").textContent = byId("psi").value;
  byId("psi").disabled = state.latent !== undefined;
  for (const option of byId("space").options) {
    option.disabled = !editSpaces(state).includes(option.value) || ofSpace(option.value).length === 0;
  }
  byId("space").value = state.space;
  sliders.show(state, face);
}

async function showImage() {
  const shown = state;
  try {
    shownBlob = await image(...request(shown));
    await display(byId("after"), shownBlob);
    byId("after").alt = description(shown);
    if (byId("status").classList.contains("problem")) {
      say("");
    }
  } catch (error) {
    fail(error);
  }
}

async function display(element, blob) {
  const before = element.src;
  element.src = URL.createObjectURL(blob);
  await element.decode().catch(() => undefined);
  URL.revokeObjectURL(before);
}

function description({ seed, distances }) {
  const edits = Object.entries(distances).map(([name, to]) => `${name} at ${to.toFixed(1)}`);
  const source = seed === undefined ? "The face of a picture" : `The face of seed ${seed}`;
  return edits.length === 0 ? source : `${source}, edited: ${edits.join(", ")}`;
}

/** Asks for the numbers of the face, for the face before its edits, and for the trajectory. */
async function showDetails() {
  const shown = state;
  try {
    const [path, fields] = request(shown);
    const response = await numbers(path, path === "v1/sample" ? { ...fields, space: shown.space } : fields);
    if (shown !== state) {
      return;
    }
    face = response.faces[0];
    const isEdited = response.before !== undefined;
    byId("before").hidden = byId("divider").hidden = !isEdited;
    if (isEdited) {
      await display(byId("before"), png(response.before.image));
      showDivider();
      say(response.warnings.join(" "), response.warnings.length > 0);
    }
    sliders.show(state, face);
    await showStrip(shown);
  } catch (error) {
    fail(error);
  }
}

async function showStrip(shown) {
  const attribute = byId("strip-attribute").value;
  if (attribute === "") {
    strip.show([]);
    return;
  }
  const { low, high } = rangeOf(attribute);
  const fields = trajectoryRequest(shown, attribute, rounded(low), rounded(high), STRIP_FACES);
  const { faces, positions } = await numbers("v1/edit", fields);
  if (shown !== state) {
    return;
  }
  strip.show(positions.map(rounded).map((position, index) => ({
    image: png(faces[index].image),
    caption: position.toFixed(1).replace("-", "−"),
    name: `${attribute} at ${position.toFixed(1)}`,
    current: shown.distances[attribute] === position,
    click: () => change(moved(state, attribute, position)),
  })));
}

/** The distances between which nearly all samples lie. */
function rangeOf(attribute) {
  const known = model.boundaries.find((one) => one.attribute === attribute && one.space === state.space);
  return known?.distances ?? USUAL_RANGE;
}

function showGallery() {
  const faces = Array.from({ length: GALLERY_FACES }, (_, index) => gallerySeed + index).map((seed) => ({
    image: `v1/sample?${new URLSearchParams({ model: model.name, seed })}`,
    caption: String(seed),
    name: `The face of seed ${seed}`,
    click: () => change(withFace(state, { seed })),
  }));
  gallery.show(faces);
  byId("gallery-back").disabled = gallerySeed === 0;
}

function showDivider() {
  byId("before").style.clipPath = `inset(0 ${100 - Number(byId("divider").value)}% 0 0)`;
}

/** Loads a model, and shows `wanted` or a face of its own. */
async function loadModel(name, wanted) {
  model = await showModel(name);
  face = undefined;
  const names = model.spaces.map((space) => space.name);
  byId("space").replaceChildren(...names.map((space) => new Option(space)));
  byId("psi-label").hidden = !names.includes("w");
  const layers = model.spaces.find((space) => space.name === "w+")?.shape[0];
  byId("mixing").hidden = layers === undefined;
  byId("mixing-first").max = byId("mixing-last").max = (layers ?? 1) - 1;
  byId("mixing-last").value = Math.floor((layers ?? 2) / 2) - 1;
  gallerySeed = 0;
  showGallery();
  change(wanted ?? { model: name, space: usualSpace(), seed: 7, distances: {}, locks: [] });
  buildSliders();
}

const usualSpace = () => (ofSpace(model.default_space).length > 0 ? model.default_space : model.boundaries[0]?.space ?? model.default_space);

/** Shows the boundaries that were trained. */
async function reloadBoundaries() {
  model = await showModel(model.name);
  buildSliders();
  refresh();
}

function buildSliders() {
  const attributes = ofSpace(state.space).map((boundary) => boundary.attribute);
  const ranges = Object.fromEntries(attributes.map((name) => [name, rangeOf(name)]));
  sliders.build(attributes, model.attributes, ranges);
  const chosen = byId("strip-attribute").value;
  byId("strip-attribute").replaceChildren(...attributes.map((name) => new Option(name)));
  byId("strip-attribute").value = attributes.includes(chosen) ? chosen : attributes[0] ?? "";
  showControls();
}

/** Opens a file: a PNG of this service leads back to its state, any other picture to the search for its code. */
async function openFile(file) {
  try {
    const wanted = await stateInside(file);
    if (wanted === undefined) {
      await photo.open(file, model.name);
    } else {
      change(wanted);
      buildSliders();
    }
  } catch (error) {
    fail(error);
  }
}

/** The state that a PNG of this model carries: written by this page, or as the service's description of the request. */
async function stateInside(file) {
  const recipe = parsed(await readChunk(file, "faceplane"));
  if (recipe?.digest !== model.digest) {
    return undefined;
  }
  const fragment = await readChunk(file, PAGE_CHUNK);
  return fragment === undefined ? stateOf(recipe, usualSpace()) : fromFragment(fragment);
}

async function mix() {
  const [seed, first, last] = ["seed", "first", "last"].map((part) => Number(byId(`mixing-${part}`).value));
  try {
    const [path, fields] = request(state);
    change(withFace(state, { latent: await mixedLatent(path, fields, state, seed, first, last) }));
    buildSliders();
  } catch (error) {
    fail(error);
  }
}

async function openReport() {
  try {
    say("The report is being made…");
    const job = await report(model.name, { space: state.space, samples: 2000 });
    const last = await followJob(job.id, ({ samples, samples_done: done }) => say(`The report is being made: ${done} of ${samples} images.`));
    if (last.report === undefined) {
      say(last.failure ?? "The report was cancelled.", true);
      return;
    }
    say("The report is done: ");
    const link = Object.assign(document.createElement("a"), { href: last.report.replace(/^\//, ""), textContent: "open it", target: "_blank" });
    byId("status").append(link);
  } catch (error) {
    fail(error);
  }
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} was copied.`);
  } catch {
    window.prompt(`Copy ${what.toLowerCase()}:`, text);
  }
}

async function download() {
  const file = await withChunk(shownBlob, PAGE_CHUNK, toFragment(state));
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: `${state.model}-${state.seed ?? "face"}.png` });
  link.click();
  URL.revokeObjectURL(link.href);
}

function step(to) {
  state = to;
  window.history.replaceState(undefined, "", toFragment(state));
  showHistory();
  buildSliders();
  refresh();
}

function listen() {
  on("model", "change", () => void loadModel(byId("model").value).catch(fail));
  on("dice", "click", () => change(withFace(state, { seed: Math.floor(Math.random() * (LARGEST_SEED + 1)) })));
  on("seed", "change", () => {
    const seed = Number(byId("seed").value);
    if (byId("seed").value !== "" && Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED) {
      change(withFace(state, { seed }));
    } else {
      say(`Found the seed "${byId("seed").value}", expected a whole number from 0 to ${LARGEST_SEED}.`, true);
    }
  });
  on("space", "change", () => {
    change({ ...state, space: byId("space").value, distances: {}, locks: [] });
    buildSliders();
  });
  on("psi", "input", () => change({ ...state, psi: Number(byId("psi").value) }, { record: false }));
  on("psi", "change", record);
  on("reset", "click", () => change({ ...state, distances: {}, locks: [] }));
  on("undo", "click", () => step(history.undo()));
  on("redo", "click", () => step(history.redo()));
  on("divider", "input", showDivider);
  on("download", "click", () => void download());
  on("copy-link", "click", () => copy(window.location.href, "The link"));
  on("copy-curl", "click", () => copy(curl(state, document.baseURI), "The command"));
  on("strip-attribute", "change", () => showStrip(state).catch(fail));
  on("gallery-back", "click", () => showGallery((gallerySeed = Math.max(0, gallerySeed - GALLERY_FACES))));
  on("gallery-on", "click", () => showGallery((gallerySeed += GALLERY_FACES)));
  on("open-report", "click", () => void openReport());
  on("open-training", "click", () => training.open(model.name, state.space, model.attributes.map((attribute) => attribute.name)));
  on("mixing-form", "submit", (event) => {
    event.preventDefault();
    void mix();
  });
  on("file", "change", () => {
    const [file] = byId("file").files;
    byId("file").value = "";
    void openFile(file);
  });
  document.addEventListener("keydown", (event) => {
    const isText = event.target.matches?.("input:not([type=range]):not([type=checkbox])");
    if (!(event.ctrlKey || event.metaKey) || isText) {
      return;
    }
    const isUndo = event.key === "z";
    if (isUndo || event.key === "y" || event.key === "Z") {
      // The browser would undo in a text field, and move the focus there.
      event.preventDefault();
      step(isUndo ? history.undo() : history.redo());
    }
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
    if (file !== undefined) {
      void openFile(file);
    }
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    byId("drop-hint").hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    byId("drop-hint").hidden = event.relatedTarget === null ? true : byId("drop-hint").hidden;
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    byId("drop-hint").hidden = true;
    const [file] = event.dataTransfer.files;
    if (file !== undefined) {
      void openFile(file);
    }
  });
}

async function start() {
  listen();
  const list = await listModels();
  byId("model").replaceChildren(...list.models.map(({ name }) => new Option(name)));
  const wanted = fromFragment(window.location.hash);
  const isKnown = list.models.some(({ name }) => name === wanted?.model);
  const name = isKnown ? wanted.model : list.default ?? list.models[0].name;
  byId("model").value = name;
  await loadModel(name, isKnown ? wanted : undefined);
}

start().catch(fail);
