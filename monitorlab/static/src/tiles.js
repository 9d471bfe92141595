// Tiles: one number with a small line, or with a gauge.
import { fit, h, put, svg } from "./dom.js";
import { human } from "./format.js";

export class Tile {
  constructor(panel, index, view) {
    this.panel = panel;
    this.index = index;
    this.view = view;
    this.scratch = [];
    this.number = h("span", { class: "mll-number" }, "–");
    this.unit = h("span", { class: "mll-unit" });
    this.note = h("div", { class: "mll-note" });
    const body = h("div", { class: "mll-body" }, h("div", {}, this.number, this.unit));
    if (panel.kind === "gauge") {
      this.arc = svg("path", { class: "mll-arc", d: "M6 42 A34 34 0 0 1 74 42", pathLength: 100 });
      const back = svg("path", { class: "mll-arc-back", d: "M6 42 A34 34 0 0 1 74 42" });
      body.append(
        svg("svg", { class: "mll-dial", viewBox: "0 0 80 46", "aria-hidden": "true" }, back, this.arc),
      );
    }
    this.canvas = h("canvas", { class: "mll-spark", "aria-hidden": "true" });
    this.element = h(
      "section",
      { class: panel.kind === "gauge" ? "mll-tile mll-dialled" : "mll-tile", role: "group", "aria-label": panel.title },
      h("div", { class: "mll-title", title: panel.expr }, panel.title),
      body,
      this.note,
      this.canvas,
    );
  }

  resize() {}

  restyle() {}

  close() {}

  draw(from, to, slow) {
    const history = this.view.page.histories[this.index];
    const { panel } = this;
    const value = history.count ? history.latest(0, to) : NaN;
    const [number, unit] = human(value, panel.unit);
    put(this.number, number);
    put(this.unit, unit);
    put(this.note, panel.problem || (history.length ? "" : "waiting for samples"));
    if (this.arc) {
      const share = Math.min(1, Math.max(0, (value - panel.least) / (panel.most - panel.least || 1)));
      const filled = Number.isFinite(share) ? share * 100 : 0;
      this.arc.setAttribute("stroke-dasharray", `${filled} 100`);
      const bad = panel.bad === "down" ? 1 - share : share;
      const mood = panel.bad === null ? "" : bad > 0.9 ? "mll-high" : bad > 0.75 ? "mll-warm" : "";
      this.arc.setAttribute("class", `mll-arc ${mood}`);
    }
    if (slow) {
      this.#spark(history, from, to);
    }
  }

  #spark(history, from, to) {
    const { context, width, height } = fit(this.canvas);
    if (!history.count || history.length < 2 || width === 0) {
      return;
    }
    const [times, values] = history.slice(from, to, this.scratch);
    let low = Infinity;
    let high = -Infinity;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (Number.isFinite(value)) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    if (low > high) {
      return;
    }
    const room = high - low || 1;
    const step = Math.max(1, Math.floor(values.length / (2 * width)));
    context.beginPath();
    let pen = false;
    for (let i = 0; i < values.length; i += step) {
      const value = values[i];
      if (value === undefined) {
        continue;
      }
      if (!Number.isFinite(value)) {
        pen = false;
        continue;
      }
      const x = ((times[i] - from) / (to - from)) * width;
      const y = high === low ? height / 2 : height - 2 - ((value - low) / room) * (height - 5);
      if (pen) {
        context.lineTo(x, y);
      } else {
        context.moveTo(x, y);
      }
      pen = true;
    }
    context.lineWidth = 1.3;
    context.strokeStyle = this.view.colors.series[0];
    context.stroke();
  }
}
