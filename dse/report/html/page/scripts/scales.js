// From figures to places on a picture and to colours.

const LOG_SPAN = 8; // a wider span than this is drawn on a logarithmic axis

function spansWidely(values) {
  const [low, high] = extent(values);
  return low > 0 && high / low > LOG_SPAN;
}

function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

/** The extent with some room on both sides. */
function roomy([low, high], log, room = 0.06) {
  if (log) {
    const span = Math.max(Math.log(high / low), 0.1) * room;
    return [low * Math.exp(-span), high * Math.exp(span)];
  }
  const span = (high - low || Math.abs(high) || 1) * room;
  return [low - span, high + span];
}

/** value -> place; `invert` goes back; `ticks` are round values. */
function makeScale([low, high], [from, to], log) {
  const forth = log ? Math.log : (value) => value;
  const back = log ? Math.exp : (value) => value;
  const [start, end] = [forth(low), forth(high)];
  const scale = (value) => from + ((forth(value) - start) / (end - start)) * (to - from);
  scale.invert = (place) => back(start + ((place - from) / (to - from)) * (end - start));
  scale.domain = [low, high];
  scale.log = log;
  scale.ticks = (count) => (log && high / low > 3 ? logTicks(low, high, count) : linearTicks(low, high, count));
  /** The domain around a place, larger or smaller by a factor. */
  scale.zoomed = (place, factor) => {
    const centre = start + ((place - from) / (to - from)) * (end - start);
    return [back(centre + (start - centre) * factor), back(centre + (end - centre) * factor)];
  };
  scale.moved = (distance) => {
    const shift = (distance / (to - from)) * (end - start);
    return [back(start - shift), back(end - shift)];
  };
  return scale;
}

function linearTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((own) => own >= rough);
  const ticks = [];
  for (let index = Math.ceil(low / step); index * step <= high; index++) ticks.push(index * step);
  return ticks;
}

function logTicks(low, high, count) {
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const factor of factors) {
        const value = Number(`${factor}e${power}`);
        if (value >= low && value <= high) ticks.push(value);
      }
    }
    if (ticks.length <= Math.max(count, 3)) return ticks.length > 1 ? ticks : linearTicks(low, high, count);
    if (factors.length === 1) return ticks.filter((_, index) => index % Math.ceil(ticks.length / count) === 0);
  }
  return [];
}

/** Axes with grid, ticks and titles around a field; returns their nodes. */
function axes(x, y, field, titles) {
  const nodes = [];
  for (const value of x.ticks(Math.max(2, Math.floor((field.right - field.left) / 90)))) {
    const place = x(value);
    nodes.push(svg("line", {class: "grid", x1: place, x2: place, y1: field.top, y2: field.bottom}));
    nodes.push(svg("text", {class: "tick", x: place, y: field.bottom + 16, "text-anchor": "middle"}, tick(value)));
  }
  for (const value of y.ticks(Math.max(2, Math.floor((field.bottom - field.top) / 48)))) {
    const place = y(value);
    nodes.push(svg("line", {class: "grid", x1: field.left, x2: field.right, y1: place, y2: place}));
    nodes.push(svg("text", {class: "tick", x: field.left - 6, y: place + 4, "text-anchor": "end"}, tick(value)));
  }
  nodes.push(svg("path", {class: "axis", d: `M${field.left},${field.top}V${field.bottom}H${field.right}`}));
  const middle = (field.left + field.right) / 2;
  nodes.push(svg("text", {class: "title", x: middle, y: field.bottom + 36, "text-anchor": "middle"}, titles[0]));
  const centre = (field.top + field.bottom) / 2;
  nodes.push(svg("text", {class: "title", x: 14, y: centre, "text-anchor": "middle",
    transform: `rotate(-90 14 ${centre})`}, titles[1]));
  return nodes;
}

// Cividis (J. R. Nuñez et al., PLOS ONE 13:7, 2018) at nine places: it reads alike with every kind of colour vision.
const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55"];

function cividis(share) {
  const place = Math.max(0, Math.min(1, share)) * (CIVIDIS.length - 1);
  const index = Math.min(CIVIDIS.length - 2, Math.floor(place));
  const [before, after] = [CIVIDIS[index], CIVIDIS[index + 1]].map((text) =>
    [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16)));
  return `rgb(${before.map((own, part) => Math.round(own + (after[part] - own) * (place - index))).join(",")})`;
}

// The palette of M. Okabe and K. Ito (2002), grey for the MACs.
const OKABE_ITO = ["#56b4e9", "#009e73", "#f0e442", "#e69f00", "#cc79a7", "#0072b2", "#d55e00"];
const MACS_COLOUR = "#8c8c8c";
