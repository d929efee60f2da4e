"use strict";
// Every stage with all of its channels, live.
const Overview = (() => {
  const NAMING_MS = 300;
  const MARGIN = 200;
  const FLAT = 22;
  const FRAME_MS = 4;

  function peak(values, channel, cells) {
    let largest = -Infinity;
    for (let at = channel * cells; at < (channel + 1) * cells; at += 1) {
      if (values[at] > largest) largest = values[at];
    }
    return largest;
  }

  // One network's stages: { element, paint(result), mark() }.
  function panel(network, stages, data, { wide = false } = {}) {
    const rows = stages.map((stage) => {
      const legend = h("span", { class: "legends" });
      const canvas = h("canvas", { class: "maps", "aria-hidden": "true" });
      const grid = h("div", { class: "tiles", role: "group",
        "aria-label": say("channels_of", { stage: stage.name }) });
      // Whole numbers of the screen's pixels for each cell, so that all are of one size.
      const least = stage.width > 40 && stage.width < 100 ? 2 : 1;
      const scale = Math.max(least, Math.round((wide ? 40 : 52) / stage.width));
      const flat = stage.height * stage.width === 1;
      const across = flat ? FLAT : stage.width * scale;
      const down = flat ? FLAT : stage.height * scale;
      // Between tiles one cell stays free; numbers without places stand side by side.
      const gap = flat ? 0 : scale;
      const tiles = Array.from({ length: stage.channels }, (_, channel) => {
        const tile = h("button", { type: "button", class: "tile", tabindex: channel ? -1 : 0,
          "aria-label": titled(stage, channel, data) });
        tile.dataset.channel = channel;
        return { tile, channel };
      });
      grid.append(...tiles.map(({ tile }) => tile));
      const box = h("div", { class: "tilebox" }, canvas, grid);
      const section = h("section", { class: `stage ${flat ? "flat" : "placed"}` },
        h("h3", {}, stage.name, " ", h("small", {}, describe(stage, data))), legend, box);
      follow(network, stage, grid, tiles);
      return { stage, tiles, grid, canvas, legend, section, across, down, gap, told: "", columns: 0 };
    });
    const element = h("div", {}, rows.map(({ section }) => section));

    let shown = null;
    let naming = 0;
    let next = 0;

    // Stages that are out of sight wait until they are scrolled to.
    function paint({ answers }) {
      shown = answers;
      for (const row of rows) row.stale = true;
      inSight();
      clearTimeout(naming);
      naming = setTimeout(name, NAMING_MS);
    }

    // What does not fit into a frame of the screen comes in the next, so that drawing stays smooth.
    function inSight() {
      if (!element.isConnected) return;
      const began = performance.now();
      for (const row of rows) {
        if (!row.stale) continue;
        const { top, bottom } = row.section.getBoundingClientRect();
        if (top === bottom) continue;
        // Each stage is painted once, so that the page has its length.
        const far = bottom < -MARGIN || top > innerHeight + MARGIN;
        if (far && row.columns) continue;
        if (performance.now() - began > FRAME_MS) {
          cancelAnimationFrame(next);
          next = requestAnimationFrame(inSight);
          return;
        }
        row.stale = false;
        paintStage(row);
      }
      // So that every stage has its turn while pictures keep coming.
      rows.push(rows.shift());
    }
    addEventListener("scroll", () => shown && inSight(), { passive: true });
    addEventListener("beforeprint", () => {
      if (!element.isConnected || !element.clientWidth) return;
      for (const row of rows) if (shown && row.stale) paintStage(row);
    });
    addEventListener("resize", () => {
      for (const row of rows) row.columns = 0;
      if (shown && element.isConnected) paint({ answers: shown });
    });

    function paintStage(row) {
      const { stage, tiles, grid, canvas, legend, across, down, gap } = row;
      const values = shown[stage.id];
      const cells = stage.height * stage.width;
      const scale = Colours.scaleOf(values);
      const told = JSON.stringify(scale);
      if (told !== row.told) {
        row.told = told;
        legend.replaceChildren(Colours.legend(scale));
      }
      const order = tiles.map(({ channel }) => channel);
      if (state.strongest) {
        const peaks = order.map((channel) => peak(values, channel, cells));
        order.sort((one, other) => peaks[other] - peaks[one]);
      }
      const before = [...grid.children].map((child) => Number(child.dataset.channel));
      if (order.some((channel, at) => channel !== before[at])) {
        grid.append(...order.map((channel) => tiles[channel].tile));
      }
      const columns = Math.max(1, Math.floor((row.section.clientWidth + gap) / (across + gap)));
      if (columns !== row.columns) {
        row.columns = columns;
        const lines = Math.ceil(tiles.length / columns);
        grid.style.gridTemplateColumns = `repeat(${columns}, ${across}px)`;
        grid.style.gridAutoRows = `${down}px`;
        grid.style.gap = `${gap}px`;
        canvas.style.width = `${columns * (across + gap) - gap}px`;
        canvas.style.height = `${lines * (down + gap) - gap}px`;
      }
      Colours.paintTiles(canvas, values, order, columns, stage, gap ? 1 : 0, scale);
    }

    // What is read aloud follows when the picture rests.
    function name() {
      for (const { stage, tiles } of rows) {
        for (const { tile, channel } of tiles) {
          tile.setAttribute("aria-label", say("tile", { channel: titled(stage, channel, data),
            value: Insight.brief(peak(shown[stage.id], channel, stage.height * stage.width)) }));
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
