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
        own.initialize(context);
      });
    },
    render(context) {
      return own ? own.render(context) : undefined;
    },
  };
};
