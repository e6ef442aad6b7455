// Which variants the picture and the table show, by the values of parameters.

const BOXES = 12; // a parameter of more values is filtered by its least and largest one

class Filters {
  constructor(study, state, holder) {
    Object.assign(this, {study, state});
    this.allowed = study.parameters.map((own) => own.values.map(() => true));
    this.count = el("p", {class: "note", role: "status"});
    const groups = study.varied.map((place) => this.group(place));
    if (!groups.length) return;
    this.form = el("form", {onsubmit: (event) => event.preventDefault()}, el("div", {class: "filters"}, groups),
      el("button", {type: "button", onclick: () => this.clear()}, "Clear the filters"));
    holder.append(el("details", {class: "filter-box"}, el("summary", {}, "Filter by parameters"), this.form), this.count);
    this.tell();
  }

  group(place) {
    const {name, values} = this.study.parameters[place];
    if (values.length <= BOXES) {
      return el("fieldset", {}, el("legend", {}, name), values.map((value, digit) => el("label", {class: "box"},
        el("input", {type: "checkbox", checked: true, "data-parameter": place, "data-digit": digit, onchange: (event) => {
          this.allowed[place][digit] = event.target.checked;
          this.tell();
        }}), String(value))));
    }
    const ends = [0, values.length - 1];
    const options = values.map((value, digit) => [String(digit), String(value)]);
    const bound = (text, end) => choice(text, options, String(ends[end]), (value) => {
      ends[end] = Number(value);
      this.allowed[place] = values.map((_, digit) => digit >= ends[0] && digit <= ends[1]);
      this.tell();
    });
    return el("fieldset", {}, el("legend", {}, name), bound("from", 0), bound("to", 1));
  }

  clear() {
    this.allowed = this.study.parameters.map((own) => own.values.map(() => true));
    for (const box of this.form.querySelectorAll("input")) box.checked = true;
    for (const select of this.form.querySelectorAll("select")) {
      select.selectedIndex = select.previousSibling.textContent === "from" ? 0 : select.options.length - 1;
    }
    this.tell();
  }

  tell() {
    const {study} = this;
    const visible = [];
    for (let index = 0; index < study.count; index++) {
      if (this.allowed.every((digits, place) => digits[study.digits[place][index]])) visible.push(index);
    }
    this.count.textContent = visible.length === study.count ? "" : `${figure(visible.length)} of ${many(study.count, "variant")} fit the filters.`;
    this.state.set({visible});
  }
}
