"use strict";
// Numbers of a picture as a table, folded away until they are asked for.
const Numbers = (() => {
  const MOST_ROWS = 64;

  // `tell()`: { caption, values, start, height, width }. `fill()` writes them anew where they show.
  function folded(tell) {
    const holder = h("div", { class: "scroll", tabindex: 0, role: "region" });
    const element = h("details", { ontoggle: fill }, h("summary", {}, say("numbers")), holder);
    function fill() {
      if (!element.open) return;
      const { caption, values, start = 0, height, width } = tell();
      const [rows, columns] = [Math.min(height, MOST_ROWS), Math.min(width, MOST_ROWS)];
      const cut = rows < height || columns < width
        ? say("numbers_cut", { rows, columns, height, width }) : "";
      holder.setAttribute("aria-label", caption);
      holder.replaceChildren(h("table", { class: "numbers" }, h("caption", {}, caption, cut),
        h("thead", {}, h("tr", {}, h("td", {}), Array.from({ length: columns }, (_, at) =>
          h("th", { scope: "col" }, String(at + 1))))),
        h("tbody", {}, Array.from({ length: rows }, (_, row) => h("tr", {},
          h("th", { scope: "row" }, String(row + 1)), Array.from({ length: columns }, (_2, column) =>
            h("td", {}, Insight.brief(values[start + row * width + column]))))))));
    }
    return { element, fill };
  }

  return { folded };
})();
