// The alerts: one lane each, coloured by state over time, with the state now in words.
import { fit, h, put } from "./dom.js";
import { clock } from "./format.js";

const ROW = 24;
const COLORS = {
  light: { inactive: "rgba(0,128,93,0.22)", pending: "#E69F00", error: "#D55E00", warning: "#D55E00", info: "#0072B2", critical: "#C2185B", escalated: "#7B1FA2" },
  dark: { inactive: "rgba(43,181,148,0.25)", pending: "#E69F00", error: "#F0703A", warning: "#F0703A", info: "#56B4E9", critical: "#F0508A", escalated: "#C77DFF" },
};

export class Lanes {
  constructor(view) {
    this.view = view;
    this.rows = [];
    this.names = h("div", { class: "mll-lane-names" });
    this.canvas = h("canvas", { class: "mll-lane-canvas", "aria-hidden": "true" });
    this.told = h("div", { class: "mll-sr", "aria-live": "polite" });
    this.canvas.addEventListener("mousemove", (event) => this.#explain(event));
    this.element = h(
      "section",
      { class: "mll-lanes", role: "group", "aria-label": "Alerts", hidden: true },
      this.names,
      this.canvas,
      this.told,
    );
    this.key = "";
  }

  get lanes() {
    return this.view.page.lanes;
  }

  draw(from, to) {
    const { lanes } = this;
    const key = lanes.map((lane) => lane.name).join("\n");
    if (key !== this.key) {
      this.key = key;
      this.#build(lanes);
    }
    if (lanes.length === 0) {
      return;
    }
    const palette = COLORS[this.view.colors.dark ? "dark" : "light"];
    const { context, width } = fit(this.canvas);
    const x = (time) => ((time - from) / (to - from)) * width;
    lanes.forEach((lane, row) => {
      const states = lane.s;
      const now = stateAt(states, to);
      const chip = this.rows[row];
      if (chip.dataset.state !== now) {
        if (chip.dataset.state) {
          put(this.told, `${lane.name} ${now}`);
        }
        chip.dataset.state = now;
        chip.dataset.severity = lane.sev;
        put(chip, now);
      }
      const top = row * ROW + 5;
      context.fillStyle = palette.inactive;
      const begin = Math.min(width, Math.max(0, x(this.view.page.oldest)));
      context.fillRect(begin, top + 5, Math.max(0, width - begin), ROW - 20);
      for (let i = 0; i < states.length; i++) {
        const [time, state] = states[i];
        const color = colorOf(palette, state, lane.sev);
        const end = i + 1 < states.length ? states[i + 1][0] : to;
        if (!color || end < from || time > to) {
          continue;
        }
        const left = Math.max(0, x(time));
        context.fillStyle = color;
        context.fillRect(left, top, Math.max(2, Math.min(width, x(end)) - left), ROW - 10);
      }
    });
  }

  /** Give [from, to] of every stretch in which something fires, for the plots. */
  firing(from, to) {
    const found = [];
    for (const lane of this.lanes) {
      for (let i = 0; i < lane.s.length; i++) {
        const [time, state] = lane.s[i];
        const end = i + 1 < lane.s.length ? lane.s[i + 1][0] : to;
        if ((state === "firing" || state === "escalated") && end >= from && time <= to) {
          found.push([Math.max(time, from), Math.min(end, to)]);
        }
      }
    }
    found.sort((a, b) => a[0] - b[0]);
    const merged = [];
    for (const [begin, end] of found) {
      const last = merged[merged.length - 1];
      if (last && begin <= last[1]) {
        last[1] = Math.max(last[1], end);
      } else {
        merged.push([begin, end]);
      }
    }
    return merged;
  }

  // Lanes that come and go are made anew; each then says its state for the first time.
  #build(lanes) {
    this.rows = [];
    const names = lanes.map((lane) => {
      const chip = h("span", { class: "mll-chip" });
      this.rows.push(chip);
      return h("div", { class: "mll-lane" }, chip, h("span", { class: "mll-lane-name", title: lane.name }, lane.name));
    });
    this.names.replaceChildren(...names);
    this.canvas.style.height = `${lanes.length * ROW}px`;
    this.element.hidden = lanes.length === 0;
  }

  #explain(event) {
    const lane = this.lanes[Math.floor(event.offsetY / ROW)];
    if (!lane) {
      return;
    }
    const { from, to } = this.view.range();
    const time = from + (event.offsetX / this.canvas.clientWidth) * (to - from);
    this.canvas.title = `${lane.name}: ${stateAt(lane.s, time)} at ${clock(time)}`;
  }
}

function stateAt(states, time) {
  let found = "inactive";
  for (const [begin, state] of states) {
    if (begin > time) {
      break;
    }
    found = state;
  }
  return found;
}

function colorOf(palette, state, severity) {
  if (state === "pending" || state === "escalated") {
    return palette[state];
  }
  return state === "firing" ? (palette[severity] ?? palette.error) : null;
}
