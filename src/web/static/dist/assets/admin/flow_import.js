// A flow out of a file, as an export or authentik writes it.

import { announce } from "./announce.js";
import { call } from "./api.js";
import { dialog } from "./dialog.js";
import { fill, h, id } from "./h.js";

/** Asks for a file and imports it; answers whether that was done. */
export async function importFlow() {
  const own = id("file");
  const file = h("input", { id: own, type: "file", accept: ".yaml,.yml,.json", required: true });
  const problem = h("div", { class: "alert", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "primary" }, "Import");
  const form = h(
    "form",
    {},
    h("p", {}, "Whatever the file names is made, or changed where it is there already."),
    problem,
    h("div", { class: "field" }, h("label", { for: own }, "Blueprint"), file),
    h("div", { class: "buttons" }, submit),
  );
  const open = dialog({ title: "Import a flow", content: form });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData();
    body.append("file", file.files[0]);
    submit.disabled = true;
    try {
      const result = await call("POST", "/flows/instances/import/", { body });
      if (result?.success === false)
        throw Object.assign(new Error("It was not imported."), { logs: result.logs });
      announce("The flow was imported.");
      open.close(true);
    } catch (error) {
      const logs = (error.logs ?? error.body?.logs)?.map((it) => h("li", {}, it.event));
      fill(problem, h("p", {}, error.message), logs?.length ? h("ul", {}, logs) : null);
      problem.hidden = false;
    } finally {
      submit.disabled = false;
    }
  });
  return (await open.closed) === true;
}
