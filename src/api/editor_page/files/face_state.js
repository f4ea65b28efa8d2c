/**
 * What the page shows: a plain object that is never changed in place.
 *
 * - `model`, `space`, `psi` (absent: the model's own)
 * - `seed`, or `latent` (`{space, values}`) for a face of a picture
 * - `distances`: the signed distance to which each moved attribute is moved
 * - `locks`: the attributes to keep
 */

/** The spaces that a code in `space` can be edited in: z is mapped to w, and w is repeated in w+. */
const LATER = { z: ["z", "w", "w+"], w: ["w", "w+"], "w+": ["w+"] };

export const editSpaces = (state) => (state.latent === undefined ? LATER.z : LATER[state.latent.space] ?? [state.latent.space]);

/** The face itself, without edits, as the fields of a request. */
export function faceFields({ model, seed, latent, psi }) {
  const face = latent === undefined ? { seed } : { latent };
  return psi === undefined || latent !== undefined ? { model, ...face } : { model, ...face, psi };
}

/** The path and the fields of the request for the face, edited. A moved attribute stays where it was moved to, so that only a
 * lock of another attribute is a condition. */
export function request(state) {
  const moved = Object.entries(state.distances);
  if (moved.length === 0) {
    return ["v1/sample", faceFields(state)];
  }
  const conditions = state.locks.filter((name) => !(name in state.distances));
  const edits = moved.map(([attribute, to]) => ({ attribute, to }));
  const fields = { ...faceFields(state), space: state.space, edits };
  return conditions.length === 0 ? ["v1/edit", fields] : ["v1/conditional-edit", { ...fields, conditions }];
}

/** The request for the face at several distances of one attribute. */
export function trajectoryRequest(state, attribute, start, end, steps) {
  const { [attribute]: _, ...others } = state.distances;
  const edits = Object.entries(others).map(([name, to]) => ({ attribute: name, to }));
  const conditions = state.locks.filter((name) => name !== attribute && !(name in others));
  const fields = { ...faceFields(state), space: state.space, edits: [...edits, { attribute }] };
  const held = conditions.length === 0 ? fields : { ...fields, conditions };
  return { ...held, trajectory: { start, end, steps, move: "to" } };
}

/** The state with one attribute moved to a distance; without a distance, no longer moved. */
export function moved(state, attribute, distance) {
  const { [attribute]: _, ...others } = state.distances;
  return { ...state, distances: distance === undefined ? others : { ...others, [attribute]: distance } };
}

/** The state with one lock turned. A face that was edited already keeps the `distance` that the edits have led to. */
export function lockTurned(state, attribute, distance) {
  const without = state.locks.filter((name) => name !== attribute);
  if (without.length < state.locks.length) {
    return { ...state, locks: without };
  }
  const locked = { ...state, locks: [...without, attribute] };
  const isEdited = Object.keys(state.distances).length > 0;
  return isEdited && distance !== undefined ? moved(locked, attribute, state.distances[attribute] ?? rounded(distance)) : locked;
}

/** A distance with the digits that a slider chooses. */
export const rounded = (distance) => Number(distance.toFixed(3));

/** The state of another face: its edits and locks end with the old face. */
export const withFace = ({ model, space, psi }, face) => ({ model, space, psi, ...face, distances: {}, locks: [] });

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
  for (const attribute of state.locks) {
    parts.append("lock", attribute);
  }
  return `#${parts}`;
}

/** The state of such a part, or undefined if it has none. */
export function fromFragment(fragment) {
  const parts = new URLSearchParams(fragment.replace(/^#/, ""));
  if (!parts.has("model") || !(parts.has("seed") || parts.has("latent"))) {
    return undefined;
  }
  const distances = {};
  for (const edit of parts.getAll("edit")) {
    const [, attribute, to] = /^(.*):to:([^:]+)$/.exec(edit) ?? [];
    if (Number.isFinite(Number(to))) {
      distances[attribute] = Number(to);
    }
  }
  const face = parts.has("latent") ? { latent: parsed(parts.get("latent")) } : { seed: Number(parts.get("seed")) };
  const psi = parts.has("psi") ? Number(parts.get("psi")) : undefined;
  return { model: parts.get("model"), space: parts.get("space"), psi, ...face, distances, locks: parts.getAll("lock") };
}

/** The state that the service's description of a request leads to, or undefined if the page cannot show such a request. */
export function stateOf({ request, model }, usualSpace) {
  const { seed, latent, edits = [], conditions = [], psi, space = usualSpace } = request ?? {};
  const isOurs = (seed !== undefined || latent?.values !== undefined) && edits.every(({ to }) => to !== undefined);
  if (!isOurs || ["trajectory", "count", "layers", "unit", "along"].some((field) => request[field] !== undefined)) {
    return undefined;
  }
  const face = latent === undefined ? { seed } : { latent };
  const distances = Object.fromEntries(edits.map(({ attribute, to }) => [attribute, to]));
  return { model, space, psi, ...face, distances, locks: conditions };
}

/** JSON that was parsed, or undefined if it is none. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A command that makes the same image. */
export function curl(state, base) {
  const [path, fields] = request(state);
  const body = JSON.stringify({ ...fields, format: "png" }).replaceAll("'", "'\\''");
  return `curl '${new URL(path, base)}' -o face.png --json '${body}'`;
}
