"use strict";
// The page: its parts, and what happens when something changes.
(() => {
  const RERUN = [...State.PICTURE, "finger", "off"];
  const REST_MS = 900;
  const body = document.getElementById("page");
  let data;
  let stages;
  let overview;
  let resting = 0;
  let drawing = 0;
  let pendingKeys = new Set();

  const views = {};
  const panels = {};

  function names() {
    return State.VIEWS.filter((one) => one !== "beside" || data.networks.length > 1);
  }

  function frame() {
    const tabs = h("nav", { "aria-label": say("views") }, names().map((one) => h("button", {
      type: "button", id: `tab_${one}`, onclick: () => change({ view: one }) }, say(`view_${one}`))),
    h("button", { type: "button", id: "lessons", onclick: () =>
      change({ lesson: state.lesson ? 0 : 1 }) }, say("lessons")));
    const pick = data.networks.length > 1 ? h("p", { class: "row" },
      h("label", { for: "network" }, say("network")), h("select", { id: "network",
        onchange: (event) => change({ network: Number(event.target.value), stage: null, channel: 0,
          row: 0, column: 0 }) }, data.networks.map(({ title }, at) =>
        h("option", { value: at, selected: at === state.network }, title)))) : null;
    views.overview = h("div", { id: "view_overview" });
    views.channel = Channel.build(data, stages);
    views.why = Why.build(data, stages);
    views.whatif = WhatIf.build(data, stages);
    views.beside = data.networks.length > 1 ? Beside.build(data, stages) : null;
    views.about = About.build(data);
    const order = h("input", { type: "checkbox", id: "strongest", checked: state.strongest,
      onchange: () => change({ strongest: order.checked }) });
    const holder = h("div", { id: "panel" });
    views.overview.append(h("h2", {}, say("overview_title")), h("p", { class: "small" },
      say("overview_help")), h("p", { class: "row" }, order, h("label", { for: "strongest" },
      say("strongest"))), h("p", { id: "told", class: "told" }), holder);
    body.replaceChildren(
      h("a", { href: "#view", class: "skip", onclick: (event) => {
        event.preventDefault();
        document.getElementById("view").focus();
      } }, say("skip")),
      h("header", {}, h("h1", {}, data.title), tabs),
      h("div", { id: "stage" },
        h("div", { id: "side" }, Input.build(data), Answer.build(data)),
        h("main", { id: "view", tabindex: -1 }, Lessons.build(data, stages), pick,
          Object.values(views).filter(Boolean))),
      h("footer", {}, h("p", { id: "said", role: "status" }),
        h("p", { id: "heard", role: "status", class: "hidden" }), Share.build()));
  }

  function shown() {
    for (const [name, element] of Object.entries(views)) {
      if (element) element.hidden = name !== state.view;
    }
    for (const one of names()) {
      const tab = document.getElementById(`tab_${one}`);
      if (one === state.view) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    const pick = document.getElementById("network");
    if (pick) pick.value = state.network;
    Answer.open(state.network);
  }

  function point() {
    const told = document.getElementById("told");
    const stage = stages[state.network].find(({ id }) => id === state.stage);
    const result = Live.results[state.network];
    const pointing = stage && result && ["overview", "channel", "beside"].includes(state.view);
    Input.show(pointing ? Overview.seen(stage, state.row, state.column) : null);
    if (!pointing) {
      told.textContent = "";
      return;
    }
    const values = result.answers[stage.id];
    const value = values[(state.channel * stage.height + state.row) * stage.width + state.column];
    told.textContent = Overview.words(stage, data, value ?? 0);
  }

  const painters = {
    overview(keys) {
      panels[state.network] ??= Overview.panel(state.network, stages[state.network], data);
      if (overview !== panels[state.network]) {
        overview = panels[state.network];
        document.getElementById("panel").replaceChildren(overview.element);
        keys.add("answer");
      }
      const result = Live.results[state.network];
      if (result && (keys.has("answer") || keys.has("strongest") || keys.has("view"))) {
        overview.paint(result);
      }
      overview.mark();
    },
    channel(keys) {
      if (["answer", "stage", "channel", "row", "column", "view", "network", "survey"]
        .some((key) => keys.has(key))) Channel.show();
    },
    why(keys) {
      if (["answer", "one", "view", "network", "warmth"].some((key) => keys.has(key))) Why.show();
      else if (keys.has("survey")) Why.nearest();
    },
    whatif(keys) {
      WhatIf.show(keys);
    },
    beside(keys) {
      Beside.show(keys);
    },
    about() {
      About.show();
    },
  };

  // What changed since the last frame of the screen is drawn once.
  function draw() {
    drawing = 0;
    const keys = pendingKeys;
    pendingKeys = new Set();
    if (keys.has("view") || keys.has("network")) shown();
    if (RERUN.some((key) => keys.has(key))) Input.paint();
    if (keys.has("lesson") || keys.has("network")) Lessons.show();
    if (keys.has("warmth")) {
      Live.results.forEach((result, network) => Answer.show(network, result.logits, result.ms));
    }
    painters[state.view](keys);
    point();
  }

  function soon(keys) {
    for (const key of keys) pendingKeys.add(key);
    if (!drawing) drawing = requestAnimationFrame(draw);
  }

  function changed(keys) {
    if (RERUN.some((key) => keys.has(key))) Live.run();
    soon(keys);
  }

  // What is answered is read aloud when the picture rests.
  function heard(network, result) {
    Answer.show(network, result.logits, result.ms);
    soon(["answer"]);
    if (network !== state.network) return;
    clearTimeout(resting);
    resting = setTimeout(() => {
      document.getElementById("heard").textContent = Answer.inWords(network);
    }, REST_MS);
  }

  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || state.silent) return;
    if (event.target.closest("input:not([type=radio]):not([type=checkbox]), select, textarea")) return;
    const at = Number(event.key);
    if (at >= 1 && at <= names().length) change({ view: names()[at - 1] });
    else if (event.key === "l" || event.key === "L") change({ lesson: state.lesson ? 0 : 1 });
    else if (event.key === "u" || event.key === "U") document.getElementById("undo").click();
    else return;
    event.preventDefault();
  }

  async function begin() {
    body.textContent = say("loading");
    data = JSON.parse(document.getElementById("data").textContent);
    data.networks = data.networks.map((network) => ({ ...network,
      answers: new Float32Array(Networks.bytesOf(network.answers).buffer) }));
    const packed = { test: data.test, training: data.training };
    for (const set of ["test", "training"]) {
      data[set] = { ...data[set], pixels: Networks.bytesOf(data[set].pixels) };
    }
    Live.begin({ ...data, ...packed }, heard);
    const { networks } = await Live.load();
    stages = networks.map((one) => one.stages);
    State.begin({ networks: stages.length, rows: data.test.rows,
      classes: data.classes.length, stages, size: Math.max(data.shape.height, data.shape.width),
      pixels: data.shape.height * data.shape.width * data.shape.channels });
    if (!names().includes(state.view)) state.view = "overview";
    document.documentElement.lang = say("language");
    frame();
    shown();
    Input.paint();
    Lessons.show();
    State.listen(changed);
    Input.covered(() => changed(new Set(["finger"])));
    addEventListener("keydown", keys);
    addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      document.getElementById("said").textContent = say("went_wrong",
        { reason: event.reason?.message ?? event.reason });
    });
    Live.run();
    document.documentElement.dataset.ready = "yes";
  }

  // What is looked at first is looked through first.
  async function survey() {
    for (const network of [state.network, ...data.networks.keys()]) {
      for (const set of ["test", "training"]) {
        await Live.survey(network, set);
        soon(["survey"]);
      }
    }
  }

  begin().then(survey, (error) => {
    body.textContent = say("failed", { reason: error.message });
  });
})();
