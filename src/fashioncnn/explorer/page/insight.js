"use strict";
// What can be told of an answer: how one number comes about, what each channel reads, what pushed
// for a class.
const Insight = (() => {
  const { count, strides, UNARY } = Tensors;
  const { layout, switchedOff, words, NORMS } = Networks;

  // One cell of a stage, multiplication by multiplication. `value` is worked out here from the
  // stage's inputs, in double precision; `shown` is what the network has there.
  function explain(network, values, id, channel, row, column) {
    const stage = network.stage(id);
    const node = network.program.nodes[stage.node];
    const find = (name) => network.constants.get(name) ?? values.get(name);
    const shown = values.get(id);
    const place = layout(shown.shape);
    const flat = place.at(channel, row, column);
    const made = MADE[stage.kind]({ node, find, stage, channel, row, column, flat, network,
      values });
    const steps = [];
    let { value } = made;
    for (const step of stage.steps) {
      const told = stepOf(network.program.nodes[step.node], step, find, value, channel, flat);
      value = told.value;
      steps.push(told);
    }
    return { ...made, start: made.value, steps, value, shown: shown.data[flat], kind: stage.kind };
  }

  const MADE = {
    conv: ({ node, find, channel, row, column }) => {
      const [x, w, bias] = node.in.map((name) => (name ? find(name) : undefined));
      const [, read, tall, wide] = w.shape;
      const { strides: steps = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], group = 1 } = node.at;
      const [, channels, height, width] = x.shape;
      const first = Math.floor(channel / (w.shape[0] / group)) * (channels / group);
      const inputs = [];
      for (let c = 0; c < read; c += 1) {
        const [patch, filter] = [[], []];
        let sum = 0;
        for (let tap = 0; tap < tall * wide; tap += 1) {
          const r = row * steps[0] - pads[0] + Math.floor(tap / wide) * dilations[0];
          const q = column * steps[1] - pads[1] + (tap % wide) * dilations[1];
          const inside = r >= 0 && q >= 0 && r < height && q < width;
          const value = inside ? x.data[((first + c) * height + r) * width + q] : 0;
          const weight = w.data[(channel * read + c) * tall * wide + tap];
          patch.push(inside ? value : null);
          filter.push(weight);
          sum += value * weight;
        }
        inputs.push({ channel: first + c, patch, filter, sum });
      }
      return added(inputs, bias ? bias.data[channel] : 0, { kernel: [tall, wide] });
    },
    dense: ({ node, find, channel, flat }) => {
      const [a, b, c] = node.in.map((name) => (name ? find(name) : undefined));
      const { alpha = 1, beta = 1, transB = 0 } = node.at;
      const [inner, columns] = transB ? [b.shape[1], b.shape[0]] : b.shape;
      const token = Math.floor(flat / columns);
      const inputs = Array.from({ length: inner }, (_, k) => {
        const value = a.data[token * inner + k];
        const weight = alpha * b.data[transB ? channel * inner + k : k * columns + channel];
        return { channel: k, patch: [value], filter: [weight], sum: value * weight };
      });
      const bias = c ? beta * c.data[c.data.length === 1 ? 0 : channel] : 0;
      return added(inputs, bias, { kernel: [1, 1] });
    },
    pool: ({ node, find, channel, row, column }) => {
      const x = find(node.in[0]);
      const [, , height, width] = x.shape;
      const { strides: steps = [1, 1], pads = [0, 0, 0, 0], kernel_shape: kernel } = node.at;
      const [down, right] = node.at.dilations ?? [1, 1];
      const patch = [];
      let counted = 0;
      for (let tap = 0; tap < kernel[0] * kernel[1]; tap += 1) {
        const r = row * steps[0] - pads[0] + Math.floor(tap / kernel[1]) * down;
        const c = column * steps[1] - pads[1] + (tap % kernel[1]) * right;
        if (r < height + pads[2] && c < width + pads[3]) counted += 1;
        const inside = r >= 0 && c >= 0 && r < height && c < width;
        patch.push(inside ? x.data[(channel * height + r) * width + c] : null);
      }
      const found = patch.filter((value) => value !== null);
      const largest = node.op === "MaxPool";
      const all = node.at.count_include_pad ? counted : found.length;
      const value = largest ? Math.max(...found) : found.reduce((a, b) => a + b, 0) / all;
      return { inputs: [{ channel, patch, filter: null, sum: value }], bias: 0, kernel, value,
        largest };
    },
    sum: ({ node, find, flat, network, values }) => {
      const shape = values.get(node.out[0]).shape;
      const inputs = node.in.map((name) => {
        const one = find(name);
        const value = one.data[indexIn(one.shape, shape, flat)];
        return { name: network.stage(name)?.name ?? name, id: name, patch: [value], filter: [1],
          sum: value };
      });
      return added(inputs, 0, { kernel: [1, 1] });
    },
    attention: ({ node, find, flat }) => {
      const x = find(node.in[0]);
      const side = x.shape[x.shape.length - 1];
      const start = Math.floor(flat / side) * side;
      const scores = Array.from(x.data.subarray(start, start + side));
      const largest = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), 0);
      const value = Math.exp(x.data[flat] - largest) / total;
      return { inputs: scores.map((score, token) => ({ channel: token, patch: [score],
        filter: null, sum: Math.exp(score - largest) / total })), bias: 0, kernel: [1, 1], value };
    },
  };

  function added(inputs, bias, rest) {
    const total = inputs.reduce((sum, one) => sum + one.sum, 0);
    return { ...rest, inputs, bias, products: total, value: total + bias };
  }

  // Where the entry `flat` of a tensor of `shape` lies in one that is broadcast to it.
  function indexIn(own, shape, flat) {
    const steps = strides(shape);
    const mine = strides(own);
    return own.reduce((sum, side, axis) => {
      const there = axis + shape.length - own.length;
      const at = Math.floor(flat / steps[there]) % shape[there];
      return sum + (side === 1 ? 0 : at * mine[axis]);
    }, 0);
  }

  function stepOf(node, step, find, value, channel, flat) {
    const number = (x) => brief(x);
    const shape = find(step.given).shape;
    const constant = (index) => {
      const one = find(node.in[index]);
      return one.data[indexIn(one.shape, shape, flat)];
    };
    if (step.gate) {
      const squash = find(step.gate).data[flat];
      return { words: step.op, formula: `${number(value)} · ${number(squash)}`,
        value: value * squash };
    }
    if (node.op === "BatchNormalization") {
      const [scale, shift, mean, variance] = [1, 2, 3, 4].map((at) => find(node.in[at]).data[channel]);
      const deviation = Math.sqrt(variance + (node.at.epsilon ?? 1e-5));
      return { words: words(node.op), value: ((value - mean) / deviation) * scale + shift,
        formula: `(${number(value)} − ${number(mean)}) / ${number(deviation)} · ${number(scale)}`
          + ` + ${number(shift)}` };
    }
    if (NORMS.has(node.op)) return normStep(node, step, find, value, channel, flat);
    const swapped = node.in[0] !== step.given;
    if (node.op === "Clip") {
      const [low, high] = [1, 2].map((at) => (node.in[at] ? find(node.in[at]).data[0] : null));
      return { words: words(node.op), formula: `between ${low ?? "−∞"} and ${high ?? "∞"}`,
        value: Math.min(high ?? Infinity, Math.max(low ?? -Infinity, value)) };
    }
    if (UNARY[node.op]) {
      return { words: words(node.op), formula: `${words(node.op)}(${number(value)})`,
        value: UNARY[node.op](node.at)(value) };
    }
    const other = constant(swapped ? 0 : 1);
    const [a, b] = swapped ? [other, value] : [value, other];
    const sign = { Add: "+", Sub: "−", Mul: "·", Div: "/" }[node.op] ?? node.op;
    return { words: node.op === "Add" ? "bias" : words(node.op),
      formula: `${number(a)} ${sign} ${number(b)}`, value: Tensors.BINARY[node.op](a, b) };
  }

  // Norms over a part of one picture: what they subtract and divide by is told from that part.
  function normStep(node, step, find, value, channel, flat) {
    const x = find(step.given);
    const epsilon = node.at.epsilon ?? 1e-5;
    const channels = x.shape[1];
    let size;
    if (node.op === "LayerNormalization" || node.op === "RMSNormalization") {
      const axis = node.at.axis ?? -1;
      size = count(x.shape.slice(axis < 0 ? axis + x.shape.length : axis));
    } else {
      const groups = node.op === "GroupNormalization" ? node.at.num_groups : channels;
      size = x.data.length / x.shape[0] / groups;
    }
    const part = x.data.subarray(Math.floor(flat / size) * size, Math.floor(flat / size) * size + size);
    const mean = node.op === "RMSNormalization" ? 0 : part.reduce((a, b) => a + b, 0) / size;
    const variance = part.reduce((sum, one) => sum + (one - mean) ** 2, 0) / size;
    const deviation = Math.sqrt(variance + epsilon);
    const parameter = (index) => {
      const one = node.in[index] ? find(node.in[index]) : undefined;
      if (!one) return index === 1 ? 1 : 0;
      const layer = node.op === "LayerNormalization" || node.op === "RMSNormalization";
      if (layer) return one.data[flat % size];
      return one.data[Math.floor((channel * one.data.length) / channels)];
    };
    const [scale, shift] = [parameter(1), parameter(2)];
    return { words: words(node.op), value: ((value - mean) / deviation) * scale + shift,
      formula: `(${brief(value)} − ${brief(mean)}) / ${brief(deviation)} · ${brief(scale)}`
        + ` + ${brief(shift)}` };
  }

  function brief(value) {
    if (!Number.isFinite(value)) return String(value);
    const size = Math.abs(value);
    const text = size >= 1000 || (size < 0.001 && size > 0) ? value.toExponential(2)
      : value.toFixed(size >= 10 ? 2 : 3);
    return text.replace(/-/g, "−");
  }

  // How much of a channel comes from each channel that it reads: the sum over its places of the
  // size of what that one adds, as a share of all.
  function shares(network, values, id, channel) {
    const { height, width } = layout(values.get(id).shape);
    const sizes = new Map();
    const stage = network.stage(id);
    if (!["conv", "dense", "sum"].includes(stage.kind)) return [];
    // Some hundred places tell as much as all.
    const step = Math.max(1, Math.round(Math.sqrt((height * width) / 100)));
    for (let row = 0; row < height; row += step) {
      for (let column = 0; column < width; column += step) {
        for (const one of explain(network, values, id, channel, row, column).inputs) {
          const key = one.channel ?? one.name;
          const known = sizes.get(key) ?? { channel: one.channel, name: one.name, id: one.id,
            size: 0, filter: one.filter };
          known.size += Math.abs(one.sum);
          sizes.set(key, known);
        }
      }
    }
    const all = [...sizes.values()].reduce((sum, one) => sum + one.size, 0) || 1;
    return [...sizes.values()].map((one) => ({ ...one, share: one.size / all }))
      .sort((a, b) => b.share - a.share);
  }

  // What each channel of the last placed answers does for each class: the scores less those
  // without it. Desai and Ramaswamy, WACV 2020 (Ablation-CAM), sec. 3.
  function ablate(network, values, edits) {
    const scores = values.get(network.program.logits).data;
    return network.heads.map((id) => {
      const tensor = values.get(id);
      const { channels } = layout(tensor.shape);
      const pushes = Array.from({ length: channels }, (_, channel) => {
        const without = network.rerun(values, new Map([[id, switchedOff(tensor, [channel])]]),
          edits);
        return scores.map((score, one) => score - without.get(network.program.logits).data[one]);
      });
      return { id, pushes };
    });
  }

  // The map of a class: each channel's answer times what that channel does for it, summed; only
  // what is for it counts. Averaged over the members of an ensemble.
  function activationMap(network, values, ablated, one) {
    const maps = ablated.map(({ id, pushes }) => {
      const tensor = values.get(id);
      const { channels, height, width, at } = layout(tensor.shape);
      const map = new Float32Array(height * width);
      for (let channel = 0; channel < channels; channel += 1) {
        const push = pushes[channel][one];
        if (!push) continue;
        for (let cell = 0; cell < map.length; cell += 1) {
          const row = Math.floor(cell / width);
          map[cell] += push * tensor.data[at(channel, row, cell % width)];
        }
      }
      return { height, width, map: map.map((value) => Math.max(0, value)) };
    });
    if (!maps.length) return null;
    const [first] = maps;
    const mean = first.map.map((_, cell) =>
      maps.reduce((sum, one2) => sum + (one2.map[cell] ?? 0), 0) / maps.length);
    return { height: first.height, width: first.width, map: mean };
  }

  // A class, the channels that push for it most, what those read most, and so on to the picture:
  // columns of { stage, channel, share }, the class first.
  function path(network, values, ablated, one, breadth = 3) {
    const logits = network.program.logits;
    const columns = [[{ id: logits, channel: one, weight: 1, from: -1 }]];
    const [head] = ablated;
    if (!head) return columns;
    const pushes = head.pushes.map((push, channel) => ({ channel, push: push[one] }))
      .sort((a, b) => b.push - a.push).slice(0, breadth).filter(({ push }) => push > 0);
    const largest = pushes[0]?.push ?? 1;
    let column = pushes.map(({ channel, push }) => ({ id: head.id, channel,
      weight: push / largest, from: 0 }));
    while (column.length) {
      columns.push(column);
      const next = [];
      column.forEach((unit, from) => {
        for (const { id, channel, share } of feeding(network, values, unit).slice(0, breadth)) {
          const same = next.find((other) => other.id === id && other.channel === channel);
          const weight = unit.weight * share;
          if (same) {
            same.weight += weight;
            same.also.push(from);
          } else next.push({ id, channel, weight, from, also: [] });
        }
      });
      next.sort((a, b) => b.weight - a.weight);
      column = next.slice(0, breadth);
      const top = column[0]?.weight || 1;
      for (const unit of column) unit.weight /= top;
    }
    return columns;
  }

  // The channels that one reads, the strongest first: of a sum's branches, of what is pooled, of
  // the stage before. None where something else lies between.
  function feeding(network, values, { id, channel }) {
    const stage = network.stage(id);
    const known = (name) => name !== id && network.stage(name) !== undefined;
    if (stage.kind === "pool") return known(stage.given) ? [{ id: stage.given, channel, share: 1 }] : [];
    if (stage.kind === "sum") {
      return shares(network, values, id, channel).filter((one) => known(one.id))
        .map((one) => ({ id: one.id, channel, share: one.share }));
    }
    if (stage.kind === "attention" || !known(stage.given)) return [];
    return shares(network, values, id, channel).map((one) => ({ ...one, id: stage.given }));
  }

  return { explain, shares, ablate, activationMap, path, brief };
})();
