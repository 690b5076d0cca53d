// Draws the figures of the page. Colours are names of CSS variables, so both themes share one figure.
"use strict";
(() => {
  const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const read = id => JSON.parse(
    document.getElementById(id).textContent,
    (key, value) => typeof value === "string" && value.startsWith("--") ? style(value) || value : value,
  );

  function axis(own, narrow) {
    return {
      gridcolor: style("--line"), zeroline: false, automargin: true, nticks: narrow ? 5 : 8, ticklabelstandoff: 4,
      ...own, title: { font: { size: 13, color: style("--muted") }, standoff: 8, ...own.title },
    };
  }

  function dress(layout, narrow) {
    const full = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "x unified",
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: style("--text") },
      hoverlabel: { bgcolor: style("--page"), bordercolor: style("--line"), font: { color: style("--text") } },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", itemwidth: 30, traceorder: "normal" },
      margin: { l: 8, r: 14, t: 14, b: 8 }, ...layout,
    };
    for (const key of Object.keys(full)) if (/^[xy]axis/.test(key)) full[key] = axis(full[key], narrow);
    return full;
  }

  // A logarithmic axis has no 0, so steps are counted from 1 on it.
  function stretch(figure) {
    for (const trace of figure.data) trace.x = trace.x.map(x => x === null ? null : x + 1);
    figure.layout.xaxis = {
      ...figure.layout.xaxis, type: "log", dtick: 1, range: undefined,
      title: { text: "step of the episode, counted from 1 (logarithmic)" },
    };
  }

  const options = { responsive: true, displaylogo: false, displayModeBar: false };
  function draw(div) {
    const figure = read(div.dataset.figure);
    if (div.dataset.scale === "log") stretch(figure);
    Plotly.react(div, figure.data, dress(figure.layout, div.clientWidth < 500), options);
  }

  const figures = [...document.querySelectorAll("[data-figure]")];
  figures.forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => figures.forEach(draw));
  for (const button of document.querySelectorAll("button[data-for]")) {
    const div = document.getElementById(button.dataset.for);
    button.hidden = false;
    button.addEventListener("click", () => {
      const log = div.dataset.scale !== "log";
      div.dataset.scale = log ? "log" : "linear";
      button.textContent = log ? "linear steps" : "logarithmic steps";
      draw(div);
    });
  }
})();
