"use strict";
// Colours of numbers: one scale for what is never negative, one for what may be, both told apart by
// the colour-blind; and the colours of the classes.
const Colours = (() => {
  const SEQUENTIAL = ["#0b0724", "#3b2f80", "#2a6f97", "#2fa88a", "#9fd356", "#fdf3b4"];
  const DIVERGING = ["#084c8d", "#3d8bc9", "#a9cfe8", "#f4f4f4", "#f5c48a", "#dd7d1c", "#8a3d00"];
  const channelsOf = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

  function table(colours) {
    const steps = colours.map(channelsOf);
    return Uint8ClampedArray.from({ length: 256 * 3 }, (_, index) => {
      const at = (Math.floor(index / 3) / 255) * (steps.length - 1);
      const [low, part] = [Math.min(steps.length - 2, Math.floor(at)), index % 3];
      return steps[low][part] + (steps[low + 1][part] - steps[low][part]) * (at - low);
    });
  }
  const TABLES = { sequential: table(SEQUENTIAL), diverging: table(DIVERGING) };

  // The scale that suits these numbers: { kind, low, high, cut }. A few that are far larger than
  // the rest (4 standard deviations) are `cut` to its end, so that the rest can be told apart.
  function scaleOf(values) {
    let [least, most, sum, squares, count] = [Infinity, -Infinity, 0, 0, 0];
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i];
      if (value < least) least = value;
      if (value > most) most = value;
      if (value !== 0) {
        sum += Math.abs(value);
        squares += value * value;
        count += 1;
      }
    }
    const mean = count ? sum / count : 0;
    const usual = mean + 4 * Math.sqrt(Math.max(0, count ? squares / count - mean * mean : 0));
    const far = Math.max(most, -least);
    const cut = usual > 0 && far > usual && values.length > 100;
    const high = cut ? usual : far > 0 ? far : 1;
    if (!(least < 0)) return { kind: "sequential", low: 0, high, cut, flat: !(far > 0) };
    return { kind: "diverging", low: -high, high, cut };
  }

  function paint(canvas, values, start, height, width, { kind, low, high }) {
    const context = canvas.getContext("2d");
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const image = context.createImageData(width, height);
    const colours = TABLES[kind];
    const factor = 255 / (high - low || 1);
    for (let cell = 0; cell < height * width; cell += 1) {
      const at = Math.max(0, Math.min(255, Math.round((values[start + cell] - low) * factor))) * 3;
      image.data[4 * cell] = colours[at];
      image.data[4 * cell + 1] = colours[at + 1];
      image.data[4 * cell + 2] = colours[at + 2];
      image.data[4 * cell + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  // Channels in this order, so many in a row, `gap` cells between them.
  function paintTiles(canvas, values, order, columns, { height, width }, gap, { kind, low, high }) {
    const wide = columns * (width + gap) - gap;
    const tall = Math.ceil(order.length / columns) * (height + gap) - gap;
    if (canvas.width !== wide || canvas.height !== tall) {
      canvas.width = wide;
      canvas.height = tall;
    }
    const context = canvas.getContext("2d");
    const image = context.createImageData(wide, tall);
    const { data } = image;
    const colours = TABLES[kind];
    const factor = 255 / (high - low || 1);
    order.forEach((channel, slot) => {
      const left = (slot % columns) * (width + gap);
      const top = Math.floor(slot / columns) * (height + gap);
      for (let row = 0, from = channel * height * width; row < height; row += 1) {
        let to = 4 * ((top + row) * wide + left);
        for (const end = from + width; from < end; from += 1, to += 4) {
          const at = Math.max(0, Math.min(255, Math.round((values[from] - low) * factor))) * 3;
          data[to] = colours[at];
          data[to + 1] = colours[at + 1];
          data[to + 2] = colours[at + 2];
          data[to + 3] = 255;
        }
      }
    });
    context.putImageData(image, 0, 0);
  }

  // uint8 pixels (height, width, channels) as they are.
  function paintPicture(canvas, pixels, { height, width, channels }) {
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    for (let pixel = 0; pixel < height * width; pixel += 1) {
      for (let c = 0; c < 3; c += 1) {
        image.data[4 * pixel + c] = pixels[pixel * channels + (channels === 3 ? c : 0)];
      }
      image.data[4 * pixel + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }

  function legend({ kind, low, high, cut, flat }) {
    if (flat) return h("span", { class: "legend" }, say("zero_everywhere"));
    const canvas = h("canvas", { class: "ramp", width: 64, height: 1, "aria-hidden": "true" });
    const ramp = Float32Array.from({ length: 64 }, (_, at) => low + ((high - low) * at) / 63);
    paint(canvas, ramp, 0, 1, 64, { kind, low, high });
    return h("span", { class: "legend" }, Insight.brief(low), canvas,
      cut ? say("and_more", { value: Insight.brief(high) }) : Insight.brief(high));
  }

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  return { scaleOf, paint, paintTiles, paintPicture, legend, css };
})();
