// The overview strip: the whole recording as one line, and a window on it that is dragged.
const SVG = "http://www.w3.org/2000/svg";
const GRIP = 7; // pixels round an edge that take hold of it
const LEAST = 4; // pixels; a shorter drag is a click

function node(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  if (parent) {
    parent.appendChild(made);
  }
  return made;
}

function clock(ms, span) {
  const text = new Date(ms).toISOString();
  if (span > 3 * 86400000) {
    return text.slice(5, 10);
  }
  if (span > 86400000) {
    return text.slice(5, 16).replace("T", " ");
  }
  return span > 600000 ? text.slice(11, 16) : text.slice(11, 19);
}

function render({ model, el }) {
  el.classList.add("ml-strip");
  el.tabIndex = 0;
  el.setAttribute("role", "group");
  el.setAttribute(
    "aria-label",
    "Overview of the whole time. Drag to choose a range. Keys: left and right move it, " +
      "plus and minus change its length, Home and End go to the ends, Escape shows everything."
  );
  const svg = node("svg", { width: "100%", height: "100%", "aria-hidden": "true" });
  el.appendChild(svg);
  let shown = null; // what is dragged or chosen, until the kernel has answered
  let held = null;

  const extent = () => model.get("extent");
  const known = () => extent().length === 2 && extent()[1] > extent()[0];
  const width = () => Math.max(1, svg.clientWidth);
  const toPx = (ms) => ((ms - extent()[0]) / (extent()[1] - extent()[0])) * width();
  const toMs = (px) =>
    extent()[0] + (Math.min(Math.max(px, 0), width()) / width()) * (extent()[1] - extent()[0]);
  const range = () => shown || (model.get("shown").length === 2 ? model.get("shown") : extent());

  function draw() {
    svg.replaceChildren();
    if (!known()) {
      return;
    }
    const w = width();
    const h = svg.clientHeight || 44;
    const [first, last] = extent();
    for (const [start, end, color, name] of model.get("marks")) {
      const left = toPx(start);
      const bar = node(
        "rect",
        { x: left, y: 0, width: Math.max(1.5, toPx(end) - left), height: h - 13, fill: color, "fill-opacity": 0.22 },
        svg
      );
      node("title", {}, bar).textContent = name;
    }
    const line = model.get("path");
    if (line) {
      const group = node("g", { transform: `scale(${w / 1000}, ${(h - 15) / 100})` }, svg);
      node("path", { d: line, class: "ml-strip-line", "vector-effect": "non-scaling-stroke" }, group);
    }
    const ticks = Math.max(2, Math.min(8, Math.floor(w / 150)));
    for (let n = 0; n <= ticks; n += 1) {
      const x = (w * n) / ticks;
      const anchor = n === 0 ? "start" : n === ticks ? "end" : "middle";
      node("text", { x, y: h - 2, "text-anchor": anchor, class: "ml-strip-tick" }, svg).textContent =
        clock(first + ((last - first) * n) / ticks, last - first);
    }
    const [a, b] = range();
    const left = Math.min(Math.max(toPx(a), 0), w);
    const right = Math.min(Math.max(toPx(b), 0), w);
    if (right - left < w - 0.5) {
      node("rect", { x: 0, y: 0, width: left, height: h - 13, class: "ml-strip-veil" }, svg);
      node("rect", { x: right, y: 0, width: w - right, height: h - 13, class: "ml-strip-veil" }, svg);
    }
    node(
      "rect",
      { x: left + 0.5, y: 0.5, width: Math.max(1, right - left - 1), height: h - 14, rx: 3, class: "ml-strip-window" },
      svg
    );
    for (const x of [left, right]) {
      node("rect", { x: x - 1.5, y: (h - 13) / 2 - 7, width: 3, height: 14, rx: 1.5, class: "ml-strip-grip" }, svg);
    }
  }

  function choose(bounds) {
    const [first, last] = extent();
    const whole = !bounds || (bounds[0] <= first && bounds[1] >= last);
    shown = whole ? [first, last] : bounds;
    model.set("chosen", whole ? [] : bounds);
    model.set("turn", model.get("turn") + 1);
    model.save_changes();
    draw();
  }

  function place(event) {
    return event.clientX - svg.getBoundingClientRect().left;
  }

  function hold(px) {
    const [a, b] = range().map(toPx);
    if (Math.abs(px - a) <= GRIP) {
      return "start";
    }
    if (Math.abs(px - b) <= GRIP) {
      return "end";
    }
    return px > a && px < b && b - a < width() - 2 ? "move" : "new";
  }

  function down(event) {
    if (!known() || event.button !== 0) {
      return;
    }
    const px = place(event);
    held = { what: hold(px), from: px, range: range().slice() };
    el.setPointerCapture(event.pointerId);
    event.preventDefault();
    el.focus();
  }

  function move(event) {
    const px = place(event);
    if (!held) {
      if (known()) {
        el.style.cursor = { start: "ew-resize", end: "ew-resize", move: "grab", new: "crosshair" }[hold(px)];
      }
      return;
    }
    const [first, last] = extent();
    let [a, b] = held.range;
    if (held.what === "new") {
      a = toMs(Math.min(px, held.from));
      b = toMs(Math.max(px, held.from));
    } else if (held.what === "move") {
      const step = ((px - held.from) / width()) * (last - first);
      const kept = Math.min(Math.max(step, first - a), last - b);
      a += kept;
      b += kept;
    } else if (held.what === "start") {
      a = Math.min(toMs(px), b - 1);
    } else {
      b = Math.max(toMs(px), a + 1);
    }
    shown = [a, b];
    draw();
  }

  function up(event) {
    if (!held) {
      return;
    }
    const still = Math.abs(place(event) - held.from) < LEAST;
    held = null;
    if (still || !shown) {
      shown = null;
      draw();
    } else {
      choose(shown);
    }
  }

  function key(event) {
    if (!known()) {
      return;
    }
    const [first, last] = extent();
    let [a, b] = range();
    const length = b - a;
    const by = (event.shiftKey ? 1 : 0.2) * length;
    const to = (start, size) => {
      const least = Math.min(size, last - first);
      const begin = Math.min(Math.max(start, first), last - least);
      choose([begin, begin + least]);
    };
    if (event.key === "ArrowLeft") {
      to(a - by, length);
    } else if (event.key === "ArrowRight") {
      to(a + by, length);
    } else if (event.key === "+" || event.key === "=") {
      to(a + length / 4, length / 2);
    } else if (event.key === "-") {
      to(a - length / 2, length * 2);
    } else if (event.key === "Home") {
      to(first, length);
    } else if (event.key === "End") {
      to(last - length, length);
    } else if (event.key === "Escape") {
      choose(null);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  const whole = () => choose(null);
  el.addEventListener("pointerdown", down);
  el.addEventListener("pointermove", move);
  el.addEventListener("pointerup", up);
  el.addEventListener("dblclick", whole);
  el.addEventListener("keydown", key);
  const answered = () => {
    shown = held ? shown : null;
    draw();
  };
  const watched = {
    "change:extent": answered,
    "change:shown": answered,
    "change:path": draw,
    "change:marks": draw,
  };
  for (const [name, then] of Object.entries(watched)) {
    model.on(name, then);
  }
  const observer = new ResizeObserver(draw);
  observer.observe(el);
  draw();
  return () => {
    observer.disconnect();
    for (const [name, then] of Object.entries(watched)) {
      model.off(name, then);
    }
  };
}

export default { render };
