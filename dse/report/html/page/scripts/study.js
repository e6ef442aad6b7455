// The data of the page, and what is chosen on it.

const STANDINGS = ["front", "open", "contender", "dominated", "over budget", "pruned", "no architecture", "incomplete"];
const [FRONT, OPEN, CONTENDER, DOMINATED] = [0, 1, 2, 3];

async function unpacked(id) {
  const bytes = Uint8Array.from(atob(byId(id).textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

class Study {
  constructor(data) {
    Object.assign(this, data);
    this.count = this.names.length;
    this.axisNamed = new Map(this.axes.map((axis) => [axis.name, axis]));
    this.chosenGroup = this.groups.length - 1;
    this.places = new Map();
    for (let index = 0; index < this.count; index++) this.places.set(this.key(this.digitsOf(index)), index);
  }

  get group() {
    return this.groups[this.chosenGroup];
  }

  get objectives() {
    return this.axes.filter((axis) => axis.objective);
  }

  digitsOf(index) {
    return this.digits.map((column) => column[index]);
  }

  key(digits) {
    return digits.join(",");
  }

  /** The variant one value of a parameter further, or undefined. */
  neighbour(index, parameter, step) {
    const digits = this.digitsOf(index);
    digits[parameter] += step;
    return this.places.get(this.key(digits));
  }

  value(index, parameter) {
    return this.parameters[parameter].values[this.digits[parameter][index]];
  }

  parametersText(index) {
    return this.parameters.map((own, place) => `${own.name} ${this.value(index, place)}`).join(", ");
  }

  figure(index, axis) {
    return this.group.figures[axis][index];
  }

  standing(index) {
    return this.group.standing[index];
  }

  onFront(index) {
    return this.standing(index) <= OPEN;
  }

  compared(index) {
    return this.standing(index) <= DOMINATED;
  }

  /** Networks of the chosen group, by their place. */
  get networksShown() {
    return this.chosenGroup < this.networks.length ? [this.chosenGroup] : this.networks.map((_, place) => place);
  }

  /** The values of parameters alone that vary. */
  get varied() {
    return this.parameters.map((_, place) => place).filter((place) => this.parameters[place].values.length > 1);
  }

  gap(index) {
    const {value, bound} = this.group;
    return value.length && value[index] && bound[index] ? value[index] / bound[index] - 1 : null;
  }

  /** The variant of the front with the least energy-delay product. */
  get recommended() {
    const edp = this.group.figures.edp ?? this.group.figures[this.objectives[0].name];
    let best = null;
    for (let index = 0; index < this.count; index++) {
      if (this.onFront(index) && (best === null || edp[index] < edp[best])) best = index;
    }
    return best;
  }
}

/** What is chosen: those who listen are told of every change, with the names of what changed. */
class Choice {
  constructor(values) {
    Object.assign(this, values);
    this.listeners = [];
  }

  listen(...listeners) {
    this.listeners.push(...listeners);
  }

  set(values) {
    const changed = new Set(Object.keys(values).filter((name) => this[name] !== values[name]));
    if (!changed.size) return;
    Object.assign(this, values);
    for (const listener of this.listeners) listener(changed);
  }
}
