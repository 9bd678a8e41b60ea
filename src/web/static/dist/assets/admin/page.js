// Parts that pages have in common.

import { announce } from "./announce.js";
import { fill, h } from "./h.js";
import { mayAt } from "./may.js";
import { href, path } from "./router.js";

/** Names the page that is shown, once it is known what it shows. */
export function setTitle(text) {
  const heading = document.querySelector("#main h1");
  if (heading) heading.textContent = text;
  document.title = `${text} – Console – ${document.body.dataset.brand}`;
}

/** Links to the parts of an object: `[['', 'Overview'], ['history', 'History']]` below `base`. */
export function tabs(base, parts) {
  const links = parts.filter(Boolean).map(([end, name]) => {
    const to = end ? `${base}/${end}` : base;
    return h("a", { href: href(to), "aria-current": path() === to ? "page" : null }, name);
  });
  return h("nav", { class: "tabs", "aria-label": "Parts" }, links);
}

/** A row of buttons and links. */
export const bar = (...children) => h("div", { class: "buttons" }, children);

/** A link that looks like a button. */
export const button = (text, to, kind) =>
  h("a", { class: kind ? `button ${kind}` : "button", href: to }, text);

/** Says that something failed, unless nobody waits for it any more or a dialog says so. */
export function complain(error) {
  if (error?.name === "AbortError" || error?.ended) return;
  if (!error?.status && !error?.detail) console.error(error);
  announce(error?.detail ?? error?.message ?? "That did not work.", "bad");
}

/** A button that does something; it cannot be pressed again until that is done. */
export function action(text, act, kind) {
  const element = h("button", { type: "button", class: kind ?? null }, text);
  element.addEventListener("click", async () => {
    if (element.getAttribute("aria-disabled") === "true") return;
    element.setAttribute("aria-disabled", "true");
    try {
      await act();
    } catch (error) {
      complain(error);
    } finally {
      element.removeAttribute("aria-disabled");
    }
  });
  return element;
}

/** The link to where something is made; none for whoever may not. `path` is that of the API. */
export const maker = (text, to, path) => mayAt("add", path) && button(text, to, "primary");

/** The link in a row of a list to where an object is changed; none for whoever may not. */
export const editor = (to, name, path) =>
  mayAt("change", path) &&
  h("a", { class: "button", href: to, "aria-label": `Edit ${name}` }, "Edit");

/** A section with a heading; `actions` stand beside it. */
export function section(heading, content, ...actions) {
  return h(
    "section",
    {},
    h("div", { class: "head" }, h("h2", {}, heading), actions.some(Boolean) ? bar(actions) : null),
    content,
  );
}

/** An element whose content is made by `make(element)`, now and whenever its `refresh()` is called. */
export async function live(make) {
  const element = h("div");
  element.refresh = async () => fill(element, await make(element));
  await element.refresh();
  return element;
}

/** Says an error in the place of what could not be shown. */
export const failure = (error) =>
  h("p", { class: "alert", role: "alert" }, error.detail ?? error.message);
