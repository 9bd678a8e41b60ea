// Taking objects away, after showing what refers to them.

import { announce } from "./announce.js";
import { get, remove as removeAt } from "./api.js";
import { confirm } from "./dialog.js";
import { h, words } from "./h.js";
import { mayAt } from "./may.js";
import { action } from "./page.js";

const ACTIONS = {
  cascade: "is deleted as well",
  cascade_many: "no longer names it",
  set_null: "no longer names it",
  set_default: "names the usual one again",
  left_dangling: "refers to nothing then",
};

const MODELS = {
  flowstagebinding: "A step of a flow",
  policybinding: "A binding of a policy",
  brand: "Brand",
};

/** What has no name of its own is called by what it is. */
function called({ name, model_name: model, pk }) {
  const kind = MODELS[model] ?? words(model);
  return name && name !== pk ? [h("strong", {}, name), ` (${kind})`] : h("strong", {}, kind);
}

/**
 * Asks whether the object at `path` (of the API) is to be deleted, with what its `used_by/` lists, and
 * deletes it. Answers whether it did. `used: false` where the API cannot tell; `warning`: said besides.
 */
export async function remove({ path, name, used = true, warning }) {
  const users = used ? await get(`${path}used_by/`).catch(() => null) : [];
  const rows = users?.map((it) => h("li", {}, called(it), " ", ACTIONS[it.action] ?? it.action));
  const content = [
    h("p", {}, "This cannot be undone."),
    warning ? h("p", {}, warning) : null,
    users === null ? h("p", {}, "What else uses it is not known.") : null,
    rows?.length ? [h("p", {}, "It is used:"), h("ul", { class: "used" }, rows)] : null,
  ];
  const done = await confirm({
    title: `Delete ${name}?`,
    content,
    action: "Delete",
    danger: true,
    act: () => removeAt(path),
  });
  if (done) announce(`${name} was deleted.`);
  return done;
}

/** The button on the page of an object that does so; `to()` leads on. */
export function deletion({ to, ...what }) {
  if (!mayAt("delete", what.path)) return null;
  return action("Delete", async () => (await remove(what)) && to(), "danger");
}

/** The button in a row of a list that does so, and what is done then; none for whoever may not. */
export function removal({ done, ...what }) {
  if (!mayAt("delete", what.path)) return null;
  const onclick = async () => (await remove(what)) && done();
  const label = `Delete ${what.name}`;
  return h("button", { type: "button", class: "danger", "aria-label": label, onclick }, "Delete");
}
