// A panel of lines: one uPlot, its title and a legend that also shows values.
import uPlot from "uplot";
import { h, put } from "./dom.js";
import { human, text, timeLabels } from "./format.js";

const HEIGHT = 150;

export class LinePlot {
  constructor(panel, index, view) {
    this.panel = panel;
    this.index = index;
    this.view = view;
    this.scratch = [];
    this.hidden = new Set();
    this.problem = h("div", { class: "mll-problem" });
    this.values = [];
    this.box = h("div", { class: "mll-canvas" });
    this.element = h(
      "section",
      { class: "mll-panel", role: "group", "aria-label": panel.title },
      h("div", { class: "mll-title", title: panel.expr }, panel.title),
      this.box,
      this.#legend(),
    );
    this.plot = new uPlot(this.#options(), [[], ...panel.series.map(() => [])], this.box);
    this.box.append(this.problem);
  }

  get history() {
    return this.view.page.histories[this.index];
  }

  resize(width) {
    if (width > 0 && width !== this.plot.width) {
      this.plot.setSize({ width, height: HEIGHT });
    }
  }

  draw(from, to, slow) {
    const data = this.history.slice(from, to, this.scratch);
    this.plot.batch(() => {
      this.plot.setData(data, false);
      this.plot.setScale("x", { min: from, max: to });
    });
    const empty = data[0].length === 0;
    put(this.problem, this.panel.problem || (empty ? "waiting for samples" : ""));
    this.element.classList.toggle("mll-failed", this.panel.problem !== "");
    if (slow) {
      this.showValues();
    }
  }

  restyle() {
    this.plot.redraw(false, true);
    this.panel.series.forEach((_, i) => {
      this.values[i].swatch.style.background = this.#color(i);
    });
  }

  showValues() {
    const row = this.plot.cursor.idx;
    const pointed = row !== null && row !== undefined && this.plot.cursor.left >= 0;
    this.panel.series.forEach((_, i) => {
      const column = this.plot.data[i + 1];
      const value = pointed && column ? column[row] : this.history.latest(i, this.view.range().to);
      put(this.values[i].value, text(value ?? NaN, this.panel.unit));
    });
  }

  #pointed(plot) {
    this.showValues();
    const { left } = plot.cursor;
    const time = left >= 0 ? plot.posToVal(left, "x") : NaN;
    if (!Object.is(time, this.view.pointed)) {
      this.view.point(time);
    }
  }

  close() {
    this.plot.destroy();
  }

  #color(i) {
    const palette = this.view.colors.series;
    return palette[i % palette.length];
  }

  #legend() {
    const items = this.panel.series.map((name, i) => {
      const swatch = h("span", { class: "mll-swatch" });
      swatch.style.background = this.#color(i);
      const value = h("span", { class: "mll-value" });
      const button = h(
        "button",
        {
          type: "button",
          class: "mll-key",
          "aria-pressed": "true",
          title: `Show or hide ${name || this.panel.title}`,
          onclick: () => this.#toggle(i, button),
        },
        swatch,
        h("span", { class: "mll-name" }, name || this.panel.title),
        value,
      );
      this.values.push({ swatch, value });
      return button;
    });
    const more = this.panel.more > 0 ? [h("span", { class: "mll-more" }, `+${this.panel.more} more`)] : [];
    return h("div", { class: "mll-legend" }, ...items, ...more);
  }

  #toggle(i, button) {
    const show = this.hidden.has(i);
    if (show) {
      this.hidden.delete(i);
    } else {
      this.hidden.add(i);
    }
    button.setAttribute("aria-pressed", String(show));
    this.plot.setSeries(i + 1, { show });
  }

  #options() {
    const { panel, view } = this;
    const look = () => view.colors;
    const axis = {
      stroke: () => look().ink,
      font: "11px system-ui, sans-serif",
      grid: { stroke: () => look().grid, width: 1 },
      ticks: { show: false },
    };
    const filled = panel.kind === "band" && panel.series.length > 1;
    return {
      width: 400,
      height: HEIGHT,
      padding: [6, 22, 0, 0],
      legend: { show: false },
      pxAlign: 0,
      scales: { x: { time: true, auto: false }, y: { range: (_, low, high) => limits(low, high) } },
      axes: [
        {
          ...axis,
          size: 24,
          gap: 6,
          space: 76,
          values: (_, splits, _a, _s, increment) => timeLabels(splits, increment),
        },
        {
          ...axis,
          size: (_, labels) => axisSize(labels),
          gap: 4,
          space: 28,
          values: (_, splits) => axisLabels(splits, panel.unit),
        },
      ],
      series: [
        {},
        ...panel.series.map((name, i) => ({
          label: name,
          stroke: () => this.#color(i),
          width: 1.4,
          points: { show: false },
        })),
      ],
      bands: filled
        ? panel.series.slice(1).map((_, i) => ({
            series: [i + 2, i + 1],
            fill: () => `${this.#color(i + 1)}22`,
          }))
        : [],
      cursor: {
        y: false,
        points: { size: 6 },
        drag: { x: true, y: false, setScale: false },
        sync: {
          key: view.syncKey,
          setSeries: false,
          filters: { pub: (type) => type === "mousemove" || type === "mouseleave" },
        },
        bind: { dblclick: () => () => view.follow() },
      },
      hooks: {
        drawClear: [(u) => view.shade(u)],
        setCursor: [(u) => this.#pointed(u)],
        setSelect: [
          (u) => {
            const { left, width } = u.select;
            if (width > 8) {
              view.show(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
            }
            if (width > 0) {
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            }
          },
        ],
      },
    };
  }
}

// Wide enough for its labels, in steps, so that plots below each other mostly line up.
function axisSize(labels) {
  const longest = Math.max(0, ...(labels ?? []).map((label) => label.length));
  return longest <= 7 ? 56 : 56 + 14 * Math.ceil((longest - 7) / 2);
}

// A little air above and below; from zero where the values are not far above it.
function limits(low, high) {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) {
    return [0, 1];
  }
  if (low >= 0 && low < 0.6 * high) {
    return [0, high * 1.08];
  }
  const pad = (high - low) * 0.1 || Math.abs(high) * 0.05 || 0.5;
  const base = low - pad;
  return [low >= 0 ? Math.max(0, base) : base, high + pad];
}

// All labels of an axis with one unit, as many digits as tell them apart.
function axisLabels(splits, unit) {
  const biggest = Math.max(...splits.map((value) => Math.abs(value)));
  const [, shown] = human(biggest, unit);
  const probe = human(biggest, unit)[0];
  const suffix = /[kMGT]$/.test(probe) ? probe.slice(-1) : "";
  const factor = Number(biggest / Number.parseFloat(probe)) || 1;
  const step = splits.length > 1 ? Math.abs(splits[1] - splits[0]) : biggest;
  const scale = nearestScale(factor);
  const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step / scale) - 1e-9)));
  const tight = shown.length <= 2 ? shown : "";
  return splits.map((value) => {
    const number = (value / scale).toFixed(digits);
    const trimmed = number.includes(".") ? number.replace(/\.?0+$/, "") : number;
    return value === 0 ? "0" : `${trimmed}${suffix}${tight ? (tight === "%" || suffix ? "" : " ") + tight : ""}`;
  });
}

const SCALES = [1e-6, 1e-3, 0.01, 1, 60, 3600, 1e3, 1e6, 1e9, 1e12];

// The exact factor behind a rounded one.
function nearestScale(factor) {
  return SCALES.reduce((best, one) =>
    Math.abs(Math.log(one / factor)) < Math.abs(Math.log(best / factor)) ? one : best,
  );
}
