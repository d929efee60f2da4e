"use strict";
// Into one channel: its map, what it reads, one cell multiplied out, what excites it most.
const Channel = (() => {
  const SHOWN_INPUTS = 8;
  const SHOWN_PICTURES = 8;
  const SLIDE_MS = 160;
  let data;
  let stages;
  let element;
  let sliding = 0;
  let newest = 0;

  function build(given, told) {
    data = given;
    stages = told;
    element = h("div", { id: "view_channel" });
    return element;
  }

  const current = () => stages[state.network].find(({ id }) => id === state.stage)
    ?? stages[state.network][0];

  function go(by) {
    const stage = current();
    change({ stage: stage.id, channel: (state.channel + by + stage.channels) % stage.channels });
  }

  let parts = null;

  // Made once for each network; what it shows changes, and the focus stays where it is.
  function frame() {
    const { network } = state;
    const choose = h("select", { id: "stage_of", onchange: () => change({ stage: choose.value,
      channel: 0, row: 0, column: 0 }) }, stages[network].map((one) =>
      h("option", { value: one.id }, one.name)));
    const number = h("input", { id: "channel_of", type: "number", min: 0,
      onchange: () => change({ stage: current().id,
        channel: Math.max(0, Math.round(Number(number.value) || 0)) }) });
    const map = h("canvas", { id: "map", class: "map", tabindex: 0, role: "application",
      onkeydown: keys, onpointermove: point, onpointerdown: point });
    const play = h("button", { type: "button", id: "slide", onclick: slide }, say("slide"));
    parts = {
      network, choose, number, map, play,
      title: h("h2", {}),
      described: h("p", { class: "small" }),
      legend: h("span", {}),
      about: h("p", {}),
      cells: h("p", { class: "row" }, play,
        h("button", { type: "button", onclick: () => step(-1) }, say("cell_before")),
        h("button", { type: "button", onclick: () => step(1) }, say("cell_after"))),
      reads: h("div", {}),
      sum: h("div", { id: "sum" }),
      excites: h("div", {}),
      numbers: Numbers.folded(() => ({ caption: say("numbers_caption", {
        stage: parts.stage.name, channel: parts.channel }), height: parts.stage.height,
      width: parts.stage.width, start: parts.channel * parts.stage.height * parts.stage.width,
      values: Live.results[state.network].answers[parts.stage.id] })),
      off: h("button", { type: "button", id: "switch_off", onclick: toggle }),
    };
    element.replaceChildren(parts.title,
      h("p", { class: "row" }, h("label", { for: "stage_of" }, say("stage")), choose,
        h("label", { for: "channel_of" }, say("channel_number")), number,
        h("button", { type: "button", onclick: () => go(-1) }, say("before")),
        h("button", { type: "button", onclick: () => go(1) }, say("after")), parts.off),
      parts.described, parts.about,
      h("div", { class: "two" },
        h("div", {}, h("h3", {}, say("its_map")), h("div", { class: "mapbox" }, map,
          h("span", { class: "cell", "aria-hidden": "true" })), parts.legend, parts.cells,
        parts.numbers.element),
        h("div", {}, h("h3", {}, say("its_filter")), parts.reads)),
      h("h3", {}, say("sum_title")), parts.sum,
      h("h3", {}, say("excites_title")), parts.excites);
  }

  function turnTo(stage, channel) {
    Object.assign(parts, { stage, channel, excited: null });
    parts.title.textContent = say("channel_title", { stage: stage.name,
      channel: Overview.titled(stage, channel, data) });
    parts.choose.value = stage.id;
    parts.number.max = stage.channels - 1;
    parts.number.value = channel;
    parts.described.textContent = Overview.describe(stage, data);
    parts.cells.hidden = stage.height * stage.width === 1;
    parts.map.setAttribute("aria-label", say("map_label", { stage: stage.name,
      channel: Overview.titled(stage, channel, data) }));
    parts.about.replaceChildren();
  }

  function point(event) {
    if (event.type === "pointermove" && event.pointerType === "touch" && !event.buttons) return;
    const { stage } = parts;
    const box = parts.map.getBoundingClientRect();
    const limit = (value, most) => Math.max(0, Math.min(most - 1, Math.floor(value)));
    change({ stage: stage.id,
      row: limit(((event.clientY - box.top) / box.height) * stage.height, stage.height),
      column: limit(((event.clientX - box.left) / box.width) * stage.width, stage.width) });
  }

  function keys(event) {
    const arrows = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const arrow = arrows[event.key];
    if (!arrow) return;
    event.preventDefault();
    const { stage } = parts;
    const limit = (value, most) => Math.max(0, Math.min(most - 1, value));
    change({ stage: stage.id, row: limit(state.row + arrow[0], stage.height),
      column: limit(state.column + arrow[1], stage.width) });
    const values = Live.results[state.network]?.answers[stage.id];
    const at = (parts.channel * stage.height + state.row) * stage.width + state.column;
    if (values) document.getElementById("said").textContent = Overview.words(stage, data, values[at]);
  }

  function step(by) {
    const { height, width, id } = parts.stage;
    const at = (state.row * width + state.column + by + height * width) % (height * width);
    change({ stage: id, row: Math.floor(at / width), column: at % width });
  }

  // The filter slides over the picture, a cell at a time; a second press stops it.
  function slide() {
    if (sliding) {
      stop();
      return;
    }
    parts.play.textContent = say("slide_stop");
    sliding = setInterval(() => {
      if (!parts.map.isConnected || state.view !== "channel") stop();
      else step(1);
    }, reducedMotion() ? 4 * SLIDE_MS : SLIDE_MS);
  }

  function stop() {
    clearInterval(sliding);
    sliding = 0;
    if (parts) parts.play.textContent = say("slide");
  }

  function toggle() {
    const { stage, channel } = parts;
    WhatIf.toggle(state.network, stage.id, channel);
  }

  function show() {
    const stage = current();
    const channel = Math.min(state.channel, stage.channels - 1);
    if (parts?.network !== state.network) {
      stop();
      frame();
    }
    if (parts.stage !== stage || parts.channel !== channel) {
      stop();
      turnTo(stage, channel);
    }
    const result = Live.results[state.network];
    if (!result) return;
    const values = result.answers[stage.id];
    const cells = stage.height * stage.width;
    const scale = Colours.scaleOf(values);
    Colours.paint(parts.map, values, channel * cells, stage.height, stage.width, scale);
    parts.legend.replaceChildren(Colours.legend(scale));
    const box = parts.map.parentElement;
    box.style.setProperty("--across", (Math.min(state.column, stage.width - 1)) / stage.width);
    box.style.setProperty("--along", (Math.min(state.row, stage.height - 1)) / stage.height);
    box.style.setProperty("--wide", 1 / stage.width);
    box.style.setProperty("--tall", 1 / stage.height);
    parts.off.textContent = say(Overview.isOff(state.network, stage.id, channel) ? "switch_on"
      : "switch_off");
    parts.numbers.fill();
    fill(stage, channel);
    excites(stage, channel);
  }

  async function fill(stage, channel) {
    newest += 1;
    const mine = newest;
    const where = { network: state.network, stage: stage.id, channel,
      row: Math.min(state.row, stage.height - 1), column: Math.min(state.column, stage.width - 1) };
    const [told, { shares }] = await Promise.all([Live.ask("explain", where),
      Live.ask("shares", where)]);
    if (mine !== newest || parts.stage !== stage) return;
    replaced(parts.reads, reads(stage, shares));
    replaced(parts.sum, sum(stage, told, Overview.isOff(state.network, stage.id, channel)));
  }

  // What had the focus gives it to what takes its place.
  function replaced(holder, children) {
    const before = [...holder.querySelectorAll("button")].indexOf(document.activeElement);
    holder.replaceChildren(...children);
    if (before >= 0) holder.querySelectorAll("button")[before]?.focus();
  }

  const source = (stage, one) => (one.name !== undefined ? one.name
    : stage.fromPicture ? say(data.shape.channels === 3 ? `colour_${one.channel}` : "the_picture")
      : say("channel_in", { stage: stage.reads ?? say("the_layer_before"), channel: one.channel }));

  function sourcePicture(stage, channel) {
    const canvas = h("canvas", { class: "thumb", "aria-hidden": "true" });
    if (stage.fromPicture) {
      const { pixels } = Live.results[state.network];
      const { channels } = data.shape;
      const one = pixels.filter((_, at) => at % channels === channel);
      Colours.paintPicture(canvas, one, { ...data.shape, channels: 1 });
      return canvas;
    }
    const from = stages[state.network].find(({ id }) => id === stage.given);
    if (!from || channel === undefined || channel >= from.channels) return null;
    const values = Live.results[state.network].answers[from.id];
    Colours.paint(canvas, values, channel * from.height * from.width, from.height, from.width,
      Colours.scaleOf(values));
    return canvas;
  }

  // The channels that count most, each with the filter that looks at it.
  function reads(stage, shares) {
    if (!shares.length) return [h("p", {}, say(`reads_${stage.kind}`))];
    const far = Math.max(...shares.flatMap(({ filter }) => filter.map(Math.abs)), 1e-9);
    const [tall, wide] = stage.kernel ?? [1, 1];
    const shown = shares.slice(0, SHOWN_INPUTS);
    const rest = shares.slice(SHOWN_INPUTS).reduce((all, { share }) => all + share, 0);
    const scale = { kind: "diverging", low: -far, high: far };
    const rows = shown.map((one) => {
      const filter = h("canvas", { class: "thumb", role: "img", "aria-label": say("filter_label", {
        numbers: one.filter.map(Insight.brief).join(", ") }) });
      Colours.paint(filter, one.filter, 0, tall, wide, scale);
      const inner = h("span", { class: "bar neutral" });
      inner.style.width = `${100 * one.share}%`;
      const from = stages[state.network].find(({ id }) => id === stage.given);
      const name = source(stage, one);
      return h("tr", {}, h("th", { scope: "row" }, sourcePicture(stage, one.channel),
        from && one.channel !== undefined && one.channel < from.channels
          ? h("button", { type: "button", class: "plain", onclick: () => change({ stage: from.id,
            channel: one.channel }) }, name) : name),
      h("td", {}, stage.kind === "sum" ? null : filter),
      h("td", {}, h("span", { class: "track", "aria-hidden": "true" }, inner)),
      h("td", {}, percent(one.share)));
    });
    return [h("table", { class: "reads" }, h("caption", { class: "small" }, say("reads_caption")),
      h("thead", {}, h("tr", {}, ["reads", "filter", "bar", "share"].map((key) =>
        h("th", { scope: "col" }, say(key))))), h("tbody", {}, rows)),
    rest > 0 ? h("p", { class: "small" }, say("others", { count: shares.length - shown.length,
      share: percent(rest) })) : null, Colours.legend(scale)].filter(Boolean);
  }

  // `beyond`: what stands where a window reaches out of the picture.
  function matrix(values, [tall, wide], caption, beyond = "0") {
    return h("table", { class: "matrix" }, h("caption", {}, caption),
      h("tbody", {}, Array.from({ length: tall }, (_, row) => h("tr", {},
        Array.from({ length: wide }, (_2, column) => {
          const value = values[row * wide + column];
          return value === null ? h("td", { class: "outside", title: say("outside") }, beyond)
            : h("td", {}, Insight.brief(value));
        })))));
  }

  function sum(stage, told, off) {
    const strongest = [...told.inputs].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
    const end = h("p", { class: "result" }, say(off ? "result_off" : "result", { value: Insight.brief(told.value),
      shown: Insight.brief(told.shown) }));
    end.dataset.value = told.value;
    end.dataset.shown = told.shown;
    const later = told.steps.map((one) => h("li", {}, h("strong", {}, one.words), `: ${one.formula}`
      + ` = ${Insight.brief(one.value)}`));
    if (stage.kind === "pool") {
      return [matrix(told.inputs[0].patch, told.kernel, say("window"), "–"),
        h("ol", { class: "steps" }, h("li", {}, say(told.largest ? "largest_of" : "mean_of",
          { value: Insight.brief(told.start) })), later), end];
    }
    if (stage.kind === "attention") {
      return [h("p", {}, say("softmax_help", { count: told.inputs.length })),
        list(stage, strongest, told.inputs.length), end];
    }
    const [top] = strongest;
    const products = top.patch.map((value, at) => (value ?? 0) * top.filter[at]);
    const multiplied = stage.kind === "conv" ? [h("p", {}, say("strongest_input",
      { name: source(stage, top) })), h("div", { class: "row matrices" },
      matrix(top.patch, told.kernel, say("patch")), h("span", {}, "×"),
      matrix(top.filter, told.kernel, say("filter")), h("span", {}, "="),
      matrix(products, told.kernel, say("products")),
      h("span", {}, say("adds_to", { sum: Insight.brief(top.sum) })))] : [];
    return [...multiplied, list(stage, strongest, told.inputs.length),
      h("ol", { class: "steps" }, h("li", {}, say("all_products",
        { count: told.inputs.length, sum: Insight.brief(told.products) })),
      told.bias ? h("li", {}, h("strong", {}, say("bias")), `: ${Insight.brief(told.products)} + `
        + `${Insight.brief(told.bias)} = ${Insight.brief(told.start)}`) : null, later), end];
  }

  function list(stage, strongest, count) {
    const shown = strongest.slice(0, SHOWN_INPUTS);
    const rest = strongest.slice(SHOWN_INPUTS).reduce((all, one) => all + one.sum, 0);
    return h("p", { class: "terms" }, shown.map((one, at) => [at ? " + " : "",
      h("span", { class: "term" }, `${Insight.brief(one.sum)} `, h("small", {},
        `(${source(stage, one)})`))]), count > shown.length
      ? ` + ${Insight.brief(rest)} (${say("others_short", { count: count - shown.length })})` : "");
  }

  function excites(stage, channel) {
    const found = Live.surveyed(state.network, "test");
    if (!found) {
      parts.excites.replaceChildren(h("p", {}, say("looking")));
      return;
    }
    if (parts.excited === found) return;
    parts.excited = found;
    const told = found.stages.find(({ id }) => id === stage.id);
    const dead = told.dead.includes(channel);
    const copies = told.copies[channel] ?? [];
    parts.about.replaceChildren(...[
      dead ? h("strong", { class: "odd" }, say("dead", { count: data.test.labels.length })) : null,
      copies.length ? h("strong", { class: "odd" }, say("copies", { list: copies.slice(0, 6)
        .join(", ") })) : null].filter(Boolean));
    const order = data.test.labels.map((_, at) => ({ at,
      peak: told.peaks[at * stage.channels + channel] })).sort((a, b) => b.peak - a.peak)
      .slice(0, SHOWN_PICTURES);
    parts.excites.replaceChildren(h("p", { class: "small" }, say("excites_help",
      { count: data.test.labels.length })), h("div", { class: "pictures large" },
      order.map(({ at, peak }) => {
        const cell = told.places[at * stage.channels + channel];
        const field = Overview.seen(stage, Math.floor(cell / stage.width), cell % stage.width);
        const button = Input.thumb(at, { onclick: () => change({ picture: { at }, stage: stage.id,
          row: Math.floor(cell / stage.width), column: cell % stage.width }),
        label: say("excited", { row: data.test.rows[at],
          name: data.classes[data.test.labels[at]], value: Insight.brief(peak) }) });
        if (field) {
          const frameOf = h("span", { class: "frame", "aria-hidden": "true" });
          const { height, width } = data.shape;
          const limit = (value, most) => Math.max(0, Math.min(most, value));
          const [top, left] = [limit(field.top, height), limit(field.left, width)];
          frameOf.style.top = `${(100 * top) / height}%`;
          frameOf.style.left = `${(100 * left) / width}%`;
          frameOf.style.height = `${(100 * (limit(field.bottom, height) - top)) / height}%`;
          frameOf.style.width = `${(100 * (limit(field.right, width) - left)) / width}%`;
          button.append(frameOf);
        }
        return h("figure", {}, button, h("figcaption", {}, Insight.brief(peak)));
      })));
  }

  return { build, show };
})();
