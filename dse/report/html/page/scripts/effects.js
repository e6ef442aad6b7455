// What each parameter does: main effects, interactions, and steps around the front.

class EffectsSection {
  constructor(study, state, holder) {
    Object.assign(this, {study, state, holder});
    this.box = el("div", {});
    this.objective = 0;
    holder.append(this.box);
    state.listen((changed) => changed.has("group") && this.show());
    this.show();
  }

  show() {
    const {study} = this;
    const {effects, steps} = study.group;
    if (!effects.length) {
      this.box.replaceChildren(el("p", {}, "Too few variants are complete to say."));
      return;
    }
    this.objective = Math.min(this.objective, effects.length - 1);
    const chosen = effects[this.objective];
    const title = (own) => study.axisNamed.get(own.objective).title;
    const missing = study.counts.pruned ? ` The ${many(study.counts.pruned, "pruned variant")} have no figures and are missing here.` : "";
    const parts = [
      el("div", {class: "controls"}, choice("Objective", effects.map((own, place) => [String(place), title(own)]), String(this.objective), (value) => {
        this.objective = Number(value);
        this.show();
      })),
      el("h3", {}, `Over the sweep: ${title(chosen)}`),
      el("p", {}, `Main effects alone explain ${percent(chosen.explained)} of the spread of the logarithm over ${many(chosen.variants, "complete variant")}.${missing}`),
      el("div", {class: "panels"}, chosen.main.filter((main) => main.values.length > 1).map((main) => this.panel(main, chosen, title(chosen)))),
      el("p", {class: "note"}, "A line: the objective as a multiple of its geometric mean, with the other parameters held equal (least squares on logarithms). " +
        "A bar: the middle half of the variants with that value, others as they come."),
      chosen.interactions.length ? this.interactions(chosen) : null,
      el("h3", {}, "Around the front"),
      steps.length ? this.steps(steps) : el("p", {}, "No neighbour of a point of the front has figures."),
    ];
    this.box.replaceChildren(...parts.filter(Boolean));
  }

  panel(main, chosen, title) {
    const known = main.values.map((_, place) => place).filter((place) => main.factors[place] !== null);
    const [width, height] = [300, 200];
    const field = {left: 58, right: width - 12, top: 12, bottom: height - 44};
    const every = chosen.main.flatMap((own) => [...own.factors, ...own.low, ...own.high]).filter((own) => own !== null);
    const y = makeScale(roomy(extent(every), true, 0.08), [field.bottom, field.top], true);
    const place = (digit) => field.left + ((digit + 0.5) / main.values.length) * (field.right - field.left);
    const nodes = y.ticks(5).flatMap((value) => [
      svg("line", {class: value === 1 ? "unit" : "grid", x1: field.left, x2: field.right, y1: y(value), y2: y(value)}),
      svg("text", {class: "tick", x: field.left - 6, y: y(value) + 4, "text-anchor": "end"}, `${tick(value)}×`)]);
    const every_nth = Math.ceil(main.values.length / 7);
    main.values.forEach((value, digit) => digit % every_nth === 0 && nodes.push(svg("text", {class: "tick", x: place(digit), y: field.bottom + 16, "text-anchor": "middle"}, tick(value))));
    nodes.push(svg("path", {class: "axis", d: `M${field.left},${field.top}V${field.bottom}H${field.right}`}));
    nodes.push(svg("text", {class: "title", x: (field.left + field.right) / 2, y: field.bottom + 36, "text-anchor": "middle"}, main.parameter));
    for (const digit of known) nodes.push(svg("line", {class: "quartiles", x1: place(digit), x2: place(digit), y1: y(main.low[digit]), y2: y(main.high[digit])}));
    nodes.push(svg("polyline", {class: "effect", points: known.map((digit) => `${place(digit)},${y(main.factors[digit])}`).join(" ")}));
    for (const digit of known) {
      nodes.push(tipped(svg("circle", {class: "effect-point", cx: place(digit), cy: y(main.factors[digit]), r: 4}), () => [`${main.parameter} ${main.values[digit]}`,
        `${figure(main.factors[digit], 3)} × the mean`, many(main.counts[digit], "variant")]));
    }
    const text = `${title} by ${main.parameter}: ${known.map((digit) => `${main.values[digit]}: ${figure(main.factors[digit], 3)} times`).join(", ")}`;
    return el("figure", {}, svg("svg", {class: "picture", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": text}, nodes),
      el("figcaption", {}, el("strong", {}, main.parameter), `: ${percent(main.share)} of the spread`));
  }

  interactions(chosen) {
    const shown = [...chosen.interactions].sort((a, b) => b.share - a.share).slice(0, 12);
    const most = Math.max(...shown.map((own) => own.share), 1e-12);
    const rows = shown.map((own) => el("tr", {}, el("th", {scope: "row"}, `${own.first} with ${own.second}`), el("td", {}, percent(own.share, 2)),
      el("td", {class: "bar-cell"}, svg("svg", {width: BAR, height: 14, "aria-hidden": "true"}, svg("rect", {y: 1, width: (own.share / most) * BAR, height: 12, fill: POINT_COLOUR})))));
    return table("Interactions: what two parameters explain together beyond each by itself", ["parameters", "share of the spread", ""], rows);
  }

  steps(steps) {
    const {study} = this;
    const range = ([low, middle, high]) => (low === high ? changeText(middle) : `${changeText(middle)} (${changeText(low)} to ${changeText(high)})`);
    const rows = steps.map((own) => el("tr", {}, el("th", {scope: "row"}, `${own.parameter}, one value ${own.up ? "up" : "down"}`), el("td", {}, figure(own.known)),
      study.objectives.map((_, place) => el("td", {}, own.ratios.length ? range(own.ratios[place]) : ABSENT)), el("td", {}, own.unknown ? figure(own.unknown) : "")));
    return table("One step from a point of the front, all else equal: median (least to largest)",
      ["step", "points", ...study.objectives.map((axis) => axis.title), "led to no figures"], rows);
  }
}
