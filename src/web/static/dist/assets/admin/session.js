// What happens when the session ends while somebody works.

import { onEnd } from "./api.js";
import { dialog } from "./dialog.js";
import { h } from "./h.js";
import { again } from "./router.js";

let open = false;

/** Watches for the end of the session. */
export function watch() {
  onEnd(async () => {
    if (open) return;
    open = true;
    const hasForm = document.querySelector("form.form") !== null;
    const login = `/flows/-/default/authentication/?next=${encodeURIComponent("/if/admin/")}`;
    const link = h(
      "a",
      { class: "button primary", href: login, target: "_blank", rel: "opener" },
      "Log in in a new tab",
    );
    const back = h("button", { type: "button" }, "I have logged in");
    const text = hasForm
      ? "What you typed is still here. Log in in a new tab, come back to this one, and save again."
      : "Log in in a new tab, then come back to this one.";
    const said = dialog({
      title: "Your session has ended",
      content: [h("p", {}, text), h("div", { class: "buttons" }, link, back)],
    });
    back.addEventListener("click", () => said.close());
    await said.closed;
    open = false;
    if (!hasForm) again();
  });
}
