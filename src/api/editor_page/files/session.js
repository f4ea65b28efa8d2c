/** The session of the page, where the service has keys: the person types a key, and a cookie stands for it from then on. */
import { byId, on } from "./dom.js";

/** Under this name, the browser remembers that a session was begun. The page cannot read its cookie. */
const BEGUN = "faceplane-session";

/** The dialog that is open, for all requests that wait for it. */
let asked;

/** Whether the page has begun a session, so that requests from elsewhere need a key. */
export const hasBegun = () => localStorage.getItem(BEGUN) !== null;

/** Asks for a key until the service knows it, and begins a session. Fails if the person closes the dialog. */
export function beginSession() {
  asked ??= ask().finally(() => {
    asked = undefined;
  });
  return asked;
}

function ask() {
  const dialog = byId("key-dialog");
  return new Promise((resolve, reject) => {
    byId("key-form").onsubmit = (event) => {
      event.preventDefault();
      begin(byId("key").value.trim()).then(
        () => {
          resolve();
          dialog.close();
        },
        (error) => {
          byId("key-status").textContent = error.message;
        },
      );
    };
    dialog.onclose = () => {
      byId("key").value = byId("key-status").textContent = "";
      reject(new Error("The service needs a key. Reload the page to type one in."));
    };
    dialog.showModal();
  });
}

async function begin(key) {
  const response = await fetch("session", { method: "POST", headers: { Authorization: `Bearer ${key}` } });
  if (!response.ok) {
    const problem = await response.json().catch(() => undefined);
    throw new Error(problem?.detail ?? `The service answered with the status ${response.status}.`);
  }
  localStorage.setItem(BEGUN, "");
  showEnd();
}

async function end() {
  await fetch("session", { method: "DELETE" });
  localStorage.removeItem(BEGUN);
  window.location.reload();
}

function showEnd() {
  byId("end-session").hidden = !hasBegun();
}

on("end-session", "click", () => void end());
showEnd();
