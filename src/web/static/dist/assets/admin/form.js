// Forms, made from what an operation takes according to the served description of the API.

import { Refusal } from "./api.js";
import { announce } from "./announce.js";
import { confirm } from "./dialog.js";
import { Unreadable, field } from "./fields.js";
import { fill, h } from "./h.js";
import { guard } from "./router.js";
import { description, operation, resolve, shape } from "./schema.js";

/**
 * A form for the operation with this id (`operation: 'flows_instances_create'`) or the schema of this
 * name (`schema: 'FlowRequest'`).
 *
 * - `values`: what there is; without it something new is made.
 * - `fields`: by property what is said of it (see fields.js); `hidden: true` leaves it out.
 * - `order`: the names of those that come first; `only`: those that there are at all.
 * - `fixed`: what is sent beside what was typed.
 * - `save(body)`: sends it. `body` holds what was changed; of something new, what was filled in.
 * - `saved(result)`: after that. `submit`: the name of the button. `cancel`: what else one may press.
 * - `isShownOnly`: for whoever may not change it.
 * - `more`: elements before the buttons. `said`: what is announced (`null`: nothing).
 *
 * Nothing that was typed is lost when `save` throws: complaints of a `Refusal` are shown at their
 * fields, the rest above. Answers with an element that has `isDirty()`, `field(name)` and `mayClose()`.
 */
export async function form(set) {
  const whole = await description();
  const taken = set.schema
    ? resolve(whole, { $ref: `#/components/schemas/${set.schema}` })
    : (await operation(set.operation)).request;
  const isNew = set.values === undefined;
  const fields = names(taken, set).map((name) => {
    const property = shape(whole, taken.properties[name]);
    const said = set.fields?.[name] ?? {};
    const known = set.values?.[name];
    return field(name, property, {
      ...said,
      isNew,
      value: known !== undefined ? known : said.value,
      required:
        said.required ??
        (taken.required?.includes(name) &&
          property.kind !== "boolean" &&
          !(property.kind === "secret" && !isNew)),
    });
  });
  const problems = h("div", { class: "alert", role: "alert", tabindex: "-1", hidden: true });
  const submit = h(
    "button",
    { type: "submit", class: "primary" },
    set.submit ?? (isNew ? "Create" : "Save"),
  );
  const element = h(
    "form",
    { class: "form", novalidate: true, autocomplete: "off" },
    problems,
    fields.map((it) => it.element),
    set.more,
    set.isShownOnly
      ? h("p", { class: "quiet" }, "You may look at this, and not change it.")
      : h("div", { class: "buttons" }, submit, set.cancel),
  );
  if (set.isShownOnly) {
    for (const it of element.querySelectorAll("input, textarea, select, button")) it.disabled = true;
  }

  // Fields that read themselves from the API are ready a moment later; only then it is known what
  // was there before.
  await Promise.all(fields.map((it) => it.isReady));
  let before = new Map(fields.map((it) => [it.name, read(it)]));
  const isChanged = (it) => JSON.stringify(read(it)) !== JSON.stringify(before.get(it.name));
  element.isDirty = () => fields.some(isChanged);
  element.field = (name) => fields.find((it) => it.name === name);
  element.mayClose = async () => !element.isDirty() || leave();
  const unguard = guard(() => (element.isConnected ? element.mayClose() : true));

  let isSending = false;
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isSending) return;
    fields.forEach((it) => it.error(null));
    problems.hidden = true;
    const body = { ...set.fixed };
    const complaints = {};
    for (const it of fields) {
      try {
        const value = it.read();
        // A tick that nobody touched is not sent along: the server knows what is usual.
        const isUntouched =
          !isChanged(it) &&
          (!isNew || (value === false && set.fields?.[it.name]?.value === undefined));
        if (value !== undefined && !isUntouched) body[it.name] = value;
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        complaints[it.name] = [error.message];
      }
    }
    if (Object.keys(complaints).length > 0) {
      complain(complaints, []);
      return;
    }
    isSending = true;
    submit.setAttribute("aria-disabled", "true");
    try {
      const result = await set.save(body);
      before = new Map(fields.map((it) => [it.name, read(it)]));
      if (set.said !== null) announce(set.said ?? "Saved.");
      await set.saved?.(result);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      complain(error.fields, Object.keys(error.fields).length > 0 ? error.general : [error.detail]);
    } finally {
      isSending = false;
      submit.removeAttribute("aria-disabled");
    }
  });

  function complain(complaints, general) {
    const known = [];
    const others = [...general];
    for (const [path, texts] of Object.entries(complaints)) {
      const at = fields.find((it) => it.name === path.split(".")[0]);
      if (at) {
        at.error(texts);
        known.push([at, texts]);
      } else {
        others.push(`${path}: ${texts.join(" ")}`);
      }
    }
    const jump = (it) =>
      h(
        "a",
        {
          href: `#${it.control.id}`,
          onclick: (event) => {
            event.preventDefault();
            it.focus();
          },
        },
        it.label,
      );
    const items = [
      ...others.map((text) => h("li", {}, text)),
      ...known.map(([it, texts]) => h("li", {}, jump(it), ": ", texts.join(" "))),
    ];
    fill(
      problems,
      h("p", {}, "This was not saved. Nothing of what you typed is lost."),
      h("ul", {}, items),
    );
    problems.hidden = false;
    problems.focus();
  }

  element.release = unguard;
  return element;
}

/** Whether what was typed may be given up. */
const leave = () =>
  confirm({
    title: "Leave without saving?",
    content: "What you changed here is not saved.",
    action: "Leave",
    danger: true,
  });

function names(schema, { order = [], only, fields = {}, fixed = {} }) {
  const all = Object.keys(schema.properties).filter(
    (name) => !fields[name]?.hidden && !(name in fixed) && (!only || only.includes(name)),
  );
  const first = order.filter((name) => all.includes(name));
  return [...first, ...all.filter((name) => !first.includes(name))];
}

function read(it) {
  try {
    return it.read();
  } catch {
    return it.control.value;
  }
}

/** The browser itself asks before the whole console is left. */
window.addEventListener("beforeunload", (event) => {
  for (const it of document.querySelectorAll("form.form")) {
    if (it.isDirty?.()) event.preventDefault();
  }
});
