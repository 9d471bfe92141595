// Draws the figures of the rendered notebooks from the JSON beside them.
document.addEventListener("DOMContentLoaded", () => {
  for (const script of document.querySelectorAll("script[data-figure]")) {
    const figure = JSON.parse(script.textContent);
    delete figure.layout.width;
    Plotly.newPlot(script.dataset.figure, figure.data, figure.layout, { responsive: true });
  }
});
