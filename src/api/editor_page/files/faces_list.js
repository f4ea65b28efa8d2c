/** A row of faces, each a button. */
export class FacesList {
  #list;
  #urls = [];

  constructor(list) {
    this.#list = list;
  }

  /** Shows `faces`: for each an image (a blob or a URL), a caption, its name, whether it is the current one, and what a click does. */
  show(faces) {
    const focused = [...this.#list.children].findIndex((item) => item.contains(document.activeElement));
    for (const url of this.#urls) {
      URL.revokeObjectURL(url);
    }
    this.#urls = [];
    this.#list.replaceChildren(...faces.map((face) => this.#item(face)));
    this.#list.children[focused]?.firstChild.focus();
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
