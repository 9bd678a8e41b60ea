// What decides about a flow or a step of one: policies, users and groups bound to it.

import { all, create, update } from "./api.js";
import { dialog } from "./dialog.js";
import { form } from "./form.js";
import { h, id } from "./h.js";
import { besides, makeNew } from "./kind_new.js";
import { POLICIES } from "./kinds.js";
import { mayAt } from "./may.js";
import { action, live, section } from "./page.js";
import { remove } from "./remove.js";
import { href } from "./router.js";

const PATH = "/policies/bindings/";

/** What a binding asks, in a few words. */
export function decider(it) {
  const not = it.negate ? "not " : "";
  if (it.policy_obj)
    return [
      not,
      h("a", { href: href(`/policies/${it.policy}`) }, it.policy_obj.name),
      ` (${it.policy_obj.verbose_name})`,
    ];
  if (it.group_obj) return `${not}in the group ${it.group_obj.name}`;
  if (it.user_obj) return `${not}the user ${it.user_obj.username}`;
  return "nothing that there still is";
}

/** The section of all that is bound to `target`; `said` explains it. */
export async function gates({ target, heading, said }) {
  const shown = await live(async (body) => {
    const bound = await all("/policies/bindings/", { target, ordering: "order" });
    const rows = bound.map((it) =>
      h(
        "li",
        {},
        h(
          "div",
          { class: "what" },
          h("strong", {}, decider(it)),
          h("p", { class: "quiet" }, flags(it)),
        ),
        h(
          "div",
          { class: "buttons small" },
          mayAt("change", PATH) && action("Edit", () => edit(target, it, bound, body)),
          mayAt("delete", PATH) && action("Remove", () => unbind(it, body), "danger"),
        ),
      ),
    );
    const add =
      mayAt("add", PATH) &&
      action("Bind something", () => edit(target, null, bound, body), "primary");
    return [
      rows.length > 0
        ? h("ol", { class: "steps" }, rows)
        : h("p", { class: "empty" }, "Nothing is bound."),
      add && h("div", { class: "buttons after" }, add),
    ];
  });
  return section(heading, [said ? h("p", { class: "quiet" }, said) : null, shown]);
}

async function unbind(it, body) {
  const done = await remove({
    path: `${PATH}${it.pk}/`,
    name: "this binding",
    used: false,
    warning: "Only the binding goes; what it names stays.",
  });
  if (done) await body.refresh();
}

function flags(it) {
  const off = it.enabled ? null : "switched off";
  return [
    `Order ${it.order}`,
    off,
    `at most ${it.timeout} s`,
    it.failure_result ? "counts as a yes when it breaks" : "counts as a no when it breaks",
  ]
    .filter(Boolean)
    .join(" · ");
}

const WHO = { policy: "A policy", group: "Members of a group", user: "A single user" };

async function edit(target, binding, others, body) {
  const made = await form({
    schema: "PolicyBindingRequest",
    values: binding ?? undefined,
    fixed: binding ? undefined : { target },
    fields: {
      target: { hidden: true },
      policy: { label: "Policy", required: false },
      group: { label: "Group" },
      user: { label: "User" },
      order: {
        value: Math.max(-10, ...others.map((it) => it.order)) + 10,
        hint: "Lower numbers are asked first.",
      },
      negate: {
        label: "Negate the answer",
        hint: "A yes counts as a no, and a no as a yes.",
      },
      enabled: { label: "Switched on", value: true },
      timeout: { value: 30, hint: "How many seconds it may take." },
      failure_result: {
        label: "Counts as a yes when it breaks",
        hint: "When the policy cannot be asked, or ends with an error. Else that is a no.",
      },
    },
    order: ["policy", "group", "user", "order", "negate", "enabled"],
    submit: binding ? "Save" : "Bind",
    said: binding ? "Saved." : "Bound.",
    save(changed) {
      // Only one of them decides; what was chosen before in another field does not count.
      const others = Object.fromEntries(
        Object.keys(WHO)
          .filter((it) => it !== who.value)
          .map((it) => [it, null]),
      );
      const sent = { ...changed, ...others };
      return binding
        ? update(`/policies/bindings/${binding.pk}/`, sent)
        : create("/policies/bindings/", sent);
    },
    async saved() {
      open.close();
      await body.refresh();
    },
  });
  const who = h(
    "select",
    { id: id("who") },
    Object.entries(WHO).map(([value, text]) => h("option", { value }, text)),
  );
  who.value =
    Object.keys(WHO).find((it) => binding?.[it] !== null && binding?.[it] !== undefined) ??
    "policy";
  const show = () =>
    Object.keys(WHO).forEach((it) => (made.field(it).element.hidden = it !== who.value));
  who.addEventListener("change", show);
  show();
  made.prepend(h("div", { class: "field" }, h("label", { for: who.id }, "What decides"), who));
  besides(made, "policy", "New policy", () => makeNew(POLICIES, { title: "New policy" }));
  const open = dialog({
    title: binding ? "Edit the binding" : "Bind something",
    content: made,
    mayClose: made.mayClose,
  });
  await open.closed;
}

/** The same in a dialog of its own, for a step of a flow. */
export async function gatesDialog({ target, title, said }) {
  const content = await gates({ target, heading: "What decides", said });
  const open = dialog({ title, content, wide: true });
  await open.closed;
}
