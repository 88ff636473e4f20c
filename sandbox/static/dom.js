// Elements without markup: what people write only ever becomes text nodes.

/** An element with attributes (`class`, `aria-label`, `onclick`, …) and children (nodes, texts; null is left out). */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** One of the icons that index.html defines. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

/** A button with an icon and a label for those who do not see it. */
export function iconButton(name, label, onclick, attributes = {}) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
}

const COLORS = ["#c0504d", "#b8741a", "#7a5fb5", "#3d8b40", "#2b85a8", "#3b6fc4", "#b8508a"];

/** A colour that stays the same for a person or topic. */
export function colorOf(number) {
  return COLORS[Math.abs(number) % COLORS.length];
}

/** A round sign with the first letter of a name. */
export function avatar(name, number) {
  const circle = el("span", { class: "avatar", "aria-hidden": "true" }, [...name][0] ?? "?");
  circle.style.setProperty("--hue-of", colorOf(number));
  return circle;
}

/** A name in one string. */
export function fullName(user) {
  return [user.first_name, user.last_name].filter(Boolean).join(" ");
}

/** Show a notice for a few seconds. */
export function notice(text) {
  const line = el("p", {}, text);
  document.querySelector("#notices").append(line);
  setTimeout(() => line.remove(), 5000);
}
