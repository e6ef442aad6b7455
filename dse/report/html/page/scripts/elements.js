// Elements of HTML and SVG. Text from the study becomes text nodes and nothing else.

const SVG = "http://www.w3.org/2000/svg";

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function el(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function byId(id) {
  return document.getElementById(id);
}

let controls = 0;

/** A label with the control that it names. */
function labelled(text, control, kind = "control") {
  control.id ||= `control-${++controls}`;
  return el("span", {class: kind}, el("label", {for: control.id}, text), control);
}

/** A choice among [value, text] pairs. */
function choice(text, options, chosen, onchange) {
  const select = el("select", {onchange: () => onchange(select.value)});
  select.append(...options.map(([value, shown]) => el("option", {value, selected: value === chosen}, shown)));
  return labelled(text, select);
}

function table(caption, header, rows, attributes = {}) {
  const head = header.map((cell) => (cell instanceof Node ? cell : el("th", {scope: "col"}, cell)));
  return el("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": caption},
    el("table", attributes, el("caption", {}, caption), el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
}

/** Tell a screen reader. */
function say(text) {
  byId("said").textContent = text;
}

/** Lines beside the pointer, or nothing. */
function showTip(lines, event) {
  const tip = byId("tip");
  tip.hidden = !lines;
  if (!lines) return;
  tip.replaceChildren(...lines.map((line, index) => el(index ? "div" : "strong", {}, line)));
  const {innerWidth, innerHeight} = window;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8))}px`;
  tip.style.top = `${event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 10 : event.clientY + 18}px`;
}

function tipped(node, lines) {
  node.addEventListener("pointermove", (event) => showTip(lines(), event));
  node.addEventListener("pointerleave", () => showTip(null));
  return node;
}
