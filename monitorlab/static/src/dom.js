// Small helpers for making elements.

/** Make an element with attributes and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value !== undefined && value !== null && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Make an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// Drawn, since not every font has these signs.
const ICONS = {
  pause: "M1 0h3v10H1z M6 0h3v10H6z",
  play: "M1 0l9 5-9 5z",
  back: "M9 0L0 5l9 5z",
  newest: "M0 0l7 5-7 5z M8 0h2v10H8z",
};

/** Make one of the icons of the toolbar. */
export function icon(name) {
  const shape = svg("path", { d: ICONS[name] });
  return svg("svg", { class: "mll-icon", viewBox: "0 0 10 10", "aria-hidden": "true" }, shape);
}

/** Set a text only where it changes: the page lays out less. */
export function put(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Size a canvas to its box in device pixels; gives its context and size in CSS pixels. */
export function fit(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}
