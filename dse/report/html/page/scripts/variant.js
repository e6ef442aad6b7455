// One variant: its parameters and figures, its neighbours, its layers.

class VariantPanel {
  constructor(study, data, state, holder) {
    Object.assign(this, {study, data, state, holder, layer: 0, level: null});
    state.listen((changed) => {
      if (changed.has("variant") || changed.has("group")) {
        this.layer = 0;
        this.show();
        if (changed.has("variant")) say(`${study.names[state.variant]} is shown below the picture.`);
      }
    });
    this.show();
  }

  show() {
    const {study, data, state, holder} = this;
    const index = state.variant;
    const title = el("h2", {id: "variant-title", tabindex: -1}, index === null ? "One variant" : `One variant: ${study.names[index]}`);
    if (index === null) {
      holder.replaceChildren(title, el("p", {}, "No variant is complete."));
      return;
    }
    this.layerBox = el("div", {class: "layer-panel", "aria-live": "polite"});
    this.roofBox = el("figure", {});
    this.tableBox = el("div", {});
    holder.replaceChildren(title, ...this.facts(index), this.steps(index), ...this.layersPart(index));
    if (data.has(index)) this.drawLayers();
  }

  facts(index) {
    const {study} = this;
    const items = [];
    let proven = "";
    for (const [place, own] of study.parameters.entries()) items.push([own.name, figure(study.value(index, place))]);
    for (const axis of study.axes) items.push([axis.title, shownFigure(axis, study.figure(index, axis.name))]);
    if (study.gap(index) !== null) {
      const axis = study.axisNamed.get(study.objective);
      proven = ` ${axis.title}, proven: at least ${shownFigure(axis, study.group.bound[index])}, so that what was found is at most ` +
        `${percent(study.gap(index), 2)} above the least possible on it.`;
    }
    const reason = study.group.reasons[study.group.reason[index]];
    if (reason) items.push(["why", reason]);
    return [el("p", {class: "standing"}, `${this.standing(index)}.${proven}`), el("dl", {class: "facts"}, items.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))))];
  }

  standing(index) {
    const {study} = this;
    const rivals = (study.group.rivals[index] ?? []).map((other) => study.names[other]);
    const words = STANDING_WORDS[study.standing(index)];
    return words[0].toUpperCase() + words.slice(1) + (rivals.length ? ` (${study.onFront(index) ? "against" : "past"} ${listed(rivals)})` : "");
  }

  /** One value of each parameter up and down: where that leads, and what it changes. */
  steps(index) {
    const {study, state} = this;
    const rows = study.varied.flatMap((place) => [-1, 1].flatMap((step) => {
      const other = study.neighbour(index, place, step);
      if (other === undefined) return [];
      const changes = study.objectives.map((axis) => {
        const [own, theirs] = [study.figure(index, axis.name), study.figure(other, axis.name)];
        return el("td", {}, own && theirs !== null ? changeText(theirs / own) : ABSENT);
      });
      return [el("tr", {}, el("th", {scope: "row"}, `${study.parameters[place].name} ${figure(study.value(index, place))} → ${figure(study.value(other, place))}`),
        el("td", {}, el("button", {type: "button", class: "link", onclick: () => { state.set({variant: other}); byId("variant-title").focus(); }}, study.names[other])),
        changes, el("td", {class: "text"}, STANDING_WORDS[study.standing(other)]))];
    }));
    if (!rows.length) return el("p", {class: "note"}, "No neighbour of it was looked at.");
    return el("details", {class: "steps"}, el("summary", {}, "One step of each parameter"),
      table("What one step changes, all else equal", ["step", "leads to", ...study.objectives.map((axis) => axis.title), "standing"], rows));
  }

  layersPart(index) {
    const {study, data} = this;
    if (!data.has(index)) {
      const why = study.compared(index) ? "The layers of this variant are not on the page: dse export has them." : "Nothing was scheduled on it.";
      return [el("p", {class: "note"}, why)];
    }
    return [el("h3", {}, "Layer by layer"), levelLegend(data), this.tableBox,
      el("p", {class: "note"}, "Cycles: what the MACs need, and on top of it what each slower level needs beyond the next faster one. " +
        "Energy: of each level with its network. Choose a layer to see its loop nest."),
      el("div", {class: "two"}, this.roofBox, this.layerBox)];
  }

  drawLayers(focus = false) {
    const {study, data, state} = this;
    const layers = layersOf(study, data, state.variant);
    const choose = (place) => { this.layer = place; this.drawLayers(true); };
    this.tableBox.replaceChildren(layerTable(layers, this.layer, choose));
    this.layerBox.replaceChildren(...layerPanel(layers[this.layer]).filter(Boolean));
    this.drawRoofline(layers, choose);
    if (focus) this.tableBox.querySelectorAll("tbody tr")[this.layer].querySelector("button").focus({preventScroll: true});
  }

  drawRoofline(layers, choose) {
    const slopes = this.data.slopesOf(this.state.variant);
    const peak = peakOf(layers);
    const slope = slopes.find((own) => own.level === this.level) ?? slopes[slopes.length - 1];
    const picture = slope && peak ? roofline(layers, slope, peak, this.layer, choose) : null;
    if (!picture) {
      this.roofBox.replaceChildren(el("h4", {}, "Roofline"), el("p", {class: "note"}, "No level has both a limited bandwidth and accesses that cost alike."));
      return;
    }
    const picker = slopes.length > 1 ? choice("Level", slopes.map((own) => [own.level, own.level]), slope.level, (level) => { this.level = level; this.drawRoofline(layers, choose); }) : null;
    const ways = slope.oneWay < slope.both ? ` Dashed: all of it one way, ${figure(slope.oneWay)} bytes/cycle.` : "";
    this.roofBox.replaceChildren(...[el("h4", {}, `Roofline at ${slope.level}`), picker, picture,
      el("figcaption", {class: "note"}, `Flat: ${figure(peak)} MACs a cycle. Slope: ${figure(slope.both)} bytes a cycle, both ways together.${ways} ` +
        "A layer under both is held up elsewhere.")].filter(Boolean));
  }
}

function changeText(ratio) {
  const change = 100 * (ratio - 1);
  return `${change > 0 ? "+" : change < 0 ? "−" : ""}${Math.abs(change).toFixed(1)} %`;
}
