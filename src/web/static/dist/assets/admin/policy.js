// One policy, and what it says of somebody.

import { create } from "./api.js";
import { form } from "./form.js";
import { fill, h, moment, tag } from "./h.js";
import { history } from "./history.js";
import { kindForm } from "./kind_form.js";
import { POLICIES, ofKind } from "./kinds.js";
import { section, setTitle, tabs } from "./page.js";
import { deletion } from "./remove.js";
import { again, go } from "./router.js";

export const title = "Policy";

export async function render(place, { pk, part }) {
  const { kind, object } = await ofKind(POLICIES, pk);
  setTitle(object.name);
  place.append(
    tabs(`/policies/${pk}`, [
      ["", "Edit"],
      ["test", "Test"],
      ["history", "History"],
    ]),
  );
  if (part === "history") {
    place.append(section("Who changed it", await history("policy", pk)));
  } else if (part === "test") {
    place.append(await test(pk));
  } else {
    const away = deletion({
      path: `/policies/all/${pk}/`,
      name: object.name,
      to: () => go("/policies"),
    });
    const made = await kindForm({ kind, values: object, saved: again });
    place.append(section(kind.name, [h("p", { class: "quiet" }, kind.description), made], away));
  }
}

async function test(pk) {
  const outcome = h("div", { role: "status" });
  const made = await form({
    operation: "policies_all_test_create",
    fields: {
      user: { hint: "About whom it is asked." },
      context: {
        hint: 'What the flow knows by then, such as {"prompt_data": {"email": "a@example.com"}}.',
      },
    },
    order: ["user", "context"],
    submit: "Ask the policy",
    said: null,
    save: (body) => create(`/policies/all/${pk}/test/`, body),
    saved(result) {
      const logs = result.log_messages.map((it) =>
        h("li", {}, moment(it.timestamp), " ", h("code", {}, it.log_level), " ", it.event),
      );
      fill(
        outcome,
        h("h3", {}, "The policy says ", result.passing ? tag("yes", "good") : tag("no", "bad")),
        result.messages.length > 0
          ? [
              h("p", {}, "It tells the visitor:"),
              h(
                "ul",
                {},
                result.messages.map((it) => h("li", {}, it)),
              ),
            ]
          : null,
        logs.length > 0 ? [h("p", {}, "It wrote:"), h("ul", {}, logs)] : null,
      );
    },
  });
  return section("Test it", [
    h("p", { class: "quiet" }, "Nothing is changed by it, and nobody notices."),
    made,
    outcome,
  ]);
}
