"use strict";
// What the page shows, in one place; a copy of it stands in the address behind #.
const State = (() => {
  const START = { view: "overview", network: 0, picture: { at: 0 }, towards: null, blend: 0,
    right: 0, down: 0, turn: 0, zoom: 1, noise: 0, stage: null, channel: 0, row: 0, column: 0,
    strongest: false, one: null, off: [], warmth: 1, lesson: 0, silent: false };
  const PICTURE = ["picture", "towards", "blend", "right", "down", "turn", "zoom", "noise"];
  const VIEWS = ["overview", "channel", "why", "whatif", "beside", "about"];
  const state = { ...START };
  const listeners = [];
  let known = null;
  let writing = 0;

  function change(part) {
    const changed = Object.keys(part).filter((key) => state[key] !== part[key]);
    if (!changed.length) return;
    Object.assign(state, part);
    for (const key of within()) if (!changed.includes(key)) changed.push(key);
    for (const listener of listeners) listener(new Set(changed));
    clearTimeout(writing);
    writing = setTimeout(write, 250);
  }

  // Channel, row and column are of the stage, whatever they were of before. Returns what changed.
  function within() {
    const stage = known?.stages[state.network]?.find(({ id }) => id === state.stage);
    if (!stage) return [];
    const most = { channel: stage.channels, row: stage.height, column: stage.width };
    return Object.keys(most).filter((key) => {
      const fits = Math.min(state[key], most[key] - 1);
      const moved = fits !== state[key];
      state[key] = fits;
      return moved;
    });
  }

  // `limits`: how many networks and classes there are, their stages, and by place the `rows` that
  // pictures have in their split, by which addresses name them; what lies beyond is left out.
  function begin(limits) {
    known = limits;
    Object.assign(state, read(location.hash.slice(1)));
    within();
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) !== written()) change({ ...START,
        ...read(location.hash.slice(1)) });
    });
  }

  function written() {
    const told = new URLSearchParams();
    for (const key of Object.keys(START)) {
      const value = state[key];
      if (key === "picture") {
        told.set("picture", value.pixels ? `own${pack(value.pixels)}` : known.rows[value.at]);
      } else if (key === "towards" && value !== null) told.set("towards", known.rows[value]);
      else if (key === "off") {
        if (value.length) {
          told.set("off", value.map(({ network, stage, channels }) =>
            [network, stage, channels === "all" ? "all" : channels.join(".")].join("!")).join(","));
        }
      } else if (value !== START[key] && value !== null) told.set(key, value === true ? 1 : value);
    }
    return told.toString();
  }

  function write() {
    const hash = `#${written()}`;
    if (hash === location.hash) return;
    try {
      history.replaceState(null, "", hash);
    } catch {
      location.replace(hash);
    }
  }

  function read(text) {
    const told = new URLSearchParams(text);
    const found = {};
    const number = (key, low, high, whole = false) => {
      if (!told.has(key)) return;
      const value = Number(told.get(key));
      if (Number.isFinite(value) && value >= low && value <= high
        && (!whole || Number.isInteger(value))) found[key] = value;
    };
    if (VIEWS.includes(told.get("view"))) found.view = told.get("view");
    number("network", 0, known.networks - 1, true);
    number("one", 0, known.classes - 1, true);
    number("blend", 0, 1);
    number("turn", -180, 180);
    number("zoom", 0.25, 4);
    number("noise", 0, 100);
    number("warmth", 0.1, 10);
    number("lesson", 0, 100, true);
    for (const key of ["right", "down"]) number(key, -known.size, known.size);
    for (const key of ["channel", "row", "column"]) number(key, 0, 1e6, true);
    if (told.has("strongest")) found.strongest = true;
    if (told.has("silent")) found.silent = true;
    if (known.stages[found.network ?? 0].some(({ id }) => id === told.get("stage"))) {
      found.stage = told.get("stage");
    }
    const placeOf = (text) => (/^\d{1,9}$/.test(text ?? "") ? known.rows.indexOf(Number(text)) : -1);
    if (placeOf(told.get("towards")) >= 0) found.towards = placeOf(told.get("towards"));
    const picture = told.get("picture") ?? "";
    if (placeOf(picture) >= 0) {
      found.picture = { at: placeOf(picture) };
    } else if (picture.startsWith("own")) {
      const pixels = unpack(picture.slice(3), known.pixels);
      if (pixels) found.picture = { pixels };
    }
    if (told.has("off")) {
      found.off = told.get("off").split(",").map((each) => {
        const [network, stage, channels] = each.split("!");
        return { network: Number(network), stage, channels: channels === "all" ? "all"
          : (channels ?? "").split(".").map(Number) };
      }).filter(({ network, stage, channels }) =>
        known.stages[network]?.some(({ id }) => id === stage)
        && (channels === "all" || channels.every((one) => Number.isInteger(one) && one >= 0)));
    }
    return found;
  }

  // Sixteen shades a pixel, two pixels a byte, as base64 for addresses.
  function pack(pixels) {
    let text = "";
    for (let at = 0; at < pixels.length; at += 2) {
      const shade = (index) => Math.round((pixels[index] ?? 0) / 17);
      text += String.fromCharCode(shade(at) * 16 + shade(at + 1));
    }
    return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function unpack(text, size) {
    if (!/^[\w-]*$/.test(text)) return null;
    let bytes;
    try {
      bytes = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    } catch {
      return null;
    }
    if (bytes.length !== Math.ceil(size / 2)) return null;
    const pixels = new Uint8Array(size);
    for (let at = 0; at < size; at += 1) {
      const byte = bytes.charCodeAt(at >> 1);
      pixels[at] = (at % 2 ? byte & 15 : byte >> 4) * 17;
    }
    return pixels;
  }

  return { state, change, begin, written, VIEWS, PICTURE, listen: (one) => listeners.push(one) };
})();
const { state, change } = State;
