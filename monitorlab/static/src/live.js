// The anywidget: one page of data for each model, one view for each place it is shown.
import uplotCss from "uplot/dist/uPlot.min.css";
import css from "./live.css";
import { Page } from "./page.js";
import { View } from "./view.js";

// By the model's key: each view is handed a proxy of its own, so the proxy tells nothing.
const pages = new Map();

function initialize({ model }) {
  const key = model.get("key");
  const page = new Page((content) => model.send(content));
  pages.set(key, page);
  const receive = (content, buffers) => page.receive(content, buffers);
  model.on("msg:custom", receive);
  const leave = () => page.bye();
  window.addEventListener("pagehide", leave);
  page.hello();
  return () => {
    window.removeEventListener("pagehide", leave);
    model.off("msg:custom", receive);
    pages.delete(key);
  };
}

function render({ model, el }) {
  const style = document.createElement("style");
  style.textContent = uplotCss + css;
  el.append(style);
  const view = new View(pages.get(model.get("key")), el);
  return () => view.close();
}

export default { initialize, render };
