// The layers of one variant: cycles and energy as stacks of levels, what bounds each, and the loop nest of one.

/** The results of a variant, layer by layer, from the columns of the page. */
class LayerData {
  constructor(data) {
    Object.assign(this, data);
    this.start = new Map(data.variants.map((index, place) => [index, place * data.problems]));
    this.colour = new Map(data.levels.map((level, place) => [level.name, OKABE_ITO[place % OKABE_ITO.length]]));
  }

  has(index) {
    return this.start.has(index);
  }

  slopesOf(index) {
    return this.slopes[this.start.get(index) / this.problems].map(([level, both, oneWay, pjPerByte]) => ({level, both, oneWay, pjPerByte}));
  }

  /** One layer's result; `parts` from the innermost level outwards, the MACs first. */
  result(index, problem) {
    const row = this.start.get(index) + problem;
    if (this.cycles[row] === null) return {cycles: null, error: this.text("error", row), ended: this.text("ended", row)};
    const parts = [{name: "MACs", cycles: this.compute_cycles[row], energy: this.arithmetic_energy_pj[row], network: 0, colour: MACS_COLOUR}];
    for (const level of this.levels) {
      if (level.cycles[row] === null) continue;
      parts.push({name: level.name, cycles: level.cycles[row], energy: level.energy_pj[row],
        network: level.network_pj.length ? level.network_pj[row] : 0, colour: this.colour.get(level.name)});
    }
    const known = this.compute_cycles[row] !== null;
    return {cycles: this.cycles[row], energy: this.energy_pj[row], utilization: this.utilization[row], gap: this.gap[row],
      ended: this.text("ended", row), nest: this.text("nest", row), kept: this.text("kept", row), parts: known ? parts : []};
  }

  text(name, row) {
    return this[name][row] < 0 ? "" : this[`${name}_texts`][this[name][row]];
  }
}

/** What takes a layer's cycles: the slowest level, or the MACs where no level is slower than they are. */
function boundBy(result) {
  if (!result.parts.length) return null;
  return result.parts.reduce((slowest, part) => (part.cycles > slowest.cycles ? part : slowest), result.parts[0]);
}

function boundText(result) {
  const part = boundBy(result);
  if (part === null) return ABSENT;
  return part.name === "MACs" ? "compute" : `bandwidth of ${part.name}`;
}

/** Pieces that add up to the cycles: what each level needs beyond all that need less. */
function cycleStack(result) {
  const order = [...result.parts].sort((a, b) => a.cycles - b.cycles || (a.name === "MACs" ? -1 : 1));
  const pieces = [];
  let before = 0;
  const macs = result.parts[0];
  if (macs) {
    pieces.push({name: "compute", colour: macs.colour, size: macs.cycles});
    before = macs.cycles;
  }
  for (const part of order) {
    if (part.cycles <= before) continue;
    pieces.push({name: `waiting for ${part.name}`, colour: part.colour, size: part.cycles - before});
    before = part.cycles;
  }
  return pieces;
}

function energyStack(result) {
  return result.parts.map((part) => ({name: part.name, colour: part.colour, size: part.energy + part.network}));
}

const BAR = 120;

/** A stacked bar; the largest of all fills its width. */
function stackedBar(pieces, times, largest, textOf) {
  let left = 0;
  const rects = pieces.map((piece) => {
    const width = (piece.size * times / largest) * BAR;
    const rect = svg("rect", {x: left, y: 1, width, height: 12, fill: piece.colour});
    left += width;
    return rect;
  });
  const bar = svg("svg", {class: "bar", width: BAR, height: 14, viewBox: `0 0 ${BAR} 14`, preserveAspectRatio: "none", "aria-hidden": "true"}, rects);
  const whole = pieces.reduce((sum, piece) => sum + piece.size, 0);
  return tipped(bar, () => [textOf(whole * times), ...pieces.filter((piece) => piece.size > 0)
    .map((piece) => `${piece.name}: ${textOf(piece.size * times)} (${percent(piece.size / whole)})`)]);
}

/** All layers that the chosen networks have: {label, count, problem, result, macs}. */
function layersOf(study, data, index) {
  const several = study.networksShown.length > 1;
  return study.networksShown.flatMap((place) => {
    const network = study.networks[place];
    return network.layers.map(([name, count, problem]) => ({label: several ? `${network.name} ${name}` : name,
      count: count * (several ? network.weight : 1), problem, macs: study.problems[problem].macs,
      shape: study.problems[problem].text, result: data.result(index, problem)}));
  });
}

const TEXT_COLUMNS = new Set(["of which", "bound by", "schedule"]);

function levelLegend(data, first = "MACs (compute)") {
  return el("div", {class: "legend"}, swatch(MACS_COLOUR, first), data.levels.map((level) => swatch(data.colour.get(level.name), level.name)));
}

function layerTable(layers, chosen, onchoose) {
  const known = layers.filter((layer) => layer.result.cycles !== null);
  const cycles = Math.max(...known.map((layer) => layer.result.cycles * layer.count), 1);
  const energy = Math.max(...known.map((layer) => layer.result.energy * layer.count), 1);
  const unit = energyUnit(energy);
  const all = {cycles: 0, energy: 0};
  const rows = layers.map((layer, place) => {
    const {result, count} = layer;
    const button = el("button", {type: "button", class: "link", "aria-pressed": String(place === chosen), onclick: () => onchoose(place)}, layer.label);
    const head = [el("th", {scope: "row"}, button), el("td", {}, `× ${figure(count)}`)];
    if (result.cycles === null) {
      return el("tr", {class: place === chosen ? "chosen" : null}, head, el("td", {colspan: 8, class: "text"}, result.error || "not scheduled yet"));
    }
    all.cycles += result.cycles * count;
    all.energy += result.energy * count;
    return el("tr", {class: place === chosen ? "chosen" : null}, head,
      el("td", {}, figure(result.cycles * count)), el("td", {class: "bar-cell"}, stackedBar(cycleStack(result), count, cycles, (own) => `${figure(own)} cycles`)),
      el("td", {class: "text"}, boundText(result)),
      el("td", {}, figure(result.energy * count / unit.size)), el("td", {class: "bar-cell"}, stackedBar(energyStack(result), count, energy, (own) => `${figure(own / unit.size)} ${unit.name}`)),
      el("td", {}, percent(result.utilization)), el("td", {}, percent(result.gap, 2)), el("td", {class: "text"}, result.ended));
  });
  const sum = el("tr", {class: "sum"}, el("th", {scope: "row"}, "all"), el("td", {}, ""), el("td", {}, figure(all.cycles)), el("td", {}, ""), el("td", {}, ""),
    el("td", {}, figure(all.energy / unit.size)), el("td", {}, ""), el("td", {}, ""), el("td", {}, ""), el("td", {}, ""));
  const header = ["layer", "times", "cycles", "of which", "bound by", `energy [${unit.name}]`, "of which", "utilization", "gap", "schedule"];
  const head = header.map((title) => el("th", {scope: "col", class: TEXT_COLUMNS.has(title) ? "text" : null}, title));
  return table("Layers, each as often as it occurs", head, [...rows, sum], {class: "layers"});
}

/** The loop nest as text, from the outermost level inwards. */
function nestText(result) {
  const lines = [];
  let depth = 0;
  const kept = result.kept.split(";");
  result.nest.split(";").forEach((loops, place) => {
    const [level, spaces] = kept[place].split(": ");
    lines.push(`${level}${spaces ? ` keeps ${spaces}` : " (bypassed)"}`);
    for (const loop of loops.split(/[ |]+/).filter(Boolean)) {
      const [, name, bound, axis] = /^([A-Za-z]+)(\d+)([xy]?)$/.exec(loop);
      lines.push(`${"  ".repeat(++depth)}for ${name} in 0..${bound - 1}${axis ? `   in space, along ${axis.toUpperCase()}` : ""}`);
    }
  });
  lines.push(`${"  ".repeat(depth + 1)}multiply and accumulate`);
  return lines.join("\n");
}

function layerPanel(layer) {
  const {result} = layer;
  const title = el("h4", {id: "layer-title"}, `Layer ${layer.label}`);
  const shape = el("p", {}, `${layer.shape}: ${figure(layer.macs)} MACs, once`);
  if (result.cycles === null) return [title, shape, el("p", {}, result.error || "not scheduled yet")];
  const unit = energyUnit(result.energy);
  const whole = result.parts.reduce((sum, part) => sum + part.energy + part.network, 0);
  const rows = [...result.parts].reverse().map((part) => el("tr", {}, el("th", {scope: "row"}, part.name),
    el("td", {}, figure(part.cycles)), el("td", {}, figure(part.energy / unit.size)), el("td", {}, part.network ? figure(part.network / unit.size) : ABSENT),
    el("td", {}, percent((part.energy + part.network) / whole))));
  return [title, shape,
    result.parts.length ? table("Level by level", ["level", "cycles it alone needs", `energy [${unit.name}]`, `its network [${unit.name}]`, "share"], rows) : null,
    el("h5", {}, "Loop nest"), el("pre", {class: "nest", tabindex: 0, role: "region", "aria-label": "Loop nest"}, nestText(result))];
}
