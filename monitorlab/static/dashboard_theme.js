// Joins the page to the kernel: its theme, clicks and brushes in the plots, their size, and
// an answer to each picture once it is drawn. Comes after dashboard_cross.js.
const STILL = 4; // pixels; a longer way is a drag
const NEAR = 5; // pixels round a click that count as hit

function isDark() {
  const body = document.body;
  const told = body.dataset.jpThemeLight;
  if (told !== undefined) {
    return told === "false";
  }
  if (body.dataset.vscodeThemeKind) {
    return body.dataset.vscodeThemeKind !== "vscode-light";
  }
  const asked = window.matchMedia && window.matchMedia("(prefers-color-scheme: dark)");
  return Boolean(asked && asked.matches);
}

// Fields without a label are named by their tooltip, for screen readers.
function nameFields(dash) {
  for (const field of dash.querySelectorAll("input, select, textarea")) {
    if (!field.getAttribute("aria-label")) {
      const titled = field.closest("[title]");
      const name = (titled && titled.getAttribute("title")) || field.placeholder;
      if (name) {
        field.setAttribute("aria-label", name);
      }
    }
  }
}

// Watches one figure; gives a function that stops.
function wire(gd, model) {
  const stop = [crosshair(gd)];
  const boxes = [];
  let begin = null;
  const axisAt = (event) => {
    const px = event.clientX - gd.getBoundingClientRect().left;
    return timeAxes(gd).find((one) => one.linked && px >= one.left && px <= one.right);
  };
  const msAt = (axis, clientX) => {
    const px = clientX - gd.getBoundingClientRect().left;
    const kept = Math.min(Math.max(px, axis.left), axis.right);
    return axis.start + ((kept - axis.left) / (axis.right - axis.left)) * (axis.end - axis.start);
  };
  const paint = (from, to) => {
    const axes = from === null ? [] : timeAxes(gd).filter((axis) => axis.linked);
    while (boxes.length < axes.length) {
      const box = document.createElement("div");
      box.className = "ml-brush";
      gd.appendChild(box);
      boxes.push(box);
    }
    boxes.forEach((box, number) => {
      const axis = axes[number];
      box.style.display = axis ? "block" : "none";
      if (axis) {
        const perMs = (axis.right - axis.left) / (axis.end - axis.start);
        const [a, b] = [from, to].map((ms) => axis.left + (ms - axis.start) * perMs);
        box.style.left = `${Math.min(a, b)}px`;
        box.style.width = `${Math.abs(b - a)}px`;
        box.style.top = `${axis.top}px`;
        box.style.height = `${axis.height}px`;
      }
    });
  };
  const down = (event) => {
    const hit = event.target.closest && event.target.closest(".nsewdrag");
    const axis = hit && event.button === 0 ? axisAt(event) : null;
    if (!axis) {
      begin = null;
      return;
    }
    const brush = model.get("drag") === "select" || event.altKey;
    begin = { x: event.clientX, y: event.clientY, axis, brush };
    if (brush) {
      // Plotly must not see it: it would zoom.
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  };
  const move = (event) => {
    if (begin && begin.brush) {
      paint(msAt(begin.axis, begin.x), msAt(begin.axis, event.clientX));
    }
  };
  const up = (event) => {
    const from = begin;
    begin = null;
    if (!from) {
      return;
    }
    paint(null);
    if (Math.hypot(event.clientX - from.x, event.clientY - from.y) <= STILL) {
      const ms = msAt(from.axis, event.clientX);
      const near = (NEAR * (from.axis.end - from.axis.start)) / (from.axis.right - from.axis.left);
      model.set("clicked", [ms - near, ms + near, Date.now()]);
      model.save_changes();
    } else if (from.brush) {
      const ends = [msAt(from.axis, from.x), msAt(from.axis, event.clientX)];
      model.set("brushed", [Math.min(...ends), Math.max(...ends), Date.now()]);
      model.save_changes();
    }
  };
  const follow = () => gd.classList.toggle("ml-brushing", model.get("drag") === "select");
  gd.addEventListener("mousedown", down, true);
  document.addEventListener("mousemove", move, true);
  document.addEventListener("mouseup", up, true);
  model.on("change:drag", follow);
  follow();
  stop.push(() => {
    gd.removeEventListener("mousedown", down, true);
    document.removeEventListener("mousemove", move, true);
    document.removeEventListener("mouseup", up, true);
    model.off("change:drag", follow);
    boxes.forEach((box) => box.remove());
  });
  // Plotly looks at its size when the window changes, not when the notebook does, and not
  // where it was drawn before it had a place: the kernel is told the width and sets it.
  const room = gd.closest(".ml-plots") || gd.parentElement;
  let timer = null;
  const measure = () => {
    timer = null;
    const wide = Math.floor(room.clientWidth);
    if (wide > 0 && wide !== model.get("width")) {
      model.set("width", wide);
      model.save_changes();
    }
  };
  const sized = new ResizeObserver(() => {
    if (timer === null) {
      timer = setTimeout(measure, 60);
    }
  });
  sized.observe(room);
  stop.push(() => sized.disconnect());
  return () => stop.forEach((one) => one());
}

function render({ model, el }) {
  el.style.display = "none";
  const tell = () => {
    const dark = isDark();
    if (model.get("dark") !== dark) {
      model.set("dark", dark);
      model.save_changes();
    }
  };
  const answer = () => {
    requestAnimationFrame(() => {
      model.set("pong", model.get("ping"));
      model.save_changes();
    });
  };
  let figure = null;
  let unwire = null;
  const look = () => {
    const dash = el.closest(".ml-dash");
    if (!dash) {
      return;
    }
    nameFields(dash);
    const gd = dash.querySelector(".js-plotly-plot");
    if (gd && gd !== figure && gd._fullLayout) {
      if (unwire) {
        unwire();
      }
      figure = gd;
      unwire = wire(gd, model);
    }
  };
  const observer = new MutationObserver(tell);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind", "class"],
  });
  const timer = setInterval(look, 400);
  model.on("change:ping", answer);
  model.set("seen", model.get("seen") + 1);
  model.save_changes();
  tell();
  answer();
  return () => {
    clearInterval(timer);
    observer.disconnect();
    if (unwire) {
      unwire();
    }
    model.off("change:ping", answer);
  };
}

export default { render };
