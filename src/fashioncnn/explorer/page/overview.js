"use strict";
// Every stage with all of its channels, live.
const Overview = (() => {
  // One network's stages: { element, paint(result), mark() }.
  function panel(network, stages, data, { wide = false } = {}) {
    const rows = stages.map((stage) => {
      const legend = h("span", { class: "legends" });
      const grid = h("div", { class: "tiles", role: "group",
        "aria-label": say("channels_of", { stage: stage.name }) });
      const cells = stage.height * stage.width;
      const side = cells === 1 ? 22 : Math.max(wide ? 40 : 48, Math.min(72, stage.width * 2));
      const tiles = Array.from({ length: stage.channels }, (_, channel) => {
        const canvas = h("canvas", { width: stage.width, height: stage.height,
          "aria-hidden": "true" });
        const tile = h("button", { type: "button", class: "tile", tabindex: channel ? -1 : 0 },
          canvas);
        tile.style.width = `${side}px`;
        tile.style.height = `${Math.max(14, (side * stage.height) / stage.width)}px`;
        tile.dataset.channel = channel;
        return { tile, canvas, channel };
      });
      grid.append(...tiles.map(({ tile }) => tile));
      const section = h("section", { class: `stage ${cells === 1 ? "flat" : "placed"}` },
        h("h3", {}, stage.name, " ", h("small", {}, describe(stage, data))), legend, grid);
      follow(network, stage, grid, tiles);
      return { stage, tiles, grid, legend, section };
    });
    const element = h("div", {}, rows.map(({ section }) => section));

    function paint({ answers }) {
      for (const { stage, tiles, grid, legend } of rows) {
        const values = answers[stage.id];
        const cells = stage.height * stage.width;
        const scale = Colours.scaleOf(values);
        legend.replaceChildren(Colours.legend(scale));
        const peaks = tiles.map(({ canvas, tile, channel }) => {
          Colours.paint(canvas, values, channel * cells, stage.height, stage.width, scale);
          let largest = -Infinity;
          for (let at = channel * cells; at < (channel + 1) * cells; at += 1) {
            if (values[at] > largest) largest = values[at];
          }
          tile.setAttribute("aria-label", say("tile", { channel: titled(stage, channel, data),
            value: Insight.brief(largest) }));
          return largest;
        });
        const order = tiles.map(({ channel }) => channel);
        if (state.strongest) order.sort((a, b) => peaks[b] - peaks[a]);
        const shown = [...grid.children].map((child) => Number(child.dataset.channel));
        if (order.some((channel, at) => channel !== shown[at])) {
          grid.append(...order.map((channel) => tiles[channel].tile));
        }
      }
    }

    function mark() {
      const from = stages.find(({ id }) => id === state.stage);
      for (const { stage, grid, tiles } of rows) {
        grid.style.setProperty("--across", from ? (state.column + 0.5) / from.width : 0);
        grid.style.setProperty("--along", from ? (state.row + 0.5) / from.height : 0);
        grid.classList.toggle("marked", Boolean(from) && from.height * from.width > 1);
        for (const { tile, channel } of tiles) {
          const on = stage.id === state.stage && channel === state.channel;
          if (tile.classList.contains("chosen") !== on) tile.classList.toggle("chosen", on);
          const off = isOff(network, stage.id, channel);
          if (tile.classList.contains("off") !== off) tile.classList.toggle("off", off);
        }
      }
    }

    return { element, paint, mark };
  }

  const titled = (stage, channel, data) => (stage.last ? data.classes[channel] ?? channel
    : say("channel", { channel }));

  function describe(stage, data) {
    const size = stage.height * stage.width > 1
      ? say("of_size", { channels: stage.channels, height: stage.height, width: stage.width })
      : say("of_features", { channels: stage.channels });
    if (stage.kind === "conv") {
      const [tall, wide] = stage.kernel;
      const step = Math.max(...(stage.strides ?? [1]));
      return `${say("kind_conv", { tall, wide })}${step > 1 ? say("stepping", { step }) : ""}, ${size}`;
    }
    return stage.last ? say("kind_scores", { classes: data.classes.length })
      : `${say(`kind_${stage.kind}`)}, ${size}`;
  }

  function isOff(network, stage, channel) {
    return state.off.some((one) => one.network === network && one.stage === stage
      && (one.channels === "all" || one.channels.includes(channel)));
  }

  // Hover and focus tell of a cell; arrows go from channel to channel; a press goes into it.
  function follow(network, stage, grid, tiles) {
    const at = (event) => {
      const tile = event.target.closest?.(".tile");
      if (!tile) return null;
      const box = tile.getBoundingClientRect();
      const limit = (value, most) => Math.max(0, Math.min(most - 1, Math.floor(value)));
      return { network, stage: stage.id, channel: Number(tile.dataset.channel),
        row: limit(((event.clientY - box.top) / box.height) * stage.height, stage.height),
        column: limit(((event.clientX - box.left) / box.width) * stage.width, stage.width) };
    };
    grid.addEventListener("pointermove", (event) => {
      const found = at(event);
      if (found) change(found);
    });
    grid.addEventListener("click", (event) => {
      const tile = event.target.closest(".tile");
      if (!tile) return;
      // A press by key has no place in the tile.
      const found = event.detail ? at(event) : { network, stage: stage.id,
        channel: Number(tile.dataset.channel) };
      change({ ...found, view: "channel" });
    });
    grid.addEventListener("focusin", (event) => {
      const tile = event.target.closest(".tile");
      if (!tile?.matches(":focus-visible")) return;
      for (const one of tiles) one.tile.tabIndex = one.tile === tile ? 0 : -1;
      const same = stage.id === state.stage;
      change({ network, stage: stage.id, channel: Number(tile.dataset.channel),
        row: same ? state.row : stage.height >> 1, column: same ? state.column : stage.width >> 1 });
    });
    grid.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
      const list = [...grid.children];
      const here = list.indexOf(document.activeElement);
      let to = here + (steps[event.key] ?? 0);
      if (event.key === "Home") to = 0;
      if (event.key === "End") to = list.length - 1;
      if (to === here || !list[to]) return;
      event.preventDefault();
      list[to].focus();
    });
  }

  // What one cell of a stage sees: { top, left, bottom, right } of the picture, or null for all.
  function seen(stage, row, column) {
    if (!stage?.field) return null;
    const [down, right] = stage.field;
    const top = down[0] + row * down[1];
    const left = right[0] + column * right[1];
    return { top, left, bottom: top + down[2], right: left + right[2] };
  }

  function words(stage, data, value) {
    const field = seen(stage, state.row, state.column);
    const shape = Input.shape();
    const limit = (one, most) => Math.round(Math.max(0, Math.min(most, one)));
    const where = field ? say("sees", { top: limit(field.top, shape.height - 1) + 1,
      bottom: Math.max(1, limit(field.bottom, shape.height)),
      left: limit(field.left, shape.width - 1) + 1,
      right: Math.max(1, limit(field.right, shape.width)) }) : say("sees_all");
    const cell = stage.height * stage.width > 1
      ? `, ${say("at_cell", { row: state.row + 1, column: state.column + 1 })}` : "";
    return say("cell", { stage: stage.name, channel: titled(stage, state.channel, data), cell,
      value: Insight.brief(value), where });
  }

  return { panel, seen, words, titled, describe, isOff };
})();
