"use strict";
// What these networks are, how exactly the page computes them, and how to go on.
const About = (() => {
  let data;
  let checks;

  function build(given) {
    data = given;
    checks = h("div", {});
    const silent = h("input", { type: "checkbox", id: "silent", checked: state.silent,
      onchange: () => change({ silent: silent.checked }) });
    const rows = [
      ["about_accuracy", (one) => one.accuracy],
      ["about_parameters", (one) => one.parameters.toLocaleString("en")],
      ["about_trained", (one) => one.trained_on],
      ["about_temperature", (one) => one.temperature.toFixed(2)],
      ["about_not_sure", (one) => percent(one.not_sure_below)],
      ["about_energy", (one) => one.not_sure_energy?.toFixed(2) ?? "–"],
    ];
    return h("div", { id: "view_about" }, h("h2", {}, say("about_title")),
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": say("about_title") },
        h("table", {}, h("thead", {}, h("tr", {}, h("td", {}), data.networks.map((one) =>
          h("th", { scope: "col" }, one.title)))), h("tbody", {}, rows.map(([key, tell]) =>
          h("tr", {}, h("th", { scope: "row" }, say(key)), data.networks.map((one) =>
            h("td", {}, tell(one)))))))),
      h("h3", {}, say("exact_title")), h("p", {}, say("exact_help")), checks,
      h("h3", {}, say("keys_title")), h("ul", {}, ["keys_tab", "keys_arrows", "keys_pad",
        "keys_views", "keys_lesson", "keys_undo"].map((key) => h("li", {}, say(key)))),
      h("p", {}, silent, h("label", { for: "silent" }, say("keys_off"))),
      h("p", { class: "small" }, say("made_by", { version: data.version })));
  }

  function show() {
    checks.replaceChildren(h("ul", {}, data.networks.map((network, at) => {
      const found = Live.surveyed(at, "test");
      if (!found) return h("li", {}, `${network.title}: ${say("looking")}`);
      let [largest, changed] = [0, 0];
      found.logits.forEach((logits, row) => {
        const here = Answer.probabilities(logits, network.temperature);
        const there = network.answers.slice(row * here.length, (row + 1) * here.length);
        if (Answer.best(here) !== Answer.best(Array.from(there))) changed += 1;
        here.forEach((share, one) => { largest = Math.max(largest, Math.abs(share - there[one])); });
      });
      return h("li", { class: "exact" }, say("exact", { name: network.title,
        count: found.logits.length, largest: largest.toExponential(1), changed }));
    })));
  }

  return { build, show };
})();
