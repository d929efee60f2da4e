"use strict";
// The page's state as an address, and any view as SVG or PNG: what stands on the screen, as
// rectangles, pictures and text.
const Share = (() => {
  const FAMILY = "system-ui, sans-serif";

  function rectangle(style, box, origin) {
    const found = [];
    const clear = (colour) => /^rgba\(\d+, \d+, \d+, 0\)$|^transparent$/.test(colour);
    const [x, y] = [box.left - origin.left, box.top - origin.top];
    const edge = parseFloat(style.borderTopWidth) || 0;
    if (!clear(style.backgroundColor) || (edge && !clear(style.borderTopColor)
      && style.borderTopStyle !== "none")) {
      found.push(svg("rect", { x, y, width: box.width, height: box.height,
        rx: parseFloat(style.borderTopLeftRadius) || 0,
        fill: clear(style.backgroundColor) ? "none" : style.backgroundColor,
        stroke: edge && style.borderTopStyle !== "none" ? style.borderTopColor : "none",
        "stroke-width": edge }));
    }
    return found;
  }

  function texts(node, style, origin) {
    const range = document.createRange();
    const found = [];
    // Words that a line break parts are written line by line.
    let line = null;
    const words = node.data.matchAll(/\S+\s*/g);
    for (const word of words) {
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].trimEnd().length);
      const [box] = range.getClientRects();
      if (!box || !box.width) continue;
      if (line && Math.abs(line.top - box.top) < 2) line.text += word[0];
      else {
        line = { top: box.top, left: box.left, bottom: box.bottom, text: word[0] };
        found.push(line);
      }
    }
    return found.map(({ top, left, bottom, text }) => {
      const size = parseFloat(style.fontSize);
      const written = svg("text", { x: left - origin.left,
        y: (top + bottom) / 2 - origin.top + size * 0.35, "font-size": size,
        "font-weight": style.fontWeight, "font-family": FAMILY, fill: style.color });
      written.textContent = text.trimEnd();
      return written;
    });
  }

  function drawn(element) {
    // What waits until it is scrolled to is wanted now, as it is on paper.
    dispatchEvent(new Event("beforeprint"));
    const origin = element.getBoundingClientRect();
    const picture = svg("svg", { xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${origin.width} ${origin.height}`, width: origin.width, height: origin.height });
    picture.append(svg("rect", { width: "100%", height: "100%", fill: Colours.css("--paper") }));
    const walk = (one, seen) => {
      const style = getComputedStyle(one);
      const box = one.getBoundingClientRect();
      if (style.display === "none" || style.visibility === "hidden" || !box.width) return;
      if (one.classList.contains("hidden")) return;
      // What is scrolled out of a box with bars of its own is not seen.
      if (box.top >= seen.bottom || box.bottom <= seen.top || box.left >= seen.right
        || box.right <= seen.left) return;
      const inner = style.overflow === "visible" ? seen : { top: Math.max(seen.top, box.top),
        bottom: Math.min(seen.bottom, box.bottom), left: Math.max(seen.left, box.left),
        right: Math.min(seen.right, box.right) };
      picture.append(...rectangle(style, box, origin));
      if (one instanceof HTMLCanvasElement) {
        if (!one.width || !one.height) return;
        picture.append(svg("image", { x: box.left - origin.left, y: box.top - origin.top,
          width: box.width, height: box.height, href: one.toDataURL(), opacity: style.opacity,
          "image-rendering": "pixelated", preserveAspectRatio: "none" }));
        return;
      }
      if (one instanceof SVGSVGElement) {
        const copy = one.cloneNode(true);
        copy.setAttribute("x", box.left - origin.left);
        copy.setAttribute("y", box.top - origin.top);
        one.querySelectorAll("*").forEach((part, at) => {
          const shown = getComputedStyle(part);
          const target = copy.querySelectorAll("*")[at];
          for (const key of ["fill", "stroke", "font-size", "text-anchor"]) {
            target.setAttribute(key, shown.getPropertyValue(key));
          }
          target.setAttribute("font-family", FAMILY);
        });
        picture.append(copy);
        return;
      }
      if (one instanceof HTMLSelectElement) {
        const words = svg("text", { x: box.left - origin.left + 6,
          y: box.top - origin.top + box.height * 0.65, "font-size": parseFloat(style.fontSize),
          "font-family": FAMILY, fill: style.color });
        words.textContent = one.selectedOptions[0]?.textContent ?? "";
        picture.append(words);
        return;
      }
      for (const child of one.childNodes) {
        if (child.nodeType === Node.TEXT_NODE) picture.append(...texts(child, style, origin));
        else if (child.nodeType === Node.ELEMENT_NODE) walk(child, inner);
      }
    };
    walk(element, { top: -Infinity, bottom: Infinity, left: -Infinity, right: Infinity });
    return new XMLSerializer().serializeToString(picture);
  }

  function save(blob, name) {
    const address = URL.createObjectURL(blob);
    const link = h("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  const fileName = (kind) => `explorer-${state.view}.${kind}`;

  function asSvg() {
    const text = drawn(document.getElementById("stage"));
    save(new Blob([text], { type: "image/svg+xml" }), fileName("svg"));
  }

  async function asPng() {
    const text = drawn(document.getElementById("stage"));
    const image = new Image();
    const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    image.src = address;
    await image.decode();
    // Browsers refuse canvases beyond 16,384 pixels a side, and very large ones.
    const scale = Math.min(2, 16_000 / image.width, 16_000 / image.height,
      Math.sqrt(1e8 / image.width / image.height));
    const canvas = h("canvas", { width: Math.round(image.width * scale),
      height: Math.round(image.height * scale) });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(address);
    const blob = await new Promise((done) => { canvas.toBlob(done, "image/png"); });
    if (!blob) throw new Error(say("too_large"));
    save(blob, fileName("png"));
  }

  async function address() {
    const said = document.getElementById("said");
    const here = `${location.href.split("#")[0]}#${State.written()}`;
    try {
      await navigator.clipboard.writeText(here);
      said.textContent = say("copied");
    } catch {
      said.textContent = say("address_is", { address: here });
    }
  }

  function build() {
    return h("p", { class: "row share" },
      h("button", { type: "button", id: "copy", onclick: address }, say("copy_address")),
      h("button", { type: "button", id: "svg", onclick: asSvg }, say("as_svg")),
      h("button", { type: "button", id: "png", onclick: asPng }, say("as_png")));
  }

  return { build, drawn };
})();
