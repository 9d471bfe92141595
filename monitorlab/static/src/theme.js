// Colours (Okabe and Ito, 2008), and whether the page around is dark.

export const PALETTE = [
  "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F", "#B8A500",
];
const DARK_PALETTE = [
  "#4DA3DB", "#E69F00", "#2BB594", "#D893B9", "#7CC7F0", "#F0814A", "#A3A3A3", "#F0E442",
];

export function colors(dark) {
  return {
    dark,
    series: dark ? DARK_PALETTE : PALETTE,
    ink: dark ? "#b6bec9" : "#57606a",
    grid: dark ? "rgba(255,255,255,0.08)" : "rgba(15,23,42,0.07)",
    firing: dark ? "rgba(240,90,70,0.12)" : "rgba(213,60,40,0.09)",
  };
}

export function pageIsDark() {
  const body = document.body;
  const told = body.dataset.jpThemeLight;
  if (told !== undefined) {
    return told === "false";
  }
  if (body.dataset.vscodeThemeKind) {
    return body.dataset.vscodeThemeKind.includes("dark");
  }
  const asked = window.matchMedia?.("(prefers-color-scheme: dark)");
  return Boolean(asked?.matches);
}

/** Call back whenever the page's theme may have changed; gives the way to stop. */
export function watchTheme(tell) {
  const observer = new MutationObserver(tell);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind", "class"],
  });
  const asked = window.matchMedia?.("(prefers-color-scheme: dark)");
  asked?.addEventListener("change", tell);
  return () => {
    observer.disconnect();
    asked?.removeEventListener("change", tell);
  };
}
