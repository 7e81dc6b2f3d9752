// Elements without markup in strings: text from the data never becomes HTML.

function fillElement(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

function el(tag, attributes, ...children) {
  return fillElement(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fillElement(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

const byId = (id) => document.getElementById(id);

// Six hues times three dash patterns; markers add six shapes, filled or hollow.
const hue = (policy) => policy.style % 6;
const lineClass = (policy) => `line hue${hue(policy)} dash${Math.floor(policy.style / 6) % 3}`;

function swatch(policy) {
  return svg(
    "svg",
    { class: "swatch", width: 30, height: 12, "aria-hidden": "true" },
    svg("line", { class: lineClass(policy), x1: 1, y1: 6, x2: 29, y2: 6 }),
  );
}

// A sample for a key under a chart.
function sample(className, text, shape) {
  const mark =
    shape === "area"
      ? svg("rect", { class: className, x: 1, y: 1, width: 20, height: 10 })
      : svg("line", { class: className, x1: 1, y1: 6, x2: 21, y2: 6 });
  return el("span", {}, svg("svg", { width: 22, height: 12, "aria-hidden": "true" }, mark), text);
}
