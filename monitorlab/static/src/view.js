// One view of a page's data: toolbar, tiles, alerts and plots, and what keys and mouse do.
import { h, icon, put } from "./dom.js";
import { moment, span as spanText } from "./format.js";
import { Lanes } from "./lanes.js";
import { LinePlot } from "./plot.js";
import { colors, pageIsDark, watchTheme } from "./theme.js";
import { Tile } from "./tiles.js";

const SPANS = [15, 30, 60, 300, 900, 3600, 21600, 86400];
const TEXT_MS = 200; // numbers that change more often cannot be read
const SILENT_MS = 4000; // a running feed that says nothing for so long is told of
const HELP =
  "Space: pause. Left and right: scroll. Page up and down: scroll a whole window. " +
  "Plus and minus: zoom. Home: oldest. End: live.";
let count = 0;

export class View {
  constructor(page, element) {
    this.page = page;
    this.syncKey = `monitorlab-${page.id}-${++count}`;
    this.onScreen = false;
    this.following = true;
    this.right = NaN;
    this.span = 0;
    this.version = -1;
    this.parts = [];
    this.textAt = -Infinity;
    this.planned = 0;
    this.colors = colors(false);
    this.#build(element);
    this.lanes = new Lanes(this);
    this.lanesSlot.append(this.lanes.element);
    this.pointed = NaN;
    this.ticking = setInterval(() => {
      if (this.page.spec && this.onScreen) {
        this.#texts(this.range());
      }
    }, 1000);
    this.stopTheme = watchTheme(() => this.#restyle());
    this.seeing = new IntersectionObserver((entries) => {
      this.onScreen = entries[entries.length - 1].isIntersecting;
      if (this.onScreen) {
        this.invalidate();
      }
    });
    this.seeing.observe(this.root);
    this.sizing = new ResizeObserver(() => this.#resize());
    this.sizing.observe(this.root);
    page.views.add(this);
    this.#restyle();
    this.draw();
  }

  close() {
    this.page.views.delete(this);
    cancelAnimationFrame(this.planned);
    clearInterval(this.ticking);
    this.stopTheme();
    this.seeing.disconnect();
    this.sizing.disconnect();
    this.parts.forEach((part) => part.close());
    this.root.remove();
  }

  // -- time ------------------------------------------------------------------------------------

  range() {
    const newest = this.page.newest;
    const to = this.following || Number.isNaN(this.right) ? newest : this.right;
    const end = Number.isFinite(to) ? to : Date.now() / 1000;
    return { from: end - this.span, to: end };
  }

  follow() {
    this.following = true;
    this.textAt = -Infinity;
    this.invalidate();
  }

  pause() {
    if (this.following) {
      this.right = this.range().to;
      this.following = false;
    }
    this.textAt = -Infinity;
    this.invalidate();
  }

  toggle() {
    if (this.following) {
      this.pause();
    } else {
      this.follow();
    }
  }

  scroll(windows) {
    this.pause();
    this.#moveTo(this.right + windows * this.span);
  }

  show(from, to) {
    this.pause();
    this.span = Math.max(0.5, to - from);
    this.#moveTo(to);
  }

  zoom(direction) {
    const at = SPANS.findIndex((one) => one >= this.span);
    const current = at < 0 ? SPANS.length - 1 : at;
    this.setSpan(SPANS[Math.min(SPANS.length - 1, Math.max(0, current + direction))]);
  }

  setSpan(seconds) {
    this.span = seconds;
    this.textAt = -Infinity;
    if (this.page.oldest > this.range().from) {
      this.page.hello(seconds); // the kernel may have more than this page was given
    }
    this.invalidate();
  }

  #moveTo(right) {
    const { oldest, newest } = this.page;
    if (Number.isFinite(newest)) {
      this.right = Math.min(newest, Math.max(right, Math.min(newest, oldest + this.span)));
    }
    this.textAt = -Infinity;
    this.invalidate();
  }

  // -- drawing ---------------------------------------------------------------------------------

  invalidate() {
    if (!this.planned) {
      this.planned = requestAnimationFrame(() => {
        this.planned = 0;
        this.draw();
      });
    }
  }

  draw() {
    const { spec } = this.page;
    if (!spec) {
      return;
    }
    if (this.version !== this.page.version) {
      this.version = this.page.version;
      this.#rebuild(spec);
    }
    if (!this.onScreen) {
      return;
    }
    const now = this.page.now();
    const slow = now - this.textAt >= TEXT_MS;
    const { from, to } = this.range();
    for (const part of this.parts) {
      part.draw(from, to, slow);
    }
    this.lanes.draw(from, to);
    if (slow) {
      this.textAt = now;
      this.#texts({ from, to });
    }
  }

  shade(plot) {
    const { ctx, bbox } = plot;
    const { from, to } = this.range();
    ctx.save();
    ctx.fillStyle = this.colors.firing;
    for (const [begin, end] of this.lanes.firing(from, to)) {
      const left = Math.max(bbox.left, plot.valToPos(begin, "x", true));
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(end, "x", true));
      ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
    }
    ctx.restore();
  }

  /** Show the time under the pointer; NaN when it has left. */
  point(time) {
    this.pointed = time;
    if (this.page.spec) {
      this.#texts(this.range());
    }
  }

  #texts({ to }) {
    const { page } = this;
    const { status } = page;
    const rates = page.rates();
    const late = Number.isFinite(status.lag) ? `lag ${Math.round(status.lag)} ms` : "lag –";
    put(
      this.rate,
      `${rates.updates.toFixed(rates.updates < 9.95 ? 1 : 0)} updates/s · ` +
        `${Math.round(rates.samples)} samples/s · ${late}`,
    );
    put(this.note, page.problem || status.trouble || "");
    this.note.hidden = this.note.textContent === "";
    const waits = page.spec.panels.length === 0 ? " · waiting for samples" : "";
    const silent = page.silence();
    const news =
      status.state === "running" && silent > SILENT_MS
        ? ` · nothing new for ${Math.round(silent / 1000)} s`
        : "";
    const at = Number.isFinite(this.pointed) ? this.pointed : to;
    put(this.state, `${status.state ?? ""}${Number.isFinite(page.newest) ? ` · ${moment(at)} UTC` : waits}${news}`);
    const pressed = String(!this.following);
    if (this.pauseButton.getAttribute("aria-pressed") !== pressed) {
      const parts = this.following ? [icon("pause"), "Pause"] : [icon("play"), "Follow"];
      this.pauseButton.replaceChildren(...parts);
      this.pauseButton.setAttribute("aria-pressed", pressed);
    }
    this.root.classList.toggle("mll-paused", !this.following);
    this.dot.dataset.state = status.trouble ? "trouble" : this.following ? (status.state ?? "") : "paused";
    const { oldest, newest } = page;
    if (Number.isFinite(newest) && document.activeElement !== this.slider) {
      this.slider.min = String(Math.min(newest, oldest + this.span));
      this.slider.max = String(newest);
      this.slider.step = "any";
      this.slider.value = String(to);
    }
    this.slider.setAttribute("aria-valuetext", `until ${moment(to)} UTC`);
    const chosen = String(this.span);
    if (this.spanChoice.value !== chosen) {
      this.#offerSpan(chosen);
    }
  }

  #offerSpan(chosen) {
    const spans = new Set([...SPANS.map(String), chosen]);
    const ordered = [...spans].sort((a, b) => Number(a) - Number(b));
    this.spanChoice.replaceChildren(
      ...ordered.map((one) => h("option", { value: one }, spanText(Number(one)))),
    );
    this.spanChoice.value = chosen;
  }

  #rebuild(spec) {
    if (!this.span) {
      this.span = spec.span;
    }
    this.parts.forEach((part) => part.close());
    this.parts = spec.panels.map((panel, i) =>
      panel.kind === "stat" || panel.kind === "gauge"
        ? new Tile(panel, i, this)
        : new LinePlot(panel, i, this),
    );
    const tiles = this.parts.filter((part) => part instanceof Tile);
    const plots = this.parts.filter((part) => part instanceof LinePlot);
    this.tiles.replaceChildren(...tiles.map((part) => part.element));
    this.tiles.hidden = tiles.length === 0;
    this.plots.replaceChildren(...plots.map((part) => part.element));
    this.plots.dataset.columns = String(spec.columns ?? 0);
    this.textAt = -Infinity;
    this.#restyle();
    this.#resize();
  }

  #restyle() {
    const wanted = this.page.spec?.theme ?? "auto";
    const dark = wanted === "auto" ? pageIsDark() : wanted === "dark";
    this.colors = colors(dark);
    this.root.classList.toggle("mll-dark", dark);
    this.parts.forEach((part) => part.restyle());
    this.textAt = -Infinity;
    this.invalidate();
  }

  #resize() {
    for (const part of this.parts) {
      part.resize(part.box ? part.box.clientWidth : 0);
    }
    this.textAt = -Infinity;
    this.invalidate();
  }

  // -- elements --------------------------------------------------------------------------------

  #build(parent) {
    const button = (content, label, action) =>
      h(
        "button",
        { type: "button", class: "mll-button", "aria-label": label, title: label, onclick: action },
        content,
      );
    this.dot = h("span", { class: "mll-dot", "aria-hidden": "true" });
    this.state = h("span", { class: "mll-state" });
    this.rate = h("span", { class: "mll-rate", title: "Updates and samples a second; lag from the kernel to the painted page" });
    this.note = h("div", { class: "mll-message", role: "status", hidden: true });
    this.pauseButton = button("", "Pause or follow (space)", () => this.toggle());
    this.pauseButton.classList.add("mll-pause");
    this.slider = h("input", {
      type: "range",
      class: "mll-slider",
      "aria-label": "Scroll back in time",
      oninput: () => {
        this.pause();
        this.#moveTo(Number(this.slider.value));
      },
      onchange: () => this.slider.blur(),
    });
    this.spanChoice = h("select", {
      class: "mll-button",
      "aria-label": "Time shown",
      title: "Time shown (plus, minus)",
      onchange: () => this.setSpan(Number(this.spanChoice.value)),
    });
    this.lanesSlot = h("div", {});
    this.tiles = h("div", { class: "mll-tiles" });
    this.plots = h("div", { class: "mll-plots" });
    this.root = h(
      "div",
      {
        class: "mll",
        tabindex: "0",
        role: "region",
        "aria-label": `Live view. ${HELP}`,
        // JupyterLab would take the keys for its own commands.
        "data-lm-suppress-shortcuts": "true",
        onkeydown: (event) => this.#key(event),
      },
      h("div", { class: "mll-head" }, h("span", { class: "mll-brand" }, this.dot, "Live"), this.state, this.rate),
      h(
        "div",
        { class: "mll-bar", role: "toolbar", "aria-label": "Time" },
        this.pauseButton,
        button(icon("back"), "Scroll back (left)", () => this.scroll(-0.25)),
        this.slider,
        button(icon("play"), "Scroll on (right)", () => this.scroll(0.25)),
        button(icon("newest"), "Newest, and follow (End)", () => this.follow()),
        this.spanChoice,
      ),
      this.note,
      this.tiles,
      this.lanesSlot,
      this.plots,
    );
    parent.append(this.root);
  }

  #key(event) {
    const inField = /^(INPUT|SELECT)$/.test(event.target.tagName);
    if (event.ctrlKey || event.metaKey || event.altKey || inField) {
      return;
    }
    const onButton = event.target.tagName === "BUTTON";
    const actions = {
      ArrowLeft: () => this.scroll(-0.25),
      ArrowRight: () => this.scroll(0.25),
      PageUp: () => this.scroll(-1),
      PageDown: () => this.scroll(1),
      Home: () => this.scroll(-1e9),
      End: () => this.follow(),
      "+": () => this.zoom(-1),
      "=": () => this.zoom(-1),
      "-": () => this.zoom(1),
    };
    if (!onButton) {
      actions[" "] = () => this.toggle();
    }
    const action = actions[event.key];
    if (action) {
      event.preventDefault();
      event.stopPropagation();
      action();
    }
  }
}
