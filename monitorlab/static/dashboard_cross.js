// One crosshair through all plots of a figure; used in the notebook and in exported files.
function timeAxes(gd) {
  const layout = gd._fullLayout;
  if (!layout || !layout._size) {
    return [];
  }
  const size = layout._size;
  return Object.keys(layout)
    .filter((name) => /^xaxis\d*$/.test(name))
    .map((name) => layout[name])
    .filter((axis) => axis.type === "date" && axis.visible && axis.range)
    .map((axis) => {
      const [start, end] = axis.range.map(asMs);
      const plots = Object.values(layout._plots || {}).filter(
        (plot) => plot.xaxis && plot.xaxis._id === axis._id
      );
      const low = Math.min(1, ...plots.map((plot) => plot.yaxis.domain[0]));
      const high = Math.max(0, ...plots.map((plot) => plot.yaxis.domain[1]));
      return {
        top: size.t + size.h * (1 - high),
        height: size.h * Math.max(0, high - low),
        name: axis._id,
        start,
        end,
        left: size.l + size.w * axis.domain[0],
        right: size.l + size.w * axis.domain[1],
        linked: axis._id === "x" || axis.matches === "x",
      };
    });
}

function asMs(value) {
  if (typeof value === "number") {
    return value;
  }
  const text = String(value).replace(" ", "T");
  return Date.parse(/Z$|[+-]\d\d:\d\d$/.test(text) ? text : text.length > 10 ? text + "Z" : text);
}

// Draws a line at one time into every column of plots; gives a function that stops it.
function crosshair(gd) {
  const lines = [];
  const place = (ms) => {
    const axes = ms === null ? [] : timeAxes(gd).filter((axis) => axis.linked);
    while (lines.length < axes.length) {
      const line = document.createElement("div");
      line.className = "ml-cross";
      gd.appendChild(line);
      lines.push(line);
    }
    lines.forEach((line, number) => {
      const axis = axes[number];
      const inside = axis && ms >= axis.start && ms <= axis.end;
      line.style.display = inside ? "block" : "none";
      if (inside) {
        const share = (ms - axis.start) / (axis.end - axis.start);
        line.style.left = `${axis.left + share * (axis.right - axis.left)}px`;
        line.style.top = `${axis.top}px`;
        line.style.height = `${axis.height}px`;
      }
    });
  };
  const move = (event) => {
    const box = gd.getBoundingClientRect();
    const px = event.clientX - box.left;
    const axis = timeAxes(gd).find((one) => one.linked && px >= one.left && px <= one.right);
    const inside = axis && event.target.closest && event.target.closest(".nsewdrag");
    place(inside ? axis.start + ((px - axis.left) / (axis.right - axis.left)) * (axis.end - axis.start) : null);
  };
  const leave = () => place(null);
  gd.addEventListener("mousemove", move, true);
  gd.addEventListener("mouseleave", leave);
  return () => {
    gd.removeEventListener("mousemove", move, true);
    gd.removeEventListener("mouseleave", leave);
    lines.forEach((line) => line.remove());
  };
}
