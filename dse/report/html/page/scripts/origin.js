// How the study was run, and how to run it again.

function showOrigin(origin, box) {
  const facts = el("dl", {class: "facts wide-facts"}, origin.facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  const files = origin.files.map(([name, content]) => el("details", {}, el("summary", {}, name), el("pre", {tabindex: 0, role: "region", "aria-label": name}, content)));
  const parts = [facts, el("h3", {}, "To run it again"), el("p", {}, origin.how), el("pre", {class: "command", tabindex: 0, role: "region", "aria-label": "Command"}, origin.command),
    el("p", {}, "These files hold the study as it was planned:"), ...files];
  if (origin.convergence.length > 1) parts.push(el("h3", {}, "How the front grew"), convergence(origin.convergence));
  box.replaceChildren(...parts);
}

/** The hypervolume over the variants looked at. */
function convergence(rows) {
  const [width, height] = [620, 260];
  const field = {left: 64, right: width - 14, top: 12, bottom: height - 46};
  const last = rows[rows.length - 1];
  const x = makeScale([0, last.variants], [field.left, field.right], false);
  const y = makeScale(roomy([0, extent(rows.map((row) => row.hypervolume))[1]], false, 0.05), [field.bottom, field.top], false);
  const steps = rows.map((row, place) => (place ? `H${x(row.variants)}V${y(row.hypervolume)}` : `M${x(row.variants)},${y(row.hypervolume)}`)).join("");
  const text = `Hypervolume ${figure(rows[0].hypervolume)} after ${many(rows[0].variants, "variant")}, ${figure(last.hypervolume)} after ${figure(last.variants)}`;
  return el("figure", {}, svg("svg", {class: "picture", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": text},
    axes(x, y, field, ["variants looked at", "hypervolume [share of the box]"]), svg("path", {class: "effect", d: steps})),
  el("figcaption", {class: "note"}, `${text}.`));
}
