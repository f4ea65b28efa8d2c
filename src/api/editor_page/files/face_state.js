/**
 * What the page shows: a plain object that is never changed in place.
 *
 * - `model`, `space`, `psi` (absent: the model's own)
 * - `seed`, or `latent` (`{space, values}` or `{space, file}`) for a face that no seed gives
 * - `distances`: the signed distance to which each moved attribute is moved
 * - `locks`: for each attribute to keep, the distance to keep it at; null for the distance of the face without edits
 */

/** The spaces that a code can be edited in: z is mapped to w, w is repeated in w+, and w+ becomes styles. */
const LATER = { z: ["z", "w", "w+", "s"], w: ["w", "w+", "s"], "w+": ["w+", "s"], s: ["s"] };

/** The fields of a request that a state has. */
const FIELDS = ["model", "seed", "latent", "space", "edits", "conditions", "psi"];

export const editSpaces = ({ latent }) => LATER[latent?.space ?? "z"];

/** Whether the face is mapped from z, so that it can be truncated. */
export const isTruncated = ({ latent }) => latent === undefined || latent.space === "z";

/** The face itself, without edits, as the fields of a request. */
export function faceFields({ model, seed, latent, psi }) {
  const face = latent === undefined ? { model, seed } : { model, latent };
  return psi !== undefined && isTruncated({ latent }) ? { ...face, psi } : face;
}

/** The distances to move attributes to: those of the sliders, and those that locks keep. */
function targets({ distances, locks }) {
  const kept = Object.entries(locks).filter(([, distance]) => distance !== null);
  return { ...Object.fromEntries(kept), ...distances };
}

/** The edits of a state, and the conditions. A move to a distance holds its attribute there, so that it is no condition. */
function edits(state) {
  const moves = targets(state);
  return {
    edits: Object.entries(moves).map(([attribute, to]) => ({ attribute, to })),
    conditions: Object.keys(state.locks).filter((name) => !(name in moves)),
  };
}

/** The path and the fields of the request for the face, edited. */
export function request(state) {
  const { edits: moves, conditions } = edits(state);
  if (moves.length === 0) {
    return ["v1/sample", faceFields(state)];
  }
  const fields = { ...faceFields(state), space: state.space, edits: moves };
  return conditions.length === 0 ? ["v1/edit", fields] : ["v1/conditional-edit", { ...fields, conditions }];
}

/** The request for the face at several distances of one attribute. */
export function trajectoryRequest(state, attribute, start, end, steps) {
  const { [attribute]: _, ...locks } = state.locks;
  const { edits: others, conditions } = edits({ ...moved(state, attribute), locks });
  const fields = { ...faceFields(state), space: state.space, edits: [...others, { attribute }] };
  const held = conditions.length === 0 ? fields : { ...fields, conditions };
  return { ...held, trajectory: { start, end, steps, move: "to" } };
}

/** The state with one attribute moved to a distance; without a distance, no longer moved. */
export function moved(state, attribute, distance) {
  const { [attribute]: _, ...others } = state.distances;
  return { ...state, distances: distance === undefined ? others : { ...others, [attribute]: distance } };
}

/** The state with one lock turned. A face that was edited keeps the `distance` that the edits have led to. */
export function lockTurned(state, attribute, distance) {
  const { [attribute]: lock, ...others } = state.locks;
  if (lock !== undefined) {
    return { ...state, locks: others };
  }
  const isElsewhere = Object.keys(targets(state)).length > 0 && distance !== undefined;
  return { ...state, locks: { ...others, [attribute]: isElsewhere ? rounded(distance) : null } };
}

/** A distance with the digits that a slider chooses. */
export const rounded = (distance) => Number(distance.toFixed(3));

/** The state of another face: its edits and locks end with the old face. */
export const withFace = ({ model, space, psi }, face) => ({ model, space, psi, ...face, distances: {}, locks: {} });

/** The part of the page's URL behind `#`. */
export function toFragment(state) {
  const parts = new URLSearchParams({ model: state.model, space: state.space });
  if (state.latent === undefined) {
    parts.set("seed", state.seed);
  } else {
    parts.set("latent", JSON.stringify(state.latent));
  }
  if (state.psi !== undefined) {
    parts.set("psi", state.psi);
  }
  for (const [attribute, to] of Object.entries(state.distances)) {
    parts.append("edit", `${attribute}:to:${to}`);
  }
  for (const [attribute, to] of Object.entries(state.locks)) {
    parts.append("lock", to === null ? attribute : `${attribute}:to:${to}`);
  }
  return `#${parts}`;
}

/** The state of such a part, or undefined if it has none. */
export function fromFragment(fragment) {
  const parts = new URLSearchParams(fragment.replace(/^#/, ""));
  const latent = parsed(parts.get("latent") ?? undefined);
  const seed = Number(parts.get("seed") ?? NaN);
  if (!parts.has("model") || (latent?.space === undefined && !Number.isInteger(seed))) {
    return undefined;
  }
  const psi = parts.has("psi") ? Number(parts.get("psi")) : undefined;
  const face = latent === undefined ? { seed } : { latent };
  const [distances, locks] = ["edit", "lock"].map((name) => Object.fromEntries(parts.getAll(name).map(namedDistance)));
  return { model: parts.get("model"), space: parts.get("space"), psi, ...face, distances, locks };
}

/** An attribute, and the distance behind it or null. */
function namedDistance(text) {
  const [, attribute, to] = /^(.*):to:([^:]+)$/.exec(text) ?? [];
  return Number.isFinite(Number(to)) ? [attribute, Number(to)] : [text, null];
}

/** A command that makes the same image. If it needs a key, the shell has that in the variable KEY. */
export function curl(state, base, needsKey) {
  const [path, fields] = request(state);
  const body = JSON.stringify({ ...fields, format: "png" }).replaceAll("'", "'\\''");
  const header = needsKey ? " -H \"Authorization: Bearer $KEY\"" : "";
  return `curl '${new URL(path, base)}'${header} -o face.png --json '${body}'`;
}

/** The state that the service's description of an image leads to: its request, or its code if the page has no words for the request. */
export function stateOf({ request: made, model, latent: code }) {
  const { seed, latent, edits: moves = [], conditions = [], psi, space } = made ?? {};
  const has = (object, names) => Object.keys(object).every((name) => names.includes(name));
  const isMoved = moves.every((move) => has(move, ["attribute", "to"]) && move.to !== undefined);
  if (isMoved && has(made ?? {}, FIELDS) && (seed !== undefined || latent !== undefined)) {
    const distances = Object.fromEntries(moves.map(({ attribute, to }) => [attribute, to]));
    const locks = Object.fromEntries(conditions.map((name) => [name, null]));
    return { model, space, psi, ...(latent === undefined ? { seed } : { latent }), distances, locks };
  }
  const file = code?.file ?? code?.npy;
  return file === undefined ? undefined : { model, space: code.space, latent: { space: code.space, file }, psi, distances: {}, locks: {} };
}

/** JSON that was parsed, or undefined if it is none. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
