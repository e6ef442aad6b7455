// What failed, was pruned or was refused, by reason.

const MOST_GROUPS = 12;

const STANDING_TITLES = {pruned: "Pruned: no schedule brings them onto the front", "over budget": "Over a budget of the study",
  "no architecture": "No valid architecture", incomplete: "Incomplete: layers without a schedule"};

function showReasons(study, state, box) {
  const {groups} = study.group;
  const counts = STANDINGS.filter((name) => study.group.standing.length && study.counts[name]);
  const left = study.planned === null ? null : study.planned - study.reached;
  const outside = study.planned === null ? 0 : study.combinations - study.planned;
  const lines = [
    `${many(study.combinations, "combination")} of parameter values` + (outside ? `, of which constraints leave out ${figure(outside)}` : "") +
      `; the sweep has come to ${figure(study.reached)}` + (left > 0 ? ` and has ${figure(left)} to go` : "") + ".",
  ];
  const summary = table("Variants by where they stand (all networks)", ["standing", "variants"],
    counts.map((name) => el("tr", {}, el("th", {scope: "row"}, STANDING_WORDS[STANDINGS.indexOf(name)]), el("td", {}, figure(study.counts[name])))));
  const parts = [el("p", {}, lines), summary];
  for (const [name, title] of Object.entries(STANDING_TITLES)) {
    const own = groups.filter((group) => group.standing === name);
    if (!own.length) continue;
    const row = (group) => el("tr", {}, el("td", {}, figure(group.count)), el("td", {class: "text wide"}, group.example),
      el("td", {class: "text"}, group.variants.slice(0, 8).join(", ") + (group.count > 8 ? ", …" : "")));
    const shown = (groups, caption) => table(caption, ["variants", el("th", {scope: "col", class: "text"}, "reason of the first"), "which"], groups.map(row));
    parts.push(el("h3", {}, `${title} (${figure(own.reduce((sum, group) => sum + group.count, 0))})`),
      shown(own.slice(0, MOST_GROUPS), `${title}: reasons alike but for their numbers together`));
    const rest = own.slice(MOST_GROUPS);
    if (rest.length) parts.push(el("details", {}, el("summary", {}, `${many(rest.length, "more reason")}`), shown(rest, `${title}: the other reasons`)));
  }
  if (!groups.length) parts.push(el("p", {}, "Nothing failed, and nothing was left out."));
  box.replaceChildren(...parts);
}
