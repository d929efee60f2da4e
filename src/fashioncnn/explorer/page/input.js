"use strict";
// The picture: drawn, chosen, photographed, mixed, moved; and what of it a cell sees.
const Input = (() => {
  const UNDOABLE = 50;
  const MAX_PHOTO_SIDE = 1024;
  const KINDS = ["all", "mistakes", "close", "right"];
  let data;
  let shape;
  let pad;
  let overlay;
  let tool = "pen";
  let cursor = null;
  let finger = null;
  let undo = [];
  let field = null;
  let stepsShown;
  let gallery;
  let listeners = [];

  const size = () => shape.height * shape.width * shape.channels;
  const test = (at) => data.test.pixels.subarray(at * size(), (at + 1) * size());
  const ground = () => data.ground;

  // What the network is given.
  function pixels(without = {}) {
    const chosen = state.picture.pixels ?? test(state.picture.at);
    const other = state.towards === null ? null : test(state.towards);
    const mixed = Transform.mixed(chosen, other, state.blend);
    const moved = Transform.moved(mixed, shape, state, ground());
    const noisy = Transform.noisy(moved, state.noise);
    if (!finger || without.finger) return noisy;
    const covered = noisy.slice();
    const side = fingerSide();
    Service.cover(covered, shape, finger.row - (side - 1) / 2, finger.column - (side - 1) / 2, side,
      ground());
    return covered;
  }

  const fingerSide = () => Math.max(3, Math.round(shape.height / 4));

  function name() {
    if (state.picture.pixels) return say("own_picture");
    const { at } = state.picture;
    return say("test_picture", { row: data.test.rows[at],
      name: data.classes[data.test.labels[at]] });
  }

  function paint() {
    Colours.paintPicture(pad, pixels(), shape);
    const label = say("pad_label", { name: name() });
    if (pad.getAttribute("aria-label") !== label) pad.setAttribute("aria-label", label);
    document.getElementById("picture_name").textContent = name();
    mark();
  }

  function mark() {
    const context = overlay.getContext("2d");
    const scale = 10;
    overlay.width = shape.width * scale;
    overlay.height = shape.height * scale;
    context.lineWidth = 3;
    const outline = (x, y, wide, tall, colour) => {
      context.strokeStyle = "#000";
      context.setLineDash([]);
      context.strokeRect(x * scale, y * scale, wide * scale, tall * scale);
      context.strokeStyle = colour;
      context.setLineDash([9, 5]);
      context.strokeRect(x * scale, y * scale, wide * scale, tall * scale);
    };
    if (field) outline(field.left, field.top, field.right - field.left, field.bottom - field.top, "#ffb000");
    if (cursor && document.activeElement === pad) outline(cursor.column, cursor.row, 1, 1, "#fff");
  }

  // The part of the picture that is marked: { top, left, bottom, right } in pixels, or null.
  function show(seen) {
    field = seen && { top: Math.max(0, seen.top), left: Math.max(0, seen.left),
      bottom: Math.min(shape.height, seen.bottom), right: Math.min(shape.width, seen.right) };
    mark();
  }

  function remember() {
    undo.push(Object.fromEntries(State.PICTURE.map((key) => [key, state[key]])));
    if (undo.length > UNDOABLE) undo.shift();
  }

  function back() {
    const before = undo.pop();
    if (before) change(before);
    document.getElementById("said").textContent = say(before ? "undone" : "nothing_to_undo");
  }

  // Drawing is on the picture as it is seen: what was moved stays so.
  function settled() {
    return { picture: { pixels: pixels({ finger: true }).slice() }, towards: null, blend: 0, right: 0,
      down: 0, turn: 0, zoom: 1, noise: 0 };
  }

  function stroke(from, to) {
    const next = state.picture.pixels.slice();
    const erasing = tool === "eraser";
    // Light on dark, or dark on light, whatever the pictures are.
    const ink = ground() < 128 ? 235 : 20;
    const radius = Math.max(1, shape.height / 28) * (erasing ? 1.6 : 1.1);
    const length = Math.max(Math.abs(to.row - from.row), Math.abs(to.column - from.column));
    const count = Math.max(1, Math.ceil(length * 2));
    for (let at = 0; at <= count; at += 1) {
      const y = from.row + ((to.row - from.row) * at) / count;
      const x = from.column + ((to.column - from.column) * at) / count;
      for (let row = Math.floor(y - radius); row <= y + radius + 1; row += 1) {
        for (let column = Math.floor(x - radius); column <= x + radius + 1; column += 1) {
          if (row < 0 || column < 0 || row >= shape.height || column >= shape.width) continue;
          const far = Math.hypot(row - y, column - x);
          const strength = Math.max(0, Math.min(1, radius + 0.5 - far));
          for (let c = 0; c < shape.channels; c += 1) {
            const index = (row * shape.width + column) * shape.channels + c;
            const aim = erasing ? ground() : ink;
            next[index] = Math.round(next[index] + (aim - next[index]) * strength);
          }
        }
      }
    }
    change({ picture: { pixels: next } });
  }

  function place(event) {
    const box = pad.getBoundingClientRect();
    return { row: ((event.clientY - box.top) / box.height) * shape.height - 0.5,
      column: ((event.clientX - box.left) / box.width) * shape.width - 0.5 };
  }

  function pointers() {
    const held = new Map();
    let began = null;
    const grasp = () => ({ ...grip(held), right: state.right, down: state.down, turn: state.turn,
      zoom: state.zoom });
    const ended = (event) => {
      held.delete(event.pointerId);
      // Of two fingers the one that stays goes on moving.
      began = began && held.size ? grasp() : null;
      if (tool === "cover" && !held.size) {
        finger = null;
        tell();
      }
    };
    pad.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      pad.focus();
      // Pointers that a test makes up cannot be captured.
      try {
        pad.setPointerCapture(event.pointerId);
      } catch { /* it is drawn all the same */ }
      held.set(event.pointerId, place(event));
      cursor = null;
      if (held.size === 2 || tool === "move") {
        // The first of two fingers has drawn a dot that nobody wanted.
        if (held.size === 2 && !began && (tool === "pen" || tool === "eraser")) back();
        began = grasp();
      } else if (tool === "cover") {
        finger = place(event);
        tell();
      } else {
        remember();
        change(settled());
        stroke(place(event), place(event));
      }
    });
    pad.addEventListener("pointermove", (event) => {
      const before = held.get(event.pointerId);
      if (!before) return;
      const now = place(event);
      held.set(event.pointerId, now);
      if (began) {
        const held2 = grip(held);
        const limit = (value, low, high) => Math.min(high, Math.max(low, value));
        const side = Math.max(shape.height, shape.width);
        const part = { right: limit(began.right + held2.column - began.column, -side, side),
          down: limit(began.down + held2.row - began.row, -side, side) };
        if (held.size === 2 && began.apart) {
          part.zoom = limit((began.zoom * held2.apart) / began.apart, 0.25, 4);
          part.turn = limit(began.turn + ((held2.angle - began.angle) * 180) / Math.PI, -180, 180);
        }
        change(part);
      } else if (tool === "cover") {
        finger = now;
        tell();
      } else stroke(before, now);
    });
    for (const name of ["pointerup", "pointercancel"]) pad.addEventListener(name, ended);
    pad.addEventListener("wheel", (event) => {
      if (tool !== "move") return;
      event.preventDefault();
      change({ zoom: Math.min(4, Math.max(0.25, state.zoom * (event.deltaY > 0 ? 0.95 : 1.05))) });
    }, { passive: false });
  }

  function grip(held) {
    const [first, second = first] = held.values();
    return { row: (first.row + second.row) / 2, column: (first.column + second.column) / 2,
      apart: Math.hypot(first.row - second.row, first.column - second.column),
      angle: Math.atan2(second.row - first.row, second.column - first.column) };
  }

  function keys(event) {
    const arrows = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const arrow = arrows[event.key];
    if (arrow && tool === "move") {
      change({ down: state.down + arrow[0], right: state.right + arrow[1] });
    } else if (arrow) {
      cursor ??= { row: shape.height >> 1, column: shape.width >> 1 };
      const before = cursor;
      cursor = { row: Math.min(shape.height - 1, Math.max(0, cursor.row + arrow[0])),
        column: Math.min(shape.width - 1, Math.max(0, cursor.column + arrow[1])) };
      if (tool === "cover" && finger) {
        finger = cursor;
        tell();
      } else if (event.shiftKey && tool !== "cover") {
        remember();
        change(settled());
        stroke(before, cursor);
      }
      mark();
      document.getElementById("said").textContent =
        say("at_cell", { row: cursor.row + 1, column: cursor.column + 1 });
    } else if (event.key === " " || event.key === "Enter") {
      cursor ??= { row: shape.height >> 1, column: shape.width >> 1 };
      if (tool === "cover") {
        finger = finger ? null : cursor;
        tell();
      } else if (tool !== "move") {
        remember();
        change(settled());
        stroke(cursor, cursor);
      }
    } else if (event.key === "Escape" && finger) {
      finger = null;
      tell();
    } else return;
    event.preventDefault();
  }

  const tell = () => listeners.forEach((listener) => listener());

  async function photograph(file) {
    const said = document.getElementById("said");
    if (!file || !/^image\/(png|jpeg|webp|gif|bmp|avif)$/.test(file.type)) {
      said.textContent = say("no_picture", { name: file?.name ?? "" });
      return;
    }
    const address = URL.createObjectURL(file);
    try {
      const image = new Image();
      image.src = address;
      await image.decode();
      const scale = Math.min(1, MAX_PHOTO_SIDE / Math.max(image.naturalWidth, image.naturalHeight));
      const [width, height] = [image.naturalWidth, image.naturalHeight]
        .map((side) => Math.max(1, Math.round(side * scale)));
      const canvas = h("canvas", { width, height });
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(image, 0, 0, width, height);
      const made = Transform.photograph(context.getImageData(0, 0, width, height), shape,
        data.photographs);
      remember();
      change({ ...settled(), picture: { pixels: made.pixels } });
      steps(made.steps);
      said.textContent = say("photo_taken", { name: file.name });
    } catch {
      said.textContent = say("no_picture", { name: file.name });
    } finally {
      URL.revokeObjectURL(address);
    }
  }

  function steps(made) {
    stepsShown.replaceChildren(h("summary", {}, say("photo_steps")), h("div", { class: "row" },
      made.map((step) => {
        const canvas = h("canvas", { class: "thumb", role: "img", "aria-label": say(step.name) });
        Colours.paintPicture(canvas, step.pixels, step);
        return h("figure", {}, canvas, h("figcaption", {}, say(step.name)));
      })));
    stepsShown.hidden = false;
    stepsShown.open = true;
  }

  function thumb(at, { onclick, label } = {}) {
    const canvas = h("canvas", { class: "thumb" });
    Colours.paintPicture(canvas, test(at), shape);
    return h("button", { type: "button", class: "picture", onclick, "aria-label": label
      ?? say("test_picture", { row: data.test.rows[at], name: data.classes[data.test.labels[at]] }) },
    canvas);
  }

  function pictures(choose) {
    const list = h("div", { class: "pictures" });
    const of = h("select", { "aria-label": say("of_class"), onchange: fill },
      h("option", { value: "" }, say("every_class")),
      data.classes.map((one, at) => h("option", { value: at }, one)));
    const kind = h("select", { "aria-label": say("of_kind"), onchange: fill },
      KINDS.map((one) => h("option", { value: one }, say(`kind_${one}`))));
    function fill() {
      const chosen = data.test.labels.map((label, at) => ({ label, at }))
        .filter(({ label, at }) => (of.value === "" || label === Number(of.value))
          && (kind.value === "all" || data.test.kinds[at] === kind.value));
      list.replaceChildren(...chosen.map(({ at }) => thumb(at, { onclick: () => choose(at) })));
      if (!chosen.length) list.append(h("p", {}, say("none_such")));
    }
    fill();
    return h("div", {}, h("p", { class: "row" }, of, kind), list);
  }

  function slider(key, low, high, step, text) {
    const output = h("output", {}, text(state[key]));
    const input = h("input", { type: "range", id: `slide_${key}`, min: low, max: high, step,
      oninput: () => change({ [key]: Number(input.value) }) });
    input.value = state[key];
    State.listen((changed) => {
      if (!changed.has(key)) return;
      input.value = state[key];
      output.textContent = text(state[key]);
    });
    return h("p", { class: "slider" }, h("label", { for: input.id }, say(`slide_${key}`)), input,
      output);
  }

  function build(given) {
    data = given;
    shape = data.shape;
    pad = h("canvas", { id: "pad", class: "pixels", tabindex: 0, role: "application",
      "aria-describedby": "pad_help", onkeydown: keys, onblur: () => mark(), onfocus: () => mark() });
    overlay = h("canvas", { class: "overlay", "aria-hidden": "true" });
    const tools = h("fieldset", { class: "tools" }, h("legend", {}, say("tool")),
      ["pen", "eraser", "cover", "move"].map((one) => {
        const input = h("input", { type: "radio", name: "tool", id: `tool_${one}`, value: one,
          checked: one === tool, onchange: () => {
            tool = one;
            finger = null;
            tell();
          } });
        return h("span", {}, input, h("label", { for: input.id, title: say(`tool_${one}_help`) },
          say(`tool_${one}`)));
      }));
    const file = h("input", { type: "file", accept: "image/*", id: "file",
      onchange: () => taken(file) });
    const camera = h("input", { type: "file", accept: "image/*", capture: "environment",
      id: "camera", onchange: () => taken(camera) });
    // The same file may be chosen once more.
    async function taken(input) {
      const [chosen] = input.files;
      input.value = "";
      if (chosen) await photograph(chosen);
    }
    stepsShown = h("details", { hidden: true });
    gallery = h("details", { id: "gallery" }, h("summary", {}, say("gallery",
      { count: data.test.labels.length })), pictures((at) => {
      remember();
      change({ ...fresh(), picture: { at } });
    }));
    const towards = h("details", {}, h("summary", {}, say("mix")), h("p", {}, say("mix_help")),
      slider("blend", 0, 1, 0.01, percent), pictures((at) => change({ towards: at,
        blend: state.blend || 0.5 })));
    const moves = h("details", {}, h("summary", {}, say("move")),
      slider("right", -shape.width, shape.width, 0.5, String),
      slider("down", -shape.height, shape.height, 0.5, String),
      slider("turn", -180, 180, 1, (value) => `${Math.round(value)}°`),
      slider("zoom", 0.25, 4, 0.05, (value) => `× ${value.toFixed(2)}`),
      slider("noise", 0, 100, 1, String),
      h("button", { type: "button", onclick: () => change({ right: 0, down: 0, turn: 0, zoom: 1,
        noise: 0, towards: null, blend: 0 }) }, say("as_it_was")));
    const box = h("div", { class: "pad" }, pad, overlay);
    box.style.aspectRatio = `${shape.width} / ${shape.height}`;
    pointers();
    document.addEventListener("paste", (event) => {
      const [pasted] = event.clipboardData.files;
      if (pasted) photograph(pasted);
    });
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      photograph(event.dataTransfer.files[0]);
    });
    return h("section", { id: "input", "aria-labelledby": "input_title" },
      h("h2", { id: "input_title" }, say("picture")),
      h("p", { id: "picture_name" }),
      box,
      h("p", { id: "pad_help", class: "small" }, say("pad_help")), tools,
      h("p", { class: "row" },
        h("button", { type: "button", id: "undo", onclick: back }, say("undo")),
        h("button", { type: "button", id: "clear", onclick: () => {
          remember();
          change({ ...fresh(), picture: { pixels: new Uint8Array(size()).fill(ground()) } });
        } }, say("clear")),
        h("label", { class: "file" }, say("open_file"), file),
        h("label", { class: "file" }, say("camera"), camera)),
      stepsShown, gallery, towards, moves);
  }

  const fresh = () => ({ towards: null, blend: 0, right: 0, down: 0, turn: 0, zoom: 1, noise: 0 });

  return { build, paint, pixels, show, thumb, test, slider,
    covered: (listener) => listeners.push(listener), shape: () => shape };
})();
