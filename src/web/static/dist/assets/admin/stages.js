// All stages.

import { kindList } from "./kind_list.js";
import { STAGES } from "./kinds.js";
import { h } from "./h.js";
import { href } from "./router.js";

export const title = "Stages";

export function render(place) {
  kindList(place, {
    family: STAGES,
    caption: "Stages",
    last: {
      name: "Flows",
      of: (it) =>
        it.flow_set.length === 0
          ? "in none"
          : h(
              "ul",
              { class: "plain" },
              it.flow_set.map((flow) =>
                h("li", {}, h("a", { href: href(`/flows/${flow.slug}`) }, flow.name)),
              ),
            ),
    },
  });
}
