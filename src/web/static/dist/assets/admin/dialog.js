// Dialogs: the browser's own element, which keeps the focus inside and gives it back.

import { h, id } from "./h.js";

/**
 * Opens a dialog with a heading and content. `mayClose` is asked before it is closed by Escape or its
 * button. Answers with `{ element, close(result), closed }`; `closed` is a promise of the result.
 */
export function dialog({ title, content, wide, mayClose }) {
  const heading = id("dialog");
  let result;
  const ask = async () => {
    if (!mayClose || (await mayClose())) element.close();
  };
  const element = h(
    "dialog",
    { class: wide ? "wide" : null, "aria-labelledby": heading },
    h(
      "div",
      { class: "head" },
      h("h2", { id: heading }, title),
      h("button", { type: "button", class: "quiet", onclick: ask }, "Close"),
    ),
    h("div", { class: "body" }, content),
  );
  element.addEventListener("cancel", (event) => {
    event.preventDefault();
    ask();
  });
  const closed = new Promise((done) => {
    element.addEventListener("close", () => {
      element.remove();
      done(result);
    });
  });
  document.body.append(element);
  element.showModal();
  const close = (value) => {
    result = value;
    element.close();
  };
  return { element, close, closed };
}

/**
 * Asks before something is done. `content` is text or elements, `action` the name of the button;
 * answers whether it was pressed. With `act`, that is called first, and the dialog stays open with what
 * was said when it throws.
 */
export async function confirm({ title, content, action = "Continue", danger = false, act }) {
  const problem = h("p", { class: "alert", role: "alert", hidden: true });
  const go = h("button", { type: "button", class: danger ? "danger" : "primary" }, action);
  const stay = h("button", { type: "button", autofocus: true }, "Cancel");
  const open = dialog({
    title,
    content: [
      h("div", { class: "said" }, content),
      problem,
      h("div", { class: "buttons" }, go, stay),
    ],
  });
  stay.addEventListener("click", () => open.close(false));
  go.addEventListener("click", async () => {
    go.disabled = true;
    try {
      await act?.();
      open.close(true);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      go.disabled = false;
    }
  });
  return (await open.closed) === true;
}
