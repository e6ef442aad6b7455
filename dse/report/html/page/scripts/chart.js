// A field of points that can be zoomed, moved and walked through, with the mouse, by touch or with the keyboard.

const ZOOM = 1.35;
const NEAR = 26; // pixels from a point within which it is meant

class PointField {
  /** `draw(field, x, y)` returns the nodes of the picture; `onpick(index)` is told of a chosen point. */
  constructor(holder, label, draw, onpick, describe) {
    Object.assign(this, {holder, draw, onpick, describe});
    this.points = [];
    this.current = null; // where the keyboard is
    this.chosen = null; // whose details are shown
    this.view = null;
    this.svg = svg("svg", {"aria-hidden": "true", focusable: "false"});
    this.box = el("div", {class: "field", tabindex: 0, role: "application", "aria-label": label,
      onkeydown: (event) => this.pressed(event), onfocus: () => this.box.matches(":focus-visible") && this.marked(), onblur: () => showTip(null)}, this.svg);
    holder.replaceChildren(this.box);
    this.svg.addEventListener("wheel", (event) => this.wheeled(event), {passive: false});
    this.svg.addEventListener("pointerdown", (event) => this.down(event));
    this.svg.addEventListener("pointermove", (event) => this.moved(event));
    this.svg.addEventListener("pointerup", (event) => this.up(event));
    this.svg.addEventListener("pointercancel", () => { this.drag = null; });
    this.svg.addEventListener("pointerleave", () => showTip(null));
    new ResizeObserver(() => this.redraw()).observe(this.box);
  }

  /** New points [{index, x, y}], the texts and kinds of the axes; the view is kept where the axes are. */
  show(points, {titles, log, kept}) {
    this.points = points;
    this.titles = titles;
    this.log = log;
    if (!kept || !this.view) this.reset(false);
    if (!points.some((point) => point.index === this.current)) this.current = null;
    this.redraw();
  }

  reset(drawing = true) {
    this.view = ["x", "y"].map((axis, place) =>
      roomy(extent(this.points.map((point) => point[axis])), this.log[place]));
    if (drawing) this.redraw();
  }

  redraw() {
    const width = Math.max(280, this.box.clientWidth);
    const height = Math.round(Math.max(300, Math.min(540, width * 0.62)));
    this.area = {left: 64, right: width - 14, top: 12, bottom: height - 46};
    this.x = makeScale(this.view[0], [this.area.left, this.area.right], this.log[0]);
    this.y = makeScale(this.view[1], [this.area.bottom, this.area.top], this.log[1]);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    const {left, right, top, bottom} = this.area;
    const clip = svg("clipPath", {id: "field-clip"},
      svg("rect", {x: left, y: top, width: right - left, height: bottom - top}));
    const inside = svg("g", {"clip-path": "url(#field-clip)"}, this.draw(this.area, this.x, this.y));
    this.ring = svg("circle", {class: "ring", r: 11, visibility: "hidden"});
    this.mark = svg("circle", {class: "chosen", r: 9, visibility: "hidden"});
    inside.append(this.mark, this.ring);
    this.svg.replaceChildren(svg("defs", {}, clip), ...axes(this.x, this.y, this.area, this.titles), inside);
    this.choose(this.chosen);
    if (document.activeElement === this.box) this.marked();
  }

  /** Mark the point whose details are shown. */
  choose(index) {
    this.chosen = index;
    this.put(this.mark, index);
  }

  put(circle, index) {
    const point = this.points.find((own) => own.index === index);
    circle.setAttribute("visibility", point ? "visible" : "hidden");
    if (!point) return null;
    circle.setAttribute("cx", this.x(point.x));
    circle.setAttribute("cy", this.y(point.y));
    return point;
  }

  zoom(factor, place = null) {
    const [px, py] = place ?? [(this.area.left + this.area.right) / 2, (this.area.top + this.area.bottom) / 2];
    this.view = [this.x.zoomed(px, factor), this.y.zoomed(py, factor)];
    this.redraw();
  }

  pan(dx, dy) {
    this.view = [this.x.moved(dx), this.y.moved(dy)];
    this.redraw();
  }

  place(event) {
    const box = this.svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  nearest([px, py]) {
    let best = null;
    let least = NEAR ** 2;
    for (const point of this.points) {
      const distance = (this.x(point.x) - px) ** 2 + (this.y(point.y) - py) ** 2;
      if (distance < least) [best, least] = [point, distance];
    }
    return best;
  }

  /** The page scrolls until the picture has been clicked or reached by the keyboard, or Ctrl is held. */
  wheeled(event) {
    if (document.activeElement !== this.box && !event.ctrlKey) return;
    event.preventDefault();
    this.zoom(event.deltaY > 0 ? ZOOM : 1 / ZOOM, this.place(event));
  }

  down(event) {
    this.drag = {at: this.place(event), moved: false};
    this.svg.setPointerCapture(event.pointerId);
  }

  moved(event) {
    const at = this.place(event);
    if (this.drag) {
      const [dx, dy] = [at[0] - this.drag.at[0], at[1] - this.drag.at[1]];
      if (!this.drag.moved && Math.hypot(dx, dy) < 5) return;
      this.drag = {at, moved: true};
      this.pan(dx, dy);
      return;
    }
    const point = this.nearest(at);
    showTip(point && this.describe(point.index), event);
    this.svg.classList.toggle("pointing", point !== null);
  }

  up(event) {
    const drag = this.drag;
    this.drag = null;
    this.box.focus({preventScroll: true});
    if (!drag || drag.moved) return;
    const point = this.nearest(this.place(event));
    if (!point) return;
    this.current = point.index;
    this.marked(false);
    this.onpick(point.index);
  }

  pressed(event) {
    const steps = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1};
    if (event.key in steps && event.shiftKey) {
      const distance = 40 * -steps[event.key];
      this.pan(...(event.key === "ArrowLeft" || event.key === "ArrowRight" ? [distance, 0] : [0, distance]));
    } else if (event.key in steps) this.walk(steps[event.key]);
    else if (event.key === "Enter" || event.key === " ") {
      if (this.current !== null) this.onpick(this.current);
    } else if (event.key === "+" || event.key === "=") this.zoom(1 / ZOOM);
    else if (event.key === "-") this.zoom(ZOOM);
    else if (event.key === "0") this.reset();
    else return;
    event.preventDefault();
  }

  /** The next point from left to right, among those in view. */
  walk(step) {
    const {left, right, top, bottom} = this.area;
    const seen = this.points
      .filter(({x, y}) => this.x(x) >= left && this.x(x) <= right && this.y(y) >= top && this.y(y) <= bottom)
      .sort((a, b) => a.x - b.x || a.y - b.y);
    if (!seen.length) return;
    const place = seen.findIndex((point) => point.index === this.current);
    const next = place < 0 ? (step > 0 ? 0 : seen.length - 1) : (place + step + seen.length) % seen.length;
    this.current = seen[next].index;
    this.marked();
  }

  marked(aloud = true) {
    const point = this.put(this.ring, this.current);
    if (point && aloud) {
      const lines = this.describe(point.index);
      const box = this.svg.getBoundingClientRect();
      showTip(lines, {clientX: box.left + this.x(point.x), clientY: box.top + this.y(point.y)});
      say(`${lines.join(", ")}. Enter opens it.`);
    }
  }
}
