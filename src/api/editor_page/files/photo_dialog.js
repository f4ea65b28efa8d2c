/** The dialog that frames a picture and searches its code. */
import { byId, display } from "./dom.js";
import { imageFile, invert } from "./service.js";

const POINTS = ["the left eye", "the right eye", "the nose", "the left corner of the mouth", "the right corner of the mouth"];
/** The longest side of the canvas. The picture is sent as it is, and only shown smaller. */
const SHOWN = 720;

export class PhotoDialog {
  #dialog = byId("photo");
  #canvas = byId("photo-canvas");
  #size = byId("photo-size");
  #status = byId("photo-status");
  #file;
  #picture;
  /** Pixels of the picture for one of the canvas. */
  #scale = 1;
  /** The square, in pixels of the picture. */
  #square;
  #points;
  #search;
  #found;

  /** `found(result)` gets what `/v1/invert` returns. */
  constructor(found) {
    this.#found = found;
    this.#canvas.addEventListener("pointerdown", (event) => this.#press(event));
    this.#canvas.addEventListener("keydown", (event) => this.#key(event));
    this.#size.addEventListener("input", () => this.#resize());
    byId("photo-points").addEventListener("click", () => this.#markPoints());
    byId("photo-start").addEventListener("click", () => this.#start());
    this.#dialog.addEventListener("close", () => this.#search?.abort());
  }

  /** Opens the dialog for the picture in `file`, to invert it for `model`. */
  async open(file, model) {
    this.#search?.abort();
    this.#picture?.close();
    this.#file = file;
    this.model = model;
    this.#picture = await createImageBitmap(file);
    const { width, height } = this.#picture;
    this.#scale = Math.max(1, Math.max(width, height) / SHOWN);
    [this.#canvas.width, this.#canvas.height] = [width, height].map((side) => Math.round(side / this.#scale));
    const side = Math.min(width, height);
    this.#square = { left: (width - side) / 2, top: (height - side) / 2, side };
    this.#points = undefined;
    this.#size.value = 100;
    byId("photo-points").setAttribute("aria-pressed", false);
    byId("photo-preview").hidden = byId("photo-progress").hidden = true;
    this.#say("");
    this.#draw();
    this.#dialog.showModal();
  }

  #say(text) {
    this.#status.textContent = text;
  }

  #draw() {
    const context = this.#canvas.getContext("2d");
    context.drawImage(this.#picture, 0, 0, this.#canvas.width, this.#canvas.height);
    context.lineWidth = 2;
    if (this.#points !== undefined) {
      context.fillStyle = "#ffd23e";
      for (const [x, y] of this.#points) {
        context.fillRect(x / this.#scale - 4, y / this.#scale - 4, 8, 8);
      }
      return;
    }
    const { left, top, side } = this.#square;
    const [x, y, length] = [left, top, side].map((value) => value / this.#scale);
    context.fillStyle = "rgb(0 0 0 / 0.5)";
    context.beginPath();
    context.rect(0, 0, this.#canvas.width, this.#canvas.height);
    context.rect(x, y, length, length);
    context.fill("evenodd");
    context.strokeStyle = "#ffd23e";
    context.strokeRect(x, y, length, length);
  }

  /** The place of a pointer, in pixels of the picture. */
  #at(event) {
    const box = this.#canvas.getBoundingClientRect();
    const scale = this.#picture.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  #press(event) {
    const at = this.#at(event);
    if (this.#points !== undefined) {
      this.#mark(at);
      return;
    }
    this.#canvas.setPointerCapture(event.pointerId);
    const start = { ...this.#square };
    const drag = (moved) => {
      const now = this.#at(moved);
      this.#place(start.left + now[0] - at[0], start.top + now[1] - at[1]);
    };
    this.#canvas.addEventListener("pointermove", drag);
    this.#canvas.addEventListener("lostpointercapture", () => this.#canvas.removeEventListener("pointermove", drag), { once: true });
  }

  #key(event) {
    const step = this.#square.side / 40;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const sizes = { "+": 5, "-": -5 };
    if (event.key in moves) {
      const [x, y] = moves[event.key];
      this.#place(this.#square.left + x, this.#square.top + y);
    } else if (event.key in sizes) {
      this.#size.value = Number(this.#size.value) + sizes[event.key];
      this.#resize();
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Moves the square, and keeps it inside the picture. */
  #place(left, top) {
    const { width, height } = this.#picture;
    const inside = (value, most) => Math.min(Math.max(0, value), most);
    const { side } = this.#square;
    this.#square = { left: inside(left, width - side), top: inside(top, height - side), side };
    this.#draw();
  }

  #resize() {
    const { left, top, side } = this.#square;
    const most = Math.min(this.#picture.width, this.#picture.height);
    const next = Math.max(1, (most * Number(this.#size.value)) / 100);
    this.#square = { left, top, side: next };
    this.#place(left + (side - next) / 2, top + (side - next) / 2);
  }

  #markPoints() {
    this.#points = this.#points === undefined ? [] : undefined;
    byId("photo-points").setAttribute("aria-pressed", this.#points !== undefined);
    this.#say(this.#points === undefined ? "" : `Click ${POINTS[0]}, as you see it.`);
    this.#draw();
  }

  #mark(at) {
    if (this.#points.length === POINTS.length) {
      this.#points = [];
    }
    this.#points.push(at);
    const next = POINTS[this.#points.length];
    this.#say(next === undefined ? "All five points are marked." : `Click ${next}.`);
    this.#draw();
  }

  #framing() {
    if (this.#points === undefined) {
      const { left, top, side } = this.#square;
      const whole = Math.floor(side);
      return ["crop", [Math.floor(left), Math.floor(top), whole, whole].join(",")];
    }
    return ["landmarks", this.#points.flat().map((value) => value.toFixed(1)).join(",")];
  }

  async #start() {
    if (this.#points !== undefined && this.#points.length < POINTS.length) {
      this.#say(`Mark all five points first: ${POINTS[this.#points.length]} is next.`);
      return;
    }
    this.#search?.abort();
    const search = (this.#search = new AbortController());
    const form = new FormData();
    form.set("model", this.model);
    form.set(...this.#framing());
    form.set("file", this.#file);
    const bar = byId("photo-progress");
    bar.hidden = false;
    bar.removeAttribute("value");
    this.#say("Searching…");
    try {
      const result = await invert(form, (step) => this.#show(step, bar), search.signal);
      this.#found(result);
      this.#dialog.close();
    } catch (error) {
      if (error.name !== "AbortError") {
        this.#say(error.message);
      }
    }
    if (this.#search === search) {
      bar.hidden = true;
    }
  }

  #show(step, bar) {
    if (step.steps > 0) {
      bar.value = step.step / step.steps;
    }
    this.#say(`Searching: step ${step.step} of at most ${step.steps}.`);
    if (step.image !== undefined) {
      const preview = byId("photo-preview");
      preview.hidden = false;
      void display(preview, imageFile(step.image));
    }
  }
}
