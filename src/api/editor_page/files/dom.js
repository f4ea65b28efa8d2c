/** Short names for what every part of the page does with its elements. */

export const byId = (id) => document.getElementById(id);
export const on = (id, event, action) => byId(id).addEventListener(event, action);

/** Shows a file in an `img`, and frees the file that it showed before. */
export async function display(element, file) {
  const before = element.src;
  element.src = URL.createObjectURL(file);
  await element.decode().catch(() => undefined);
  URL.revokeObjectURL(before);
}
