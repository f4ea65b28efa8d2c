/** The page: a face, and a slider for each attribute that a boundary separates. */
import { byId, on } from "./dom.js";
import { curl, editSpaces, fromFragment, isTruncated, lockTurned, moved, request, toFragment, withFace } from "./face_state.js";
import { Gallery } from "./gallery.js";
import { History } from "./history.js";
import { LatestOnly } from "./latest_only.js";
import { onFile, stateInside } from "./opened_file.js";
import { PageModel } from "./page_model.js";
import { PhotoDialog } from "./photo_dialog.js";
import { Portrait } from "./portrait.js";
import { followJob, listModels, numbers, report, showModel } from "./service.js";
import { hasBegun } from "./session.js";
import { Sliders } from "./sliders.js";
import { mixedLatent } from "./style_mixing.js";
import { TrainingDialog } from "./training_dialog.js";
import { Trajectory } from "./trajectory.js";

/** After this time without a change, in milliseconds, the numbers and the trajectory follow the image. */
const PAUSE = 200;
const FIRST_SEED = 7;
const LARGEST_SEED = 4_294_967_295;

/** The names of the loaded models. */
let models = [];
let model;
let state;
/** The face that the service described last: its code, distances and scores. */
let face;
let pause;
/** How many models were asked for; only the latest is shown. */
let loads = 0;

const images = new LatestOnly(showBusy);
const details = new LatestOnly(showBusy);
const history = new History();
const portrait = new Portrait();
const gallery = new Gallery((seed) => change(withFace(state, { seed })));
const trajectory = new Trajectory({
  choose: () => {
    details.run(showDetails);
    showBusy();
  },
  click: (attribute, distance) => change(moved(state, attribute, distance)),
});
const sliders = new Sliders(byId("sliders"), {
  move: (attribute, distance) => change(moved(state, attribute, distance), false),
  settle: record,
  release: (attribute) => change(moved(state, attribute)),
  lock: (attribute) => change(lockTurned(state, attribute, face?.distances[attribute])),
});
const photo = new PhotoDialog((result) => {
  change(withFace(state, { latent: result.face.latent }));
  const similar = `The code was found. Similarity: PSNR ${result.psnr.toFixed(1)} dB, SSIM ${result.ssim.toFixed(2)}.`;
  say([similar, ...result.warnings].join(" "));
});
const training = new TrainingDialog(() => void reloadModel().catch(fail));

function say(text, isProblem = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("problem", isProblem);
}

function fail(error) {
  say(error.message, true);
  console.debug(error);
}

/** Shows `next`, of any loaded model; as a step of the history or not. */
async function show(next, isStep = true) {
  if (next.model === model?.name || (await loadModel(next.model))) {
    change(next, isStep);
  }
}

/** Makes `next`, of the shown model, the state. */
function change(next, isStep = true) {
  const spaces = editSpaces(next);
  const isPossible = spaces.includes(next.space) && model.spaces.includes(next.space);
  state = isPossible ? next : { ...next, space: model.editedSpace(spaces.filter((space) => model.spaces.includes(space))) };
  if (isStep) {
    record();
  }
  refresh();
}

/** Puts the state into the history and the page's URL. */
function record() {
  history.record(state);
  showAddress();
}

function showAddress() {
  gallery.show(model.name, state.psi);
  window.history.replaceState(undefined, "", toFragment(state));
  byId("undo").disabled = !history.canUndo;
  byId("redo").disabled = !history.canRedo;
}

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
  byId("model").value = model.name;
  byId("seed").value = state.seed ?? "";
  byId("psi").value = state.psi ?? model.psi;
  byId("psi-value").textContent = byId("psi").value;
  byId("psi").disabled = !isTruncated(state);
  for (const option of byId("space").options) {
    option.disabled = !editSpaces(state).includes(option.value) || model.boundariesOf(option.value).length === 0;
  }
  byId("space").value = state.space;
  const attributes = model.boundariesOf(state.space).map(({ attribute }) => attribute);
  sliders.build(attributes, model.attributes, model.rangesOf(state.space));
  sliders.show(state, face);
  trajectory.offer(attributes);
}

async function showImage() {
  try {
    await portrait.show(state);
    if (byId("status").classList.contains("problem")) {
      say("");
    }
  } catch (error) {
    fail(error);
  }
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
    sliders.show(state, face);
    byId("warnings").textContent = (response.warnings ?? []).join(" ");
    await portrait.showBefore(response.before?.image);
    await trajectory.show(shown, model.rangesOf(shown.space));
  } catch (error) {
    fail(error);
  }
}

/** Makes another model the shown one. Returns whether no other was asked for meanwhile. */
async function loadModel(name) {
  loads += 1;
  const load = loads;
  const loaded = new PageModel(await showModel(name));
  if (load !== loads) {
    return false;
  }
  [model, face] = [loaded, undefined];
  byId("space").replaceChildren(...model.spaces.map((space) => new Option(space)));
  byId("psi-label").hidden = !model.spaces.includes("w");
  byId("open-report").hidden = byId("open-training").hidden = model.attributes.length === 0;
  const { layers } = model;
  byId("mixing").hidden = layers === undefined;
  byId("mixing-first").max = byId("mixing-last").max = (layers ?? 1) - 1;
  byId("mixing-last").value = Math.floor((layers ?? 2) / 2) - 1;
  return true;
}

const firstFace = (name) => ({ model: name, seed: FIRST_SEED, distances: {}, locks: {} });

/** Shows the boundaries that were trained. */
async function reloadModel() {
  model = new PageModel(await showModel(model.name));
  refresh();
}

/** Opens a file: a PNG of a loaded model leads back to its state, any other picture to the search for its code. */
async function openFile(file) {
  try {
    const found = await stateInside(file);
    if (found === undefined || !models.includes(found.state.model)) {
      await photo.open(file, model.name);
      return;
    }
    await show(found.state);
    if (found.digest !== model.digest) {
      say("The model or its boundaries have changed since this picture was made: the face may differ.");
    }
  } catch (error) {
    fail(error);
  }
}

async function mix() {
  const [seed, first, last] = ["seed", "first", "last"].map((part) => Number(byId(`mixing-${part}`).value));
  try {
    change(withFace(state, { latent: await mixedLatent(state, seed, first, last) }));
  } catch (error) {
    fail(error);
  }
}

async function openReport() {
  try {
    const space = model.sampledSpace(state.space);
    const job = await report(model.name, { space });
    const last = await followJob(job.id, ({ samples, samples_done: done }) => say(`The report on the boundaries in ${space} is being made: ${done} of ${samples} images.`));
    if (last.report === undefined) {
      say(last.failure ?? "The report was cancelled.", true);
      return;
    }
    say("The report is done: ");
    const link = Object.assign(document.createElement("a"), { href: `v1/jobs/${encodeURIComponent(job.id)}/report`, textContent: "open it", target: "_blank" });
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

/** Goes to a state of the history. */
function step(to) {
  if (to !== undefined) {
    void show(to, false).then(showAddress).catch(fail);
  }
}

function chooseSeed() {
  const { value } = byId("seed");
  const seed = Number(value);
  if (value !== "" && Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED) {
    change(withFace(state, { seed }));
  } else {
    say(`Found the seed "${value}", expected a whole number from 0 to ${LARGEST_SEED}.`, true);
  }
}

/** Undo and redo by the keyboard. */
function pressKey(event) {
  const isText = event.target.matches?.("input:not([type=range]):not([type=checkbox])");
  const key = event.key.toLowerCase();
  if (isText || !(event.ctrlKey || event.metaKey) || (key !== "z" && key !== "y")) {
    return;
  }
  // The browser would undo in a text field, and move the focus there.
  event.preventDefault();
  step(key === "z" && !event.shiftKey ? history.undo() : history.redo());
}

function openLink() {
  const wanted = fromFragment(window.location.hash);
  if (wanted !== undefined && !models.includes(wanted.model)) {
    say(`The link names the model ${wanted.model}, which is not loaded.`, true);
    return undefined;
  }
  return wanted;
}

function listen() {
  on("model", "change", () => void show(firstFace(byId("model").value)).catch(fail));
  on("dice", "click", () => change(withFace(state, { seed: Math.floor(Math.random() * (LARGEST_SEED + 1)) })));
  on("seed", "change", chooseSeed);
  on("space", "change", () => change({ ...state, space: byId("space").value, distances: {}, locks: {} }));
  on("psi", "input", () => change({ ...state, psi: Number(byId("psi").value) }, false));
  on("psi", "change", record);
  on("reset", "click", () => change({ ...state, distances: {}, locks: {} }));
  on("undo", "click", () => step(history.undo()));
  on("redo", "click", () => step(history.redo()));
  on("download", "click", () => void portrait.download().catch(fail));
  on("copy-link", "click", () => copy(window.location.href, "The link"));
  on("copy-curl", "click", () => copy(curl(state, document.baseURI, hasBegun()), "The command"));
  on("open-report", "click", () => void openReport());
  on("open-training", "click", () => training.open(model.name, model.sampledSpace(state.space), model.attributes.map(({ name }) => name)));
  on("mixing-form", "submit", (event) => {
    event.preventDefault();
    void mix();
  });
  document.addEventListener("keydown", pressKey);
  window.addEventListener("hashchange", () => {
    const wanted = openLink();
    if (wanted !== undefined) {
      void show(wanted).catch(fail);
    }
  });
  onFile((file) => void openFile(file));
}

async function start() {
  const list = await listModels();
  models = list.models.map(({ name }) => name);
  byId("model").replaceChildren(...models.map((name) => new Option(name)));
  await show(openLink() ?? firstFace(list.default ?? models[0]));
  listen();
}

start().catch(fail);
