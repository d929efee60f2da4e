"use strict";
// What is asked of the networks, answered one message after the other; long work in pieces, so that
// a new picture need not wait for it.
const Service = (() => {
  const { Network, layout } = Networks;
  const PIECE_MS = 40;
  // Places looked at in each picture, for how alike two channels answer.
  const PLACES = 16;
  const ALIKE = 0.98;

  const pause = () => new Promise((go) => { setTimeout(go, 0); });
  const asEdits = (edits) => new Map(edits ?? []);

  // Channel after channel, row after row, whatever the shape.
  function planes(tensor) {
    const { channels, height, width, at } = layout(tensor.shape);
    if (tensor.shape.length === 4) return tensor.data.slice();
    const data = new Float32Array(channels * height * width);
    let to = 0;
    for (let channel = 0; channel < channels; channel += 1) {
      for (let row = 0; row < height; row += 1) {
        for (let column = 0; column < width; column += 1, to += 1) {
          data[to] = tensor.data[at(channel, row, column)];
        }
      }
    }
    return data;
  }

  function told(network) {
    return {
      heads: network.heads,
      stages: network.stages.map(({ node, steps, ...stage }) => {
        const { at } = network.program.nodes[node];
        return { ...stage, kernel: at.kernel_shape ?? null, strides: at.strides ?? null,
          reads: network.stage(stage.given)?.name ?? null };
      }),
    };
  }

  function service() {
    let networks = [];
    let sets = {};
    const last = [];
    const newest = {};

    const pictures = (name) => {
      const { pixels, count } = sets[name];
      const size = pixels.length / count;
      return { count, picture: (at) => pixels.subarray(at * size, (at + 1) * size) };
    };

    const asks = {
      load({ programs, given }) {
        sets = Object.fromEntries(Object.entries(given).map(([name, { pixels, labels }]) =>
          [name, { pixels: Networks.bytesOf(pixels), count: labels.length, labels }]));
        networks = programs.map((program) => new Network(program));
        return { networks: networks.map(told) };
      },

      run({ network, pixels, edits }) {
        const start = performance.now();
        const one = networks[network];
        const edited = asEdits(edits);
        const values = one.run(pixels, edited);
        last[network] = { values, edits: edited };
        const ms = performance.now() - start;
        return { ms, logits: values.get(one.program.logits).data,
          embedding: values.get(one.program.embedding).data,
          answers: Object.fromEntries(one.stages.map(({ id }) => [id, planes(values.get(id))])) };
      },

      explain({ network, stage, channel, row, column }) {
        return Insight.explain(networks[network], last[network].values, stage, channel, row, column);
      },

      shares({ network, stage, channel }) {
        return { shares: Insight.shares(networks[network], last[network].values, stage, channel) };
      },

      why({ network, classes }) {
        const one = networks[network];
        const { values, edits } = last[network];
        const ablated = Insight.ablate(one, values, edits);
        return { heads: ablated, classes: classes.map((each) => ({
          map: Insight.activationMap(one, values, ablated, each),
          path: Insight.path(one, values, ablated, each) })) };
      },

      // The logits with a square of `size` pixels covered, at places `step` apart.
      async occlude({ network, pixels, size, step, ground, edits }, stillWanted) {
        const one = networks[network];
        const edited = asEdits(edits);
        const { height, width, channels } = one.program;
        const found = [];
        let began = performance.now();
        for (let top = 0; top < height; top += step) {
          for (let left = 0; left < width; left += step) {
            const covered = pixels.slice();
            cover(covered, { height, width, channels }, top - (size - step) / 2,
              left - (size - step) / 2, size, ground);
            found.push(Array.from(one.run(covered, edited).get(one.program.logits).data));
            if (performance.now() - began > PIECE_MS) {
              await pause();
              if (!stillWanted()) return null;
              began = performance.now();
            }
          }
        }
        return { rows: Math.ceil(height / step), columns: Math.ceil(width / step), logits: found };
      },

      // Every picture of a set, as noisy as asked: logits and embedding, and with `channels` what
      // excites each most.
      async survey({ network, set, edits, noise = 0, channels }, stillWanted, progress) {
        const one = networks[network];
        const { count, picture } = pictures(set);
        const edited = asEdits(edits);
        const found = { logits: [], embeddings: [] };
        const peaks = channels && one.stages.map((stage) => ({ id: stage.id,
          peaks: new Float32Array(count * stage.channels),
          places: new Uint16Array(count * stage.channels),
          least: new Float32Array(stage.channels).fill(Infinity),
          largest: new Float32Array(stage.channels).fill(-Infinity),
          seen: Array.from({ length: stage.channels }, () => []) }));
        let began = performance.now();
        for (let at = 0; at < count; at += 1) {
          const values = one.run(Transform.noisy(picture(at), noise), edited);
          found.logits.push(Array.from(values.get(one.program.logits).data));
          found.embeddings.push(Float32Array.from(values.get(one.program.embedding).data));
          if (channels) {
            one.stages.forEach((stage, index) => note(peaks[index], planes(values.get(stage.id)),
              stage, at));
          }
          if (performance.now() - began > PIECE_MS) {
            progress({ done: at + 1, count, logits: found.logits });
            await pause();
            if (!stillWanted()) return null;
            began = performance.now();
          }
        }
        const stages = [];
        for (const noted of peaks || []) {
          stages.push({ id: noted.id, peaks: noted.peaks, places: noted.places, ...odd(noted) });
          await pause();
        }
        return { ...found, stages };
      },
    };

    return async function answer(message, post) {
      const { id, op } = message;
      // Of the same long work for the same place in the page, only the newest is wanted.
      const key = `${op} ${message.slot ?? ""}`;
      newest[key] = id;
      try {
        const found = await asks[op](message, () => newest[key] === id,
          (part) => post({ id, progress: part }));
        post({ id, found });
      } catch (error) {
        post({ id, error: String(error?.message ?? error) });
      }
    };
  }

  const divisor = (a, b) => (b ? divisor(b, a % b) : a);

  function cover(pixels, { height, width, channels }, top, left, size, ground) {
    for (let row = Math.max(0, Math.round(top)); row < Math.min(height, top + size); row += 1) {
      for (let column = Math.max(0, Math.round(left)); column < Math.min(width, left + size);
        column += 1) {
        for (let c = 0; c < channels; c += 1) {
          pixels[(row * width + column) * channels + c] = ground;
        }
      }
    }
  }

  function note({ peaks, places, seen, least, largest: most }, answers, stage, at) {
    const { channels, height, width } = stage;
    const size = height * width;
    // Not a whole number of rows: else all places would lie in one column.
    let apart = Math.max(1, Math.floor(size / PLACES));
    while (apart > 1 && divisor(apart, width) > 1) apart -= 1;
    for (let channel = 0; channel < channels; channel += 1) {
      let [largest, where] = [-Infinity, 0];
      for (let cell = 0; cell < size; cell += 1) {
        const value = answers[channel * size + cell];
        if (value > largest) [largest, where] = [value, cell];
        if (value < least[channel]) least[channel] = value;
        if (cell % apart === 0) seen[channel].push(value);
      }
      if (largest > most[channel]) most[channel] = largest;
      peaks[at * channels + channel] = largest;
      places[at * channels + channel] = where;
    }
  }

  // Channels that never answer, and those that answer as another one does.
  function odd({ seen, least, largest }) {
    const channels = seen.length;
    const deviations = seen.map((values) => {
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const apart = Float64Array.from(values, (value) => value - mean);
      const length = Math.sqrt(apart.reduce((sum, value) => sum + value * value, 0));
      return { apart, length };
    });
    const dead = [];
    const copies = {};
    for (let channel = 0; channel < channels; channel += 1) {
      const { apart, length } = deviations[channel];
      if (largest[channel] - least[channel] < 1e-9) dead.push(channel);
      if (length < 1e-9) continue;
      for (let other = 0; other < channels; other += 1) {
        const second = deviations[other];
        if (other === channel || second.length < 1e-9) continue;
        let product = 0;
        for (let i = 0; i < apart.length; i += 1) product += apart[i] * second.apart[i];
        if (product / length / second.length > ALIKE) {
          copies[channel] = [...(copies[channel] ?? []), other];
        }
      }
    }
    return { dead, copies };
  }

  return { service, cover };
})();
