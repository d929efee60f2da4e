"use strict";
// Tensors { shape, data } and the operators of ONNX on them, one picture at a time. Floats are kept
// in Float32Array as PyTorch keeps them; whole numbers, such as shapes, in Float64Array.
const Tensors = (() => {
  const count = (shape) => shape.reduce((product, side) => product * side, 1);
  const floats = (shape, data = new Float32Array(count(shape))) => ({ shape, data });
  const whole = (values, shape = [values.length]) => ({ shape, data: Float64Array.from(values) });
  const alike = (tensor, data) => ({ shape: tensor.shape, data });
  const list = (tensor) => Array.from(tensor.data);
  const axisOf = (axis, rank) => (axis < 0 ? axis + rank : axis);

  function strides(shape) {
    const found = new Array(shape.length);
    for (let at = shape.length - 1, step = 1; at >= 0; step *= shape[at], at -= 1) found[at] = step;
    return found;
  }

  // Where each entry of `shape` lies in data with these strides.
  function offsets(shape, steps, start = 0) {
    const total = count(shape);
    const found = new Int32Array(total);
    const at = new Array(shape.length).fill(0);
    for (let index = 0, offset = start; index < total; index += 1) {
      found[index] = offset;
      for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
        at[axis] += 1;
        offset += steps[axis];
        if (at[axis] < shape[axis]) break;
        offset -= steps[axis] * shape[axis];
        at[axis] = 0;
      }
    }
    return found;
  }

  function picked(tensor, shape, steps, start = 0) {
    const from = offsets(shape, steps, start);
    const data = new tensor.data.constructor(from.length);
    for (let index = 0; index < data.length; index += 1) data[index] = tensor.data[from[index]];
    return { shape, data };
  }

  function broadcastShape(a, b) {
    const rank = Math.max(a.length, b.length);
    const side = (shape, axis) => shape[axis - rank + shape.length] ?? 1;
    return Array.from({ length: rank }, (_, axis) => {
      const [one, other] = [side(a, axis), side(b, axis)];
      return one === 1 ? other : one;
    });
  }

  function broadcastStrides(shape, to) {
    const own = strides(shape);
    const missing = to.length - shape.length;
    return to.map((_, axis) => {
      const at = axis - missing;
      return at < 0 || shape[at] === 1 ? 0 : own[at];
    });
  }

  function binary(a, b, apply) {
    const shape = broadcastShape(a.shape, b.shape);
    const Kind = a.data instanceof Float32Array || b.data instanceof Float32Array
      ? Float32Array : Float64Array;
    const data = new Kind(count(shape));
    const [x, y] = [a.data, b.data];
    if (x.length === data.length && y.length === data.length) {
      for (let i = 0; i < data.length; i += 1) data[i] = apply(x[i], y[i]);
    } else if (x.length === data.length && y.length === 1) {
      for (let i = 0; i < data.length; i += 1) data[i] = apply(x[i], y[0]);
    } else {
      const fromX = offsets(shape, broadcastStrides(a.shape, shape));
      const fromY = offsets(shape, broadcastStrides(b.shape, shape));
      for (let i = 0; i < data.length; i += 1) data[i] = apply(x[fromX[i]], y[fromY[i]]);
    }
    return { shape, data };
  }

  function unary(x, apply) {
    const data = new x.data.constructor(x.data.length);
    for (let i = 0; i < data.length; i += 1) data[i] = apply(x.data[i]);
    return alike(x, data);
  }

  // `tell(data, start, inner)` makes one number of the entries at start + inner[i].
  function reduce(x, axes, keep, tell) {
    const rank = x.shape.length;
    const gone = new Set((axes.length ? axes : x.shape.map((_, axis) => axis))
      .map((axis) => axisOf(axis, rank)));
    const own = strides(x.shape);
    const stay = x.shape.map((_, axis) => axis).filter((axis) => !gone.has(axis));
    const leave = [...gone].sort((a, b) => a - b);
    const starts = offsets(stay.map((axis) => x.shape[axis]), stay.map((axis) => own[axis]));
    const inner = offsets(leave.map((axis) => x.shape[axis]), leave.map((axis) => own[axis]));
    const shape = keep
      ? x.shape.map((side, axis) => (gone.has(axis) ? 1 : side))
      : stay.map((axis) => x.shape[axis]);
    const data = new x.data.constructor(starts.length);
    for (let i = 0; i < data.length; i += 1) data[i] = tell(x.data, starts[i], inner);
    return { shape, data };
  }

  const sumOf = (data, start, inner) => {
    let sum = 0;
    for (let i = 0; i < inner.length; i += 1) sum += data[start + inner[i]];
    return sum;
  };
  const largestOf = (data, start, inner) => {
    let largest = -Infinity;
    for (let i = 0; i < inner.length; i += 1) largest = Math.max(largest, data[start + inner[i]]);
    return largest;
  };
  const logSumExpOf = (data, start, inner) => {
    const largest = largestOf(data, start, inner);
    let sum = 0;
    for (let i = 0; i < inner.length; i += 1) sum += Math.exp(data[start + inner[i]] - largest);
    return largest + Math.log(sum);
  };
  const squaresOf = (data, start, inner) => {
    let sum = 0;
    for (let i = 0; i < inner.length; i += 1) sum += data[start + inner[i]] ** 2;
    return sum;
  };
  const REDUCTIONS = {
    ReduceSum: sumOf,
    ReduceMean: (data, start, inner) => sumOf(data, start, inner) / inner.length,
    ReduceMax: largestOf,
    ReduceMin: (data, start, inner) => {
      let least = Infinity;
      for (let i = 0; i < inner.length; i += 1) least = Math.min(least, data[start + inner[i]]);
      return least;
    },
    ReduceProd: (data, start, inner) => {
      let product = 1;
      for (let i = 0; i < inner.length; i += 1) product *= data[start + inner[i]];
      return product;
    },
    ReduceL1: (data, start, inner) => {
      let sum = 0;
      for (let i = 0; i < inner.length; i += 1) sum += Math.abs(data[start + inner[i]]);
      return sum;
    },
    ReduceL2: (data, start, inner) => Math.sqrt(squaresOf(data, start, inner)),
    ReduceSumSquare: squaresOf,
    ReduceLogSumExp: logSumExpOf,
  };

  // Abramowitz and Stegun, 7.1.26: to 1.5e-7.
  function erf(x) {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t
      + 0.254829592) * t;
    return Math.sign(x) * (1 - series * Math.exp(-x * x));
  }
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const softplus = (x) => (x > 20 ? x : Math.log1p(Math.exp(x)));
  const toEven = (x) => {
    const near = Math.round(x);
    return Math.abs(x % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near;
  };
  // Each takes the attributes of the node and gives a function of one number.
  const UNARY = {
    Relu: () => (x) => (x > 0 ? x : 0),
    LeakyRelu: ({ alpha = 0.01 }) => (x) => (x < 0 ? alpha * x : x),
    ThresholdedRelu: ({ alpha = 1 }) => (x) => (x > alpha ? x : 0),
    Sigmoid: () => sigmoid,
    Tanh: () => Math.tanh,
    Elu: ({ alpha = 1 }) => (x) => (x < 0 ? alpha * Math.expm1(x) : x),
    Celu: ({ alpha = 1 }) => (x) => (x < 0 ? alpha * Math.expm1(x / alpha) : x),
    Selu: ({ alpha = 1.67326319, gamma = 1.05070102 }) => (x) =>
      gamma * (x < 0 ? alpha * Math.expm1(x) : x),
    Softplus: () => softplus,
    Softsign: () => (x) => x / (1 + Math.abs(x)),
    HardSigmoid: ({ alpha = 0.2, beta = 0.5 }) => (x) => Math.min(1, Math.max(0, alpha * x + beta)),
    HardSwish: () => (x) => x * Math.min(1, Math.max(0, x / 6 + 0.5)),
    Mish: () => (x) => x * Math.tanh(softplus(x)),
    Gelu: ({ approximate = "none" }) => (approximate === "tanh"
      ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      : (x) => 0.5 * x * (1 + erf(x / Math.SQRT2))),
    Erf: () => erf,
    Exp: () => Math.exp,
    Log: () => Math.log,
    Sqrt: () => Math.sqrt,
    Neg: () => (x) => -x,
    Abs: () => Math.abs,
    Sign: () => Math.sign,
    Reciprocal: () => (x) => 1 / x,
    Sin: () => Math.sin,
    Cos: () => Math.cos,
    Floor: () => Math.floor,
    Ceil: () => Math.ceil,
    Round: () => toEven,
    Not: () => (x) => (x ? 0 : 1),
  };
  const BINARY = {
    Add: (a, b) => a + b,
    Sub: (a, b) => a - b,
    Mul: (a, b) => a * b,
    Div: (a, b) => a / b,
    Pow: (a, b) => a ** b,
    PRelu: (a, b) => (a < 0 ? a * b : a),
    Equal: (a, b) => (a === b ? 1 : 0),
    Less: (a, b) => (a < b ? 1 : 0),
    Greater: (a, b) => (a > b ? 1 : 0),
    And: (a, b) => (a && b ? 1 : 0),
    Or: (a, b) => (a || b ? 1 : 0),
  };

  function windowOf(x, kernel, { strides: steps = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1],
    ceil_mode: ceil = 0 }) {
    const outer = [0, 1].map((axis) => {
      const reach = (kernel[axis] - 1) * dilations[axis] + 1;
      const room = x.shape[2 + axis] + pads[axis] + pads[axis + 2] - reach;
      const places = (ceil ? Math.ceil : Math.floor)(room / steps[axis]) + 1;
      // A window may not begin in the padding behind the picture.
      const last = (places - 1) * steps[axis] >= x.shape[2 + axis] + pads[axis];
      return ceil && last ? places - 1 : places;
    });
    return { steps, pads, dilations, kernel, height: outer[0], width: outer[1] };
  }

  function padded(x, picture, [top, left, bottom, right], value = 0) {
    const [, channels, height, width] = x.shape;
    const [tall, wide] = [height + top + bottom, width + left + right];
    const from = picture * channels * height * width;
    const size = channels * height * width;
    if (tall === height && wide === width) return x.data.subarray(from, from + size);
    const data = new Float32Array(channels * tall * wide);
    if (value) data.fill(value);
    for (let channel = 0; channel < channels; channel += 1) {
      for (let row = 0; row < height; row += 1) {
        const start = from + (channel * height + row) * width;
        const to = (channel * tall + row + top) * wide + left;
        for (let column = 0; column < width; column += 1) {
          data[to + column] = x.data[start + column];
        }
      }
    }
    return data;
  }

  // out += the plane of one input channel under a 3x3 filter; written out, as that is what takes
  // the time.
  function add3x3(out, o, height, width, data, from, wide, down, right, w, at) {
    const w0 = w[at], w1 = w[at + 1], w2 = w[at + 2], w3 = w[at + 3], w4 = w[at + 4];
    const w5 = w[at + 5], w6 = w[at + 6], w7 = w[at + 7], w8 = w[at + 8];
    for (let row = 0; row < height; row += 1) {
      let a = from + row * down * wide;
      let b = a + wide;
      let c = b + wide;
      const end = o + width;
      if (right === 1) {
        let a0 = data[a], a1 = data[a + 1], b0 = data[b], b1 = data[b + 1];
        let c0 = data[c], c1 = data[c + 1];
        for (; o < end; o += 1, a += 1, b += 1, c += 1) {
          const a2 = data[a + 2], b2 = data[b + 2], c2 = data[c + 2];
          out[o] += w0 * a0 + w1 * a1 + w2 * a2 + w3 * b0 + w4 * b1 + w5 * b2
            + w6 * c0 + w7 * c1 + w8 * c2;
          a0 = a1; a1 = a2; b0 = b1; b1 = b2; c0 = c1; c1 = c2;
        }
      } else {
        for (; o < end; o += 1, a += right, b += right, c += right) {
          out[o] += w0 * data[a] + w1 * data[a + 1] + w2 * data[a + 2]
            + w3 * data[b] + w4 * data[b + 1] + w5 * data[b + 2]
            + w6 * data[c] + w7 * data[c + 1] + w8 * data[c + 2];
        }
      }
    }
  }

  function conv([x, w, bias], attributes) {
    const { group = 1 } = attributes;
    const [pictures, channels] = x.shape;
    const [filters, read, kernelHeight, kernelWidth] = w.shape;
    const { steps, pads, dilations, height, width } =
      windowOf(x, [kernelHeight, kernelWidth], attributes);
    const shape = [pictures, filters, height, width];
    const out = new Float32Array(count(shape));
    const [tall, wide] = [x.shape[2] + pads[0] + pads[2], x.shape[3] + pads[1] + pads[3]];
    const taps = kernelHeight * kernelWidth;
    const simple = kernelHeight === 3 && kernelWidth === 3 && dilations[0] === 1
      && dilations[1] === 1;
    for (let picture = 0; picture < pictures; picture += 1) {
      const data = padded(x, picture, pads);
      for (let filter = 0; filter < filters; filter += 1) {
        const o = (picture * filters + filter) * height * width;
        if (bias && bias.data[filter]) out.fill(bias.data[filter], o, o + height * width);
        const first = Math.floor(filter / (filters / group)) * (channels / group);
        for (let channel = 0; channel < read; channel += 1) {
          const from = (first + channel) * tall * wide;
          const at = (filter * read + channel) * taps;
          if (simple) {
            add3x3(out, o, height, width, data, from, wide, steps[0], steps[1], w.data, at);
            continue;
          }
          for (let tap = 0; tap < taps; tap += 1) {
            const weight = w.data[at + tap];
            const down = Math.floor(tap / kernelWidth) * dilations[0];
            const begin = from + down * wide + (tap % kernelWidth) * dilations[1];
            for (let row = 0; row < height; row += 1) {
              let source = begin + row * steps[0] * wide;
              const end = o + (row + 1) * width;
              for (let to = end - width; to < end; to += 1, source += steps[1]) {
                out[to] += weight * data[source];
              }
            }
          }
        }
      }
    }
    return floats(shape, out);
  }

  // `finish` is given what was taken of the window's values within the picture, how many those are,
  // and how many there are with the padding; what lies beyond that counts nowhere.
  function pool([x], attributes, start, take, finish) {
    const found = windowOf(x, attributes.kernel_shape, attributes);
    const { steps, pads, dilations, kernel, height, width } = found;
    const [pictures, channels, tall, wide] = x.shape;
    const shape = [pictures, channels, height, width];
    const out = new Float32Array(count(shape));
    for (let plane = 0, o = 0; plane < pictures * channels; plane += 1) {
      const from = plane * tall * wide;
      for (let row = 0; row < height; row += 1) {
        for (let column = 0; column < width; column += 1, o += 1) {
          let value = start;
          let [inside, counted] = [0, 0];
          for (let tap = 0; tap < kernel[0] * kernel[1]; tap += 1) {
            const r = row * steps[0] - pads[0] + Math.floor(tap / kernel[1]) * dilations[0];
            const c = column * steps[1] - pads[1] + (tap % kernel[1]) * dilations[1];
            if (r < tall + pads[2] && c < wide + pads[3]) counted += 1;
            if (r < 0 || c < 0 || r >= tall || c >= wide) continue;
            value = take(value, x.data[from + r * wide + c]);
            inside += 1;
          }
          out[o] = finish(value, inside, counted);
        }
      }
    }
    return floats(shape, out);
  }

  function matmul([a, b]) {
    const [left, right] = [a.shape.length === 1 ? [1, ...a.shape] : a.shape,
      b.shape.length === 1 ? [...b.shape, 1] : b.shape];
    const [rows, inner] = left.slice(-2);
    const columns = right[right.length - 1];
    const batch = broadcastShape(left.slice(0, -2), right.slice(0, -2));
    const fromA = offsets(batch, broadcastStrides(left.slice(0, -2), batch));
    const fromB = offsets(batch, broadcastStrides(right.slice(0, -2), batch));
    const data = new Float32Array(fromA.length * rows * columns);
    for (let one = 0; one < fromA.length; one += 1) {
      const startB = fromB[one] * inner * columns;
      for (let row = 0; row < rows; row += 1) {
        const o = (one * rows + row) * columns;
        const startA = (fromA[one] * rows + row) * inner;
        for (let k = 0; k < inner; k += 1) {
          const value = a.data[startA + k];
          if (value === 0) continue;
          const at = startB + k * columns;
          for (let column = 0; column < columns; column += 1) {
            data[o + column] += value * b.data[at + column];
          }
        }
      }
    }
    const shape = [...batch, rows, columns];
    if (b.shape.length === 1) shape.pop();
    if (a.shape.length === 1) shape.splice(shape.length - (b.shape.length === 1 ? 1 : 2), 1);
    return floats(shape, data);
  }

  function gemm([a, b, c], { alpha = 1, beta = 1, transA = 0, transB = 0 }) {
    const [rows, inner] = transA ? [a.shape[1], a.shape[0]] : a.shape;
    const columns = transB ? b.shape[0] : b.shape[1];
    const [stepRow, stepInner] = transA ? [1, rows] : [inner, 1];
    const [downB, rightB] = transB ? [1, inner] : [columns, 1];
    const data = new Float32Array(rows * columns);
    const added = c && offsets([rows, columns], broadcastStrides(c.shape, [rows, columns]));
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        let sum = 0;
        const [startA, startB] = [row * stepRow, column * rightB];
        for (let k = 0; k < inner; k += 1) {
          sum += a.data[startA + k * stepInner] * b.data[startB + k * downB];
        }
        const at = row * columns + column;
        data[at] = alpha * sum + (c ? beta * c.data[added[at]] : 0);
      }
    }
    return floats([rows, columns], data);
  }

  // Of groups of `size` entries in a row: (x - mean) / sqrt(variance + epsilon).
  function normalised(x, size, epsilon, centred = true) {
    const data = new Float32Array(x.data.length);
    for (let start = 0; start < data.length; start += size) {
      let mean = 0;
      for (let i = 0; centred && i < size; i += 1) mean += x.data[start + i] / size;
      let variance = 0;
      for (let i = 0; i < size; i += 1) variance += (x.data[start + i] - mean) ** 2 / size;
      const scale = 1 / Math.sqrt(variance + epsilon);
      for (let i = 0; i < size; i += 1) data[start + i] = (x.data[start + i] - mean) * scale;
    }
    return alike(x, data);
  }

  // data * scale + shift, one of each a channel.
  function byChannel(x, scale, shift) {
    const [pictures, channels] = x.shape;
    const size = x.data.length / pictures / channels;
    const data = new Float32Array(x.data.length);
    for (let plane = 0; plane < pictures * channels; plane += 1) {
      const [a, b] = [scale(plane % channels), shift(plane % channels)];
      for (let i = plane * size; i < (plane + 1) * size; i += 1) data[i] = x.data[i] * a + b;
    }
    return alike(x, data);
  }

  function softmax(x, axis, log) {
    const at = axisOf(axis, x.shape.length);
    const total = reduce(x, [at], true, logSumExpOf);
    return binary(x, total, log ? (a, b) => a - b : (a, b) => Math.exp(a - b));
  }

  const optionalAxes = (inputs, { axes }) => (inputs[1] ? list(inputs[1]) : axes ?? []);

  function reshaped([x, wanted], { allowzero = 0 }) {
    const shape = list(wanted).map((side, axis) => (side === 0 && !allowzero ? x.shape[axis] : side));
    const open = shape.indexOf(-1);
    if (open >= 0) {
      shape[open] = 1;
      shape[open] = x.data.length / count(shape);
    }
    return { shape, data: x.data };
  }

  function sliced([x, starts, ends, axes, steps]) {
    const shape = [...x.shape];
    const own = strides(x.shape);
    let begin = 0;
    list(starts).forEach((start, index) => {
      const axis = axisOf(axes ? axes.data[index] : index, shape.length);
      const step = steps ? steps.data[index] : 1;
      const side = x.shape[axis];
      const least = step < 0 ? -1 : 0;
      const clamp = (value) => Math.min(Math.max(value < 0 ? value + side : value, least),
        step < 0 ? side - 1 : side);
      const [from, to] = [clamp(start), clamp(ends.data[index])];
      shape[axis] = Math.max(0, Math.ceil((to - from) / step));
      begin += from * own[axis];
      own[axis] *= step;
    });
    return picked(x, shape, own, begin);
  }

  function gathered([x, which], { axis = 0 }) {
    const at = axisOf(axis, x.shape.length);
    const [outer, side, inner] = [count(x.shape.slice(0, at)), x.shape[at],
      count(x.shape.slice(at + 1))];
    const shape = [...x.shape.slice(0, at), ...which.shape, ...x.shape.slice(at + 1)];
    const data = new x.data.constructor(count(shape));
    let to = 0;
    for (let o = 0; o < outer; o += 1) {
      for (const index of which.data) {
        const from = (o * side + axisOf(index, side)) * inner;
        for (let i = 0; i < inner; i += 1, to += 1) data[to] = x.data[from + i];
      }
    }
    return { shape, data };
  }

  function concatenated(inputs, { axis }) {
    const at = axisOf(axis, inputs[0].shape.length);
    const shape = [...inputs[0].shape];
    shape[at] = inputs.reduce((sum, one) => sum + one.shape[at], 0);
    const data = new inputs[0].data.constructor(count(shape));
    const outer = count(shape.slice(0, at));
    let to = 0;
    for (let o = 0; o < outer; o += 1) {
      for (const one of inputs) {
        const size = one.data.length / outer;
        data.set(one.data.subarray(o * size, (o + 1) * size), to);
        to += size;
      }
    }
    return { shape, data };
  }

  function split([x, sizes], { axis = 0, num_outputs: parts }) {
    const at = axisOf(axis, x.shape.length);
    const side = x.shape[at];
    const each = Math.ceil(side / (parts ?? 1));
    const lengths = sizes ? list(sizes)
      : Array.from({ length: parts }, (_, i) => Math.min(each, side - i * each));
    const own = strides(x.shape);
    let start = 0;
    return lengths.map((length) => {
      const shape = x.shape.map((one, axisHere) => (axisHere === at ? length : one));
      const part = picked(x, shape, own, start * own[at]);
      start += length;
      return part;
    });
  }

  function expanded(x, wanted) {
    const shape = broadcastShape(x.shape, wanted);
    return picked(x, shape, broadcastStrides(x.shape, shape));
  }

  function paddedAnywhere([x, pads, value, axes], { mode = "constant" }) {
    const rank = x.shape.length;
    const which = axes ? list(axes).map((axis) => axisOf(axis, rank)) : x.shape.map((_, axis) => axis);
    const [before, shape] = [new Array(rank).fill(0), [...x.shape]];
    which.forEach((axis, index) => {
      before[axis] = pads.data[index];
      shape[axis] += pads.data[index] + pads.data[index + which.length];
    });
    const own = strides(x.shape);
    const data = new x.data.constructor(count(shape));
    const places = strides(shape);
    const inside = (at, side) => {
      if (at >= 0 && at < side) return at;
      if (mode === "edge") return at < 0 ? 0 : side - 1;
      if (mode === "reflect") return at < 0 ? -at : 2 * side - 2 - at;
      if (mode === "wrap") return (at + side) % side;
      return -1;
    };
    for (let index = 0; index < data.length; index += 1) {
      let from = 0;
      for (let axis = 0; axis < rank && from >= 0; axis += 1) {
        const at = inside((Math.floor(index / places[axis]) % shape[axis]) - before[axis],
          x.shape[axis]);
        from = at < 0 ? -1 : from + at * own[axis];
      }
      data[index] = from < 0 ? value?.data[0] ?? 0 : x.data[from];
    }
    return { shape, data };
  }

  function groupNorm([x, scale, shift], { num_groups: groups, epsilon = 1e-5 }) {
    const plain = normalised(x, x.data.length / x.shape[0] / groups, epsilon);
    // Up to opset 20 there is one scale a group, later one a channel.
    const at = (channel) => Math.floor((channel * scale.data.length) / x.shape[1]);
    return byChannel(plain, (c) => scale.data[at(c)], (c) => shift.data[at(c)]);
  }

  function squeezed(x, axes) {
    const gone = new Set(axes.map((axis) => axisOf(axis, x.shape.length)));
    const keep = (side, axis) => (gone.size ? !gone.has(axis) : side !== 1);
    return { shape: x.shape.filter(keep), data: x.data };
  }

  function unsqueezed(x, axes) {
    const rank = x.shape.length + axes.length;
    const added = new Set(axes.map((axis) => axisOf(axis, rank)));
    const left = [...x.shape];
    const shape = Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : left.shift()));
    return { shape, data: x.data };
  }

  const WHOLE_TYPES = new Set([2, 3, 4, 5, 6, 7, 9, 12, 13]);
  const OPERATORS = {
    Conv: conv,
    BatchNormalization: ([x, scale, shift, mean, variance], { epsilon = 1e-5 }) => {
      const factor = (c) => scale.data[c] / Math.sqrt(variance.data[c] + epsilon);
      return byChannel(x, factor, (c) => shift.data[c] - mean.data[c] * factor(c));
    },
    LayerNormalization: ([x, scale, shift], { axis = -1, epsilon = 1e-5 }) => {
      const size = count(x.shape.slice(axisOf(axis, x.shape.length)));
      const plain = normalised(x, size, epsilon);
      const scaled = binary(plain, scale, BINARY.Mul);
      return shift ? binary(scaled, shift, BINARY.Add) : scaled;
    },
    RMSNormalization: ([x, scale], { axis = -1, epsilon = 1e-5 }) => {
      const size = count(x.shape.slice(axisOf(axis, x.shape.length)));
      return binary(normalised(x, size, epsilon, false), scale, BINARY.Mul);
    },
    InstanceNormalization: ([x, scale, shift], { epsilon = 1e-5 }) => byChannel(
      normalised(x, count(x.shape.slice(2)), epsilon), (c) => scale.data[c], (c) => shift.data[c]),
    GroupNormalization: groupNorm,
    MaxPool: (inputs, attributes) => pool(inputs, attributes, -Infinity,
      (largest, value) => (value > largest ? value : largest), (largest) => largest),
    AveragePool: (inputs, attributes) => pool(inputs, attributes, 0, (sum, value) => sum + value,
      (sum, inside, all) => sum / (attributes.count_include_pad ? all : inside)),
    GlobalAveragePool: ([x]) => reduce(x, x.shape.map((_, a) => a).slice(2), true,
      REDUCTIONS.ReduceMean),
    GlobalMaxPool: ([x]) => reduce(x, x.shape.map((_, a) => a).slice(2), true, largestOf),
    Gemm: gemm,
    MatMul: matmul,
    Softmax: ([x], { axis = -1 }) => softmax(x, axis, false),
    LogSoftmax: ([x], { axis = -1 }) => softmax(x, axis, true),
    Reshape: reshaped,
    Flatten: ([x], { axis = 1 }) => {
      const at = axisOf(axis, x.shape.length);
      return { shape: [count(x.shape.slice(0, at)), count(x.shape.slice(at))], data: x.data };
    },
    Transpose: ([x], { perm }) => {
      const order = perm ?? x.shape.map((_, axis) => axis).reverse();
      const own = strides(x.shape);
      return picked(x, order.map((axis) => x.shape[axis]), order.map((axis) => own[axis]));
    },
    Concat: concatenated,
    Split: split,
    Slice: sliced,
    Gather: gathered,
    Expand: ([x, shape]) => expanded(x, list(shape)),
    Tile: ([x, repeats]) => list(repeats).reduce((tensor, times, axis) => (times === 1 ? tensor
      : concatenated(new Array(times).fill(tensor), { axis })), x),
    Squeeze: (inputs, attributes) => squeezed(inputs[0], optionalAxes(inputs, attributes)),
    Unsqueeze: (inputs, attributes) => unsqueezed(inputs[0], optionalAxes(inputs, attributes)),
    Pad: paddedAnywhere,
    Where: ([chosen, a, b]) => {
      const shape = broadcastShape(chosen.shape, broadcastShape(a.shape, b.shape));
      const [which, one, other] = [chosen, a, b].map((x) => expanded(x, shape));
      return { shape, data: one.data.map((value, at) => (which.data[at] ? value : other.data[at])) };
    },
    Clip: ([x, low, high]) => {
      const [least, most] = [low?.data[0] ?? -Infinity, high?.data[0] ?? Infinity];
      return unary(x, (value) => Math.min(most, Math.max(least, value)));
    },
    Min: (inputs) => inputs.reduce((a, b) => binary(a, b, Math.min)),
    Max: (inputs) => inputs.reduce((a, b) => binary(a, b, Math.max)),
    Sum: (inputs) => inputs.reduce((a, b) => binary(a, b, BINARY.Add)),
    Identity: ([x]) => x,
    Dropout: ([x]) => x,
    Cast: ([x], { to }) => (WHOLE_TYPES.has(to)
      ? { shape: x.shape, data: Float64Array.from(x.data, to === 9 ? Boolean : Math.trunc) }
      : floats(x.shape, Float32Array.from(x.data))),
    CastLike: ([x, like]) => alike(x, like.data.constructor.from(x.data)),
    Shape: ([x], { start = 0, end = x.shape.length }) => whole(x.shape.slice(start, end)),
    Range: ([from, to, step]) => {
      const length = Math.max(0, Math.ceil((to.data[0] - from.data[0]) / step.data[0]));
      return whole(Array.from({ length }, (_, i) => from.data[0] + i * step.data[0]));
    },
    ConstantOfShape: ([shape], { value = 0 }) => {
      const sides = list(shape);
      return floats(sides, new Float32Array(count(sides)).fill(value));
    },
  };
  for (const [name, tell] of Object.entries(REDUCTIONS)) {
    OPERATORS[name] = (inputs, attributes) => {
      const axes = optionalAxes(inputs, attributes);
      if (!axes.length && attributes.noop_with_empty_axes) return inputs[0];
      return reduce(inputs[0], axes, attributes.keepdims ?? 1, tell);
    };
  }
  for (const [name, make] of Object.entries(UNARY)) {
    OPERATORS[name] = ([x], attributes) => unary(x, make(attributes));
  }
  for (const [name, apply] of Object.entries(BINARY)) {
    OPERATORS[name] = ([a, b]) => binary(a, b, apply);
  }

  return { OPERATORS, UNARY, BINARY, count, strides, windowOf };
})();
