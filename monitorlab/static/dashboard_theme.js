// Tells the kernel whether the page is dark, and answers each picture once it is drawn.
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
  const observer = new MutationObserver(tell);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind", "class"],
  });
  model.on("change:ping", answer);
  model.set("seen", model.get("seen") + 1);
  model.save_changes();
  tell();
  answer();
  return () => {
    observer.disconnect();
    model.off("change:ping", answer);
  };
}

export default { render };
