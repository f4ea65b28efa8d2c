/** A row of faces, each a button. */
export class FacesList {
  #list;
  #urls = [];

  constructor(list) {
    this.#list = list;
  }

  /** Shows `faces`: for each an image (a blob or a URL), a caption, whether it is the current one, and what a click does. */
  show(faces) {
    for (const url of this.#urls) {
      URL.revokeObjectURL(url);
    }
    this.#urls = [];
    this.#list.replaceChildren(...faces.map((face) => this.#item(face)));
  }

  #item({ image, caption, name, current, click }) {
    const picture = document.createElement("img");
    picture.alt = "";
    picture.src = typeof image === "string" ? image : this.#url(image);
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", name);
    button.setAttribute("aria-current", current === true);
    button.append(picture, caption);
    button.addEventListener("click", click);
    const item = document.createElement("li");
    item.append(button);
    return item;
  }

  #url(blob) {
    this.#urls.push(URL.createObjectURL(blob));
    return this.#urls.at(-1);
  }
}

/** The image of a JSON response as a file. */
export function png(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: "image/png" });
}
