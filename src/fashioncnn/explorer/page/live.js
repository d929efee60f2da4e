"use strict";
// The networks at work in a thread of their own: what the page asks, and the newest answers.
const Live = (() => {
  const waiting = new Map();
  const results = [];
  const surveys = {};
  let next = 1;
  let post;
  let data;
  let running = 0;
  let dirty = false;
  let heard = () => {};

  function begin(given, listener) {
    data = given;
    heard = listener;
    post = thread() ?? here();
  }

  function thread() {
    try {
      const parts = [...data.working, "start_worker"]
        .map((name) => document.getElementById(`script_${name}`).textContent);
      const address = URL.createObjectURL(new Blob(parts, { type: "text/javascript" }));
      const worker = new Worker(address);
      worker.onmessage = ({ data: reply }) => receive(reply);
      worker.onerror = (event) => {
        event.preventDefault();
        const open = [...waiting.values()];
        post = here();
        for (const one of open) post(one.message);
      };
      return (message) => worker.postMessage(message);
    } catch {
      return null;
    }
  }

  // Where no thread may be had, the page computes itself.
  function here() {
    const answer = Service.service();
    return (message) => setTimeout(() => answer(message, receive), 0);
  }

  function receive({ id, found, error, progress }) {
    const asked = waiting.get(id);
    if (!asked) return;
    if (progress) {
      asked.progress?.(progress);
      return;
    }
    waiting.delete(id);
    if (error) asked.fail(new Error(error));
    else asked.done(found);
  }

  function ask(op, fields = {}, progress = undefined) {
    const id = next;
    next += 1;
    const message = { id, op, ...fields };
    return new Promise((done, fail) => {
      waiting.set(id, { message, done, fail, progress });
      post(message);
    });
  }

  const load = () => ask("load", { programs: data.networks.map(({ program }) => program),
    given: { test: data.test, training: data.training } });

  const edits = (network) => state.off.filter((one) => one.network === network)
    .map(({ stage, channels }) => [stage, channels]);

  // The picture as it is now, through every network; while that lasts, only the newest waits.
  function run() {
    if (running) {
      dirty = true;
      return;
    }
    dirty = false;
    const pixels = Input.pixels();
    running = data.networks.length;
    data.networks.forEach(async (_, network) => {
      try {
        const found = await ask("run", { network, pixels, edits: edits(network) });
        results[network] = { ...found, pixels };
        heard(network, results[network]);
      } finally {
        running -= 1;
        if (!running && dirty) run();
      }
    });
  }

  // What every picture of a set does in a network as it was trained; asked once.
  function survey(network, set) {
    const key = `${network} ${set}`;
    surveys[key] ??= { found: null };
    const one = surveys[key];
    one.asked ??= ask("survey", { network, set, channels: set === "test", slot: key })
      .then((found) => { one.found = found; });
    return one.asked;
  }

  const surveyed = (network, set) => surveys[`${network} ${set}`]?.found ?? null;

  return { begin, ask, load, run, edits, results, survey, surveyed };
})();
