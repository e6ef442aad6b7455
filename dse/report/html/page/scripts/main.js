// Puts the page together: the overview first, the layers when they are unpacked.

function heading(study) {
  const {goals, counts} = study;
  const networks = study.networks.map((network) => (network.weight === 1 ? network.name : `${figure(network.weight)} × ${network.name}`));
  const together = networks.length > 1 && goals.combine !== "sum" ? `the geometric mean of ${listed(networks)}` : listed(networks);
  const complete = counts.front + counts.open + counts.contender + counts.dominated;
  const parts = [`${figure(study.reached)} variants`, `${figure(complete)} compared`];
  for (const name of ["pruned", "over budget", "no architecture", "incomplete"]) if (counts[name]) parts.push(`${figure(counts[name])} ${name}`);
  return [
    el("p", {class: "kind"}, "Design-space exploration"),
    el("h1", {}, study.name),
    study.description ? el("p", {class: "description"}, study.description) : null,
    el("p", {class: "line"}, `${together}. Schedules by the objective ${study.objective}; the front is of ${listed(study.objectives.map((axis) => axis.title))}. ${parts.join(", ")}.` +
      (study.count < study.reached ? ` ${figure(study.count)} of them are on this page: those on a front or near it, and an even choice of the others.` : "")),
  ].filter(Boolean);
}

function verdict(study) {
  const {group} = study;
  if (!group.front) return "No variant is complete, so that there is no front.";
  const ends = study.objectives.map((axis) => {
    let best = null;
    for (let index = 0; index < study.count; index++) {
      if (!study.onFront(index)) continue;
      const better = best === null || (axis.maximise ? study.figure(index, axis.name) > study.figure(best, axis.name) : study.figure(index, axis.name) < study.figure(best, axis.name));
      if (better) best = index;
    }
    return `${study.names[best]} has the ${axis.maximise ? "most" : "least"} ${axis.title} (${shownFigure(axis, study.figure(best, axis.name))})`;
  });
  const edp = study.axisNamed.get("edp");
  const best = study.recommended;
  const middle = edp && !edp.objective && best !== null ? `${study.names[best]} the least EDP of these (${shownFigure(edp, study.figure(best, "edp"))})` : "";
  return `${many(group.front, "variant")} ${group.front === 1 ? "is" : "are"} on the front of ${listed(study.objectives.map((axis) => axis.title))}. ${listed([...ends, middle].filter(Boolean))}.`;
}

function section(id, title, ...children) {
  byId(id).append(el("h2", {id: `${id}-title`}, title), ...children);
}

async function start() {
  const study = new Study(await unpacked("overview-data"));
  const [first, second] = study.objectives;
  const visible = study.names.map((_, index) => index);
  const widest = study.varied[0];
  const state = new Choice({group: study.chosenGroup, variant: study.recommended, visible, x: first.name, y: second.name,
    colour: study.objectives[2]?.name ?? (widest === undefined ? "" : `parameter ${widest}`)});
  byId("top").append(...heading(study));

  const words = el("p", {class: "verdict"});
  const sure = el("p", {});
  const volume = el("p", {class: "note"});
  const speak = () => {
    words.textContent = verdict(study);
    sure.textContent = certaintyText(study);
    volume.textContent = study.group.volume ? `${study.group.volume[0].toUpperCase()}${study.group.volume.slice(1)}.` : "";
  };
  const groups = study.groups.length > 1 ? el("div", {class: "controls"}, choice("Network", study.groups.map((own, place) => [String(place), own.name]), String(study.chosenGroup), (value) => {
    study.chosenGroup = Number(value);
    speak();
    state.set({group: study.chosenGroup});
  })) : null;
  speak();
  const frontTable = el("div", {});
  section("certainty", "Which variants are on the front, and how sure is that", ...[groups, words, sure, frontTable, volume].filter(Boolean));
  new VariantTable(study, state, frontTable);

  const filters = el("div", {class: "screen"});
  const picture = el("div", {});
  section("front", "The picture", filters, picture);
  new FrontPicture(study, state, picture);
  new Filters(study, state, filters);

  const effects = el("div", {});
  section("parameters", "What each parameter does", effects);
  new EffectsSection(study, state, effects);

  const reasons = el("div", {});
  section("left-out", "What was left out, and why", reasons);
  showReasons(study, state, reasons);
  state.listen((changed) => changed.has("group") && showReasons(study, state, reasons));

  const originBox = el("div", {});
  section("origin", "How the study was run", originBox);
  showOrigin(await unpacked("origin-data"), originBox);
  new VariantPanel(study, new LayerData(await unpacked("layers-data")), state, byId("variant"));
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  byId("fault").hidden = false;
  byId("fault").textContent = `The report cannot be shown: ${error.message}. It needs a browser of 2023 or later.`;
  throw error;
});
