// Loads Plotly's widget code once for a page, however many figures there are. Two parts share
// this file: the model that brings the code, and the figures that wait for it.
function shelf(key) {
  const name = Symbol.for("monitorlab.plotly");
  const all = (globalThis[name] ||= new Map());
  if (!all.has(key)) {
    const one = { started: false };
    one.loaded = new Promise((resolve, reject) => Object.assign(one, { resolve, reject }));
    one.loaded.catch(() => {}); // told by the figures that wait for it
    all.set(key, one);
  }
  return all.get(key);
}

async function bring(key, code) {
  const one = shelf(key);
  if (one.started || !code || !code.byteLength) {
    return;
  }
  one.started = true;
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    one.resolve(await import(/* webpackIgnore: true */ address));
  } catch (error) {
    one.reject(error);
  } finally {
    URL.revokeObjectURL(address);
  }
}

// Plotly tells the kernel of every point that the mouse passes. Nothing here asks for that, and
// a zoom would have to wait until the last of them is answered: they stay in the page.
const IDLE = new Set(["plotly_hover", "plotly_unhover"]);

function quiet(model) {
  let dropped = false;
  const ways = {
    set(name, value) {
      dropped = name === "_js2py_pointsCallback" && IDLE.has(value?.event_type);
      if (!dropped) {
        model.set(name, value);
      }
    },
    save_changes() {
      if (!dropped) {
        model.save_changes();
      }
      dropped = false;
    },
  };
  return new Proxy(model, {
    get(target, name) {
      const found = ways[name] ?? target[name];
      return typeof found === "function" && !ways[name] ? found.bind(target) : found;
    },
  });
}

export default () => {
  let own = null;
  return {
    initialize(context) {
      const { model } = context;
      const key = model.get("_plotly_key");
      if (model.get("_plotly_code")) {
        bring(key, model.get("_plotly_code"));
        return undefined;
      }
      return shelf(key).loaded.then((module) => {
        own = module.default();
        own.initialize({ ...context, model: quiet(context.model) });
      });
    },
    render(context) {
      return own ? own.render(context) : undefined;
    },
  };
};
