/** The calls to the service. All paths are relative to the page, so that the service may stand behind a path prefix. */

import { beginSession } from "./session.js";

/** An error that the service explains. */
export class Problem extends Error {
  constructor(document, status) {
    super(document?.detail ?? `the service answered with the status ${status}`);
  }
}

async function send(path, { method = "GET", body, accept = "application/json", signal } = {}) {
  const headers = { Accept: accept };
  if (body !== undefined && !(body instanceof FormData)) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  let response = await fetch(path, { method, body, headers, signal });
  while (response.status === 401) {
    await beginSession();
    response = await fetch(path, { method, body, headers, signal });
  }
  if (!response.ok) {
    throw new Problem(await response.json().catch(() => undefined), response.status);
  }
  return response;
}

const json = async (path, options) => (await send(path, options)).json();

const modelPath = (name) => `v1/models/${encodeURIComponent(name)}`;

export const listModels = () => json("v1/models");
export const showModel = (name) => json(modelPath(name));

/** An image of a JSON response as a file. Browsers recognize its format by its content. */
export const imageFile = (base64) => new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))]);

/** The image of a request for a face. */
export async function image(path, request) {
  return (await send(path, { method: "POST", body: request, accept: "image/png" })).blob();
}

/** The numbers of a request for faces: codes, scores, distances, and images in base64. */
export const numbers = (path, request) => json(path, { method: "POST", body: { ...request, format: "json" } });

export const train = (model, request) => json(`${modelPath(model)}/boundaries`, { method: "POST", body: request });
export const report = (model, request) => json(`${modelPath(model)}/report`, { method: "POST", body: request });
export const cancelJob = (id) => json(`v1/jobs/${encodeURIComponent(id)}`, { method: "DELETE" });

/** Calls `show` with each state of a job, and returns the last one. */
export async function followJob(id, show) {
  let last;
  const response = await send(`v1/jobs/${encodeURIComponent(id)}`, { accept: "text/event-stream" });
  for await (const event of events(response)) {
    last = event.data;
    show(last);
  }
  return last;
}

/** Searches the code of a picture. Calls `show` with each step, and returns the result. */
export async function invert(form, show, signal) {
  const response = await send("v1/invert", { method: "POST", body: form, accept: "text/event-stream", signal });
  for await (const { name, data } of events(response)) {
    if (name !== "end") {
      show(data);
    } else if (data.type === undefined) {
      return data;
    } else {
      throw new Problem(data, data.status);
    }
  }
  throw new Error("the connection ended before the search did");
}

/** The server-sent events of a response. `EventSource` cannot send a body or a header. */
async function* events(response) {
  let text = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const field = (name) => lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trimStart()).join("\n");
      const data = field("data");
      if (data !== "") {
        yield { name: field("event"), data: JSON.parse(data) };
      }
    }
  }
}
