"use strict";
// Why this answer: the map of a class, occlusion, channels for and against, the nearest pictures,
// the path through the network; for any class, beside the runner-up.
const Why = (() => {
  const SHOWN_CHANNELS = 8;
  const SHOWN_NEAREST = 6;
  let data;
  let stages;
  let element;
  let parts;
  let newest = 0;
  let found = null;
  let covered = null;
  let pending = 0;

  function build(given, told) {
    data = given;
    stages = told;
    parts = { choice: h("p", { class: "row", role: "group", "aria-label": say("for_class") }),
      columns: h("div", { class: "two" }), nearest: h("div", {}), path: h("div", { class: "scroll",
        tabindex: 0, role: "region", "aria-label": say("path_title") }) };
    element = h("div", { id: "view_why" }, h("h2", {}, say("why_title")), parts.choice,
      h("p", { class: "small" }, say("why_help")), parts.columns,
      h("h3", {}, say("nearest_title")), h("p", { class: "small" }, say("nearest_help")),
      parts.nearest, h("h3", {}, say("path_title")), h("p", { class: "small" }, say("path_help")),
      parts.path);
    return element;
  }

  // The class asked about and the other one it is set against: the answer and its runner-up.
  function asked() {
    const shares = Answer.of(state.network, Live.results[state.network].logits);
    const order = shares.map((share, one) => ({ share, one })).sort((a, b) => b.share - a.share);
    const first = state.one ?? order[0].one;
    const second = order.find(({ one }) => one !== first).one;
    return { first, second, order };
  }

  function show() {
    const result = Live.results[state.network];
    if (!result) return;
    clearTimeout(pending);
    // While a hand still draws, the answer is not asked for its reasons.
    pending = setTimeout(refresh, found ? 120 : 0);
    choices();
  }

  function choices() {
    const { first, order } = asked();
    const shown = order.slice(0, 4);
    const others = h("select", { "aria-label": say("other_class"), onchange: () =>
      change({ one: others.value === "" ? null : Number(others.value) }) },
    h("option", { value: "" }, say("its_answer")), data.classes.map((name, one) =>
      h("option", { value: one, selected: state.one === one }, name)));
    const held = parts.choice.contains(document.activeElement)
      ? [...parts.choice.children].indexOf(document.activeElement) : -1;
    parts.choice.replaceChildren(...shown.map(({ one, share }) => h("button", { type: "button",
      "aria-pressed": String(one === first), onclick: () => change({ one }) },
    `${data.classes[one]} ${percent(share)}`)), others);
    if (held >= 0) parts.choice.children[Math.min(held, parts.choice.children.length - 1)].focus();
  }

  async function refresh() {
    newest += 1;
    const mine = newest;
    const { network } = state;
    const { first, second } = asked();
    const { pixels } = Live.results[network];
    const [size, step] = [Math.max(5, Math.round(data.shape.height / 4)),
      Math.max(1, Math.round(data.shape.height / 14))];
    const why = await Live.ask("why", { network, classes: [first, second] });
    if (mine !== newest) return;
    found = { ...why, first, second, network };
    const places = columns();
    nearest();
    path();
    const told = await Live.ask("occlude", { network, pixels, size, step, ground: data.ground,
      edits: Live.edits(network), slot: "why" });
    if (mine !== newest || !told) return;
    covered = told;
    // Only what was missing is put in: what has the focus keeps it.
    places.forEach(({ holder, one }) => holder.replaceChildren(
      ...heat(drops(one), { height: covered.rows, width: covered.columns },
        say("occlusion_label", { name: data.classes[one] }))));
  }

  // A map over the picture, its legend, and its numbers.
  function heat(map, { height, width }, label) {
    if (!map) return [h("p", {}, say("no_map"))];
    const canvas = h("canvas", { class: "over" });
    const scale = Colours.scaleOf(map);
    Colours.paint(canvas, map, 0, height, width, scale);
    const under = h("canvas", { class: "under" });
    Colours.paintPicture(under, Live.results[found.network].pixels, data.shape);
    return [h("div", { class: "heat", role: "img", "aria-label": label }, under, canvas),
      Colours.legend(scale),
      Numbers.folded(() => ({ caption: label, values: map, height, width })).element];
  }

  function columns() {
    const places = [];
    const side = [found.first, found.second].map((one, at) => {
      const name = data.classes[one];
      const { map } = found.classes[at];
      const holder = h("div", {}, h("p", {}, say("looking")));
      places.push({ holder, one });
      return h("section", { class: "reason" },
        h("h3", {}, say(at ? "against" : "for", { name })),
        h("div", { class: "row top" },
          h("figure", {}, h("figcaption", {}, say("cam")), heat(map?.map, map ?? {},
            mapWords(map, name))),
          h("figure", {}, h("figcaption", {}, say("occlusion")), holder)),
        found.heads.length > 1 ? h("p", { class: "small" }, say("first_member",
          { count: found.heads.length })) : null,
        found.heads.slice(0, 1).map((head) => pushes(stages[found.network].find(({ id }) =>
          id === head.id), head, one)));
    });
    parts.columns.replaceChildren(...side);
    return places;
  }

  function mapWords(map, name) {
    if (!map) return say("no_map");
    const at = map.map.indexOf(Math.max(...map.map));
    return say("cam_label", { name, row: Math.floor(at / map.width) + 1,
      column: (at % map.width) + 1, height: map.height, width: map.width });
  }

  // By how much the class's logarithm of probability falls when the place is covered.
  function drops(one) {
    const { network } = found;
    const log = (logits) => Math.log(Math.max(1e-12, Answer.of(network, logits)[one]));
    const plain = log(Live.results[network].logits);
    // What helps the class is no part of what it stands on.
    return Float32Array.from(covered.logits, (logits) => Math.max(0, plain - log(logits)));
  }

  function pushes(stage, head, one) {
    const order = head.pushes.map((push, channel) => ({ channel, push: push[one] }))
      .sort((a, b) => Math.abs(b.push) - Math.abs(a.push)).slice(0, SHOWN_CHANNELS);
    const most = Math.abs(order[0]?.push ?? 1) || 1;
    const values = Live.results[found.network].answers[stage.id];
    const scale = Colours.scaleOf(values);
    return h("table", { class: "reads" }, h("caption", { class: "small" }, say("pushes", {
      stage: stage.name })), h("thead", {}, h("tr", {}, ["channel_head", "bar", "push"].map((key) =>
      h("th", { scope: "col" }, say(key))))), h("tbody", {}, order.map(({ channel, push }) => {
      const canvas = h("canvas", { class: "thumb", "aria-hidden": "true" });
      Colours.paint(canvas, values, channel * stage.height * stage.width, stage.height,
        stage.width, scale);
      const bar = h("span", { class: `bar ${push < 0 ? "minus" : "plus"}` });
      bar.style.width = `${(100 * Math.abs(push)) / most}%`;
      return h("tr", {}, h("th", { scope: "row" }, canvas, h("button", { type: "button",
        class: "plain", onclick: () => change({ stage: stage.id, channel, view: "channel" }) },
      say("channel", { channel }))), h("td", {}, h("span", { class: "track",
        "aria-hidden": "true" }, bar)), h("td", {}, `${push > 0 ? "+" : ""}${Insight.brief(push)}`));
    })));
  }

  function nearest() {
    const result = Live.results[found.network];
    const sets = ["training", "test"].map((set) => {
      const known = Live.surveyed(found.network, set);
      if (!known) return h("div", {}, h("h4", {}, say(`near_${set}`, {
        count: data[set].labels.length })), h("p", {}, say("looking")));
      const order = known.embeddings.map((one, at) => ({ at, cosine: cosine(one,
        result.embedding) })).filter(({ at }) => set !== "test" || state.picture.pixels
          || at !== state.picture.at).sort((a, b) => b.cosine - a.cosine).slice(0, SHOWN_NEAREST);
      return h("div", {}, h("h4", {}, say(`near_${set}`, { count: known.embeddings.length })),
        h("div", { class: "pictures" }, order.map(({ at, cosine: near }) => {
          const label = data[set].labels[at];
          const canvas = h("canvas", { class: "thumb", role: "img",
            "aria-label": say("near_label", { name: data.classes[label], cosine: near.toFixed(2) }) });
          const size = data.shape.height * data.shape.width * data.shape.channels;
          Colours.paintPicture(canvas, data[set].pixels.subarray(at * size, (at + 1) * size),
            data.shape);
          return h("figure", {}, canvas, h("figcaption", {}, data.classes[label], h("br"),
            near.toFixed(2)));
        })));
    });
    parts.nearest.replaceChildren(h("div", { class: "two" }, sets));
  }

  function cosine(a, b) {
    let [product, one, other] = [0, 0, 0];
    for (let at = 0; at < a.length; at += 1) {
      product += a[at] * b[at];
      one += a[at] * a[at];
      other += b[at] * b[at];
    }
    return product / (Math.sqrt(one * other) || 1);
  }

  // Columns from the picture on the left to the class on the right, lines as wide as what flows.
  function path() {
    const columns = found.classes[0].path;
    const [tall, wide, side] = [96, 120, 56];
    const height = 3 * tall + 24;
    const width = (columns.length + 1) * wide;
    const drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
      "aria-label": pathWords(columns) });
    const x = (at) => width - (at + 1) * wide + (wide - side) / 2;
    const y = (count, at) => (height - count * tall) / 2 + at * tall + (tall - side) / 2;
    const line = (x1, y1, x2, y2, weight) => drawing.append(svg("line", { x1, y1, x2, y2,
      class: "flow", "stroke-width": 1 + 5 * Math.min(1, weight) }));
    columns.forEach((column, at) => {
      const before = columns[at - 1] ?? [];
      column.forEach((unit, index) => {
        for (const from of at ? [unit.from, ...(unit.also ?? [])] : []) {
          line(x(at) + side, y(column.length, index) + side / 2, x(at - 1),
            y(before.length, from) + side / 2, unit.weight);
        }
        if (at === columns.length - 1) {
          line(x(at + 1) + side, height / 2, x(at), y(column.length, index) + side / 2, unit.weight);
        }
      });
    });
    columns.forEach((column, at) => column.forEach((unit, index) => {
      const stage = stages[found.network].find(({ id }) => id === unit.id);
      const name = at ? stage.name : data.classes[found.first];
      drawing.append(picture(at ? stageImage(stage, unit.channel) : null, x(at),
        y(column.length, index), side, at ? say("short_channel", { stage: name,
          channel: unit.channel }) : name, data.colours[found.first]));
    }));
    const own = h("canvas");
    Colours.paintPicture(own, Live.results[found.network].pixels, data.shape);
    drawing.append(picture(own, x(columns.length), (height - side) / 2, side, say("picture")));
    parts.path.replaceChildren(drawing);
  }

  function stageImage(stage, channel) {
    const values = Live.results[found.network].answers[stage.id];
    const canvas = h("canvas");
    Colours.paint(canvas, values, channel * stage.height * stage.width, stage.height, stage.width,
      Colours.scaleOf(values));
    return canvas;
  }

  function picture(canvas, x, y, side, words, colour) {
    const group = svg("g", {});
    if (canvas) {
      group.append(svg("image", { href: canvas.toDataURL(), x, y, width: side, height: side,
        class: "pixels" }));
    } else {
      group.append(svg("rect", { x, y, width: side, height: side, fill: colour, class: "box" }));
    }
    const text = svg("text", { x: x + side / 2, y: y + side + 14, class: "name" });
    text.textContent = words.length > 18 ? `${words.slice(0, 17)}…` : words;
    group.append(text);
    return group;
  }

  function pathWords(columns) {
    return say("path_label", { list: columns.slice(1).map((column) => column.map((unit) => {
      const stage = stages[found.network].find(({ id }) => id === unit.id);
      return say("short_channel", { stage: stage.name, channel: unit.channel });
    }).join(", ")).join("; ") });
  }

  return { build, show, nearest: () => found && nearest() };
})();
