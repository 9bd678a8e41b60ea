// A flow as a picture that is a list: what is asked, step by step, and what decides about each.

import { DESIGNATIONS, REQUIREMENTS } from "./flow_fields.js";
import { decider } from "./gates.js";
import { h } from "./h.js";
import { href } from "./router.js";

/** `by`: the bindings of policies by their target. */
export function diagram(flow, bindings, by) {
  const own = by.get(flow.policybindingmodel_ptr_id) ?? [];
  const rows = [h("li", { class: "start" }, node("A visitor comes"))];
  const who = REQUIREMENTS[flow.authentication] ?? flow.authentication;
  if (own.length > 0 || flow.authentication !== "none") {
    rows.push(
      h(
        "li",
        { class: "gate" },
        node(h("strong", {}, `${who} may go on`), asked(own, flow.policy_engine_mode)),
      ),
    );
  }
  for (const it of bindings) {
    const conditions = by.get(it.policybindingmodel_ptr_id) ?? [];
    rows.push(
      h(
        "li",
        {},
        node(
          h("strong", {}, h("a", { href: href(`/stages/${it.stage}`) }, it.stage_obj.name)),
          h("p", { class: "quiet" }, it.stage_obj.verbose_name, said(it)),
          conditions.length > 0
            ? h("div", { class: "gates" }, when(it), asked(conditions, it.policy_engine_mode))
            : null,
        ),
      ),
    );
  }
  if (bindings.length === 0)
    rows.push(h("li", { class: "gate" }, node("It has no stages yet, so it ends at once.")));
  rows.push(
    h(
      "li",
      { class: "end" },
      node(`Done: ${(DESIGNATIONS[flow.designation] ?? flow.designation).toLowerCase()}`),
    ),
  );
  return h("ol", { class: "diagram" }, rows);
}

const node = (...content) => h("div", { class: "node" }, content);

function when(it) {
  if (it.re_evaluate_policies && it.evaluate_on_plan)
    return "Shown if, when the flow starts and again when it comes to it:";
  return it.evaluate_on_plan ? "Shown if, when the flow starts:" : "Shown if, when it comes to it:";
}

function said(it) {
  if (it.invalid_response_action === "restart") return " · a wrong answer starts the flow anew";
  if (it.invalid_response_action === "restart_with_context")
    return " · a wrong answer starts the flow anew, with what it knows";
  return "";
}

function asked(conditions, mode) {
  if (conditions.length === 0) return null;
  const lead =
    conditions.length === 1
      ? null
      : h(
          "p",
          { class: "quiet" },
          mode === "all" ? "all of these say yes" : "any of these says yes",
        );
  return [
    lead,
    h(
      "ul",
      {},
      conditions.map((it) => h("li", {}, decider(it), it.enabled ? null : " (switched off)")),
    ),
  ];
}
