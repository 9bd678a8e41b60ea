// A field for expressions and JSON.

import { h } from "./h.js";

/**
 * A text area in which Tab indents once something was typed. Whoever only passes through, or pressed
 * Escape, leaves it with Tab as any other field. Enter keeps the indentation.
 */
export function code(attributes, value) {
  const area = h("textarea", {
    class: "code",
    rows: 12,
    spellcheck: "false",
    autocapitalize: "off",
    autocomplete: "off",
    ...attributes,
  });
  area.value = value ?? "";
  let isTyping = false;
  area.addEventListener("focus", () => (isTyping = false));
  area.addEventListener("input", () => (isTyping = true));
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isTyping) {
      // The dialog around it stays open.
      event.preventDefault();
      event.stopPropagation();
      isTyping = false;
    } else if (
      event.key === "Tab" &&
      isTyping &&
      !event.shiftKey &&
      !event.ctrlKey &&
      !event.altKey
    ) {
      event.preventDefault();
      put(area, "    ");
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      const line = area.value.slice(0, area.selectionStart).split("\n").pop();
      const indent = /^\s*/.exec(line)[0];
      if (indent || /:\s*$/.test(line)) {
        event.preventDefault();
        put(area, `\n${indent}${/:\s*$/.test(line) ? "    " : ""}`);
      }
    }
  });
  return area;
}

function put(area, text) {
  // Kept apart from the rest of what can be undone only where the browser offers no better way.
  if (!document.execCommand?.("insertText", false, text))
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
}

/** Said below such a field. */
export const CODE_HINT = "Tab indents while you type; press Escape first to leave with Tab.";
