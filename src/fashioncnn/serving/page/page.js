"use strict";
const element = (id) => document.getElementById(id);
const make = (name, text, kind) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
const headers = () => {
  const token = element("token").value;
  return token ? { Authorization: `Bearer ${token}` } : {};
};

async function ask(files) {
  if (!files.length) return;
  const form = new FormData();
  for (const file of files) form.append("files", file, file.name || "picture");
  element("state").textContent = "asking …";
  const chosen = element("model").value;
  const where = chosen ? `/predict?model=${encodeURIComponent(chosen)}` : "/predict";
  try {
    const answer = await fetch(where, { method: "POST", body: form, headers: headers() });
    const told = await answer.json();
    element("state").textContent = answer.ok ? `answered by ${told.model}` : told.error;
    if (answer.ok) told.pictures.forEach((one, at) => show(one, files[at]));
  } catch {
    element("state").textContent = "the server cannot be reached";
  }
}

function show(told, file) {
  const row = make("li");
  const picture = make("img");
  picture.alt = told.picture;
  picture.src = URL.createObjectURL(file);
  const words = make("div");
  words.append(make("strong", told.fault ?? told.answer ?? "not sure",
    told.fault ? "fault" : told.answer ? "" : "unsure"));
  const table = make("table");
  for (const one of told.probabilities) {
    const line = make("tr");
    const bar = make("td", undefined, "bar");
    const meter = make("meter");
    meter.value = one.probability;
    meter.setAttribute("aria-label", `${one.class}, probability`);
    bar.append(meter);
    line.append(make("td", one.class), bar, make("td", `${Math.round(100 * one.probability)} %`));
    table.append(line);
  }
  words.append(table);
  for (const warning of told.warnings) words.append(make("p", warning, "small"));
  row.append(picture, words);
  element("answers").prepend(row);
}

const main = document.querySelector("main");
element("file").addEventListener("change", (event) => ask([...event.target.files]));
document.addEventListener("paste", (event) => ask([...event.clipboardData.files]));
document.addEventListener("dragover", (event) => { event.preventDefault(); main.classList.add("over"); });
document.addEventListener("dragleave", () => main.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  main.classList.remove("over");
  ask([...event.dataTransfer.files]);
});
fetch("/models").then((answer) => answer.json()).then(({ models }) => {
  for (const name of models) element("model").append(make("option", name));
});
