"use strict";
// Eight short lessons: each with something to do, a question, an answer.
const Lessons = (() => {
  let data;
  let stages;
  let element;
  let shown = 0;
  let going = false;

  const placed = () => stages[state.network].filter((one) => one.height * one.width > 1);
  const fresh = { towards: null, blend: 0, right: 0, down: 0, turn: 0, zoom: 1, noise: 0, off: [] };

  // The class that the network does worst on, and a picture of it that it gets wrong.
  function hard() {
    const { labels, kinds } = data.test;
    const rows = labels.map((label, row) => row).filter((row) => labels[row] === data.hardest);
    const at = rows.find((row) => kinds[row] === "mistakes") ?? rows[0] ?? 0;
    return { one: data.hardest, at };
  }

  const DO = [
    () => ({ ...fresh, view: "overview", picture: { pixels: new Uint8Array(
      data.shape.height * data.shape.width * data.shape.channels).fill(data.ground) } }),
    () => ({ ...fresh, view: "channel", picture: { at: 0 }, stage: stages[state.network][0].id,
      channel: 0, row: 0, column: 0 }),
    () => ({ view: "channel", stage: stages[state.network][0].id,
      row: stages[state.network][0].height >> 1, column: stages[state.network][0].width >> 1 }),
    () => ({ ...fresh, view: "overview", picture: { at: 0 }, right: 1 }),
    () => {
      const last = placed().at(-1) ?? stages[state.network][0];
      return { view: "channel", stage: last.id, channel: 0, row: last.height >> 1,
        column: last.width >> 1 };
    },
    () => ({ ...fresh, view: "why", picture: { at: hard().at }, one: hard().one }),
    () => ({ ...fresh, view: "why", picture: { at: 0 }, one: null }),
    () => {
      const stage = placed().at(-1) ?? stages[state.network][0];
      return { view: "whatif", off: [{ network: state.network, stage: stage.id, channels: [0] }] };
    },
  ];

  function build(given, told) {
    data = given;
    stages = told;
    element = h("aside", { id: "lesson", "aria-labelledby": "lesson_title", hidden: true });
    return element;
  }

  function show() {
    const at = Math.min(state.lesson, DO.length);
    element.hidden = !at;
    if (at === shown) return;
    shown = at;
    if (!at) return;
    const { height, width, channels } = data.shape;
    const values = { at, count: DO.length, height, width, channels,
      numbers: height * width * channels, hard: data.classes[hard().one] };
    const title = say(`lesson${at}_title`, values);
    const answer = h("p", { class: "tell", hidden: true }, say(`lesson${at}_tell`, values));
    element.replaceChildren(
      h("h2", { id: "lesson_title", tabindex: -1 }, say("lesson_of", { ...values, title })),
      h("p", {}, say(`lesson${at}_text`, values)),
      h("p", { class: "ask" }, h("strong", {}, say(`lesson${at}_ask`, values))), answer,
      h("p", { class: "row" },
        h("button", { type: "button", class: "do", onclick: () => change(DO[at - 1]()) },
          say("lesson_do")),
        h("button", { type: "button", onclick: () => { answer.hidden = false; } },
          say("lesson_answer")),
        h("button", { type: "button", disabled: at === 1, onclick: () => go(at - 1) },
          say("lesson_back")),
        h("button", { type: "button", class: "next", disabled: at === DO.length,
          onclick: () => go(at + 1) }, say("lesson_next")),
        h("button", { type: "button", onclick: () => change({ lesson: 0 }) }, say("lesson_off"))));
    if (going) document.getElementById("lesson_title").focus();
    going = false;
  }

  // From one to the next the focus goes to the new title, once that is there.
  function go(at) {
    going = true;
    change({ lesson: at });
  }

  return { build, show };
})();
