"use strict";
// A network out of the page: its operators in order, its weights, and what its layers are.
const Networks = (() => {
  const { OPERATORS, UNARY, count, windowOf } = Tensors;
  const ACTIVATIONS = new Set(Object.keys(UNARY).concat("Clip", "PRelu"));
  const NORMS = new Set(["BatchNormalization", "LayerNormalization", "GroupNormalization",
    "InstanceNormalization", "RMSNormalization"]);
  const ARITHMETIC = new Set(["Add", "Sub", "Mul", "Div"]);
  const POOLS = new Set(["MaxPool", "AveragePool"]);
  const WORDS = { BatchNormalization: "batch norm", LayerNormalization: "layer norm",
    GroupNormalization: "group norm", InstanceNormalization: "instance norm",
    RMSNormalization: "RMS norm", Relu: "ReLU", Clip: "clip", Gelu: "GELU", Sigmoid: "sigmoid",
    Tanh: "tanh", LeakyRelu: "leaky ReLU", Elu: "ELU", Selu: "SELU", Celu: "CELU",
    PRelu: "PReLU", HardSwish: "hard swish", HardSigmoid: "hard sigmoid", Mish: "Mish",
    Softplus: "softplus", MaxPool: "largest of", AveragePool: "mean of" };
  const words = (op) => WORDS[op] ?? op.toLowerCase();

  function bytesOf(base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = text.charCodeAt(at);
    return bytes;
  }

  function half(bits) {
    const [sign, exponent, rest] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    if (exponent === 31) return rest ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + rest / 1024) : 2 ** -24 * rest);
  }

  function unpack({ shape, kind, at, values }, bytes) {
    if (values) return { shape, data: Float64Array.from(values) };
    const total = count(shape);
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const data = new Float32Array(total);
    for (let i = 0; i < total; i += 1) {
      data[i] = kind === "f16" ? half(view.getUint16(2 * i, true)) : view.getFloat32(4 * i, true);
    }
    return { shape, data };
  }

  // Channels, height and width of an answer, and where a cell of it lies. Answers without places
  // have one cell a channel; of tokens each is a cell, those of a square lie as they do in the
  // picture. A class token before them is left out.
  function layout(shape) {
    if (shape.length === 4) {
      const [, channels, height, width] = shape;
      return { channels, height, width,
        at: (channel, row, column) => (channel * height + row) * width + column };
    }
    const channels = shape[shape.length - 1];
    const tokens = count(shape) / channels;
    const square = [tokens, tokens - 1].find((n) => n > 1 && Number.isInteger(Math.sqrt(n)));
    const side = square ? Math.sqrt(square) : 1;
    const [height, width] = square ? [side, side] : [1, tokens];
    const before = square ? tokens - square : 0;
    return { channels, height, width,
      at: (channel, row, column) => (before + row * width + column) * channels + channel };
  }

  class Network {
    constructor(program) {
      const bytes = bytesOf(program.weights);
      this.program = program;
      this.constants = new Map(Object.entries(program.tensors)
        .map(([name, packed]) => [name, unpack(packed, bytes)]));
      this.made = new Map();
      this.users = new Map();
      program.nodes.forEach((node, index) => {
        for (const name of node.out) this.made.set(name, index);
        for (const name of node.in) {
          if (!this.users.has(name)) this.users.set(name, []);
          if (!this.users.get(name).includes(index)) this.users.get(name).push(index);
        }
      });
      this.isConstant = (name) => this.constants.has(name);
      const blank = new Uint8Array(program.height * program.width * program.channels);
      const values = this.run(blank);
      this.shapes = new Map([...values].map(([name, value]) => [name, value.shape]));
      this.fields = this.#fields();
      this.stages = this.#stages();
      this.heads = this.#heads(values);
    }

    // Every answer on the way, by name. `edits`: channels that are switched off, by answer; "all"
    // for a whole one.
    run(pixels, edits = new Map()) {
      const { height, width, channels } = this.program;
      const values = new Map();
      values.set(this.program.input,
        { shape: [1, height, width, channels], data: Float32Array.from(pixels) });
      for (const node of this.program.nodes) this.#step(node, values, edits);
      return values;
    }

    // The same with some answers replaced: only what depends on them is computed anew.
    rerun(values, replaced, edits = new Map()) {
      const found = new Map(replaced);
      const read = { get: (name) => found.get(name) ?? values.get(name) };
      for (const node of this.program.nodes) {
        if (node.out.some((name) => found.has(name))) continue;
        if (node.in.some((name) => found.has(name))) this.#step(node, found, edits, read);
      }
      return found;
    }

    #step(node, values, edits, read = values) {
      const inputs = node.in.map((name) =>
        (name === "" ? undefined : this.constants.get(name) ?? read.get(name)));
      const answer = OPERATORS[node.op](inputs, node.at);
      const answers = Array.isArray(answer) ? answer : [answer];
      node.out.forEach((name, index) => {
        const edit = edits.get(name);
        values.set(name, edit ? switchedOff(answers[index], edit) : answers[index]);
      });
    }

    // What one cell of each answer sees of the picture: [start, step, size] down and right; none
    // where it may see everything.
    #fields() {
      const fields = new Map([[this.program.input, [[0, 1, 1], [0, 1, 1]]]]);
      const union = (a, b) => a.map(([start, step, size], axis) => {
        const [otherStart, , otherSize] = b[axis];
        const first = Math.min(start, otherStart);
        return [first, step, Math.max(start + size, otherStart + otherSize) - first];
      });
      for (const node of this.program.nodes) {
        const given = node.in.filter((name) => !this.isConstant(name) && name !== "");
        const known = given.map((name) => fields.get(name));
        const shape = this.shapes.get(node.out[0]);
        if (!given.length || known.some((field) => !field)) continue;
        const from = this.shapes.get(given[0]);
        let field;
        if (node.op === "Conv" || POOLS.has(node.op)) {
          const kernel = node.at.kernel_shape;
          const { steps, pads, dilations } = windowOf({ shape: from }, kernel, node.at);
          field = known[0].map(([start, step, size], axis) => [start - pads[axis] * step,
            step * steps[axis], size + (kernel[axis] - 1) * dilations[axis] * step]);
        } else if (node.op === "Transpose" && from[3] === this.program.channels
          && given[0] === this.program.input) {
          [field] = known;
        } else if (node.op === "MatMul" && from.length === 4 && given.length === 1) {
          // The picture is resized: rows from the left, columns from the right.
          const axis = this.isConstant(node.in[0]) ? 0 : 1;
          const ratio = from[2 + axis] / shape[2 + axis];
          field = known[0].map((one, at) => (at === axis ? [one[0], one[1] * ratio, ratio] : one));
        } else if (shape && from && shape.length === from.length && shape.length === 4
          && given.every((name) => sameSides(this.shapes.get(name), shape))
          && node.op !== "Softmax" && node.op !== "Reshape" && node.op !== "Transpose") {
          field = known.reduce(union);
        }
        if (field) for (const name of node.out) fields.set(name, field);
      }
      return fields;
    }

    // The answers worth showing, first to last. Each has what made it and the steps after that.
    #stages() {
      const stages = [];
      const { nodes } = this.program;
      const end = this.program.logits;
      const before = new Set(this.#ancestors(end));
      const taken = new Set();
      nodes.forEach((node, index) => {
        if (!before.has(index) || taken.has(index)) return;
        const weighted = node.in.slice(0, 2).filter((name) => !this.isConstant(name)).length === 1;
        const given = node.in.find((name) => name !== "" && !this.isConstant(name));
        const shape = this.shapes.get(node.out[0]);
        let kind;
        if (node.op === "Conv") kind = "conv";
        else if (node.op === "Gemm" && weighted) kind = "dense";
        else if (node.op === "MatMul" && weighted && this.isConstant(node.in[1])
          && this.constants.get(node.in[1]).shape.length === 2 && shape.length < 4) kind = "dense";
        else if (POOLS.has(node.op)) kind = "pool";
        else if (node.op === "Add" && shape.length > 1 && shape.length < 5
          && node.in.every((name) => !this.isConstant(name) && this.#computed(name))) kind = "sum";
        else if (node.op === "Softmax" && shape.length === 4) kind = "attention";
        if (!kind) return;
        const steps = kind === "attention" ? [] : this.#steps(node);
        for (const step of steps) taken.add(step.node);
        const last = steps.length ? steps[steps.length - 1].out : node.out[0];
        const { channels, height, width } = layout(this.shapes.get(last));
        if (kind === "pool" && height * width === 1) return;
        const member = this.#member(node.out[0]);
        const name = this.#name(node, steps, kind);
        const named = member === "" || name.startsWith(member) ? name : `${member}.${name}`;
        stages.push({ id: last, kind, node: index, steps, channels, height, width, member,
          name: named, field: this.fields.get(last) ?? null, last: last === end, given,
          fromPicture: kind === "conv" && !this.#weighted(given) });
      });
      const names = new Map();
      for (const stage of stages) {
        const times = (names.get(stage.name) ?? 0) + 1;
        names.set(stage.name, times);
        if (times > 1) stage.name = `${stage.name} (${times})`;
      }
      return stages;
    }

    // Which member of an ensemble an answer is of: "members.0"; none where it is of several.
    #member(name) {
      const found = new Set();
      for (const index of this.#ancestors(name)) {
        for (const given of this.program.nodes[index].in) {
          const member = /^(?:network\.)?(members\.\d+)\./.exec(given);
          if (member && this.isConstant(given)) found.add(member[1]);
        }
      }
      return found.size === 1 ? [...found][0] : "";
    }

    // Whether a layer with weights lies before an answer; what resizes the picture is none.
    #weighted(name) {
      return [...this.#ancestors(name)].some((index) => {
        const { op, out } = this.program.nodes[index];
        return op === "Conv" || op === "Gemm"
          || (op === "MatMul" && this.shapes.get(out[0]).length < 4);
      });
    }

    #computed(name) {
      const shape = this.shapes.get(name);
      return shape !== undefined && count(shape) > 1 && this.made.has(name);
    }

    #ancestors(name, found = new Set()) {
      const index = this.made.get(name);
      if (index === undefined || found.has(index)) return found;
      found.add(index);
      for (const given of this.program.nodes[index].in) this.#ancestors(given, found);
      return found;
    }

    // What is done to each number of an answer, one after the other, as long as nobody else wants
    // what lies between.
    #steps(node) {
      const steps = [];
      let name = node.out[0];
      for (;;) {
        const users = this.users.get(name) ?? [];
        let step;
        if (users.length === 1) step = this.#step1(name, users[0]);
        else if (users.length === 2) step = this.#gate(name, users);
        if (!step || name === this.program.logits) return steps;
        steps.push(step);
        name = step.out;
      }
    }

    #step1(name, index) {
      const node = this.program.nodes[index];
      const others = node.in.filter((one) => one !== name && one !== "");
      const constant = others.every((one) => this.isConstant(one));
      const same = count(this.shapes.get(node.out[0])) === count(this.shapes.get(name));
      if (!constant || !same) return undefined;
      if (NORMS.has(node.op) || ACTIVATIONS.has(node.op)
        || (ARITHMETIC.has(node.op) && others.length === 1)) {
        return { node: index, op: node.op, out: node.out[0], given: name };
      }
      return undefined;
    }

    // x * sigmoid(x) and its kin are two operators and one activation.
    #gate(name, users) {
      const [squash, product] = users.map((index) => this.program.nodes[index]);
      if (product.op !== "Mul" || !ACTIVATIONS.has(squash.op)) return undefined;
      if (!product.in.includes(squash.out[0]) || !product.in.includes(name)) return undefined;
      return { node: users[1], op: `x · ${words(squash.op)}`, out: product.out[0], given: name,
        gate: squash.out[0] };
    }

    #name(node, steps, kind) {
      const parameters = [node, ...steps.map((step) => this.program.nodes[step.node])]
        .flatMap((one) => one.in).filter((name) => this.isConstant(name) && name.includes("."));
      if (kind === "sum") return "sum";
      if (kind === "pool") {
        const before = this.#nameBefore(node.in[0]);
        return before ? `${before}, pooled` : "pooled";
      }
      if (kind === "attention") return "attention";
      if (!parameters.length) return node.out[0];
      return parameters[0].replace(/^network\./, "").replace(/^layers\./, "")
        .replace(/\.[^.]*$/, "").replace(/\.(layers|net)\./, ".").replace(/\.conv$/, "");
    }

    #nameBefore(name) {
      for (let index = this.made.get(name); index !== undefined;) {
        const node = this.program.nodes[index];
        const weight = node.in.find((one) => this.isConstant(one) && one.endsWith(".weight"));
        if (node.op === "Conv" && weight) return this.#name(node, [], "conv");
        index = this.made.get(node.in.find((one) => !this.isConstant(one)));
      }
      return "";
    }

    // The last answer with places from which the class scores are made, of each member of an
    // ensemble: what explains an answer starts here. Of tokens a class token alone may be read.
    #heads(values) {
      const heads = new Map();
      const scores = values.get(this.program.logits).data;
      for (const stage of [...this.stages].reverse()) {
        const { id, height, width, kind, member } = stage;
        if (height * width === 1 || kind === "attention" || stage.last || heads.has(member)) continue;
        const { shape, data } = values.get(id);
        const changed = { shape, data: data.slice() };
        for (const at of placed(shape)) changed.data[at] += 1 + (at % 7);
        const after = this.rerun(values, new Map([[id, changed]])).get(this.program.logits);
        if (after?.data.some((score, one) => score !== scores[one])) heads.set(member, id);
      }
      if (heads.size > 1) heads.delete("");
      return [...heads.values()].reverse();
    }

    stage(id) {
      return this.stages.find((stage) => stage.id === id);
    }
  }

  const sameSides = (a, b) => a && a.length === 4 && a[2] === b[2] && a[3] === b[3];

  // Where the cells of all channels lie.
  function placed(shape) {
    const { channels, height, width, at } = layout(shape);
    const found = [];
    for (let channel = 0; channel < channels; channel += 1) {
      for (let cell = 0; cell < height * width; cell += 1) {
        found.push(at(channel, Math.floor(cell / width), cell % width));
      }
    }
    return found;
  }

  // The class token, which has no place, goes with its channel.
  function switchedOff({ shape, data: given }, channels) {
    const data = given.slice();
    if (channels === "all") data.fill(0);
    else if (shape.length === 4) {
      const size = shape[2] * shape[3];
      for (const channel of channels) data.fill(0, channel * size, (channel + 1) * size);
    } else {
      const width = shape[shape.length - 1];
      for (const channel of channels) {
        for (let at = channel; channel < width && at < data.length; at += width) data[at] = 0;
      }
    }
    return { shape, data };
  }

  return { Network, layout, switchedOff, words, bytesOf, NORMS };
})();
