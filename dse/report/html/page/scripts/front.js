// The picture of the front: any figure or parameter along the axes and as colour.

const DISCRETE = 8; // a parameter of at most so many values has a colour for each
const POINT_COLOUR = "#7d93ab";

/** What an axis or a colour can be: figures first, then parameters. */
function quantities(study) {
  return [
    ...study.axes.map((axis) => ({key: axis.name, title: axis.title, axis,
      of: (index) => study.figure(index, axis.name)})),
    ...study.parameters.map((own, place) => ({key: `parameter ${place}`, title: own.name, place,
      of: (index) => study.value(index, place)})),
  ];
}

function titled(quantity, values) {
  const unit = quantity.axis ? unitOf(quantity.axis, extent(values)[1]) : {size: 1, name: ""};
  return {...unit, text: unit.name ? `${quantity.title} [${unit.name}]` : quantity.title};
}

class FrontPicture {
  constructor(study, state, holder) {
    Object.assign(this, {study, state, holder});
    this.all = new Map(quantities(study).map((own) => [own.key, own]));
    const everything = [...this.all.values()].map((own) => [own.key, own.title]);
    const colours = [["", "front or not"], ...everything];
    this.legend = el("div", {class: "legend", id: "colour-legend"});
    const fieldHolder = el("div", {});
    const reset = () => { this.field.reset(); this.field.box.focus({preventScroll: true}); };
    holder.append(
      el("div", {class: "controls"},
        choice("Across", everything, state.x, (x) => state.set({x})),
        choice("Up", everything, state.y, (y) => state.set({y})),
        choice("Colour", colours, state.colour, (colour) => state.set({colour})),
        el("span", {class: "buttons", role: "group", "aria-label": "Zoom"},
          el("button", {type: "button", "aria-label": "Zoom in", onclick: () => this.field.zoom(1 / ZOOM)}, "+"),
          el("button", {type: "button", "aria-label": "Zoom out", onclick: () => this.field.zoom(ZOOM)}, "−"),
          el("button", {type: "button", onclick: reset}, "Show all"))),
      fieldHolder, this.legend,
      el("p", {class: "note screen"}, "Click a point, or walk through the points with the arrow keys and press Enter, to see it " +
        "below. Wheel (after a click), drag, + and − zoom and move; Shift with the arrows moves; 0 shows all."));
    this.field = new PointField(fieldHolder, "Picture of the front. Arrow keys walk through the points, Enter opens one, " +
      "plus and minus zoom, 0 shows all", (...parts) => this.draw(...parts), (index) => state.set({variant: index}),
      (index) => this.describe(index));
    state.listen((changed) => {
      if (changed.has("variant")) this.field.choose(state.variant);
      if (changed.has("variant") && changed.size === 1) return;
      this.show(!changed.has("x") && !changed.has("y") && !changed.has("group"));
    });
    this.field.chosen = state.variant;
    this.show(false);
  }

  describe(index) {
    const {study} = this;
    return [
      `${study.names[index]}: ${STANDING_WORDS[study.standing(index)]}`,
      study.parametersText(index),
      ...study.objectives.map((axis) => `${axis.title}: ${shownFigure(axis, study.figure(index, axis.name))}`),
    ];
  }

  /** Take the points anew from what is chosen. */
  show(kept) {
    const {study, state} = this;
    const [across, up] = [this.all.get(state.x), this.all.get(state.y)];
    const shown = [];
    for (const index of state.visible) {
      const [x, y] = [across.of(index), up.of(index)];
      if (study.compared(index) && x !== null && y !== null) shown.push({index, x, y});
    }
    const [unitX, unitY] = [titled(across, shown.map((own) => own.x)), titled(up, shown.map((own) => own.y))];
    for (const point of shown) {
      point.x /= unitX.size;
      point.y /= unitY.size;
    }
    // Points of the front last, so that they lie on top.
    shown.sort((a, b) => study.standing(b.index) - study.standing(a.index));
    this.units = [unitX, unitY];
    this.shown = shown;
    this.colourOf = this.colours(shown);
    this.field.show(shown, {titles: [unitX.text, unitY.text], kept,
      log: [spansWidely(shown.map((own) => own.x)), spansWidely(shown.map((own) => own.y))]});
  }

  /** index -> colour, with the legend that says what colours mean. */
  colours(shown) {
    const {study, state} = this;
    const quantity = this.all.get(state.colour);
    if (!quantity) {
      this.legend.replaceChildren(...markLegend(study));
      return (index) => (study.onFront(index) ? "#1b1b1b" : POINT_COLOUR);
    }
    const values = shown.map((own) => quantity.of(own.index)).filter((own) => own !== null);
    const distinct = [...new Set(values)].sort((a, b) => a - b);
    const heading = el("span", {class: "legend-title"}, titled(quantity, values).text);
    if (distinct.length <= DISCRETE) {
      const colour = new Map(distinct.map((own, place) => [own, cividis(distinct.length < 2 ? 0.5 : place / (distinct.length - 1))]));
      const size = titled(quantity, values).size;
      this.legend.replaceChildren(heading, ...distinct.map((own) => swatch(colour.get(own), figure(own / size))), ...markLegend(study));
      return (index) => colour.get(quantity.of(index)) ?? "#ffffff";
    }
    const [low, high] = extent(values);
    const scale = makeScale([low, high], [0, 1], spansWidely(values));
    const size = titled(quantity, values).size;
    const bar = Array.from({length: 9}, (_, place) => svg("rect", {x: place * 16, width: 16.5, height: 12, fill: cividis(place / 8)}));
    this.legend.replaceChildren(heading, el("span", {}, figure(low / size, 3)), svg("svg", {width: 144, height: 12, "aria-hidden": "true"}, bar),
      el("span", {}, figure(high / size, 3)), ...markLegend(study));
    return (index) => (quantity.of(index) === null ? "#ffffff" : cividis(scale(quantity.of(index))));
  }

  draw(field, x, y) {
    const nodes = [];
    const line = this.staircase();
    if (line.length) {
      const steps = line.map((own, place) => {
        const [px, py] = [x(own.x), y(own.y)];
        return place ? `H${px}V${py}` : `M${px},${py}`;
      });
      nodes.push(svg("path", {class: "staircase", d: steps.join("")}));
    }
    for (const point of this.shown) nodes.push(...this.interval(point, x, y));
    for (const point of this.shown) nodes.push(...this.mark(point, x(point.x), y(point.y)));
    return nodes;
  }

  /** How far a point can still move, where that is proven: a box, with the point at its worst corner. */
  interval(point, x, y) {
    const {study, state, units} = this;
    const {best} = study.group;
    if (study.standing(point.index) > CONTENDER || !best[state.x] || !best[state.y]) return [];
    const [px, py] = [x(point.x), y(point.y)];
    const [bx, by] = [x(best[state.x][point.index] / units[0].size), y(best[state.y][point.index] / units[1].size)];
    return [svg("rect", {class: "interval", x: Math.min(px, bx), y: Math.min(py, by), width: Math.abs(px - bx), height: Math.abs(py - by)})];
  }

  mark(point, px, py) {
    const standing = this.study.standing(point.index);
    const fill = this.colourOf(point.index);
    const data = {"data-variant": this.study.names[point.index], fill};
    if (standing <= OPEN) {
      const name = this.shown.length <= 60 || this.study.group.front <= 24
        ? [svg("text", {class: "name", x: px - 7, y: py + 14, "text-anchor": "end"}, this.study.names[point.index])] : [];
      const shape = standing === FRONT
        ? svg("circle", {class: "point front", cx: px, cy: py, r: 6, ...data})
        : svg("path", {class: "point front", d: `M${px},${py - 8}l8,8l-8,8l-8,-8z`, ...data});
      return [shape, ...name];
    }
    if (standing === CONTENDER) return [svg("path", {class: "point contender", d: `M${px},${py - 6}l6,6l-6,6l-6,-6z`, ...data})];
    return [svg("circle", {class: "point", cx: px, cy: py, r: 3.6, ...data})];
  }

  /** The lower left hull of the points shown, where both axes are costs (or all are better the other way). */
  staircase() {
    const {state, study} = this;
    const [across, up] = [this.all.get(state.x).axis, this.all.get(state.y).axis];
    if (!across || !up || across === up || across.maximise || up.maximise || study.objectives.length > 2) return [];
    const line = [];
    for (const point of [...this.shown].sort((a, b) => a.x - b.x || a.y - b.y)) {
      if (!line.length || point.y < line[line.length - 1].y) line.push(point);
    }
    return line;
  }
}

const STANDING_WORDS = ["on the front", "on the front, but open", "dominated, but could enter the front", "dominated",
  "over budget", "pruned", "no valid architecture", "incomplete"];

function swatch(colour, text) {
  return el("span", {class: "swatch"}, svg("svg", {width: 12, height: 12, "aria-hidden": "true"},
    svg("rect", {width: 12, height: 12, fill: colour})), text);
}

function markLegend(study) {
  const sign = (node, text) => el("span", {class: "swatch"},
    svg("svg", {width: 16, height: 16, viewBox: "-8 -8 16 16", "aria-hidden": "true"}, node), text);
  const fill = "#ffffff";
  return [
    sign(svg("circle", {class: "point front", r: 5.5, fill}), "on the front"),
    ...(study.group.proven ? [
      sign(svg("path", {class: "point front", d: "M0,-7l7,7l-7,7l-7,-7z", fill}), "on it, but open"),
      sign(svg("path", {class: "point contender", d: "M0,-6l6,6l-6,6l-6,-6z", fill}), "could enter"),
      sign(svg("rect", {class: "interval", x: -7, y: -5, width: 14, height: 10}), "how far a better schedule could move it"),
    ] : []),
    sign(svg("circle", {class: "point", r: 3.6, fill: POINT_COLOUR}), "dominated"),
  ];
}

/** A figure with the unit in which it reads well. */
function shownFigure(axis, value) {
  if (value === null || value === undefined) return ABSENT;
  if (axis.name === "utilization") return percent(value);
  const {size, name} = unitOf(axis, value);
  return name ? `${figure(value / size)} ${name}` : figure(value / size);
}
