// Says what came of something, to eyes and to screen readers.

import { h } from "./h.js";

const region = h("div", { id: "said", role: "status", "aria-live": "polite", popover: "manual" });
let gone;

/** Puts the region into the page; it has to be there before anything is said. */
export function prepare() {
  document.body.append(region);
}

/** Says that something was done, or (`kind` is `bad`) that it was not. */
export function announce(text, kind) {
  clearTimeout(gone);
  region.className = kind === "bad" ? "bad" : "";
  // Whatever lies on top, such as a dialog, this lies above it.
  if (region.matches(":popover-open")) region.hidePopover();
  region.showPopover();
  region.textContent = "";
  // Said anew also when it is the same text.
  requestAnimationFrame(() => (region.textContent = text));
  gone = setTimeout(() => region.hidePopover(), kind === "bad" ? 12000 : 6000);
}
