"use strict";
// From the picture that was chosen to the one that the network sees: mixed with another, moved,
// turned, noisy; and from a photograph to a picture as those of the data set are.
const Transform = (() => {
  // Mean of the neighbours, weighted by nearness; beyond the border it is as dark as `ground`.
  function sampled(pixels, { height, width, channels }, y, x, c, ground) {
    const [top, left] = [Math.floor(y), Math.floor(x)];
    let sum = 0;
    for (let corner = 0; corner < 4; corner += 1) {
      const [row, column] = [top + (corner >> 1), left + (corner & 1)];
      const weight = (1 - Math.abs(y - row)) * (1 - Math.abs(x - column));
      const inside = row >= 0 && column >= 0 && row < height && column < width;
      sum += weight * (inside ? pixels[(row * width + column) * channels + c] : ground);
    }
    return sum;
  }

  function moved(pixels, shape, { right, down, turn, zoom }, ground) {
    if (!right && !down && !turn && zoom === 1) return pixels;
    const { height, width, channels } = shape;
    const [cos, sin] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
    const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
    const found = new Uint8Array(pixels.length);
    for (let row = 0; row < height; row += 1) {
      for (let column = 0; column < width; column += 1) {
        const [v, u] = [row - middleY - down, column - middleX - right];
        const y = (cos * v - sin * u) / zoom + middleY;
        const x = (sin * v + cos * u) / zoom + middleX;
        for (let c = 0; c < channels; c += 1) {
          found[(row * width + column) * channels + c] =
            Math.round(sampled(pixels, shape, y, x, c, ground));
        }
      }
    }
    return found;
  }

  // The same noise each time, so that only its strength changes.
  function noisy(pixels, deviation) {
    if (!deviation) return pixels;
    let seed = 20170825;
    const uniform = () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return (seed + 1) / 4294967297;
    };
    return Uint8Array.from(pixels, (value) => {
      const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
      return Math.max(0, Math.min(255, Math.round(value + deviation * normal)));
    });
  }

  function mixed(pixels, other, share) {
    if (!other || !share) return pixels;
    return Uint8Array.from(pixels, (value, at) =>
      Math.round(value + (other[at] - value) * share));
  }

  // RGBA of any size to the data set's own, with what was made on the way. A picture of the very
  // size is taken as it is; clothes of Fashion-MNIST are cut out and lie light on dark, 28 pixels
  // from end to end; other photographs are resized.
  function photograph({ data, height, width }, shape, garments) {
    const steps = [];
    const keep = (name, pixels, size, channels = 1) =>
      steps.push({ name, pixels, ...size, channels });
    const size = { height, width };
    // What is see-through lies on white.
    const over = (at, c) => {
      const opacity = data[4 * at + 3] / 255;
      return data[4 * at + c] * opacity + 255 * (1 - opacity);
    };
    const { channels } = shape;
    const given = new Uint8Array(height * width * channels);
    for (let at = 0; at < height * width; at += 1) {
      if (channels === 3) for (let c = 0; c < 3; c += 1) given[3 * at + c] = Math.round(over(at, c));
      else given[at] = Math.round(0.299 * over(at, 0) + 0.587 * over(at, 1) + 0.114 * over(at, 2));
    }
    keep(channels === 3 ? "photo_in_colour" : "photo_given", given, size, channels);
    const own = height === shape.height && width === shape.width;
    if (own || !garments || channels === 3) {
      const whole = { top: 0, left: 0, bottom: height, right: width };
      const pixels = own ? given : fitted(given, { ...size, channels }, whole, shape,
        { down: shape.height / height, across: shape.width / width });
      keep(own ? "photo_own" : "photo_resized", pixels, shape, channels);
      return { pixels, steps };
    }
    const grey = given;
    const border = [];
    for (let at = 0; at < width; at += 1) border.push(grey[at], grey[(height - 1) * width + at]);
    for (let at = 0; at < height; at += 1) border.push(grey[at * width], grey[(at + 1) * width - 1]);
    border.sort((a, b) => a - b);
    const ground = border[border.length >> 1];
    const spread = border[Math.floor(border.length * 0.9)] - border[Math.floor(border.length * 0.1)];
    const least = Math.max(24, spread);
    const apart = grey.map((value) => Math.abs(value - ground));
    keep("photo_ground", apart.map((value) => (value > least ? 255 : 0)), size);
    const box = boxOf(apart, size, least);
    const dark = ground < 128;
    const upright = dark ? grey : grey.map((value) => 255 - value);
    const floor = dark ? ground : 255 - ground;
    const lifted = upright.map((value) =>
      Math.max(0, Math.min(255, Math.round(((value - floor) * 255) / (255 - floor)))));
    // A thing as light as its ground would vanish: it keeps at least what sets it apart.
    const seen = lifted.map((value, at) => (apart[at] > least ? Math.max(value, apart[at]) : 0));
    keep(dark ? "photo_kept" : "photo_negated", seen, size);
    const scale = Math.min(shape.height / (box.bottom - box.top), shape.width / (box.right - box.left));
    const pixels = fitted(seen, { ...size, channels: 1 }, box, shape, { down: scale, across: scale });
    keep("photo_centred", pixels, shape);
    return { pixels, steps };
  }

  function boxOf(apart, { height, width }, least) {
    const rows = new Uint32Array(height);
    const columns = new Uint32Array(width);
    for (let at = 0; at < apart.length; at += 1) {
      if (apart[at] > least) {
        rows[Math.floor(at / width)] += 1;
        columns[at % width] += 1;
      }
    }
    // Single specks are no part of the thing.
    const ends = (counts, needed) => {
      const first = counts.findIndex((count) => count >= needed);
      let last = counts.length - 1;
      while (last >= 0 && counts[last] < needed) last -= 1;
      return first < 0 ? [0, counts.length] : [first, last + 1];
    };
    const [top, bottom] = ends(rows, Math.max(1, width / 100));
    const [left, right] = ends(columns, Math.max(1, height / 100));
    return { top, bottom, left, right };
  }

  // The box, scaled, in the middle of a picture of `shape`: means of areas, dark around.
  function fitted(pixels, from, { top, left, bottom, right }, shape, { down, across }) {
    const found = new Uint8Array(shape.height * shape.width * shape.channels);
    const upper = (shape.height - (bottom - top) * down) / 2;
    const before = (shape.width - (right - left) * across) / 2;
    for (let row = 0; row < shape.height; row += 1) {
      for (let column = 0; column < shape.width; column += 1) {
        const y0 = top + (row - upper) / down;
        const x0 = left + (column - before) / across;
        const [y1, x1] = [y0 + 1 / down, x0 + 1 / across];
        for (let c = 0; c < shape.channels; c += 1) {
          let [sum, weight] = [0, 0];
          for (let y = Math.floor(y0); y < y1; y += 1) {
            const tall = Math.min(y + 1, y1) - Math.max(y, y0);
            for (let x = Math.floor(x0); x < x1; x += 1) {
              const part = tall * (Math.min(x + 1, x1) - Math.max(x, x0));
              const inside = y >= top && x >= left && y < bottom && x < right;
              sum += part * (inside ? pixels[(y * from.width + x) * from.channels + c] : 0);
              weight += part;
            }
          }
          found[(row * shape.width + column) * shape.channels + c] = Math.round(sum / weight);
        }
      }
    }
    return found;
  }

  return { moved, noisy, mixed, photograph };
})();
