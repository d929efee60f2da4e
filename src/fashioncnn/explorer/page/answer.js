"use strict";
// What each network says of the picture: bars for the classes, and how sure it is.
const Answer = (() => {
  let data;
  let boxes;

  function probabilities(logits, temperature) {
    const scaled = Array.from(logits, (one) => one / temperature);
    const largest = Math.max(...scaled);
    const powers = scaled.map((one) => Math.exp(one - largest));
    const total = powers.reduce((a, b) => a + b, 0);
    return powers.map((one) => one / total);
  }

  const of = (network, logits) =>
    probabilities(logits, data.networks[network].temperature * state.warmth);

  const best = (values) => values.indexOf(Math.max(...values));

  function energy(logits) {
    const largest = Math.max(...logits);
    return largest + Math.log(logits.reduce((sum, one) => sum + Math.exp(one - largest), 0));
  }

  // Why it gives no answer, if it does not: the largest share, or the energy, is below its limit.
  function reason(network, share, logits) {
    const { not_sure_below, not_sure_energy } = data.networks[network];
    if (share < not_sure_below) return "sure_no";
    return not_sure_energy !== null && energy(logits) < not_sure_energy ? "sure_unlike" : null;
  }

  function build(given) {
    data = given;
    boxes = data.networks.map((network, at) => {
      const rows = data.classes.map((name, one) => {
        const bar = h("span", { class: "bar" });
        bar.style.background = data.colours[one];
        const share = h("span", { class: "share" });
        const row = h("tr", {}, h("th", { scope: "row" },
          h("button", { type: "button", class: "plain", onclick: () =>
            change({ one, view: "why" }), title: say("why_this", { name }) }, name)),
        h("td", {}, h("span", { class: "track", "aria-hidden": "true" }, bar)), h("td", {}, share));
        return { row, bar, share, one };
      });
      const words = h("strong", { class: "said" });
      const sure = h("p", { class: "small" });
      const body = h("tbody", {}, rows.map(({ row }) => row));
      const summary = h("summary", {}, data.networks.length > 1
        ? [h("strong", {}, network.title), " "] : null, say("it_says"), " ", words);
      const box = h("details", { class: "answer", open: at === state.network }, summary, sure,
        h("table", { class: "bars" }, h("caption", { class: "hidden" },
          say("bars_caption", { name: network.title })), h("thead", { class: "hidden" },
          h("tr", {}, h("th", { scope: "col" }, say("class")), h("th", { scope: "col" }, say("bar")),
            h("th", { scope: "col" }, say("probability")))), body));
      return { box, rows, words, sure, body, at };
    });
    const slider = Input.slider("warmth", 0.1, 10, 0.1, (value) => `× ${value.toFixed(1)}`);
    return h("section", { id: "answer", "aria-labelledby": "answer_title" },
      h("h2", { id: "answer_title" }, say("answer")), boxes.map(({ box }) => box),
      h("details", {}, h("summary", {}, say("temperature")), h("p", { class: "small" },
        say("temperature_help")), slider), h("p", { id: "took", class: "small" }));
  }

  function show(network, logits, ms) {
    const { rows, words, sure, body } = boxes[network];
    const shares = of(network, logits);
    const order = shares.map((share, one) => ({ share, one })).sort((a, b) => b.share - a.share);
    const [first, second] = order;
    const unsure = reason(network, first.share, logits);
    words.textContent = unsure ? say("not_sure") : data.classes[first.one];
    sure.textContent = say(unsure ?? "sure_yes", {
      first: data.classes[first.one], share: percent(first.share),
      second: data.classes[second.one], other: percent(second.share),
      least: percent(data.networks[network].not_sure_below) });
    for (const { row, bar, share, one } of rows) {
      bar.style.width = `${100 * shares[one]}%`;
      share.textContent = percent(shares[one]);
      row.classList.toggle("top", one === first.one);
      const truth = !state.picture.pixels && data.test.labels[state.picture.at] === one;
      row.classList.toggle("truth", truth);
    }
    if (data.classes.length > 12) {
      body.replaceChildren(...order.slice(0, 12).map(({ one }) => rows[one].row));
    }
    if (network === state.network) {
      document.getElementById("took").textContent = say("took", { ms: ms.toFixed(1) });
    }
    return shares;
  }

  function open(network) {
    boxes[network].box.open = true;
  }

  function inWords(network) {
    const { words, sure } = boxes[network];
    return `${say("it_says")} ${words.textContent}. ${sure.textContent}`;
  }

  return { build, show, open, inWords, of, best, probabilities };
})();
