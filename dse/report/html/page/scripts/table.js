// The variants as a table: those on the front with how sure that is, or all.

const ROWS = 100;

/** What of a study is proven, in words. */
function certaintyText(study) {
  const {group} = study;
  const open = group.standing.filter((own) => own === OPEN).length;
  const contenders = group.standing.filter((own) => own === CONTENDER).length;
  const words = {edp: "energy-delay product", latency: "latency", energy: "energy"}[study.objective];
  if (!group.proven) {
    return `The objective ${study.objective} proves nothing of cycles or energy. Each point is what the mappings ` +
      "found make of a variant; better mappings may exist, and may move it. A study with the objective edp, latency or energy " +
      "gives every point a proven interval." + (study.counts.pruned
        ? ` That ${many(study.counts.pruned, "pruned variant")} cannot enter the front is proven all the same.` : "");
  }
  const gaps = extent(study.names.map((_, index) => (study.onFront(index) ? study.gap(index) : null)));
  const moved = {edp: "in cycles and in energy", latency: "in cycles, with its energy as it is",
    energy: "in energy, with its cycles as they are"}[study.objective];
  const verdict = open + contenders === 0
    ? `No better schedule within these intervals changes which variants are on the front.`
    : `${open ? `${many(open, "point")} of the front ${open === 1 ? "is" : "are"} open: a better schedule of another variant could push ` +
        `${open === 1 ? "it" : "them"} off. ` : ""}${contenders ? `${many(contenders, "dominated variant")} could still enter.` : ""}`;
  return `The ${words} of every variant on the front is proven to within ${percent(gaps[1], 2)} of the least possible on it. ` +
    `A variant can move only ${moved}, and only so far. ${verdict}`;
}

class VariantTable {
  constructor(study, state, holder) {
    Object.assign(this, {study, state, holder});
    this.which = "front";
    this.order = null;
    this.rows = ROWS;
    this.box = el("div", {});
    const which = [["front", "on the front"], ["near", "on the front, or could enter it"], ["all", "all that fit the filters"]];
    holder.append(el("div", {class: "controls"}, choice("Variants", which, this.which, (value) => {
      this.which = value;
      this.rows = ROWS;
      this.show();
    })), this.box);
    state.listen((changed) => {
      if (changed.has("variant") && changed.size === 1) this.marked();
      else this.show();
    });
    this.show();
  }

  chosen() {
    const {study, state} = this;
    if (this.which === "all") return [...state.visible];
    const last = this.which === "near" ? CONTENDER : OPEN;
    return study.names.map((_, index) => index).filter((index) => study.standing(index) <= last);
  }

  columns() {
    const {study} = this;
    const axisColumn = (axis) => {
      const unit = unitOf(axis, extent(study.group.figures[axis.name])[1]);
      return {title: unit.name ? `${axis.title} [${unit.name}]` : axis.title, value: (index) => study.figure(index, axis.name),
        text: (index) => (axis.name === "utilization" ? percent(study.figure(index, axis.name))
          : figure(study.figure(index, axis.name) === null ? null : study.figure(index, axis.name) / unit.size)), better: axis.maximise ? -1 : 1};
    };
    const shown = study.axes.filter((axis) => axis.objective || ["edp", "area", "utilization"].includes(axis.name));
    const columns = [
      ...study.varied.map((place) => ({title: study.parameters[place].name, value: (index) => study.value(index, place),
        text: (index) => figure(study.value(index, place))})),
      ...shown.map(axisColumn),
    ];
    if (study.group.proven) {
      const words = {edp: "EDP", latency: "cycles", energy: "energy"}[study.objective];
      const axis = study.axisNamed.get(study.objective);
      const {name} = unitOf(axis, extent(study.group.bound)[1]);
      columns.push({title: `${words} proven at least [${name}]`, value: (index) => study.group.bound[index],
        text: (index) => this.interval(index)});
    }
    columns.push({title: "standing", value: (index) => study.standing(index), text: (index) => this.standing(index), wide: true});
    return columns;
  }

  interval(index) {
    const {study} = this;
    const gap = study.gap(index);
    if (gap === null) return ABSENT;
    const axis = study.axisNamed.get(study.objective);
    const {size} = unitOf(axis, extent(study.group.bound)[1]);
    return `${figure(study.group.bound[index] / size)} (−${percent(1 - 1 / (1 + gap), 2)})`;
  }

  standing(index) {
    const {study} = this;
    const rivals = (study.group.rivals[index] ?? []).map((other) => study.names[other]);
    const words = STANDING_WORDS[study.standing(index)];
    if (!rivals.length) return words;
    return study.standing(index) === OPEN ? `open: ${listed(rivals)} could push it off` : `could enter past ${listed(rivals)}`;
  }

  show() {
    const columns = this.columns();
    const chosen = this.chosen();
    const first = this.study.objectives[0].name;
    const order = this.order ?? {of: (index) => this.study.figure(index, first), sign: 1, title: null};
    const last = (value) => (value === null || value === undefined ? Infinity : value);
    chosen.sort((a, b) => {
      const [own, other] = [last(order.of(a)), last(order.of(b))];
      return own === other ? a - b : own < other ? -order.sign : order.sign;
    });
    const header = [el("th", {scope: "col"}, "variant"), ...columns.map((column) => this.heading(column, order))];
    const rows = chosen.slice(0, this.rows).map((index) => el("tr", {"data-index": index},
      el("th", {scope: "row"}, el("button", {type: "button", class: "link", onclick: () => this.open(index)}, this.study.names[index])),
      columns.map((column) => el("td", {class: column.wide ? "text words" : null}, column.text(index)))));
    const rest = chosen.length - rows.length;
    const more = rest > 0 ? el("button", {type: "button", onclick: () => { this.rows += 10 * ROWS; this.show(); }},
      `Show more (${figure(rest)} left)`) : null;
    const what = {front: "Variants on the front", near: "Variants on the front, and those that could enter it", all: "Variants"}[this.which];
    const empty = chosen.length ? null : el("p", {}, "None.");
    this.box.replaceChildren(...[table(`${what}: ${figure(chosen.length)}`, header, rows), more, empty].filter(Boolean));
    this.marked();
  }

  heading(column, order) {
    const sorted = order.title === column.title;
    const sort = () => {
      this.order = {of: column.value, sign: sorted ? -order.sign : 1, title: column.title};
      this.show();
      this.box.querySelector(`[data-sort="${CSS.escape(column.title)}"]`)?.focus();
    };
    return el("th", {scope: "col", "aria-sort": sorted ? (order.sign > 0 ? "ascending" : "descending") : null},
      el("button", {type: "button", class: "sort", "data-sort": column.title, onclick: sort}, breakable(column.title),
        el("span", {"aria-hidden": "true"}, sorted ? (order.sign > 0 ? " ↑" : " ↓") : "")));
  }

  open(index) {
    this.state.set({variant: index});
    byId("variant-title").focus();
  }

  marked() {
    for (const row of this.box.querySelectorAll("tbody tr")) {
      row.classList.toggle("chosen", Number(row.dataset.index) === this.state.variant);
    }
  }
}
