// The stages of a flow in their order.

import { announce } from "./announce.js";
import { all, create, update } from "./api.js";
import { confirm, dialog } from "./dialog.js";
import { MODES } from "./flow_fields.js";
import { form } from "./form.js";
import { gatesDialog } from "./gates.js";
import { h } from "./h.js";
import { makeNew } from "./kind_new.js";
import { STAGES } from "./kinds.js";
import { mayAny, mayAt } from "./may.js";
import { action, live, section } from "./page.js";
import { remove } from "./remove.js";
import { href } from "./router.js";

const ANSWERS = {
  retry: "Asks again",
  restart: "Starts the flow anew",
  restart_with_context: "Starts the flow anew, with what it knows",
};

const PATH = "/flows/bindings/";

const FIELDS = {
  target: { hidden: true },
  stage: { label: "Stage" },
  order: { hint: "Lower numbers come first." },
  evaluate_on_plan: { label: "Ask its policies when the flow starts" },
  re_evaluate_policies: { label: "Ask its policies when the flow comes to it", value: true },
  invalid_response_action: { label: "A wrong answer", names: ANSWERS, value: "retry" },
  policy_engine_mode: { label: "How its policies count", names: MODES, value: "any" },
};

/** The section of a flow's stages. */
export async function steps(flow) {
  const shown = await live(async (body) => {
    const bindings = await all("/flows/bindings/", { target: flow.pk, ordering: "order" });
    const bound = await Promise.all(
      bindings.map((it) => all("/policies/bindings/", { target: it.policybindingmodel_ptr_id })),
    );
    const rows = bindings.map((it, index) => row(bindings, index, bound[index].length, body));
    const next = Math.max(-10, ...bindings.map((it) => it.order)) + 10;
    return [
      rows.length > 0
        ? h("ol", { class: "steps" }, rows)
        : h("p", { class: "empty" }, "It has no stages yet."),
      mayAt("add", PATH) &&
        h(
          "div",
          { class: "buttons after" },
          mayAny(STAGES.added) &&
            action("Add a new stage", () => addNew(flow, next, body), "primary"),
          action("Add an existing stage", () => edit(flow, null, next, body)),
        ),
    ];
  });
  return section("Stages in their order", shown);
}

function row(bindings, index, gates, body) {
  const it = bindings[index];
  const name = it.stage_obj.name;
  const flags = [
    `Order ${it.order}`,
    it.evaluate_on_plan ? "policies asked at the start" : null,
    it.re_evaluate_policies ? "policies asked when it comes to it" : null,
    it.invalid_response_action && it.invalid_response_action !== "retry"
      ? ANSWERS[it.invalid_response_action]
      : null,
  ]
    .filter(Boolean)
    .join(" · ");
  const move = (step, word) => {
    const isPossible = bindings[index + step] !== undefined;
    const press = action(
      step < 0 ? "↑" : "↓",
      () => isPossible && shift(bindings, index, step, body),
    );
    press.setAttribute("aria-label", `Move ${name} ${word}`);
    press.disabled = !isPossible;
    press.dataset.move = `${it.pk} ${word}`;
    return press;
  };
  return h(
    "li",
    {},
    h(
      "div",
      { class: "what" },
      h("strong", {}, h("a", { href: href(`/stages/${it.stage}`) }, name)),
      " ",
      h("span", { class: "quiet" }, it.stage_obj.verbose_name),
      h("p", { class: "quiet" }, flags),
    ),
    h(
      "div",
      { class: "buttons small" },
      mayAt("change", PATH) && [
        move(-1, "up"),
        move(1, "down"),
        named(
          action("Edit", () => edit({ pk: it.target }, it, it.order, body)),
          `Edit how ${name} is bound`,
        ),
      ],
      named(
        action(gates === 1 ? "1 policy" : `${gates} policies`, async () => {
          await gatesDialog({
            target: it.policybindingmodel_ptr_id,
            title: `When ${name} is shown`,
            said: "Without policies it is always shown.",
          });
          await body.refresh();
        }),
        `${gates === 1 ? "1 policy" : `${gates} policies`} of ${name}`,
      ),
      mayAt("delete", PATH) &&
        named(
          action("Remove", () => unbind(it, body), "danger"),
          `Remove ${name}`,
        ),
    ),
  );
}

function named(element, label) {
  element.setAttribute("aria-label", label);
  return element;
}

async function unbind(it, body) {
  const warning = "The stage itself stays; what is bound to this step goes.";
  if (
    await remove({
      path: `/flows/bindings/${it.pk}/`,
      name: `the step ${it.stage_obj.name}`,
      used: false,
      warning,
    })
  )
    await body.refresh();
}

/** Has a step change places with the one before or after it. */
async function shift(bindings, index, step, body) {
  const order = [...bindings];
  const [moved] = order.splice(index, 1);
  order.splice(index + step, 0, moved);
  const isEven = new Set(bindings.map((it) => it.order)).size === bindings.length;
  // The numbers stay where they are; only where two are the same all are given anew.
  const numbers = isEven ? bindings.map((it) => it.order) : bindings.map((_, at) => at * 10);
  try {
    for (const [at, it] of order.entries()) {
      if (it.order !== numbers[at])
        await update(`/flows/bindings/${it.pk}/`, { order: numbers[at] });
    }
    announce(`${moved.stage_obj.name} is step ${index + step + 1} of ${bindings.length} now.`);
  } catch (error) {
    announce(error.message, "bad");
  }
  await body.refresh();
  const word = step < 0 ? "up" : "down";
  const again =
    body.querySelector(`[data-move="${moved.pk} ${word}"]:not(:disabled)`) ??
    body.querySelector(`[data-move^="${moved.pk}"]:not(:disabled)`);
  again?.focus();
}

async function edit(flow, binding, order, body) {
  const made = await form({
    schema: "FlowStageBindingRequest",
    values: binding ?? undefined,
    fixed: binding ? undefined : { target: flow.pk },
    fields: { ...FIELDS, order: { ...FIELDS.order, value: order } },
    order: ["stage", "order", "re_evaluate_policies", "evaluate_on_plan"],
    submit: binding ? "Save" : "Add",
    said: binding ? "Saved." : "The stage was added.",
    save: (sent) =>
      binding ? update(`/flows/bindings/${binding.pk}/`, sent) : create("/flows/bindings/", sent),
    async saved() {
      open.close();
      await body.refresh();
    },
  });
  const open = dialog({
    title: binding ? "Edit the step" : "Add an existing stage",
    content: made,
    mayClose: made.mayClose,
  });
  await open.closed;
}

/** Makes a stage of any kind and puts it at the end of the flow. */
async function addNew(flow, order, body) {
  const stage = await makeNew(STAGES, {
    title: "Add a new stage",
    submit: "Create and add",
    said: null,
  });
  if (!stage) return;
  try {
    await create("/flows/bindings/", { target: flow.pk, stage: stage.pk, order });
    announce(`${stage.name} was created and added.`);
  } catch (error) {
    await confirm({
      title: "The stage is there, but not in the flow",
      content: error.message,
      action: "I see",
    });
  }
  await body.refresh();
}
