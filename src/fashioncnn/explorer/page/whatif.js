"use strict";
// What if a channel or a stage were not there, the answer were less sure, the picture noisy? With
// what that does to the accuracy on the pictures that came along.
const WhatIf = (() => {
  let data;
  let stages;
  let element;
  let parts;
  let newest = 0;

  function build(given, told) {
    data = given;
    stages = told;
    parts = { list: h("div", {}), accuracy: h("p", { id: "accuracy" }),
      classes: h("details", {}), off: h("ul", { class: "off" }),
      title: h("h3", { tabindex: -1 }, say("off_title")) };
    parts.classes.append(h("summary", {}, say("by_class")), h("div", {}));
    element = h("div", { id: "view_whatif" }, h("h2", {}, say("whatif_title")),
      h("p", { class: "small" }, say("whatif_help")), parts.accuracy, parts.classes,
      parts.title, parts.off, h("h3", {}, say("off_choose")), parts.list);
    return element;
  }

  const same = (one, network, stage) => one.network === network && one.stage === stage;

  function toggle(network, stage, channel) {
    const now = state.off.find((one) => same(one, network, stage));
    const rest = state.off.filter((one) => !same(one, network, stage));
    const known = now?.channels === "all" ? [] : now?.channels ?? [];
    const next = known.includes(channel) ? known.filter((one) => one !== channel)
      : [...known, channel].sort((a, b) => a - b);
    const all = now?.channels === "all" ? [] : next;
    change({ off: all.length ? [...rest, { network, stage, channels: all }] : rest });
  }

  function toggleStage(network, stage) {
    const whole = state.off.some((one) => same(one, network, stage) && one.channels === "all");
    const rest = state.off.filter((one) => !same(one, network, stage));
    change({ off: whole ? rest : [...rest, { network, stage, channels: "all" }] });
  }

  function show(changed) {
    const shown = stages[state.network].filter((stage) => !stage.last);
    if (parts.of !== state.network) {
      parts.of = state.network;
      parts.list.replaceChildren(...shown.map((stage) => {
        const whole = h("input", { type: "checkbox", id: `off_${stage.id}`,
          onchange: () => toggleStage(state.network, stage.id) });
        const number = h("input", { type: "number", min: 0, max: stage.channels - 1,
          "aria-label": say("channel_number") });
        number.value = 0;
        const row = h("p", { class: "row" }, whole, h("label", { for: whole.id },
          say("all_of", { stage: stage.name, channels: stage.channels })),
        number, h("button", { type: "button", onclick: () => {
          const channel = Math.round(Number(number.value));
          if (channel >= 0 && channel < stage.channels) toggle(state.network, stage.id, channel);
        } }, say("one_of")));
        row.dataset.stage = stage.id;
        return row;
      }));
    }
    for (const row of parts.list.children) {
      row.querySelector("input[type=checkbox]").checked = state.off.some((one) =>
        same(one, state.network, row.dataset.stage) && one.channels === "all");
    }
    const off = state.off.filter(({ network }) => network === state.network);
    parts.off.replaceChildren(...(off.length ? off.map(({ stage, channels }) => h("li", {},
      say(channels === "all" ? "off_stage" : "off_channels", {
        stage: stages[state.network].find(({ id }) => id === stage).name,
        list: channels === "all" ? "" : channels.join(", ") }), " ",
      h("button", { type: "button", onclick: () => {
        change({ off: state.off.filter((one) => !same(one, state.network, stage)) });
        parts.title.focus();
      } }, say("switch_on_again"))))
      : [h("li", {}, say("nothing_off"))]));
    if (["off", "view", "network", "survey", "noise"].some((key) => changed.has(key))) accuracy();
  }

  const right = (logits) => logits.filter((one, at) => Answer.best(one) === data.test.labels[at])
    .length;

  async function accuracy() {
    newest += 1;
    const mine = newest;
    const { network } = state;
    const before = Live.surveyed(network, "test");
    if (!before) {
      parts.accuracy.textContent = say("looking");
      return;
    }
    const edits = Live.edits(network);
    if (!edits.length && !state.noise) {
      tell(before.logits, before.logits);
      return;
    }
    const found = await Live.ask("survey", { network, set: "test", edits, noise: state.noise,
      slot: "whatif" }, ({ logits }) => mine === newest && tell(before.logits, logits));
    if (!found || mine !== newest) return;
    tell(before.logits, found.logits);
    document.getElementById("said").textContent = parts.accuracy.textContent;
  }

  function tell(before, now) {
    const [count, all] = [now.length, before.length];
    const [was, is] = [right(before.slice(0, count)), right(now)];
    const classes = data.classes.map((name, one) => {
      const rows = data.test.labels.slice(0, count).map((label, at) => ({ label, at }))
        .filter(({ label }) => label === one);
      const hits = (logits) => rows.filter(({ at }) => Answer.best(logits[at]) === one).length;
      return { name, count: rows.length, was: hits(before), is: hits(now) };
    }).filter((one) => one.count);
    parts.accuracy.textContent = say(count < all ? "accuracy_so_far" : "accuracy", {
      was: percent(was / count), is: percent(is / count), count, all });
    parts.classes.lastElementChild.replaceChildren(h("table", {}, h("thead", {}, h("tr", {},
      ["class", "pictures_head", "right_before", "right_now"].map((key) =>
        h("th", { scope: "col" }, say(key))))), h("tbody", {}, classes.map((one) => h("tr", {},
      h("th", { scope: "row" }, one.name), h("td", {}, String(one.count)),
      h("td", {}, String(one.was)), h("td", {}, String(one.is)))))));
  }

  return { build, show, toggle };
})();
