"use strict";
// Two networks on the same picture, side by side, and where on all pictures they differ.
const Beside = (() => {
  let data;
  let stages;
  let panels;
  let parts;
  const kept = {};

  function build(given, told) {
    data = given;
    stages = told;
    parts = { columns: [], agree: h("div", {}) };
    const chosen = [0, Math.min(1, data.networks.length - 1)];
    parts.shown = chosen;
    const columns = chosen.map((network, side) => {
      const pick = h("select", { "aria-label": say("network_of_side", { side: side + 1 }),
        onchange: () => {
          parts.shown[side] = Number(pick.value);
          make(side);
          show();
        } }, data.networks.map((one, at) => h("option", { value: at, selected: at === network },
        one.title)));
      const body = h("div", {});
      parts.columns.push(body);
      return h("section", {}, pick, body);
    });
    panels = [];
    chosen.forEach((_, side) => make(side));
    return h("div", { id: "view_beside" }, h("h2", {}, say("beside_title")), parts.agree,
      h("div", { class: "two" }, columns));
  }

  // Panels are kept: each has tiles by the hundred.
  function make(side) {
    const network = parts.shown[side];
    const key = `${side} ${network}`;
    kept[key] ??= Overview.panel(network, stages[network], data, { wide: true });
    panels[side] = kept[key];
    parts.columns[side].replaceChildren(panels[side].element);
  }

  function show(keys = new Set(["view"])) {
    const painted = ["answer", "view", "strongest"].some((key) => keys.has(key));
    panels.forEach((panel, side) => {
      const result = Live.results[parts.shown[side]];
      if (result && painted) panel.paint(result);
      panel.mark();
    });
    if (painted || keys.has("survey")) agree();
  }

  function agree() {
    const surveys = parts.shown.map((network) => Live.surveyed(network, "test"));
    if (surveys.some((one) => !one)) {
      parts.agree.replaceChildren(h("p", {}, say("looking")));
      return;
    }
    const key = parts.shown.join(" ");
    if (parts.told === key) return;
    parts.told = key;
    const kinds = { both: [], first: [], second: [], neither: [] };
    data.test.labels.forEach((label, at) => {
      const [one, other] = surveys.map(({ logits }) => Answer.best(logits[at]) === label);
      kinds[one ? (other ? "both" : "first") : other ? "second" : "neither"].push(at);
    });
    const names = parts.shown.map((network) => data.networks[network].title);
    parts.agree.replaceChildren(...Object.entries(kinds).map(([kind, list]) => h("details",
      { open: false }, h("summary", {}, say(`agree_${kind}`, { first: names[0], second: names[1],
        count: list.length })), h("div", { class: "pictures" }, list.map((at) => Input.thumb(at,
        { onclick: () => change({ picture: { at } }) }))))));
  }

  return { build, show };
})();
