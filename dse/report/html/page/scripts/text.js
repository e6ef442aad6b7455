// Numbers as text: few digits, units that read well, nothing that depends on the reader's locale.

const ABSENT = "–";
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function grouped(text) {
  const [whole, part] = text.split(".");
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return part === undefined ? groups : `${groups}.${part}`;
}

function powerOfTen(exponent) {
  return [...String(exponent)].map((digit) => (digit === "-" ? "⁻" : SUPERSCRIPTS[Number(digit)])).join("");
}

/** A number to some significant digits: 12,345 or 0.0123 or 2.73 × 10¹⁶. */
function figure(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e13 || size < 1e-4) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    return `${Number(mantissa)} × 10${powerOfTen(Number(exponent))}`;
  }
  if (Number.isInteger(value)) return grouped(String(value));
  if (size >= 10 ** digits) return grouped(String(Math.round(value)));
  return grouped(String(Number(value.toPrecision(digits))));
}

function percent(share, digits = 1) {
  if (share === null || share === undefined || !Number.isFinite(share)) return ABSENT;
  const value = 100 * share;
  if (value !== 0 && Math.abs(value) < 0.5 * 10 ** -digits) return `< ${10 ** -digits} %`;
  return `${value.toFixed(digits)} %`;
}

const ENERGY_UNITS = [[1e12, "J"], [1e9, "mJ"], [1e6, "µJ"], [1e3, "nJ"], [1, "pJ"]];

/** {size, name}: the unit of energy in which the largest of some figures reads well. */
function energyUnit(largestPj) {
  const [size, name] = ENERGY_UNITS.find(([own]) => largestPj >= own) ?? [1, "pJ"];
  return {size, name};
}

/** {size, name}: the unit in which an axis is shown whose largest value is given. */
function unitOf(axis, largest) {
  if (axis.name === "energy") return energyUnit(largest);
  if (axis.name === "area") return {size: 1e6, name: "mm²"};
  return {size: 1, name: axis.unit};
}

const PREFIXES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** The text of a tick: 2.5M, 300k, 0.01. */
function tick(value) {
  const size = Math.abs(value);
  if (size >= 1e15) return figure(value, 3);
  for (const [own, letter] of PREFIXES) if (size >= own) return `${Number((value / own).toPrecision(6))}${letter}`;
  return size !== 0 && size < 1e-3 ? figure(value, 3) : String(Number(value.toPrecision(6)));
}

function many(count, word, plural = `${word}s`) {
  return `${figure(count)} ${count === 1 ? word : plural}`;
}

/** Text that may break after _ and before a bracket: parts to put into an element. */
function breakable(text) {
  return text.split(/(?<=_)/).flatMap((part, index) => (index ? [document.createElement("wbr"), part] : [part]));
}

/** a, b and c. */
function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}
